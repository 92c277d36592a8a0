"""What has to hold whatever happens: answers, events and the ledger against what is true at Iamport."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.simulation import seams
from tests.simulation.expressions import Item
from tests.simulation.iamport import Happened, Key, Payment, Sent, card_of
from tests.simulation.world import Request, World

if TYPE_CHECKING:
    from tests.simulation.state import State

Answer = tuple[str, str | None, str | None, str, str]
NOTHING = frozenset(
    {
        "declined",
        "gateway_error",
        "gateway_refused",
        "unavailable",
        "already_registered",
        "already_paid",
        "in_progress",
        "too_many_attempts",
        "internal_error",
        "invalid_customer_token",
    }
)
"""Answers that say: nothing was issued or charged by this request."""
NO = frozenset({"declined", "not_issued", "unknown"})
"""Endings of the ledger that say so."""
PAID = frozenset({"issued", "paid_without_key"})
BEGUN_UNHEARD = "transact_write_items written, answer lost"
TROUBLE = frozenset({"unavailable", "gateway_error", "gateway_refused"})


class Violation(Exception):
    def __init__(self, what: str, words: str) -> None:
        super().__init__(f"{what}: {words}")
        self.what, self.words = what, words
        self.trail: Any = None


@dataclass
class Truth:
    """What is true of one attempt."""

    request: Request
    started: float | None = None
    answer: Answer | None = None
    begun: bool = False
    sent: bool = False
    key: bool = False
    paid: bool = False
    failed: bool = False
    refused: str = ""
    """By a PG, or by Iamport: in its words."""
    fault: str = ""
    """What failed it that may fail; of a call to the table, which."""
    looked: bool = False
    found: Key | None = None
    """What stood under its uid when it last looked, before it sent its card."""
    saw_used_up: bool = False
    saw_closing: bool = False
    """Whether any attempt was closed while it was at work: it may have met it just before."""
    others_key: bool = False
    others_order: bool = False
    could_be_told: bool = False
    """When it came, an attempt that asked for the very same had ended, and all of it had landed."""
    cards: frozenset[str] = frozenset()
    """Registered under its uid at some time while it was at work."""
    endings: tuple[tuple[str, str | None, str], ...] = ()
    """State, event and imp_uid of each change that closed it."""
    misnamed: str = ""
    """What is wrong with what its event named, by what was true when it left."""

    def digest(self) -> Hashable:
        return tuple(self.__dict__.values())

    def copy(self) -> "Truth":
        copied = Truth.__new__(Truth)
        copied.__dict__.update(self.__dict__)
        return copied


class Properties(Happened):
    def __init__(self, world: World, state: "State") -> None:
        self._state = state
        self._truths = {number: Truth(request) for number, request in enumerate(world.requests)}
        self._latest: dict[str, int] = {}
        """Who began last under a customer_uid."""
        self._odd, self._stepping = "odd" in world.habits, "stepping" in world.habits

    def copy(self, state: "State") -> "Properties":
        copied = Properties.__new__(Properties)
        copied._state, copied._odd, copied._stepping = state, self._odd, self._stepping
        copied._truths = {number: truth.copy() for number, truth in self._truths.items()}
        copied._latest = self._latest.copy()
        return copied

    def digest(self) -> Hashable:
        return tuple(truth.digest() for truth in self._truths.values()), tuple(self._latest.items())

    # What happens

    def begun(self, number: int) -> None:
        if (truth := self._truths.get(number)) is not None:
            truth.started = self._state.now
            truth.could_be_told = any(
                self._is_told_and_landed(other)
                for other in self._truths.values()
                if other is not truth and other.request.same_as(truth.request)
            )
            self._see_windows(truth)

    def _is_told_and_landed(self, other: Truth) -> bool:
        return (
            other.key
            and (other.request.order is None or other.paid)
            and other.answer is not None
            and other.answer[0] == "outcome_unknown"
            and not other.others_key
            and " " not in other.fault
        )

    def fault_met(self, number: int, what: str = "some") -> None:
        if number in self._truths:
            self._truths[number].fault = what

    def looked(self, number: int, path: str) -> None:
        truth = self._truths.get(number)
        if truth is None:
            return
        if "/customers/" in path and not truth.sent:
            truth.looked, truth.found = True, self._state.iamport.keys.get(seams.customer_uid(truth.request.uid))
        elif "/payments/" in path and truth.request.order is not None:
            truth.saw_used_up = self._state.iamport.is_used_up(seams.merchant_uid(truth.request.order))

    def sent(self, number: int, what_became: str) -> None:
        truth = self._truths[number]
        truth.sent = True
        if what_became == "400":
            truth.refused = what_became

    def processed(self, sent: Sent, label: str) -> None:
        if label in ("refused", "failed", "order used up") or label.endswith("key left"):
            self._truths[sent.by].refused = label
        if label == "no key to charge":
            self.fault_met(sent.by)

    def others_did(self, deed: str, *, before: bool) -> None:
        for truth in self._truths.values():
            if before and truth.request.leave != "new":  # said wrongly, the same card can't be told apart
                continue
            if deed.startswith(("key", "delete")):
                truth.others_key |= truth.request.uid == 0
            else:
                truth.others_order |= truth.request.order == 0

    def key_revoked(self, customer_uid: str) -> None:
        pass

    def key_landed(self, customer_uid: str, key: Key, before: Key | None) -> None:
        for truth in self._at_work():
            if seams.customer_uid(truth.request.uid) == customer_uid:
                truth.cards |= {key.card}
        if key.by is None:
            return
        truth = self._truths[key.by]
        truth.key = True
        if before is not None and not self._may_replace(truth, key, before):
            raise Violation("replaced", f"key {key.card} of {self._name(key.by)} replaces {before.card} without leave")
        latest = self._latest.get(customer_uid)
        if latest is not None and latest != key.by:
            raise Violation(
                "too late", f"key {key.card} of {self._name(key.by)} lands when {self._name(latest)} has begun"
            )

    def _may_replace(self, truth: Truth, key: Key, before: Key) -> bool:
        if truth.request.leave == "replace" or before.by == key.by:
            return True
        if before.by is not None:
            other = self._truths[before.by]
            told = other.answer is not None and other.answer[0] == "success"
            return other.request.order is not None and not other.paid and not told
        if truth.request.leave == "new":
            return True  # said wrongly
        was_left = any(self._may_have_left(other, truth, before) for other in self._truths.values())
        return was_left or (truth.looked and before != truth.found)

    def _may_have_left(self, other: Truth, truth: Truth, key: Key) -> bool:
        """What comes from elsewhere with the digits that were sent, and then refused, can't be told from a leftover."""
        sent = other.request
        return sent.uid == truth.request.uid and sent.order is not None and sent.card == key.card and other.sent

    def payment_landed(self, payment: Payment) -> None:
        if payment.by is None:
            return
        truth = self._truths[payment.by]
        truth.paid |= payment.status == "paid"
        truth.failed |= payment.status == "failed"
        taken = [each for each in self._state.iamport.under(payment.order) if each.status in ("paid", "cancelled")]
        if payment.status == "paid" and sum(each.by is not None for each in taken) > 1:
            raise Violation("charged twice", f"{self._name(payment.by)} pays {payment.order} again")
        if payment.status == "paid" and truth.saw_used_up:
            raise Violation("charged twice", f"{self._name(payment.by)} pays {payment.order}, which it saw paid")

    def table_changed(self, before: Item | None, after: Item) -> None:
        if (turn := seams.attempt_begun(before, after)) is not None:
            customer_uid, number = turn
            self._latest[customer_uid] = number
            if number in self._truths:
                self._truths[number].begun = True
        if (closed := seams.attempt_closed(before, after)) is not None:
            for truth in self._at_work():
                truth.saw_closing = True
            if closed.number in self._truths:
                self._truths[closed.number].endings += ((closed.state, closed.event, closed.imp_uid),)
                self._truths[closed.number].misnamed = self._what_is_misnamed(closed)

    def _what_is_misnamed(self, closed: seams.Closed) -> str:
        """An event names who asked, and what is registered, or was paid with; else the card that was tried."""
        truth = self._truths[closed.number]
        if closed.request_id != seams.request_id(closed.number):
            return f"is told under {closed.request_id or 'no request_id'}"
        if (self._odd and truth.request.uid == 0) or truth.others_key or truth.others_order:
            return ""
        named = card_of(closed.card or None)
        right = named in self._may_be_named(truth, closed)
        return "" if right else f"is closed {closed.state}, and its event names card {named or 'none'}"

    def _may_be_named(self, truth: Truth, closed: seams.Closed) -> set[str | None]:
        match closed.state:
            case "issued":
                key = self._state.iamport.keys.get(seams.customer_uid(truth.request.uid))
                return set() if key is None else {key.card.lower()}
            case "paid_without_key":
                taken = (each.card.lower() for each in self._taken(truth) if each.imp_uid == closed.imp_uid)
                return {*taken} if truth.sent else {*taken, None}  # who sent no card, and found the order paid
        return {truth.request.card.lower()}

    def settler_crashed(self, what: str) -> None:
        raise Violation("crash", f"the settler stops at {what}")

    # Answers

    def answered(self, number: int, answer: Answer) -> None:
        truth, name = self._truths[number], self._name(number)
        truth.answer = answer
        code, card, imp_uid, reason, _ = answer
        self._see_windows(truth)
        shown = card_of(card)
        match code:
            case "success":
                if shown is not None and shown not in {each.lower() for each in truth.cards}:
                    raise Violation("false success", f"{name} names card {shown}, which is not registered")
                if not truth.cards:
                    raise Violation("false success", f"{name}: nothing is registered")
                self._check_payment(truth, name, imp_uid)
                self._check_named(truth, name, shown)
            case "paid_without_key":
                self._check_payment(truth, name, imp_uid)
            case "already_registered":
                if not truth.cards or truth.request.leave == "replace":
                    raise Violation("false refusal", f"{name}: already_registered, where nothing is in the way")
            case "already_paid":
                if not any(not self._is_ours(truth, each) or each.status == "cancelled" for each in self._taken(truth)):
                    raise Violation("false refusal", f"{name}: already_paid, where no other payment is")
            case "in_progress":
                self._check_in_progress(truth, name)
            case "invalid_customer_token" | "internal_error" | "too_many_attempts":
                raise Violation("false refusal", f"{name}: {code} ({reason})")
            case "declined":
                if not truth.refused and not truth.others_order:
                    raise Violation("false no", f"{name}: declined, and nobody refused it")
                if (truth.saw_used_up or truth.refused == "order used up") and not truth.fault:
                    raise Violation("false no", f"{name}: declined, and it could see the order paid")
        truth.cards, truth.could_be_told = frozenset(), False
        if code in TROUBLE and not truth.fault and not self._odd:
            raise Violation("false refusal", f"{name}: {code} ({reason}), and nothing failed")

    def _check_payment(self, truth: Truth, name: str, imp_uid: str | None) -> None:
        if truth.request.order is None:
            return
        paid = {each.imp_uid for each in self._taken(truth) if self._is_ours(truth, each)}
        if imp_uid not in paid:
            raise Violation(
                "false success", f"{name} names payment {imp_uid}; of ours are paid: {sorted(paid) or 'none'}"
            )

    def _check_named(self, truth: Truth, name: str, shown: str | None) -> None:
        """Success is for the card that was sent, or for an order that was paid with another one."""
        request = truth.request
        if shown is None:
            return
        if shown != request.card.lower() and (request.order is None or (truth.paid and not truth.others_key)):
            raise Violation("false success", f"{name} names card {shown}, which it did not ask for")
        key = self._state.iamport.keys.get(seams.customer_uid(request.uid))
        if key is not None and request.order is None and key.card.lower() == shown and key.card != request.card:
            raise Violation("false success", f"{name} has another password than what is registered")

    def _check_in_progress(self, truth: Truth, name: str) -> None:
        if truth.fault or truth.saw_closing:
            return  # who could not look at an earlier attempt can't say that nothing was sent
        if truth.could_be_told and not truth.others_key and not self._stepping:
            raise Violation("not told", f"{name}: in_progress, where the same request had succeeded before")
        in_the_way = [
            other for other in self._truths.values()
            if other is not truth and other.started is not None and self._meet(truth.request, other.request)
            and self._state.now < other.started + seams.INVOCATION_SECONDS + seams.PG_SECONDS + 15
        ]  # fmt: skip
        if all(
            other.fault == BEGUN_UNHEARD and other.answer and other.answer[0] == "unavailable" for other in in_the_way
        ):
            raise Violation("false refusal", f"{name}: in_progress, where nobody is at work")

    # The end

    def open_attempts(self) -> list[int]:
        return [seams.attempt_number(item) for item in self._state.table.items.values() if seams.is_open(item)]

    def check_the_end(self) -> None:
        for number in self.open_attempts():
            if number in self._truths and not (self._odd and self._truths[number].request.uid == 0):
                raise Violation("open", f"{self._name(number)} stays open")
        for number, truth in self._truths.items():
            self._check_answer(self._name(number), truth, truth.answer)
            if truth.begun:
                self._check_ending(self._name(number), truth)
        self._check_events()

    def told(self, number: int, answer: Answer) -> None:
        """What became of an attempt, as who asks by its id is told, where all has landed."""
        truth, name = self._truths[number], f"{self._name(number)}, asked after"
        code, _, imp_uid, reason, _ = answer
        order, ended = truth.request.order is not None, truth.endings[0][0] if truth.endings else ""
        if code in NOTHING and truth.paid:
            raise Violation("false no", f"{name}: {code}, and its payment landed")
        if not truth.others_key:  # a key may be gone before anybody could see it
            self._check_answer(name, truth, answer)
        match code:
            case "success" | "paid_without_key":
                self._check_payment(truth, name, imp_uid)
                if code == "success" and not order and not truth.key and not truth.others_key:
                    raise Violation("false success", f"{name}: success, and nothing of it landed")
            case "outcome_unknown" | "in_progress" if ended != "unknown" and not self._is_odd(truth):
                raise Violation("not told", f"{name}: {code}, where all has landed")
            case "unknown_attempt" | "internal_error" | "invalid_customer_token" | "too_many_attempts":
                raise Violation("false refusal", f"{name}: {code} ({reason})")
        was_told = truth.answer[0] if truth.answer else ""
        others = truth.others_key or truth.others_order
        if was_told == "success" and code not in ("success", "outcome_unknown") and not others:
            raise Violation("false success", f"{name}: {code}, after a success")

    def _is_odd(self, truth: Truth) -> bool:
        return self._odd and truth.request.uid == 0

    def _check_answer(self, name: str, truth: Truth, answer: Answer | None) -> None:
        code, *_, key_stays = answer or ("", "")
        if code in NOTHING and truth.paid:
            raise Violation("false no", f"{name}: {code}, and its payment landed")
        if code in NOTHING and truth.key and not self._is_told_to_stay(truth, key_stays):
            raise Violation("false no", f"{name}: {code}, and its key landed")
        if code == "paid_without_key" and truth.key and not truth.others_key:
            raise Violation("false success", f"{name}: paid_without_key, and its key landed")

    def _is_told_to_stay(self, truth: Truth, key_stays: str) -> bool:
        """Where others had a hand in it, another card may stay, or none."""
        return truth.request.order is not None and (key_stays in ("this_card", "unknown") or truth.others_key)

    def _check_ending(self, name: str, truth: Truth) -> None:
        """The ledger's last word on an attempt, as its event told it."""
        if not truth.endings:
            told = any(
                state in PAID
                for other in self._truths.values()
                if other.request.order == truth.request.order
                for state, *_ in other.endings
            )
            if not (told and truth.request.order is not None) and not (self._odd and truth.request.uid == 0):
                raise Violation("lost", f"{name} has begun, and no ending of it was told")
            return
        if len(truth.endings) > 1:
            raise Violation("events", f"{name} is closed twice: {truth.endings}")
        [(state, event, imp_uid)] = truth.endings
        order, code = truth.request.order is not None, truth.answer[0] if truth.answer else ""
        others = truth.others_key or (truth.others_order and order)
        if state in ("declined", "not_issued") and truth.paid:
            raise Violation("false ending", f"{name} is closed {state}, and its payment landed")
        if state in ("declined", "not_issued") and truth.key and not order and not truth.others_key:
            raise Violation("false ending", f"{name} is closed {state}, and its key landed")
        if event == "billing_key.not_issued" and truth.key and not truth.others_key:
            raise Violation("events", f"{name} leaves as {event}, and its key landed")
        if state == "issued" and not order and not truth.key and not others:
            raise Violation("false ending", f"{name} is closed issued, and nothing of it landed")
        if state == "declined" and not truth.refused and not others:
            raise Violation("false ending", f"{name} is closed declined, and nobody refused it")
        if state == "paid_without_key" and truth.key and not truth.others_key:
            raise Violation("false ending", f"{name} is closed paid_without_key, and its key landed")
        if code in NOTHING and state in PAID and not others and (truth.sent or not order):
            raise Violation("false no", f"{name}: {code}, and closed {state}")
        if code == "success" and state not in ("issued", "unknown") and not others:
            raise Violation("false success", f"{name}: success, and closed {state}")
        if (
            order
            and state in PAID
            and not (imp_uid and imp_uid in {each.imp_uid for each in self._taken(truth) if self._is_ours(truth, each)})
        ):
            raise Violation(
                "events", f"{name} is closed {state} with payment {imp_uid or 'none'}, which is not ours or not paid"
            )

    def _check_events(self) -> None:
        for number, truth in self._truths.items():
            if truth.misnamed:
                raise Violation("events", f"{self._name(number)} {truth.misnamed}")
        told = [
            imp_uid
            for truth in self._truths.values()
            for state, event, imp_uid in truth.endings
            if event and event.startswith("payment.paid")
        ]
        if len(set(told)) < len(told):
            raise Violation("events", f"two events tell of one payment: {sorted(told)}")
        for number, truth in self._truths.items():
            # Where one was cancelled, and others paid again, the later payment is told.
            taken = sorted(self._taken(truth), key=lambda each: each.status != "paid")
            own = [each for each in taken if each.by == number and each.status == taken[0].status]
            given_up = any(state == "unknown" for state, *_ in truth.endings)
            if own and own[0].imp_uid not in told and not given_up and not (self._odd and truth.request.uid == 0):
                raise Violation("events", f"{self._name(number)} has paid, and no event tells of it")

    # Who comes next

    def next_request(self) -> Request | None:
        """Somebody whom nothing may keep from registering another card; None: there is nobody of whom that is sure."""
        for truth in reversed(self._truths.values()):
            if truth.answer is None and not truth.begun:
                continue
            if self._taken(truth) or self._odd:
                continue
            key = self._state.iamport.keys.get(seams.customer_uid(truth.request.uid))
            if key is None or self._is_left(key):
                return Request(truth.request.uid, truth.request.order, "z")
            if truth.request.order is not None and truth.endings and truth.endings[0][0] != "unknown":
                return Request(truth.request.uid + 5, truth.request.order, "z")
        return None

    def watch_next(self, number: int, request: Request) -> None:
        self._truths[number] = Truth(request)

    def check_next(self, number: int) -> None:
        answer = self._truths[number].answer
        if answer is None or answer[0] not in ("success", "paid_without_key"):
            raise Violation(
                "locked out", f"another card afterwards, {self._truths[number].request.name}: {answer and answer[0]}"
            )

    def _is_left(self, key: Key) -> bool:
        """By an attempt that ended in a no."""
        if key.by is None:
            return False
        truth = self._truths[key.by]
        told = truth.answer is not None and truth.answer[0] == "success"
        return (
            truth.request.order is not None
            and not truth.paid
            and not told
            and not truth.others_key
            and not truth.others_order
            and not any(self._has_made_it_a_success(other, truth) for other in self._truths.values())
        )

    def _has_made_it_a_success(self, other: Truth, left: Truth) -> bool:
        """Whose order was paid before: with the key that it found there, that is a success."""
        if other is left or other.request.uid != left.request.uid:
            return False
        code, card, *_ = other.answer or ("", None)
        if code == "success" and card_of(card) == left.request.card.lower() != other.request.card.lower():
            return True
        is_told = code == "success" or any(state == "issued" for state, *_ in other.endings)
        return is_told and any(each.by is None and self._is_ours(other, each) for each in self._taken(other))

    # What is true

    def _at_work(self) -> list[Truth]:
        return [truth for truth in self._truths.values() if truth.started is not None and truth.answer is None]

    def _see_windows(self, truth: Truth) -> None:
        key = self._state.iamport.keys.get(seams.customer_uid(truth.request.uid))
        if key is not None:
            truth.cards |= {key.card}

    def _taken(self, truth: Truth) -> list[Payment]:
        """What was paid under its order."""
        if truth.request.order is None:
            return []
        return [
            each
            for each in self._state.iamport.under(seams.merchant_uid(truth.request.order))
            if each.status in ("paid", "cancelled")
        ]

    def _is_ours(self, truth: Truth, payment: Payment) -> bool:
        return payment.customer_uid == seams.customer_uid(truth.request.uid) and payment.amount == seams.AMOUNT

    def _meet(self, one: Request, other: Request) -> bool:
        return one.uid == other.uid or (one.order is not None and one.order == other.order)

    def _name(self, number: int) -> str:
        return f"{number + 1} ({self._truths[number].request.name})" if number in self._truths else str(number + 1)
