"""The gateway's verbs: PortOne's V1 REST API, by what an attempt wants of it.

Facts: PortOne's published V1 schema (edition of 2026-07-27), and answers captured in public issues.
"""

from typing import Literal
from urllib.parse import quote

from billing.credentials import CredentialsStore
from billing.iamport.exchange import Answer, Call, Exchange
from billing.iamport.token import Tokens
from billing.model.billing_key import BillingKey, FailedPayment, PaidPayment
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
CARD_TYPES: dict[object, Literal["credit", "debit"]] = {0: "credit", 1: "debit"}


class Iamport:
    """Keeps one connection and one token per container."""

    def __init__(self, settings: Settings, credentials: CredentialsStore) -> None:
        self._settings = settings
        self._exchange = Exchange(settings.iamport_base_url)
        self._tokens = Tokens(self._exchange, credentials)

    def now(self) -> int:
        """UNIX seconds by Iamport's clock, as far as its last token told."""
        return self._tokens.iamport_time()

    def take_seconds_waited(self) -> float:
        """Time spent waiting for Iamport since this was last asked."""
        return self._exchange.take_seconds_waited()

    def prepare(self, deadline: Deadline) -> None:
        """Makes sure of a token, and with it of Iamport's clock. Raises Unavailable."""
        tokens = self._tokens
        if not (tokens.kept(deadline) or tokens.new(deadline) or tokens.new_by_a_new_secret(deadline)):
            raise Unavailable("wrong_key")

    def issue(self, customer: Customer, card: Card, deadline: Deadline) -> BillingKey:
        """Registers the card under the customer_uid; a card registered before is silently replaced.

        `deadline` is when the answer has to be there. Raises Declined, Unavailable, OutcomeUnknown.
        """
        body = {**self._card_parameters(card), **{name: value.reveal() for name, value in customer.details}}
        answer = self._ask(_issuing(_customer_path(customer.uid), body), deadline)
        if answer.code != 0:
            raise _declined(answer.message, card)
        return _billing_key(customer.uid, answer)

    def issue_and_pay(self, customer: Customer, card: Card, payment: Payment, deadline: Deadline) -> PaidPayment:
        """Registers the card under the customer_uid and takes the first payment with it.

        Raises Declined (the key may exist all the same), Unavailable, OutcomeUnknown.
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
        match _payment(answer):
            case PaidPayment() as paid:
                return paid
            case FailedPayment(message=message):
                raise _declined(message, card)
        raise OutcomeUnknown("payment_without_status", still_working=False)

    def find_payment(
        self, merchant_uid: str, deadline: Deadline, status: Literal["paid", ""] = ""
    ) -> PaidPayment | FailedPayment | None:
        """The newest payment under the merchant_uid, or the newest one that is paid; None where there is none.

        Raises Unavailable when that stays open.
        """
        path = f"/payments/find/{quote(merchant_uid, safe='')}" + (f"/{status}" if status else "")
        answer = self._ask(Call("GET", path), deadline.at_most(LOOK_UP_SECONDS))
        match answer:
            case Answer(code=0, response=dict()) if (payment := _payment(answer)) is not None:
                return payment
            case Answer(http_status=404):
                return None
        raise Unavailable("find_payment_refused")

    def look_up(self, customer_uid: str, deadline: Deadline) -> BillingKey | None:
        """What is registered under the customer_uid, None for nothing. Raises Unavailable when that stays open."""
        answer = self._ask(Call("GET", _customer_path(customer_uid)), deadline.at_most(LOOK_UP_SECONDS))
        match answer:
            case Answer(code=0, response=dict()):
                return _billing_key(customer_uid, answer)
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


def _billing_key(customer_uid: str, answer: Answer) -> BillingKey:
    """Any field but the envelope's may be null or missing; a success without a response tells nothing."""
    if answer.response is None:
        raise OutcomeUnknown("empty_response", still_working=False)
    fields = answer.response
    name, number, updated = (fields.get(field) for field in ("card_name", "card_number", "updated"))
    return BillingKey(
        customer_uid=customer_uid,
        card_name=name if isinstance(name, str) else None,
        card_number=masked(number) if isinstance(number, str) else None,
        card_type=CARD_TYPES.get(fields.get("card_type")),
        updated=updated if isinstance(updated, int) else None,
    )


def _payment(answer: Answer) -> PaidPayment | FailedPayment | None:
    """None for what is neither paid nor failed (`ready`), or can't be read. A cancelled one was paid once."""
    match answer.response:
        case {
            "status": "paid" | "cancelled",
            "merchant_uid": str(merchant_uid),
            "imp_uid": str(imp_uid),
            "amount": int(amount) | float(amount),
            **others,
        }:
            receipt_url = others.get("receipt_url")
            return PaidPayment(
                merchant_uid, imp_uid, int(amount), receipt_url if isinstance(receipt_url, str) else None
            )
        case {"status": "failed", **others}:
            reason = others.get("fail_reason")
            return FailedPayment(reason if isinstance(reason, str) and reason else None)
    return None
