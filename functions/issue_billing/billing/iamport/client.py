"""The gateway's verbs: PortOne's V1 REST API, by what an attempt wants of it.

Facts: PortOne's published V1 schema (edition of 2026-07-27), and answers captured in public issues.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from billing.credentials import CredentialsStore
from billing.iamport.exchange import Answer, Call, Exchange
from billing.iamport.token import Tokens
from billing.model.billing_key import BillingKey, FoundPayment, PaidPayment
from billing.model.card import Card, masked
from billing.model.customer import Customer, Payment
from billing.model.deadline import Deadline
from billing.model.errors import Declined, OutcomeUnknown, Unavailable
from billing.model.sensitive import Sensitive
from billing.settings import Settings

LOOK_UP_SECONDS = 5.0
"""The longest that a look-up may take: it waits for no PG."""
LEAST_ISSUE_SECONDS = 4.0
"""A PG needs seconds; with less than this left a card is not sent at all."""
MOST_PAYMENTS = 1000
"""Under one order, in one answer; PortOne's published V1 schema, GET /payments/findAll/{merchant_uid}."""


class Iamport:
    """Keeps one connection and one token per container."""

    def __init__(self, settings: Settings, credentials: CredentialsStore) -> None:
        self._settings = settings
        self._exchange = Exchange(settings.iamport_base_url)
        self._tokens = Tokens(self._exchange, credentials)

    def take_seconds_waited(self) -> float:
        """Time spent waiting for Iamport since this was last asked."""
        return self._exchange.take_seconds_waited()

    def prepare(self, deadline: Deadline) -> None:
        """Makes sure of a token. Raises Unavailable."""
        tokens = self._tokens
        if not (tokens.kept(deadline) or tokens.new(deadline) or tokens.new_by_a_new_secret(deadline)):
            raise Unavailable("wrong_key")

    def issue(self, customer: Customer, card: Card, deadline: Deadline) -> BillingKey:
        """Registers the card under the customer_uid; a card registered before is silently replaced.

        `deadline` is when the answer has to be there.
        Raises Declined, Unavailable, GatewayError, OutcomeUnknown.
        """
        body = {**self._card_parameters(card), **{name: value.reveal() for name, value in customer.details}}
        answer = self._ask(_issuing(_customer_path(customer.uid), body), deadline)
        if answer.code != 0:
            raise _declined(answer.message, card)
        return _billing_key(customer.uid, _told(answer, customer_uid=customer.uid))

    def issue_and_pay(self, customer: Customer, card: Card, payment: Payment, deadline: Deadline) -> PaidPayment:
        """Registers the card under the customer_uid and takes the first payment with it.

        Raises Declined (the key may exist all the same), Unavailable, GatewayError, OutcomeUnknown.
        """
        body = {
            **self._card_parameters(card),
            "customer_uid": customer.uid,
            "merchant_uid": payment.merchant_uid,
            "amount": payment.amount,
            "name": payment.name,
            **{name: value.reveal() if isinstance(value, Sensitive) else value for name, value in payment.details},
        }
        answer = self._ask(_issuing("/subscribe/payments/onetime", body), deadline)
        if answer.code != 0:
            raise _declined(answer.message, card)
        match _payment(_told(answer, customer_uid=customer.uid, merchant_uid=payment.merchant_uid)):
            case FoundPayment(status="paid", imp_uid=imp_uid, amount=amount, receipt_url=receipt_url):
                return PaidPayment(
                    payment.merchant_uid, imp_uid, payment.amount if amount is None else amount, receipt_url
                )
            case FoundPayment(status="failed", fail_reason=reason):
                raise _declined(reason, card)
        raise OutcomeUnknown("payment_without_status")

    def find_payments(self, merchant_uid: str, deadline: Deadline) -> tuple[FoundPayment, ...]:
        """All payments under the merchant_uid, the newest first. Raises Unavailable when that stays open."""
        path = f"/payments/findAll/{quote(merchant_uid, safe='')}?limit={MOST_PAYMENTS}"
        answer = self._ask(Call("GET", path), deadline.at_most(LOOK_UP_SECONDS))
        match answer:
            case Answer(code=0, response={"list": list(found)}):
                payments = tuple(_payment(fields) for fields in found)
                if all(payment is not None and payment.merchant_uid == merchant_uid for payment in payments):
                    return tuple(payment for payment in payments if payment is not None)
            case Answer(http_status=404):
                return ()
        raise Unavailable("find_payments_refused")

    def look_up(self, customer_uid: str, deadline: Deadline) -> BillingKey | None:
        """What is registered under the customer_uid, None for nothing. Raises Unavailable when that stays open."""
        answer = self._ask(Call("GET", _customer_path(customer_uid)), deadline.at_most(LOOK_UP_SECONDS))
        match answer:
            case Answer(code=0, response=dict(fields)) if _is_about(fields, customer_uid=customer_uid):
                return _billing_key(customer_uid, fields)
            # As captured, and as the schema has it.
            case Answer(http_status=200, code=1) | Answer(http_status=404):
                return None
        raise Unavailable("look_up_refused")

    def _card_parameters(self, card: Card) -> dict[str, str | int]:
        """The one place where card data leaves its object."""
        parameters = {
            "card_number": card.number.reveal(),
            "expiry": card.expiry.reveal(),
            "birth": card.birth.reveal(),
            "pwd_2digit": card.pwd_2digit.reveal(),
            "channel_key": self._settings.iamport_channel_key,
            "pg": self._settings.iamport_pg,
        }
        return {name: value for name, value in parameters.items() if value}

    def _ask(self, call: Call, deadline: Deadline) -> Answer:
        """A 401 means: not processed. So again with a new token, then with a new secret. Raises Unavailable."""
        refused = "wrong_key"
        for token_of in (self._tokens.kept, self._tokens.new, self._tokens.new_by_a_new_secret):
            token = token_of(deadline)
            if token is None:
                continue
            answer = self._exchange.ask(call, token, deadline)
            if answer.http_status != 401:
                return answer
            refused = "token_refused"
        raise Unavailable(refused)


