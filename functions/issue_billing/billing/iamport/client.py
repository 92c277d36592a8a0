"""The gateway: Iamport's (PortOne V1) REST API, and what each of its failures means.

    seen                                             means              raised
    DNS, refused, TLS, connect time-out              never sent         retried, then Unavailable
    401                                              not processed      a fresh token, a fresh secret, then Unavailable
    code ≠ 0 on any HTTP status below 500            decided: no        Declined
    read time-out, line cut, 5xx, 429, not JSON      unknown            OutcomeUnknown

An issuing request is never repeated on a guess: only where it is certain that Iamport did not process it.
Facts: PortOne's published V1 schema (edition of 2026-07-27), and answers captured in public issues.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Literal
from urllib.parse import quote

from requests import Response, Session
from requests.structures import CaseInsensitiveDict

from billing.credentials import Credentials, CredentialsStore
from billing.iamport.connection import DeadlineAdapter, NeverSent
from billing.model.card import Card, masked
from billing.model.customer import Customer, Payment
from billing.model.deadline import Deadline
from billing.model.errors import Declined, OutcomeUnknown, Unavailable
from billing.model.sensitive import Sensitive
from billing.settings import Settings

CONNECT_SECONDS = 3.0
LOOK_UP_SECONDS = 5.0
"""The longest that a token or a look-up may take: neither waits for a PG."""
LEAST_ISSUE_SECONDS = 4.0
"""A PG needs seconds; with less than this left a card is not sent at all."""
TOKEN_MARGIN_SECONDS = 60.0
PAUSES_BETWEEN_CONNECTS = (0.25, 0.5, 1.0)
HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "card-door"}


@dataclass(frozen=True)
class BillingKey:
    """What Iamport has registered under a customer_uid."""

    customer_uid: str
    card_name: str | None
    card_number: str | None
    """Masked."""
    card_type: Literal["credit", "debit"] | None
    updated: int | None
    """UNIX seconds by Iamport's clock: when this card was put under the uid; None where that wasn't told."""


@dataclass(frozen=True)
class PaidPayment:
    merchant_uid: str
    imp_uid: str
    amount: int
    """Won."""
    receipt_url: str | None


@dataclass(frozen=True)
class FailedPayment:
    message: str | None


@dataclass(frozen=True)
class Answer:
    """An envelope {"code", "message", "response"}, read tolerantly."""

    http_status: int
    code: int
    message: str | None
    response: dict[str, Any] | None


@dataclass(frozen=True)
class Token:
    text: Sensitive
    good_until: float
    """On the local wall clock, worked out from the answer's own `expired_at - now`: local clocks drift."""


