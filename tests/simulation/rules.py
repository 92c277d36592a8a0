"""The design's rules, each a switch: what the real code is without it, and a world that is red then.

A rule that no world needs is no rule. Two that stand in for each other are taken out together.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

import settle
from billing import inquiry, issuance, sending, settlement
from billing.iamport import client, exchange
from billing.ledger import items, ledger, orders
from billing.model import attempt
from billing.model.attempt import Attempt, Ending, LeftOpen, Leftover, Repeated, Seen
from billing.model.billing_key import BillingKey, FoundPayment, Issued
from billing.model.card import Card
from billing.model.errors import AlreadyRegistered, GatewayError, InProgress, OutcomeUnknown, PaidWithoutKey
from tests.simulation import process

Patch = tuple[object, str, object]


@dataclass(frozen=True)
class Rule:
    says: str
    without: Sequence[Patch]
    """What is put in the place of what."""
    world: str
    red: str
    """What kind of violation is then found."""

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


LOOK, BEGIN, FIND_ENDING = issuance.look_before_sending, issuance.begin, settlement.find_ending
HOLD, FINISH_BOTH, RELEASE = orders.hold, ledger.Ledger._finish_both, orders.release
OWN_KEY = Attempt.own_key
NEW_ITEM, ENDED_ITEM, WHOLE = items.new_item, items.ended_item, client._whole
READ_ANSWER, FIND_PAYMENTS = exchange.read_answer, client.Iamport.find_payments
ISSUE, CHARGE = client.Iamport.issue, client.Iamport.charge
REFUSED, UNSEEN = sending.refused, sending.key_unseen


def _look(change: Any) -> Any:
    return lambda made, customer, *rest: LOOK(*change(made, customer), *rest)


def _look_at_orders_only(made: Any, customer: Any) -> Any:
    return replace(made, is_first=True), replace(customer, is_new=True)


def _believe_new(made: Any, customer: Any) -> Any:
    return replace(made, is_first=True), customer


def _without_orders(made: Any, customer: Any, iamport: Any, deadline: Any) -> Any:
    found = None if customer.is_new and made.is_first else iamport.look_up(customer.uid, deadline)
    if found is not None and not issuance.may_replace(found, made, customer):
        return sending.nothing_sent(made, AlreadyRegistered(found), found)
    return Seen(found)


def _under_another_request(*given: Any, **more: Any) -> Any:
    return {**NEW_ITEM(*given, **more), "request_id": "of Lambda"}


def _without_ledgers_word(*given: Any, **_: Any) -> Any:
    return NEW_ITEM(*given, order_is_paid=False)


def _without_leftover(earlier: Any, *given: Any, **named: Any) -> Any:
    kept = {name: value for name, value in (earlier or {}).items() if name != "leftover"}
    return NEW_ITEM(kept or None, *given, **named)


def _unlocked(*given: Any, **named: Any) -> Any:
    return {name: value for name, value in ENDED_ITEM(*given, **named).items() if name != "locked_until"}


def _hold_nothing(*given: Any, **_: Any) -> Any:
    held = HOLD(*given, order_is_paid=False)
    used = {
        name: value for name, value in held["ExpressionAttributeValues"].items() if name in held["UpdateExpression"]
    }
    del held["ConditionExpression"]
    return held | {"ExpressionAttributeValues": used}


def _note_nothing(_: Any, made: Any, seen: Any, _deadline: Any) -> Any:
    return replace(made, seen=seen)


def _find_ending(instead: object) -> Sequence[Patch]:
    return [(settlement, "find_ending", instead), (sending, "find_ending", instead)]


def _by_key_alone(made: Any, iamport: Any, deadline: Any) -> Any:
    found = made.own_key(iamport.look_up(made.customer_uid, deadline))
    return FIND_ENDING(made, iamport, deadline) if found is None else Ending("issued", registered=found)


def _before_due(*given: Any) -> Any:
    if (ending := FIND_ENDING(*given)) is not None:
        return ending
    with patch.object(settlement, "is_due", lambda _: True):
        early = FIND_ENDING(*given)
    return early if early is not None and early.state in ("paid_without_key", "declined") else None


def _at_due_only(made: Any, *rest: Any) -> Any:
    return FIND_ENDING(made, *rest) if items.is_due(made) else None


def _any_failure(_: Any, payments: Any) -> Any:
    return next((payment for payment in payments if payment.status == "failed"), None)


def _tell_again(made: Any, *given: Any, **_: Any) -> Any:
    """Without the condition that no event has told of the payment."""

    def release(*of_whom: Any, **__: Any) -> Any:
        return RELEASE(*of_whom, is_held=True, is_told=True)

    def event(ending: Ending) -> str:
        return ending.event(given[0])

    with patch.object(ledger, "release", release), patch.object(ledger, "_event_of_told", event):
        return FINISH_BOTH(made, *given, is_held=True, is_told=True)


def _one_look(made: Any, paid: Any, iamport: Any, deadline: Any, **_: Any) -> Any:
    found = made.own_key(iamport.look_up(made.customer_uid, deadline))
    if found is None:
        return sending.Outcome(PaidWithoutKey(paid))
    return sending.Outcome(Issued(found, paid), Ending("issued", registered=found, payment=paid))


def _proved_by_5xx(http_status: int, body: bytes) -> Any:
    if http_status >= 500:
        raise GatewayError(f"http_{http_status}")
    return READ_ANSWER(http_status, body)


def _newest(*given: Any) -> Any:
    return FIND_PAYMENTS(*given)[:1]


def _unseen_repeat(new: Any, services: Any, deadline: Any) -> Any:
    begun = services.ledger.begin(new, deadline)
    if isinstance(begun, Repeated):
        return Issued(begun.billing_key, begun.payment)
    return BEGIN(new, services, deadline) if not isinstance(begun, Attempt) else begun


def _believe_refusal(made: Any, declined: Any, *_: Any) -> Any:
    return sending.Outcome(declined, Ending("declined", declined.message, leftover=made.left_unseen()))


def _unheard(_: Any, _new: Any, unheard: Exception) -> Any:
    raise unheard


def _close_or_stop(due: Any, deadline: Any) -> None:
    if (made := settle.read_open(due)) is not None:
        settlement.settle(made, settle.iamport, settle.ledger, deadline)


def _whole_or_stop(fields: Any, name: str) -> Any:
    if isinstance(fields.get(name), list):
        raise TypeError(f"a list as {name}")
    return WHOLE(fields, name)


def _left_own(made: Any, found: Any) -> Any:
    own = made.own_key(found)
    return None if own is None else Leftover(own)


def _left_none_before(made: Any) -> Any:
    before = made.seen.billing_key if made.seen is not None else None
    return Leftover(None, before, before_was_left=False, masked_card=made.masked_card)


def _nothing_left(*given: Any) -> Any:
    ending = FIND_ENDING(*given)
    return None if ending is None else replace(ending, leftover=None)


def _own_though_unsent(made: Any, found: Any) -> Any:
    return found if found is not None and made.seen is None else OWN_KEY(made, found)


def _due_where_unsent(made: Any) -> bool:
    return made.seen is None or items.is_due(made)


def _guess_issued(iamport: Any, customer: Any, *rest: Any) -> Any:
    try:
        return ISSUE(iamport, customer, *rest)
    except OutcomeUnknown:
        return BillingKey(customer.uid, None, None, None, None)


def _charge_again(*given: Any) -> Any:
    try:
        return CHARGE(*given)
    except OutcomeUnknown:
        return CHARGE(*given)


def _forget_the_key(made: Any, no: Any, *rest: Any, was_issued: bool = False) -> Any:
    return sending.nothing_sent(made, no) if was_issued else REFUSED(made, no, *rest)


def _believe_the_look(*given: Any, **_: Any) -> Any:
    return REFUSED(*given)


def _unseen_for_good(*given: Any, **_: Any) -> Any:
    return UNSEEN(*given, may_still_land=False)


RULES = (
    Rule("A card is replaced only with leave", [(issuance, "may_replace", lambda *_: True)], "u0.a u0.b", "replaced"),
    Rule(
        "The uid is looked up before a card is sent",
        [(issuance, "look_before_sending", _look(_look_at_orders_only))], "u0.a before:key-b", "replaced",
    ),
    Rule(
        "`new: true` counts only where the ledger has never seen the uid",
        [(issuance, "look_before_sending", _look(_believe_new))], "u0.a u0.b+new", "replaced",
    ),
    Rule(
        "A paid order is not charged again, by Iamport's word or by the ledger's",
        [(issuance, "look_before_sending", _without_orders), (ledger, "new_item", _without_ledgers_word)],
        "u0.o0.a+replace u0.o0.b+replace unrefusing", "charged twice",
    ),
    Rule(
        "An order is held by the attempt that is open for it",
        [(ledger, "hold", _hold_nothing)], "u0.o0.a u1.o0.b unrefusing", "charged twice",
    ),
    Rule("The lock lasts as long as a PG may be at work", [(items, "PG_SECONDS", 2)], "u0.a u0.b", "too late"),
    Rule(
        "The ledger says before sending what was seen",
        [(ledger.Ledger, "note_seen", _note_nothing)], "u0.a u0.b", "false ending",
    ),
    Rule(
        "What stood there before is not this attempt's",
        [(attempt, "stood_before", lambda *_: False)], "u0.a+replace before:key-a", "false ending",
    ),
    Rule(
        "What shows another card is not this attempt's",
        [(attempt, "digits_agree", lambda *_: True)], "u0.a others:key-b", "false success",
    ),
    Rule(
        "With a payment, only key and payment together are a success",
        _find_ending(_by_key_alone), "u0.o0.a leaves", "false success",
    ),
    Rule(
        "What is no success counts only when nothing is in flight any more",
        _find_ending(_before_due), "u0.o0.a u0.o0.a lags", "false ending",
    ),
    Rule("A success that is found is told at once", _find_ending(_at_due_only), "u0.a u0.a", "not told"),
    Rule(
        "Finding frees no lock",
        [(ledger, "ended_item", _unlocked)], "u0.a u0.b+replace others:key-a", "too late",
    ),
    Rule(
        "The key of a payment is looked for twice",
        [(sending, "key_of_payment", _one_look)], "u0.o0.a lags", "false success",
    ),
    Rule(
        "One event for one payment",
        [(ledger.Ledger, "_finish_both", _tell_again)], "u0.o0.a u0.o0.b", "events",
    ),
    Rule(
        "A key that was left behind may be replaced",
        [(attempt.Leftover, "is_what_stands", lambda *_: False)], "u0.o0.a leaves", "locked out",
    ),
    Rule(
        "The mark of a leftover stays with the uid",
        [(ledger, "new_item", _without_leftover)], "u0.o0.a u0.o0.b leaves", "locked out",
    ),
    Rule(
        "A leftover that could not be seen is inferred",
        [(Attempt, "left_unseen", lambda made: made.leftover)], "u0.o0.a leaves", "false no",
    ),
    Rule("A 5xx proves nothing", [(exchange, "read_answer", _proved_by_5xx)], "u0.a", "false no"),
    Rule(
        "A failure that was there before is not this attempt's",
        [(Attempt, "own_failure", _any_failure)], "u0.o0.a before:fail-a", "false ending",
    ),
    Rule(
        "A payment is ours only by uid and amount",
        [(Attempt, "_is_own", lambda made, _: made.order is not None)], "u0.o0.a before:pay-other", "false success",
    ),
    Rule(
        "All payments of an order are looked at",
        [(client.Iamport, "find_payments", _newest)],
        "u0.o0.a before:pay-other others:fail-c unrefusing", "charged twice",
    ),
    Rule(
        "A cancelled payment was paid",
        [(FoundPayment, "was_paid", lambda found: found.status == "paid")],
        "u0.o0.a before:pay-other before:cancel unrefusing", "charged twice",
    ),
    Rule(
        "A repeat looks the key up",
        [(issuance, "begin", _unseen_repeat)], "u0.a u0.a others:delete", "false success",
    ),
    Rule(
        "A repeat is the same in all that was typed",
        [(Card, "all_data", Card.digits)], "u0.a u0.A", "false success",
    ),
    Rule(
        "A refusal is not believed before the order was looked at",
        [(sending, "refused", _believe_refusal)], "u0.o0.a others:pay-ours", "false no",
    ),
    Rule(
        "A begin whose answer was lost is one's own",
        [(ledger.Ledger, "_begun_after_all", _unheard)], "u0.a u0.b", "false refusal",
    ),
    Rule(
        "An answer about something else is none",
        [(client, "_is_about", lambda *_, **__: True)], "u0.a", "false success",
    ),
    Rule(
        "One attempt's trouble is its own, and an odd answer is no trouble",
        [(settle, "close", _close_or_stop), (client, "_whole", _whole_or_stop)], "u0.a u1.a settler odd", "crash",
    ),
    Rule(
        "Who leaves nothing of its own leaves what was left before",
        [(Attempt, "left_behind", _left_own)], "u0.o0.a u0.o0.b leaves", "locked out",
    ),
    Rule(
        "What was left before an unseen leftover may be replaced",
        [(Attempt, "left_unseen", _left_none_before)], "u0.o0.a u0.o0.b leaves", "locked out",
    ),
    Rule("What is settled leaves something, too", _find_ending(_nothing_left), "u0.o0.a leaves", "locked out"),
    Rule(
        "A key that stood there before is not the payment's",
        [(settlement, "_key_of", lambda _, found, *__, **___: found)],
        "u0.o0.a+replace before:key-b keyless", "false success",
    ),
    Rule(
        "Who sent nothing has registered nothing",
        [(Attempt, "own_key", _own_though_unsent)], "u0.a+replace before:key-a", "false ending",
    ),
    Rule(
        "Who can't find out ends its part at once",
        [(ledger.Ledger, "leave_open", lambda *_: None)], "u0.a u0.a", "not told",
    ),
    Rule(
        "Nobody closes an attempt whose function may be at work",
        [(settlement, "is_due", _due_where_unsent), (ledger, "_left_open", lambda made, *_: LeftOpen(made))],
        "u0.a u0.b", "false refusal",
    ),
    Rule(
        "An event names the card that is registered, and not the one that was offered for it",
        [(items, "_told_card", lambda made, _: {"told_card": made.masked_card})], "u0.o0.a u0.o0.b", "events",
    ),
    Rule(
        "An event names the request that its caller was told",
        [(ledger, "new_item", _under_another_request)], "u0.a", "events",
    ),
    Rule(
        "No key is charged that nobody has told of",
        [(client.Iamport, "issue", _guess_issued)], "u0.o0.a+replace before:key-b again", "false success",
    ),
    Rule(
        "A key is charged once",
        [(client.Iamport, "charge", _charge_again)], "u0.o0.a unrefusing again", "charged twice",
    ),
    Rule(
        "Every no to the charge leaves the key as a leftover",
        [(sending, "refused", _forget_the_key)], "u0.o0.a again", "false no",
    ),
    Rule(
        "A key that was told and can't be seen may still come",
        [(sending, "refused", _believe_the_look)], "u0.o0.a lags again", "false no",
    ),
    Rule(
        "It keeps the lock",
        [(sending, "key_unseen", _unseen_for_good)], "u0.o0.a u0.b+replace lags again", "too late",
    ),
    Rule(
        "By way of again too, only key and payment together are a success",
        _find_ending(_by_key_alone), "u0.o0.a again", "false success",
    ),
    Rule(
        "A first payment that left a key is told as one that was not taken",
        [(Ending, "_leaves_a_key", lambda *_: False)], "u0.o0.a again", "events",
    ),
    Rule(
        "An answer tells that a key stays",
        [(Ending, "key_stays", lambda *_: "")], "u0.o0.a again", "false no",
    ),
    Rule(
        "Who asks by its id is told that a payment was taken without a key",
        [(inquiry, "failure_of", lambda _: GatewayError("told_before"))], "u0.o0.a keyless", "false no",
    ),
    Rule(
        "For who asks by its id an attempt that was left open is looked at",
        [(inquiry, "look_at", lambda *_: InProgress())], "u0.a", "not told",
    ),
)  # fmt: skip
