"""The only place that knows the real code by its names: how it is entered, and where its network, clock and chance
are taken from it. Nothing else here depends on what stands in `billing`.
"""

import os
import random
import sys
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from types import FunctionType, ModuleType, SimpleNamespace
from typing import Any, NamedTuple, Protocol, cast
from unittest.mock import patch

from boto3.dynamodb.types import TypeSerializer
from botocore.exceptions import HTTPClientError

from billing.model.billing_key import Issued
from billing.model.card import Card
from billing.model.customer import Customer, Payment
from billing.model.deadline import Deadline
from billing.model.errors import BillingError, Unavailable
from billing.model.sensitive import Sensitive
from billing.services import Services, open_services
from billing.settings import read_settings
from tests.simulation.expressions import Item, Unknown
from tests.simulation.iamport import PASSWORD, Reply, digits
from tests.simulation.world import Request

ENVIRONMENT = {
    "IAMPORT_SECRET_ID": "iamport",
    "FINGERPRINT_SECRET_ID": "fingerprint",
    "ATTEMPTS_TABLE": "attempts",
    "IAMPORT_BASE_URL": "http://localhost",  # by TLS it would read all authorities' certificates each time
    "AWS_LAMBDA_FUNCTION_NAME": "issue-billing",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
    "POWERTOOLS_METRICS_NAMESPACE": "CardDoor",
    "POWERTOOLS_SERVICE_NAME": "card-door",
}
with patch.dict(os.environ, ENVIRONMENT):
    import settle
    from billing import inquiry, issuance
    from billing.iamport import connection, exchange

SETTINGS = read_settings(ENVIRONMENT | {"ATTEMPTS_PER_CUSTOMER": "100", "ATTEMPTS_PER_CARD": "100"})
BY_AGAIN = replace(SETTINGS, first_payment="again")
SECRET = '{"imp_key": "key", "imp_secret": "secret", "customer_token_key": "token-key"}'
INVOCATION_SECONDS = 29.0
SETTLER_SECONDS = 60.0
PG_SECONDS = 60.0
"""After an invocation's end; everything in flight has landed by then."""
AMOUNT = 99_000


class Network(Protocol):
    """What a process has of the world around it."""

    def ask_iamport(self, method: str, path: str, body: Mapping[str, Any] | None, seconds: float) -> Reply: ...
    def ask_table(self, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]: ...
    def sleep(self, seconds: float) -> None: ...
    def wall_clock(self) -> float: ...
    def monotonic_clock(self) -> float: ...
    def new_id(self) -> str: ...


network = cast(Network, None)
"""What `process` puts in its place."""


def customer_uid(uid: int) -> str:
    return f"u{uid}"


def merchant_uid(order: int) -> str:
    return f"order{order}"


def request_id(number: int) -> str:
    return f"request-{number}"


def attempt(request: Request, number: int, services: Services) -> tuple[str, str | None, str | None, str, str]:
    """One invocation, under the request_id of its number.

    Its answer: the contract's code, the card and the imp_uid that it names; what went wrong; and
    whether a key stays.
    """
    try:
        issued = issuance.issue_billing_key(
            _customer(request), _card(request.card), services, Deadline.after(INVOCATION_SECONDS), request_id(number)
        )
    except BillingError as error:
        return _in_short(error)
    except Exception as failure:  # noqa: BLE001 (whatever it is, the handler answers internal_error)
        return "internal_error", None, None, f"{type(failure).__name__}: {failure}", ""
    return _in_short(issued)


class Told(NamedTuple):
    """Who asked by an attempt's id what became of it."""

    number: int
    answer: tuple[str, str | None, str | None, str, str]


def ask_after(customer_uid: str, attempt_id: str, services: Services) -> Told:
    """One `GET`."""
    try:
        answer = _in_short(inquiry.ask_after(customer_uid, attempt_id, services, Deadline.after(INVOCATION_SECONDS)))
    except BillingError as error:
        answer = _in_short(error)
    except Exception as failure:  # noqa: BLE001 (a bug, and the handler answers outcome_unknown)
        answer = "internal_error", None, None, f"{type(failure).__name__}: {failure}", ""
    return Told(number_of(attempt_id), answer)


def _in_short(told: Issued | BillingError) -> tuple[str, str | None, str | None, str, str]:
    if isinstance(told, Issued):
        return "success", told.billing_key.card_number, told.payment.imp_uid if told.payment else None, "", ""
    if told.__cause__ is not None:  # a bug, after something was sent
        return "internal_error", None, None, f"{type(told.__cause__).__name__}: {told.__cause__}", ""
    payment = getattr(told, "payment", None)
    return told.code, None, payment.imp_uid if payment else None, str(told.reason or ""), told.key_stays


def settle_all(services: Services) -> str:
    """One run of the settler; what it died of."""
    try:
        with patch.multiple(settle, services=services, iamport=services.iamport, ledger=services.ledger):
            _SETTLER({}, SimpleNamespace(get_remaining_time_in_millis=lambda: SETTLER_SECONDS * 1000))
    except Unavailable:
        return ""  # the table can't be asked, and its next run comes in a minute
    except Exception as failure:  # noqa: BLE001 (its run ends with it)
        return f"{type(failure).__name__}: {failure}"
    return ""


def warm_container(*, by_again: bool) -> Services:
    """As one that has served before: it has secret and token."""
    services = cold_container(by_again=by_again)
    services.iamport.prepare(Deadline.after(10))
    return services


def cold_container(*, by_again: bool) -> Services:
    return open_services(BY_AGAIN if by_again else SETTINGS)


