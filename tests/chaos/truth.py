"""Holds what was answered, what the ledger says and what it told as events against what became true at Iamport."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from billing.model.digits import digits_agree, masked
from infra.local.iamport.history import Happening
from infra.local.iamport.payments import Payment

NOTHING_HAPPENED = (
    *("declined", "gateway_error", "gateway_refused", "unavailable"),
    *("already_registered", "already_paid", "internal_error"),
)
"""Answers that say so of this card."""


@dataclass(frozen=True)
class Task:
    """One request. `card` and `order` are its own or, of a repeat, an earlier one's."""

    number: int
    identity: str
    customer_uid: str
    card: str
    order: str | None
    may_replace: bool
    fields: Mapping[str, str]
    dies_before_send: int | None

    @property
    def request_id(self) -> str:
        return f"request-{self.number}"


@dataclass(frozen=True)
class Told:
    """What one request was answered; `code` is None where its container died. Times are this machine's monotonic."""

    task: Task
    code: str | None
    body: Mapping[str, Any]
    asked_at: float
    answered_at: float


@dataclass(frozen=True)
class Event:
    """What the pipe makes of the change that closes an attempt. Times are this machine's monotonic."""

    name: str
    attempt_id: str
    customer_uid: str
    request_id: str
    card: str
    imp_uid: str
    began_at: float
    ended_at: float


@dataclass
class Verdict:
    false_answers: list[str] = field(default_factory=list)
    overwritten: list[str] = field(default_factory=list)
    disagreements: list[str] = field(default_factory=list)
    double_charges: list[str] = field(default_factory=list)
    open_attempts: list[str] = field(default_factory=list)

    def is_clean(self) -> bool:
        return not any(vars(self).values())


def judge(
    told: Sequence[Told],
    history: Sequence[Happening],
    payments: Sequence[Payment],
    attempts: Sequence[Mapping[str, str]],
    begun: Iterable[str],
    events: Sequence[Event],
) -> Verdict:
    """`attempts`: the newest of each uid, as the ledger has it. `begun`: all attempt_ids. `events`: all that left."""
    verdict = Verdict()
    touched = {one.customer_uid for one in history if one.by == "others"}
    verdict.false_answers = [
        f"{one.task.customer_uid} {one.task.card} {one.code}: {wrong}"
        for one in told
        if (wrong := _what_is_false(one, told, history, payments))
    ]
    verdict.overwritten = list(_overwritten(told, history, touched))
    charged = Counter(one.merchant_uid for one in history if one.what == "paid" and one.by == "api")
    verdict.double_charges = [f"{order}: {count} times" for order, count in charged.items() if count > 1]
    verdict.open_attempts = [attempt["customer_uid"] for attempt in attempts if attempt["state"] == "open"]
    verdict.disagreements = [
        *_of_ledger(attempts, history, touched),
        *_of_payments_told(history, events),
        *_of_attempts_told(begun, events),
        *_of_what_is_named(events, told, history, touched),
    ]
    return verdict


def _what_is_false(
    one: Told, told: Sequence[Told], history: Sequence[Happening], payments: Sequence[Payment]
) -> str | None:
    match one.code:
        case "issued":
            number = one.body["card"]["number"]
            if not _stood(history, one.task.customer_uid, number, one.asked_at, one.answered_at):
                return f"no key with {number} stood then"
            if one.task.order is not None and not _is_paid(one, payments):
                return "its payment is none"
        case "paid_without_key":
            if not _is_paid(one, payments):
                return "its payment is none"
            if any(happening.what == "registered" for happening in _landed(one.task, history)):
                return "its key landed"
        case code if code in NOTHING_HAPPENED and _stands_alone(one, told):
            for happening in _landed(one.task, history):
                if happening.what == "paid" or one.task.order is None or not _says_a_key_stays(one):
                    return f"it was {happening.what}"
    return None


def _says_a_key_stays(one: Told) -> bool:
    """Or may."""
    return one.body.get("key_stays") in ("this_card", "unknown")


def _stood(history: Sequence[Happening], customer_uid: str, number: str, since: float, until: float) -> bool:
    """Whether a key that shows this number stood at any moment between the two."""
    stands = False
    for happening in history:
        if happening.customer_uid != customer_uid or happening.what == "paid":
            continue
        if happening.at > since and stands:
            return True
        if happening.at > until:
            return False
        stands = happening.what == "registered" and digits_agree(happening.card_number, number)
    return stands


def _is_paid(one: Told, payments: Sequence[Payment]) -> bool:
    shown = one.body["payment"]
    return any(
        payment.imp_uid == shown["imp_uid"]
        and payment.status in ("paid", "cancelled")
        and (payment.merchant_uid, payment.customer_uid) == (one.task.order, one.task.customer_uid)
        for payment in payments
    )


def _landed(task: Task, history: Sequence[Happening]) -> Iterable[Happening]:
    """What became true by this card, which no other request has but its own repeats."""
    for happening in history:
        if happening.by == "api" and happening.what != "revoked" and _is_by(task, happening):
            yield happening


def _stands_alone(one: Told, told: Sequence[Told]) -> bool:
    """Where a repeat of it was told something else, or its container died, what landed may be that one's."""
    return all(
        other.code in NOTHING_HAPPENED and not _says_a_key_stays(other)
        for other in told
        if other is not one and (other.task.customer_uid, other.task.card) == (one.task.customer_uid, one.task.card)
    )


