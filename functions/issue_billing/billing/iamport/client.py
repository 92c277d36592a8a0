"""The gateway's verbs: PortOne's V1 REST API, by what an attempt wants of it.

Facts: PortOne's published V1 schema (edition of 2026-07-27), and answers captured in public issues.
"""

import copy
from collections.abc import Callable, Mapping
from typing import Any, Self
from urllib.parse import quote

from billing.credentials import CredentialsStore
from billing.iamport.exchange import Answer, Call, Exchange
from billing.iamport.refusing import NOT_ACCEPTED, refused_card, request_refused
from billing.iamport.scrub import Scrub
from billing.iamport.token import Tokens
from billing.model.billing_key import BillingKey, FoundPayment, PaidPayment
from billing.model.card import Card
from billing.model.customer import Channel, Customer, Payment, buyer_of
from billing.model.deadline import Deadline
from billing.model.errors import Answered, Declined, OutcomeUnknown, Unavailable
from billing.model.sensitive import Sensitive
from billing.settings import Settings

LOOK_UP_SECONDS = 5.0
"""The longest that a look-up may take: it waits for no PG."""
LEAST_ISSUE_SECONDS = 4.0
"""A PG needs seconds; with less than this left a card is not sent at all, nor a key charged."""
MOST_PAYMENTS = 1000
"""Under one order, in one answer; PortOne's published V1 schema, GET /payments/findAll/{merchant_uid}."""
BEYOND_ALL_NUMBERS = 10**15
"""No amount and no time is that large. DynamoDB refuses numbers of more than 38 digits."""


class Iamport:
    """Keeps one connection and one token per container."""

    def __init__(self, settings: Settings, credentials: CredentialsStore) -> None:
        self._settings = settings
        self._exchange = Exchange(settings.iamport_base_url, settings.iamport_tier)
        self._tokens = Tokens(self._exchange, credentials)
        self._scrub = Scrub()

    def hiding(self, card: Card) -> Self:
        """The same gateway, none of whose texts quotes the card that is being registered."""
        hiding = copy.copy(self)
        hiding._scrub = Scrub(card)
        return hiding

    def take_seconds_waited(self) -> float:
        """Time spent waiting for Iamport since this was last asked."""
        return self._exchange.take_seconds_waited()

    def prepare(self, deadline: Deadline) -> None:
        """Makes sure of a token. Raises Unavailable."""
        tokens = self._tokens
        if not (tokens.kept(deadline) or tokens.new(deadline) or tokens.new_by_a_new_secret(deadline)):
            raise Unavailable("wrong_key", Answered(401))

    def channel_of(self, customer: Customer) -> Channel:
        """The merchant's server chooses per customer, or else the operator for all; never the browser."""
        return customer.channel or Channel(self._settings.iamport_channel_key, self._settings.iamport_pg)

    def issue(self, customer: Customer, card: Card, deadline: Deadline) -> BillingKey:
        """Registers the card under the customer_uid; a card registered before is silently replaced.

        `deadline` is when the answer has to be there.
        Raises Declined, GatewayRefused, Unavailable, GatewayError, OutcomeUnknown.
        """
        channel = self.channel_of(customer)
        body = {
            **_card_parameters(card),
            **_named(channel_key=channel.channel_key, pg=channel.pg),
            **{name: value.reveal() for name, value in customer.details},
        }
        answer = self._ask(_issuing(_customer_path(customer.uid), body), deadline)
        scrub = Scrub(card)
        if (no := refused_card(answer, scrub)) is not None:
            raise no
        return _billing_key(customer.uid, _told(answer, customer_uid=customer.uid), scrub)

    def issue_and_pay(self, customer: Customer, card: Card, payment: Payment, deadline: Deadline) -> PaidPayment:
        """Registers the card under the customer_uid and takes the first payment with it.

        This endpoint knows no channel_key, and takes the default channel where `pg` names none.
        Raises Declined, GatewayRefused (the key may exist all the same), Unavailable, GatewayError, OutcomeUnknown.
        """
        body = {
            **_card_parameters(card),
            **_named(pg=self.channel_of(customer).pg),
            **_payment_parameters(customer, payment),
        }
        answer = self._ask(_issuing("/subscribe/payments/onetime", body), deadline)
        return _taken(answer, customer, payment, Scrub(card))

    def charge(self, customer: Customer, payment: Payment, deadline: Deadline) -> PaidPayment:
        """Takes the payment with the key that is registered, through the channel that the key was issued by.

        Raises Declined, GatewayRefused (by code 1 where no key is there), Unavailable, GatewayError, OutcomeUnknown.
        """
        answer = self._ask(_issuing("/subscribe/payments/again", _payment_parameters(customer, payment)), deadline)
        return _taken(answer, customer, payment, self._scrub)

    def find_payments(self, merchant_uid: str, deadline: Deadline) -> tuple[FoundPayment, ...]:
        """All payments under the merchant_uid, the newest first. Raises Unavailable when that stays open."""
        path = f"/payments/findAll/{quote(merchant_uid, safe='')}?limit={MOST_PAYMENTS}"
        answer = self._ask(Call("GET", path), deadline.at_most(LOOK_UP_SECONDS))
        match answer:
            case Answer(code=0, response={"list": list(found)}):
                payments = [_payment(merchant_uid, fields, self._scrub) for fields in found]
                if None not in payments:
                    return tuple(payment for payment in payments if payment is not None)
            case Answer(http_status=404):
                return ()
            case Answer(http_status=status) if status in NOT_ACCEPTED:
                raise request_refused("find_payments_refused", answer, self._scrub)
        raise Unavailable("find_payments_refused", answer.for_log())

    def look_up(self, customer_uid: str, deadline: Deadline) -> BillingKey | None:
        """What is registered under the customer_uid, None for nothing. Raises Unavailable when that stays open."""
        answer = self._ask(Call("GET", _customer_path(customer_uid)), deadline.at_most(LOOK_UP_SECONDS))
        match answer:
            case Answer(code=0, response=dict(fields)) if _is_about(fields, customer_uid=customer_uid):
                return _billing_key(customer_uid, fields, self._scrub)
            # As captured, and as the schema has it.
            case Answer(http_status=200, code=1) | Answer(http_status=404):
                return None
            case Answer(http_status=status) if status in NOT_ACCEPTED:
                raise request_refused("look_up_refused", answer, self._scrub)
        raise Unavailable("look_up_refused", answer.for_log())

    def _ask(self, call: Call, deadline: Deadline) -> Answer:
        """A 401 means: not processed. So again with a new token, then with a new secret. Raises Unavailable."""
        refused = Unavailable("wrong_key", Answered(401))
        for token_of in (self._tokens.kept, self._tokens.new, self._tokens.new_by_a_new_secret):
            token = token_of(deadline)
            if token is None:
                continue
            answer = self._exchange.ask(call, token, deadline)
            if answer.http_status != 401:
                return answer
            refused = Unavailable("token_refused", answer.for_log())
        raise refused


