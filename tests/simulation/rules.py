"""The design's rules, each a switch: what the real code is without it, and a world that is then red.

A rule that no world needs is no rule. Two that stand in for each other are taken out together.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

import settle
from billing import issuance, settlement
from billing.iamport import client, exchange
from billing.ledger import items, ledger
from billing.model import attempt
from billing.model.attempt import Attempt, Ending, Seen
from billing.model.billing_key import FoundPayment
from billing.model.card import Card
from billing.model.errors import GatewayError, PaidWithoutKey
from tests.simulation import process

Patch = tuple[object, str, Any]


@dataclass(frozen=True)
class Rule:
    says: str
    without: tuple[Patch, ...]
    """What is put in the place of what."""
    world: str
    red: str
    """What kind of violation it then shows."""
    switches: int = 1

    @contextmanager
    def taken_out(self) -> Iterator[None]:
        with ExitStack() as patches:
            for where, name, instead in self.without:
                patches.enter_context(patch.object(where, name, instead))
            process.forget()
            try:
                yield
            finally:
                process.forget()


def _look_only_at_orders(made: Attempt, customer: Any, *rest: Any) -> tuple[Any, ...]:
    return replace(made, is_first=True), replace(customer, is_new=True), *rest


def _believe_new(made: Attempt, *rest: Any) -> tuple[Any, ...]:
    return replace(made, is_first=True), *rest


def _without_orders(made: Attempt, customer: Any, iamport: Any, deadline: Any) -> Any:
    found = None if customer.is_new and made.is_first else iamport.look_up(customer.uid, deadline)
    if found is not None and not issuance.may_replace(found, made, customer):
        return issuance.nothing_sent(made, issuance.AlreadyRegistered(found), found)
    return Seen(found)


def _hold_nothing(self: ledger.Ledger, order: Any, new: Any, now: float, **_: Any) -> dict[str, Any]:
    held = _REAL_HOLD(self, order, new, now, order_is_paid=False)
    values = {
        name: value for name, value in held["ExpressionAttributeValues"].items() if name in held["UpdateExpression"]
    }
    return {name: value for name, value in held.items() if name != "ConditionExpression"} | {
        "ExpressionAttributeValues": values
    }


def _note_nothing(_self: Any, made: Attempt, seen: Seen, _deadline: Any) -> Attempt:
    return replace(made, seen=seen)


def _found_early(real: Callable[..., Ending | None]) -> Callable[..., Ending | None]:
    """Counts as at the end what is found before it, where something is."""

    def called(made: Attempt, *rest: Any) -> Ending | None:
        if (ending := real(made, *rest)) is not None:
            return ending
        with patch.object(settlement, "is_due", lambda _: True):
            early = real(made, *rest)
        return early if early is not None and early.state in ("paid_without_key", "declined") else None

    return called


def _told_at_due(real: Callable[..., Ending | None]) -> Callable[..., Ending | None]:
    return lambda made, *rest: real(made, *rest) if items.is_due(made) else None


def _key_alone(real: Callable[..., Ending | None]) -> Callable[..., Ending | None]:
    def called(made: Attempt, iamport: Any, deadline: Any) -> Ending | None:
        found = made.own_key(iamport.look_up(made.customer_uid, deadline))
        return real(made, iamport, deadline) if found is None else Ending("issued", registered=found)

    return called


def _any_failure(self: Attempt, payments: tuple[FoundPayment, ...]) -> FoundPayment | None:
    return next((payment for payment in payments if payment.status == "failed"), None)


def _told_again(self: ledger.Ledger, made: Attempt, order: Any, ending: Ending, deadline: Any, **_: Any) -> Any:
    """Without the condition that nobody has told of the payment."""
    with (
        patch.object(ledger.Ledger, "_release", _release_told),
        patch.object(ledger, "_event_of_told", lambda each: each.event(made)),
    ):
        return _REAL_FINISH_BOTH(self, made, order, ending, deadline, is_held=True, is_told=True)


def _release_told(self: ledger.Ledger, made: Attempt, order: Any, ending: Ending, **_: Any) -> dict[str, Any]:
    return _REAL_RELEASE(self, made, order, ending, is_held=True, is_told=True)


def _one_look(made: Attempt, paid: Any, iamport: Any, deadline: Any, **_: Any) -> Any:
    found = made.own_key(iamport.look_up(made.customer_uid, deadline))
    if found is None:
        return issuance.Outcome(PaidWithoutKey(paid))
    return issuance.Outcome(issuance.Issued(found, paid), Ending("issued", registered=found, payment=paid))


def _fails_where_it_answers_badly(http_status: int, body: bytes) -> Any:
    if http_status >= 500:
        raise GatewayError(f"http_{http_status}")
    return _REAL_READ_ANSWER(http_status, body)


def _newest(real: Callable[..., tuple[FoundPayment, ...]]) -> Callable[..., tuple[FoundPayment, ...]]:
    return lambda *given: real(*given)[:1]


def _not_looked_up(new: Any, services: Any, deadline: Any) -> Any:
    """`begin`, where a repeat is answered by the ledger alone."""
    begun = services.ledger.begin(new, deadline)
    if isinstance(begun, attempt.Repeated):
        return issuance.Issued(begun.billing_key, begun.payment)
    return _REAL_BEGIN(new, services, deadline)


def _believe_refusal(made: Attempt, declined: Any, _iamport: Any, _deadline: Any) -> Any:
    return issuance.Outcome(declined, Ending("declined", declined.message, leftover=made.left_unseen()))


def _unheard(_self: Any, _new: Any, unheard: Exception) -> Any:
    raise unheard


def _not_carried(earlier: Any, *given: Any, **named: Any) -> Any:
    return _REAL_NEW_ITEM(
        {name: value for name, value in (earlier or {}).items() if name != "leftover"} or None, *given, **named
    )


def _close_or_stop(due: Any, deadline: Any) -> None:
    made = settle.read_open(due)
    if made is not None:
        settle.settle(made, settle.iamport, settle.ledger, deadline)


def _whole_or_stop(fields: Any, name: str) -> Any:
    if isinstance(fields.get(name), list):
        raise TypeError(f"a list as {name}")
    return _REAL_WHOLE(fields, name)


def _never_stood_before(_found: Any, _before: Any) -> bool:
    return False


_REAL_LOOK = issuance.look_before_sending
_REAL_BEGIN = issuance.begin
_REAL_HOLD = ledger.Ledger._hold
_REAL_FINISH_BOTH = ledger.Ledger._finish_both
_REAL_RELEASE = ledger.Ledger._release
_REAL_READ_ANSWER = exchange.read_answer
_REAL_NEW_ITEM = ledger.new_item
_REAL_WHOLE = client._whole
_REAL_FIND = settlement.find_ending


def _find_ending(instead: Callable[..., Any]) -> tuple[Patch, ...]:
    return (settlement, "find_ending", instead), (issuance, "find_ending", instead)


def _look(change: Callable[..., tuple[Any, ...]]) -> Callable[..., Any]:
    return lambda *given: _REAL_LOOK(*change(*given))


RULES = (
    Rule("A card is replaced only with leave", ((issuance, "may_replace", lambda *_: True),), "u0.a u0.b", "replaced"),
    Rule("The uid is looked up before a card is sent", ((issuance, "look_before_sending", _look(_look_only_at_orders)),), "u0.a before:key-b", "replaced"),
    Rule("`new: true` counts only where the ledger has never seen the uid", ((issuance, "look_before_sending", _look(_believe_new)),), "u0.a u0.b+new", "replaced"),
    Rule(
        "An order that is paid is not charged again: by Iamport's word, or by the ledger's",
        ((issuance, "look_before_sending", _without_orders), (ledger, "new_item", lambda *given, order_is_paid, **_: _REAL_NEW_ITEM(*given, order_is_paid=False))),
        "u0.o0.a+replace u0.o0.b+replace unrefusing", "charged twice",
    ),
    Rule("An order is held by the attempt that is open for it", ((ledger.Ledger, "_hold", _hold_nothing),), "u0.o0.a u1.o0.b unrefusing", "charged twice"),
    Rule("The lock lasts as long as a PG may be at work", ((items, "PG_SECONDS", 2),), "u0.a u0.b", "too late"),
    Rule("The ledger says before sending what was seen", ((ledger.Ledger, "note_seen", _note_nothing),), "u0.a u0.b", "false ending"),
    Rule("What stood there before is not this attempt's", ((attempt, "stood_before", _never_stood_before),), "u0.a+replace before:key-a", "false ending"),
    Rule("What shows another card is not this attempt's", ((attempt, "digits_agree", lambda *_: True),), "u0.a others:key-b", "false success"),
    Rule("With a payment, only key and payment together are a success", _find_ending(_key_alone(_REAL_FIND)), "u0.o0.a leaves", "false success"),
    Rule("Without a key nothing is told before nothing is in flight", _find_ending(_found_early(_REAL_FIND)), "u0.o0.a u0.o0.a lags", "false ending"),
    Rule("A success that is found is told at once", _find_ending(_told_at_due(_REAL_FIND)), "u0.a u0.a", "not told"),
    Rule("Finding frees no lock", ((items, "due_at", lambda ends_at: int(ends_at) + 60), (ledger, "ended_item", lambda *given, **named: {name: value for name, value in items.ended_item(*given, **named).items() if name != "locked_until"})), "u0.a u0.b+replace others:key-a", "too late"),
    Rule("Two looks for the key of a payment", ((issuance, "key_of_payment", _one_look),), "u0.o0.a lags", "false success"),
    Rule("One event for one payment", ((ledger.Ledger, "_finish_both", _told_again),), "u0.o0.a u0.o0.b", "events"),
    Rule("A key that was left behind may be replaced", ((attempt.Leftover, "is_what_stands", lambda *_: False),), "u0.o0.a leaves", "locked out"),
    Rule("The mark of a leftover stays with the uid", ((ledger, "new_item", _not_carried),), "u0.o0.a u0.o0.b leaves", "locked out"),
    Rule("A leftover that could not be seen is inferred", ((attempt.Attempt, "left_unseen", lambda self: self.leftover),), "u0.o0.a leaves", "locked out"),
    Rule("A 5xx proves nothing", ((exchange, "read_answer", _fails_where_it_answers_badly),), "u0.a", "false no"),
    Rule("A failure that was there before is not this attempt's", ((attempt.Attempt, "own_failure", _any_failure),), "u0.o0.a before:fail-a", "false ending"),
    Rule("A payment is ours only by uid and amount", ((attempt.Attempt, "_is_own", lambda self, _: self.order is not None),), "u0.o0.a before:pay-other", "false success"),
    Rule("All payments of an order are looked at", ((client.Iamport, "find_payments", _newest(client.Iamport.find_payments)),), "u0.o0.a before:pay-other others:fail-c unrefusing", "charged twice"),
    Rule("A cancelled payment was paid", ((FoundPayment, "was_paid", lambda self: self.status == "paid"),), "u0.o0.a before:pay-other before:cancel unrefusing", "charged twice"),
    Rule("A repeat looks the key up", ((issuance, "begin", _not_looked_up),), "u0.a u0.a others:delete", "false success"),
    Rule("A repeat is the same in all that was typed", ((Card, "all_data", Card.digits),), "u0.a u0.A", "false success"),
    Rule("A refusal is not believed before the order was looked at", ((issuance, "refused", _believe_refusal),), "u0.o0.a others:pay-ours", "false no"),
    Rule("A begin whose answer was lost is one's own", ((ledger.Ledger, "_begun_after_all", _unheard),), "u0.a u0.b", "false refusal"),
    Rule("An answer about something else is none", ((client, "_is_about", lambda *_, **__: True),), "u0.a", "false success"),
    Rule("One attempt's trouble is its own", ((settle, "close", _close_or_stop), (client, "_whole", _whole_or_stop)), "u0.a u1.a settler odd", "crash"),
)  # fmt: skip