def _overwritten(told: Sequence[Told], history: Sequence[Happening], touched: set[str | None]) -> Iterable[str]:
    """A key that another request's card replaced without leave; what an ended no had left may be replaced.

    Where others register cards as well, one may land between our look and our request: no client can close that.
    """
    standing: dict[str, Happening] = {}
    for happening in history:
        uid = happening.customer_uid
        if uid is None or happening.what == "paid":
            continue
        before = standing.pop(uid, None)
        if happening.what == "registered":
            standing[uid] = happening
        if before is None or happening.what == "revoked" or happening.by == "others" or uid in touched:
            continue
        replacing = [one.task for one in told if _is_by(one.task, happening)]
        if not any(task.may_replace for task in replacing) and not _was_left(before, happening.at, told, history):
            yield f"{uid}: {before.card_number} by {happening.card_number}"


def _was_left(key: Happening, by: float, told: Sequence[Told], history: Sequence[Happening]) -> bool:
    """Whether a key is what a first payment left behind that was not taken by then; a repeat may take it later."""
    attempts = [one for one in told if _is_by(one.task, key)]
    before = [happening for happening in history if happening.at < by]
    was_paid = any(_is_by(one.task, happening) for one in attempts for happening in before if happening.what == "paid")
    was_issued = any(one.code == "issued" and one.answered_at < by for one in attempts)
    return not was_paid and not was_issued and all(one.task.order is not None for one in attempts)


def _is_by(task: Task, happening: Happening) -> bool:
    return task.customer_uid == happening.customer_uid and digits_agree(happening.card_number, task.card)


def _of_ledger(
    attempts: Sequence[Mapping[str, str]], history: Sequence[Happening], touched: set[str | None]
) -> Iterable[str]:
    """That no payment was closed as none shows in the events, of which each payment has one.

    The newest attempt under a uid may well have sent nothing, for an order that an earlier one had paid.
    """
    paid = {(one.merchant_uid, one.customer_uid) for one in history if one.what == "paid"}
    for attempt in attempts:
        uid, state = attempt["customer_uid"], attempt["state"]
        stands = _standing_at_the_end(history, uid)
        if state == "issued" and uid not in touched and not digits_agree(stands, attempt["registered_card_number"]):
            yield f"{uid}: the ledger has {attempt['registered_card_number']}, Iamport {stands}"
        says_paid = attempt["merchant_uid"] != "" and state in ("issued", "paid_without_key")
        if says_paid and (attempt["merchant_uid"], uid) not in paid and uid not in touched:
            yield f"{uid}: {attempt['merchant_uid']} is {state}, and not paid"


def _standing_at_the_end(history: Sequence[Happening], customer_uid: str) -> str | None:
    """What never agrees with a number, where nothing stands."""
    number: str | None = "none"
    for happening in history:
        if happening.customer_uid == customer_uid and happening.what != "paid":
            number = happening.card_number if happening.what == "registered" else "none"
    return number


def _of_payments_told(history: Sequence[Happening], events: Sequence[Event]) -> Iterable[str]:
    """Each leaves as one event."""
    told = Counter(event.imp_uid for event in events if event.name.startswith("payment.paid"))
    for happening in history:
        if happening.what == "paid" and happening.by == "api" and told[happening.imp_uid or ""] != 1:
            yield f"{happening.merchant_uid}: {happening.imp_uid} left as {told[happening.imp_uid or '']} events"


def _of_attempts_told(begun: Iterable[str], events: Sequence[Event]) -> Iterable[str]:
    """Each leaves as one event, and nothing else does."""
    told = Counter(event.attempt_id for event in events)
    for attempt_id in sorted({*begun, *told}):
        if told[attempt_id] != 1:
            yield f"attempt {attempt_id} left as {told[attempt_id]} events"


def _of_what_is_named(
    events: Sequence[Event], told: Sequence[Told], history: Sequence[Happening], touched: set[str | None]
) -> Iterable[str]:
    asked = {one.task.request_id: one for one in told}
    for event in events:
        one = asked.get(event.request_id)
        if one is None or one.task.customer_uid != event.customer_uid:
            yield f"{event.customer_uid}: {event.name} is told under {event.request_id or 'no request_id'}, of another"
        elif not _names_the_card(event, one, history, touched):
            yield f"{event.customer_uid}: {event.name} of {one.task.card} ({one.code}) names {event.card or 'no card'}"


def _names_the_card(event: Event, one: Told, history: Sequence[Happening], touched: set[str | None]) -> bool:
    """The one that is registered, as who asked was told; where none is, the one that was tried or paid with.

    Where others register cards as well, the key that is found after a payment may be theirs.
    """
    paid_with = [each.card_number for each in history if each.what == "paid" and each.imp_uid == event.imp_uid]
    match event.name:
        case "billing_key.issued" | "payment.paid":
            if one.code == "issued" and event.card != one.body["card"]["number"]:
                return False
            if event.name == "payment.paid" and event.customer_uid not in touched:
                return all(digits_agree(number, event.card) for number in paid_with)
            return _stood(history, event.customer_uid, event.card, event.began_at, event.ended_at)
        case "payment.paid_without_key" | "billing_key.not_issued" if paid_with:
            # Who sent no card and found the order paid names none.
            return event.card == "" or all(digits_agree(number, event.card) for number in paid_with)
    return event.card == masked(one.task.card)