def attempt_begun(before: Item | None, after: Item) -> tuple[str, int] | None:
    """Whose turn under which uid a change of the table begins."""
    if not after["pk"]["S"].startswith("uid#"):
        return None
    if before is not None and before.get("attempt_id") == after.get("attempt_id"):
        return None
    return after["pk"]["S"].removeprefix("uid#"), attempt_number(after)


class Closed(NamedTuple):
    """An attempt that a change of the table closes, and the event that leaves with it."""

    number: int
    state: str
    event: str | None
    imp_uid: str
    request_id: str
    card: str
    """Masked."""


def attempt_closed(before: Item | None, after: Item) -> Closed | None:
    """As the pipe in template.yaml has it: from an `open` item to one with an `event`, of which it takes the rest."""
    if before is None or not is_open(before) or is_open(after):
        return None
    event = after.get("event", {}).get("S")
    imp_uid, request, card = (after.get(name, {}).get("S", "") for name in ("imp_uid", "request_id", "told_card"))
    return Closed(attempt_number(after), after["state"]["S"], event, imp_uid, request, card)


def is_open(item: Item) -> bool:
    return item["pk"]["S"].startswith("uid#") and item.get("state") == {"S": "open"}


def attempt_number(item: Item) -> int:
    return number_of(item["attempt_id"]["S"])


def number_of(attempt_id: str) -> int:
    return int(attempt_id[:2], 16)


def newest_attempts(items: Iterable[Item]) -> list[tuple[str, str]]:
    """By their customer_uids and their own ids."""
    return [
        (each["customer_uid"]["S"], each["attempt_id"]["S"]) for each in items if each["pk"]["S"].startswith("uid#")
    ]


def lost() -> Exception:
    """What boto3 raises, once its own tries are used up."""
    return HTTPClientError(error="lost")


def never_sent() -> Exception:
    return connection.NeverSent("ConnectionRefusedError")


def _customer(request: Request) -> Customer:
    payment = None
    if request.order is not None:
        payment = Payment(merchant_uid(request.order), AMOUNT, "first", ())
    return Customer(
        uid=customer_uid(request.uid),
        vouched_for=request.leave != "open",
        may_replace=request.leave == "replace",
        payment=payment,
        details=(),
        is_new=request.leave == "new",
    )


def _card(card: str) -> Card:
    return Card(
        Sensitive(digits(card)),
        Sensitive("2030-01"),
        Sensitive("900101"),
        Sensitive("21" if card.isupper() else PASSWORD),
    )


class _Client:
    """boto3's, of DynamoDB."""

    def __getattr__(self, operation: str) -> Callable[..., dict[str, Any]]:
        return partial(_operation, operation)

    def get_paginator(self, operation: str) -> SimpleNamespace:
        return SimpleNamespace(paginate=lambda **parameters: iter([_operation(operation, **parameters)]))


def _operation(operation: str, **parameters: Any) -> dict[str, Any]:
    return network.ask_table(operation, parameters)


class _Clients:
    dynamodb = _Client()

    def read_secret(self, _: str) -> str:
        return SECRET


class _Session:
    """requests', with its adapter: `timeout` is what that one takes."""

    def __init__(self, _url: str) -> None: ...

    def request(
        self, method: str, url: str, *, json: Mapping[str, Any] | None, timeout: tuple[float, float], **_: object
    ) -> Reply:
        return network.ask_iamport(method, url.removeprefix(ENVIRONMENT["IAMPORT_BASE_URL"]), json, timeout[1])


class _Silent:
    """A logger, and metrics."""

    def __getattr__(self, _name: str) -> Callable[..., None]:
        return lambda *_, **__: None


def _serialize(_: TypeSerializer, value: object) -> dict[str, Any]:
    """boto3's takes three times as long, most of it for what our items do not hold."""
    kind = type(value)
    if kind is str:
        return {"S": value}
    if kind is int:
        return {"N": str(value)}
    if kind is bool:
        return {"BOOL": value}
    if isinstance(value, list):
        return {"L": [_serialize(_, each) for each in value]}
    if isinstance(value, dict):
        return {"M": {name: _serialize(_, each) for name, each in value.items()}}
    raise Unknown(f"an item with {value!r}")


CLOCK = SimpleNamespace(
    time=lambda: network.wall_clock(),
    monotonic=lambda: network.monotonic_clock(),
    sleep=lambda seconds: network.sleep(seconds),
)
CHANCE = SimpleNamespace(uniform=lambda _least, most: most)
REPLACED: dict[object, object] = {
    time: CLOCK,
    random: CHANCE,
    uuid.uuid4: lambda: SimpleNamespace(hex=network.new_id()),
}
"""In each of our modules, whatever it is called there."""
_SETTLER: Callable[[dict[str, Any], Any], None] = settle.handler.__wrapped__.__wrapped__  # type: ignore[attr-defined]


@contextmanager
def installed() -> Iterator[None]:
    """The real code without its surroundings, in its own modules only: who runs the test keeps his clock."""
    ours = [module for name, module in sys.modules.items() if name == "settle" or name.startswith("billing")]
    silent = {"logger": _Silent(), "metrics": _Silent()}
    with patch.object(TypeSerializer, "serialize", _serialize), patch.object(exchange, "_Session", _Session):
        kept = [(module, name, value) for module in ours for name, value in vars(module).items()]
        try:
            for module, name, value in kept:
                if isinstance(value, ModuleType | FunctionType) and value in REPLACED:
                    setattr(module, name, REPLACED[value])
                elif name in silent:
                    setattr(module, name, silent[name])
                elif name == "AwsClients" and module.__name__ == "billing.services":
                    setattr(module, name, _Clients)
            yield
        finally:
            for module, name, value in kept:
                setattr(module, name, value)