def _card_parameters(card: Card) -> dict[str, str | int]:
    """The one place where card data leaves its object."""
    return _named(
        card_number=card.number.reveal(),
        expiry=card.expiry.reveal(),
        birth=card.birth.reveal(),
        pwd_2digit=card.pwd_2digit.reveal(),
    )


def _named(**parameters: str) -> dict[str, str | int]:
    return {name: value for name, value in parameters.items() if value}


def _issuing(path: str, body: dict[str, str | int]) -> Call:
    return Call("POST", path, body, issues_or_charges=True, least_seconds=LEAST_ISSUE_SECONDS)


def _payment_parameters(customer: Customer, payment: Payment) -> dict[str, str | int]:
    details = (*buyer_of(customer, payment), *payment.details)
    return {
        "customer_uid": customer.uid,
        "merchant_uid": payment.merchant_uid,
        "amount": payment.amount,
        "name": payment.name,
        **{name: value.reveal() if isinstance(value, Sensitive) else value for name, value in details},
    }


def _customer_path(customer_uid: str) -> str:
    return f"/subscribe/customers/{quote(customer_uid, safe='')}"


def _taken(answer: Answer, customer: Customer, payment: Payment, scrub: Scrub) -> PaidPayment:
    """The payment, where it was taken. Raises Declined, GatewayRefused, OutcomeUnknown."""
    if (no := refused_card(answer, scrub)) is not None:
        raise no
    told = _told(answer, customer_uid=customer.uid, merchant_uid=payment.merchant_uid)
    match _payment(payment.merchant_uid, told, scrub):
        case FoundPayment(status="paid", imp_uid=imp_uid, amount=amount, receipt_url=receipt_url):
            return PaidPayment(payment.merchant_uid, imp_uid, payment.amount if amount is None else amount, receipt_url)
        case FoundPayment(status="failed", fail_reason=reason):
            raise Declined(reason, answer.for_log(reason))
    raise OutcomeUnknown("payment_without_status", answer.for_log())


def _told(answer: Answer, **asked: str) -> Mapping[str, Any]:
    """Raises OutcomeUnknown where it tells nothing, or of something else, as a proxy's does that is out of step."""
    if answer.response is None:
        raise OutcomeUnknown("empty_response", answer.for_log())
    if not _is_about(answer.response, **asked):
        raise OutcomeUnknown("about_something_else", answer.for_log())
    return answer.response


def _is_about(fields: Mapping[str, Any], **asked: str) -> bool:
    """Null contradicts nothing."""
    return all(fields.get(name) in (None, value) for name, value in asked.items())


def _billing_key(customer_uid: str, fields: Mapping[str, Any], scrub: Scrub) -> BillingKey:
    """Any field may be null, missing, or of another type than documented."""
    card_type = _whole(fields, "card_type")
    return BillingKey(
        customer_uid=customer_uid,
        card_name=_text(fields, "card_name", scrub.text),
        card_number=_text(fields, "card_number", scrub.card_number),
        card_type="credit" if card_type == 0 else "debit" if card_type == 1 else None,
        updated=_whole(fields, "updated"),
    )


def _payment(merchant_uid: str, fields: Any, scrub: Scrub) -> FoundPayment | None:
    """None for what can't be read, or is under another order."""
    if not isinstance(fields, dict) or not _is_about(fields, merchant_uid=merchant_uid):
        return None
    imp_uid, status = _text(fields, "imp_uid", scrub.identifier), _text(fields, "status", str)
    if imp_uid is None or status is None:
        return None
    return FoundPayment(
        merchant_uid=merchant_uid,
        imp_uid=imp_uid,
        status=status,
        customer_uid=_text(fields, "customer_uid", str),
        amount=_whole(fields, "amount"),
        card_number=_text(fields, "card_number", scrub.card_number),
        receipt_url=_text(fields, "receipt_url", scrub.link),
        fail_reason=_text(fields, "fail_reason", scrub.text),
    )


def _text(fields: Mapping[str, Any], name: str, take: Callable[[str], str | None]) -> str | None:
    """`take`: what of the text may be kept; `str` only for what is compared and never shown."""
    value = fields.get(name)
    return take(value) if isinstance(value, str) and value else None


def _whole(fields: Mapping[str, Any], name: str) -> int | None:
    """A number that JSON may write as 1000.0."""
    value = fields.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < BEYOND_ALL_NUMBERS:
        return None
    if value != value // 1:
        return None
    return int(value)