class Iamport:
    """Keeps one connection and one token per container."""

    def __init__(self, settings: Settings, credentials: CredentialsStore) -> None:
        self._settings = settings
        self._credentials = credentials
        self._session = _Session(settings.iamport_base_url)
        self._token: Token | None = None
        self._clock_ahead = 0.0
        self._seconds_waited = 0.0

    def now(self) -> int:
        """UNIX seconds by Iamport's clock, as far as its last token told."""
        return int(time.time() + self._clock_ahead)

    def take_seconds_waited(self) -> float:
        """Time spent waiting for Iamport since this was last asked."""
        waited, self._seconds_waited = self._seconds_waited, 0.0
        return waited

    def prepare(self, deadline: Deadline) -> None:
        """Makes sure of a token, and with it of Iamport's clock. Raises Unavailable."""
        next(self._tokens(deadline))

    def issue(self, customer: Customer, card: Card, deadline: Deadline) -> BillingKey:
        """Registers the card under the customer_uid; a card registered before is silently replaced.

        `deadline` is when the answer has to be there. Raises Declined, Unavailable, OutcomeUnknown.
        """
        body = {**self._card_parameters(card), **{name: value.reveal() for name, value in customer.details}}
        answer = self._authorized("POST", _customer_path(customer.uid), deadline, body, least=LEAST_ISSUE_SECONDS)
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
        answer = self._authorized("POST", "/subscribe/payments/onetime", deadline, body, least=LEAST_ISSUE_SECONDS)
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
        deadline = deadline.at_most(LOOK_UP_SECONDS)
        answer = _asked_twice(lambda: self._authorized("GET", path, deadline))
        match answer:
            case Answer(code=0, response=dict()) if (payment := _payment(answer)) is not None:
                return payment
            case Answer(http_status=404):
                return None
        raise Unavailable("find_payment_refused")

    def look_up(self, customer_uid: str, deadline: Deadline) -> BillingKey | None:
        """What is registered under the customer_uid, None for nothing. Raises Unavailable when that stays open."""
        deadline = deadline.at_most(LOOK_UP_SECONDS)
        answer = _asked_twice(lambda: self._authorized("GET", _customer_path(customer_uid), deadline))
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

    def _authorized(
        self,
        method: str,
        path: str,
        deadline: Deadline,
        body: Mapping[str, str | int] | None = None,
        *,
        least: float = 0.0,
    ) -> Answer:
        """A 401 means: not processed. A fresh token once, then a token from the secret read anew, once."""
        for token in self._tokens(deadline):
            answer = self._exchange(method, path, deadline, body, token=token, least=least)
            if answer.http_status != 401:
                return answer
        raise Unavailable("token_refused")

    def _tokens(self, deadline: Deadline) -> Iterator[Sensitive]:
        if self._token is None or self._token.good_until - time.time() < TOKEN_MARGIN_SECONDS:
            self._token = self._new_token(deadline)
        yield self._token.text
        self._token = self._new_token(deadline)
        yield self._token.text
        self._credentials.read_anew()
        self._token = self._new_token(deadline)
        yield self._token.text

    def _new_token(self, deadline: Deadline) -> Token:
        """Raises Unavailable: without a token no card has been sent."""
        self._token = None
        deadline = deadline.at_most(LOOK_UP_SECONDS)
        answer = self._ask_for_token(self._credentials.read(), deadline)
        if answer.http_status == 401:
            answer = self._ask_for_token(self._credentials.read_anew(), deadline)
        match answer:
            case Answer(
                code=0, response={"access_token": str(text), "now": int(now), "expired_at": int(expired_at)}
            ) if text:
                received = time.time()
                self._clock_ahead = now - received
                return Token(Sensitive(text), good_until=received + expired_at - now)
        raise Unavailable("wrong_key" if answer.http_status == 401 else "token_not_given")

    def _ask_for_token(self, credentials: Credentials, deadline: Deadline) -> Answer:
        body = {"imp_key": credentials.imp_key.reveal(), "imp_secret": credentials.imp_secret.reveal()}
        return _asked_twice(lambda: self._exchange("POST", "/users/getToken", deadline, body))

    def _exchange(
        self,
        method: str,
        path: str,
        deadline: Deadline,
        body: Mapping[str, str | int] | None,
        *,
        token: Sensitive | None = None,
        least: float = 0.0,
    ) -> Answer:
        """One request, sent at most once. Raises Unavailable (never sent), OutcomeUnknown (sent, no answer)."""
        started, answer = time.monotonic(), None
        try:
            response = self._sent_once(method, path, deadline, body, token, least)
            answer = response.status_code, response.content
        except Unavailable:
            raise
        except Exception as failure:  # noqa: BLE001 (requests', urllib3's and the standard library's own)
            reason = type(failure).__name__
        finally:
            self._seconds_waited += time.monotonic() - started
        # Out here, as requests' exceptions hold the request, and with it the card. And by the clock, as an answer that
        # was cut off when its time was up may look like one that was wrong, or even like a whole one.
        if not deadline.left():
            raise OutcomeUnknown("time_out", still_working=True)
        if answer is None:
            raise OutcomeUnknown(reason, still_working=False)
        return _answer(*answer)

    def _sent_once(
        self,
        method: str,
        path: str,
        deadline: Deadline,
        body: Mapping[str, str | int] | None,
        token: Sensitive | None,
        least: float,
    ) -> Response:
        """Tries again only while no connection could be made. Raises Unavailable (never sent)."""
        url, headers = self._settings.iamport_base_url + path, _authorization(token)
        failure = "no_time_left"
        for pause in (*PAUSES_BETWEEN_CONNECTS, 0.0):
            left = deadline.left()
            if left <= least:
                break
            limits = (min(CONNECT_SECONDS, left - least), left)
            try:
                return self._session.request(method, url, headers=headers, json=body, timeout=limits)
            except NeverSent as never_sent:
                failure = f"iamport_unreachable: {never_sent}"
            time.sleep(min(pause, deadline.left()))
        raise Unavailable(failure)


class _Session(Session):
    """Does nothing but what it is told: no proxy variables, no `.netrc`, no cookies, no redirects.

    A redirected POST would carry the card to wherever the answer points, and one that points nowhere be an exception.
    """

    def __init__(self, url: str) -> None:
        super().__init__()
        self.trust_env = False
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        self.headers = CaseInsensitiveDict(HEADERS)
        self.mount(url, DeadlineAdapter(url))

    def get_redirect_target(self, resp: Response) -> None:  # noqa: ARG002
        return None


def _authorization(token: Sensitive | None) -> dict[str, str]:
    return {} if token is None else {"Authorization": f"Bearer {token.reveal()}"}


def _customer_path(customer_uid: str) -> str:
    return f"/subscribe/customers/{quote(customer_uid, safe='')}"


def _asked_twice(ask: Callable[[], Answer]) -> Answer:
    """For requests that change nothing: once more where the first answer was lost. Raises Unavailable."""
    try:
        return ask()
    except OutcomeUnknown:
        pass
    try:
        return ask()
    except OutcomeUnknown as failure:
        raise Unavailable(f"iamport_not_answering: {failure.reason}") from None


def _answer(http_status: int, body: bytes) -> Answer:
    """Raises OutcomeUnknown for what is no decision of Iamport's: 5xx, 429, redirects, anything but an envelope."""
    if http_status >= 500 or http_status == 429 or 300 <= http_status < 400:
        raise OutcomeUnknown(f"http_{http_status}", still_working=False)
    document: object = None
    with suppress(ValueError):
        document = json.loads(body)
    match document:
        case {"code": int(code), **others} if not isinstance(code, bool):
            message, fields = others.get("message"), others.get("response")
            return Answer(
                http_status=http_status,
                code=code,
                message=message if isinstance(message, str) and message else None,
                response=fields if isinstance(fields, dict) else None,
            )
    if http_status == 401:
        # The body of a 401 is not documented; that the request was not processed is.
        return Answer(401, code=-1, message=None, response=None)
    raise OutcomeUnknown("not_an_envelope", still_working=False)


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


CARD_TYPES: dict[object, Literal["credit", "debit"]] = {0: "credit", 1: "debit"}


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