def _issuing(path: str, body: dict[str, str | int]) -> Call:
    return Call("POST", path, body, issues_or_charges=True, least_seconds=LEAST_ISSUE_SECONDS)


def _customer_path(customer_uid: str) -> str:
    return f"/subscribe/customers/{quote(customer_uid, safe='')}"


def _declined(message: str | None, card: Card) -> Declined:
    return Declined(None if message is None else card.hide_in(message))


def _told(answer: Answer, **asked: str) -> Mapping[str, Any]:
    """Raises OutcomeUnknown where it tells nothing, or of something else, as a proxy's does that is out of step."""
    if answer.response is None:
        raise OutcomeUnknown("empty_response")
    if not _is_about(answer.response, **asked):
        raise OutcomeUnknown("about_something_else")
    return answer.response


def _is_about(fields: Mapping[str, Any], **asked: str) -> bool:
    """Null contradicts nothing."""
    return all(fields.get(name) in (None, value) for name, value in asked.items())


def _billing_key(customer_uid: str, fields: Mapping[str, Any]) -> BillingKey:
    """Any field may be null, missing, or of another type than documented."""
    number, card_type = _text(fields, "card_number"), _whole(fields, "card_type")
    return BillingKey(
        customer_uid=customer_uid,
        card_name=_text(fields, "card_name"),
        card_number=masked(number) if number else None,
        card_type="credit" if card_type == 0 else "debit" if card_type == 1 else None,
        updated=_whole(fields, "updated"),
    )


def _payment(fields: Any) -> FoundPayment | None:
    """None for what can't be read."""
    if not isinstance(fields, dict):
        return None
    imp_uid, status, number = (_text(fields, name) for name in ("imp_uid", "status", "card_number"))
    if imp_uid is None or status is None:
        return None
    return FoundPayment(
        merchant_uid=_text(fields, "merchant_uid") or "",
        imp_uid=imp_uid,
        status=status,
        customer_uid=_text(fields, "customer_uid"),
        amount=_whole(fields, "amount"),
        card_number=masked(number) if number else None,
        receipt_url=_text(fields, "receipt_url"),
        fail_reason=_text(fields, "fail_reason"),
    )


def _text(fields: Mapping[str, Any], name: str) -> str | None:
    value = fields.get(name)
    return value if isinstance(value, str) and value else None


def _whole(fields: Mapping[str, Any], name: str) -> int | None:
    """A number that JSON may write as 1000.0."""
    value = fields.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value // 1:
        return None
    return int(value)
