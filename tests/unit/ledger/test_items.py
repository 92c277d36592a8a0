"""What is written about an attempt, and what is read back of it."""

from dataclasses import replace
from datetime import datetime
from typing import Any, get_args

import pytest

from billing.ledger.items import (
    attempt_in,
    attempts_in_hour,
    card_key,
    closed_in,
    customer_key,
    due_at,
    ended_item,
    is_due,
    new_item,
    order_key,
    payment_in,
    plain,
    registered_in,
    seen_text,
    typed,
)
from billing.model.attempt import Attempt, Ending, Item, Leftover, NewAttempt, Order, Seen, State
from billing.model.billing_key import BillingKey, PaidPayment
from billing.model.card import SEOUL
from tests.unit.fakes import StoppedClock

NOON = 1_800_000_000 // 3600 * 3600
"""The start of an hour."""
NEW = NewAttempt(
    attempt_id="attempt-1",
    customer_uid="mine",
    card_fingerprint="f",
    request_fingerprint="r",
    masked_card="000011******3333",
    order=None,
    ends_at=NOON + 28.9,
    is_new_customer=False,
    request_id="request-1",
)
PAYING = replace(NEW, order=Order("order-1", 99_000))
OWN = BillingKey("mine", "국민KB카드", "000011******3333", "debit", NOON + 3)
OLD = BillingKey("mine", "신한카드", "000099******8888", "credit", NOON - 86_400)
TAKEN = PaidPayment("order-1", "imp_1", 99_000, "https://receipts.invalid/1")


def stored(item: Item) -> dict[str, Any]:
    """As DynamoDB gives it back."""
    return plain(typed(item))


def begun_item(
    earlier: Item | None = None, new: NewAttempt = NEW, now: float = NOON, *, order_is_paid: bool = False
) -> dict[str, Any]:
    return stored(new_item(earlier, new, now, order_is_paid=order_is_paid))


def begun(earlier: Item | None = None, new: NewAttempt = NEW, *, order_is_paid: bool = False) -> Attempt:
    return attempt_in(begun_item(earlier, new, order_is_paid=order_is_paid))


def noted(attempt: Attempt, seen: Seen) -> Attempt:
    """With what stood at Iamport before the card was sent."""
    return attempt_in({**attempt.item, "seen": seen_text(seen)})


def ended(ending: Ending, attempt: Attempt | None = None, now: float = NOON + 5.7) -> dict[str, Any]:
    attempt = attempt or begun()
    return stored(ended_item(attempt, ending, now, event=ending.event(attempt)))


REGISTERED = ended(Ending("issued", registered=OLD))
"""What stands under a uid that has a card."""


def test_a_new_attempt_is_open_and_due_a_minute_after_its_invocation() -> None:
    """From the very beginning: who dies on the way leaves a PG at work behind."""
    item = begun_item(now=NOON + 0.9)
    assert (item["state"], item["began_at"], item["ends_at"]) == ("open", NOON, NOON + 28)
    assert item["due_at"] == due_at(NEW.ends_at) == NOON + 28 + 60


@pytest.mark.parametrize("order", [None, Order("order-1", 99_000)])
@pytest.mark.parametrize("earlier", [None, REGISTERED])
@pytest.mark.parametrize("order_is_paid", [True, False])
def test_an_attempt_is_read_back_as_it_began(order: Order | None, earlier: Item | None, order_is_paid: bool) -> None:
    attempt = begun(earlier, replace(NEW, order=order), order_is_paid=order_is_paid)
    assert (attempt.customer_uid, attempt.attempt_id, attempt.masked_card) == ("mine", "attempt-1", "000011******3333")
    assert (attempt.order, attempt.order_is_paid) == (order, order_is_paid)
    assert attempt.is_first is (earlier is None)
    assert attempt.ends_at == NOON + 28
    assert (attempt.seen, attempt.leftover) == (None, None)
    assert attempt.item["attempt_id"] == attempt.attempt_id


@pytest.mark.parametrize(
    ("earlier", "new", "seen"),
    [
        pytest.param(None, replace(NEW, is_new_customer=True), Seen(), id="just made, and never seen by the ledger"),
        pytest.param(REGISTERED, replace(NEW, is_new_customer=True), None, id="just made, they say"),
        pytest.param(None, NEW, None, id="never seen by the ledger: that says nothing of Iamport"),
        pytest.param(
            None, replace(PAYING, is_new_customer=True), None, id="just made, and an order that may have payments"
        ),
    ],
)
def test_nothing_was_there_before_is_known_from_the_beginning_of_new_uids_only(
    earlier: Item | None, new: NewAttempt, seen: Seen | None
) -> None:
    assert begun(earlier, new).seen == seen


SEEN = [
    Seen(),
    Seen(OLD, ("imp_1", "imp_2")),
    Seen(replace(OLD, updated=None)),
    Seen(replace(OLD, card_number=None)),
    Seen(None, ("imp_1",)),
]


@pytest.mark.parametrize("seen", SEEN)
def test_what_was_seen_is_read_back_as_it_was(seen: Seen) -> None:
    """Of a key what tells it from others, and nothing else."""
    read = noted(begun(), seen).seen
    assert read is not None
    assert read.imp_uids == seen.imp_uids
    if seen.billing_key is None:
        assert read.billing_key is None
    else:
        assert seen.billing_key.is_same_as(read.billing_key)


def test_what_was_seen_before_one_attempt_is_not_taken_for_the_nexts() -> None:
    earlier = ended(Ending("not_issued"), noted(begun(), Seen(OLD)))
    assert begun(earlier).seen is None


@pytest.mark.parametrize(
    ("seen", "due"),
    [
        pytest.param(None, 28, id="nothing was sent: nothing is in flight once its invocation is over"),
        pytest.param(Seen(), 28 + 60, id="a PG may be at work for a minute more"),
        pytest.param(Seen(OLD, ("imp_1",)), 28 + 60, id="whatever stood there before"),
    ],
)
def test_an_attempt_is_due_when_nothing_can_be_in_flight(
    stopped_clock: StoppedClock, seen: Seen | None, due: int
) -> None:
    attempt = begun() if seen is None else noted(begun(), seen)
    for seconds, expected in ((due - 0.1, False), (due, True)):
        stopped_clock.wall = NOON + seconds
        assert is_due(attempt) is expected


@pytest.mark.parametrize(
    "key",
    [
        OWN,
        replace(OWN, card_type="credit"),
        replace(OWN, card_name=None),
        replace(OWN, card_number=None),
        replace(OWN, card_type=None),
        replace(OWN, updated=None),
    ],
)
def test_a_registered_key_is_read_back_as_it_was(key: BillingKey) -> None:
    assert registered_in(ended(Ending("issued", registered=key))) == key


@pytest.mark.parametrize("payment", [TAKEN, replace(TAKEN, receipt_url=None), None])
def test_a_payment_is_read_back_as_it_was(payment: PaidPayment | None) -> None:
    item = ended(Ending("issued", registered=OWN, payment=payment), begun(new=PAYING))
    assert payment_in(item) == payment


@pytest.mark.parametrize(
    ("earlier", "ending", "registered"),
    [
        pytest.param(None, Ending("issued", registered=OWN), OWN, id="a first card"),
        pytest.param(REGISTERED, Ending("issued", registered=OWN), OWN, id="another card"),
        pytest.param(REGISTERED, Ending("declined", "no"), OLD, id="refused: as before"),
        pytest.param(REGISTERED, Ending("unknown", "no"), OLD, id="unknown: as before"),
        pytest.param(None, Ending("declined", "no"), None, id="refused: none as before"),
        pytest.param(None, Ending("paid_without_key", payment=TAKEN), None, id="paid, and none as before"),
        pytest.param(None, Ending("not_issued", "already_registered", registered=OLD), OLD, id="found under the uid"),
        pytest.param(
            None, Ending("declined", "no", registered=OWN, leftover=Leftover(OWN)), OWN, id="left behind by a refusal"
        ),
    ],
)
def test_what_is_registered_after_an_attempt(
    earlier: Item | None, ending: Ending, registered: BillingKey | None
) -> None:
    item = ended(ending, begun(earlier))
    assert registered_in(item) == registered
    assert registered_in(begun_item(item)) == registered, "the next attempt knows it"
    assert ("expires_at" in item) is (registered is None), "what is registered is kept"
    assert ("expires_at" in begun_item(item)) is (registered is None)


def test_what_is_not_registered_is_kept_for_ninety_days() -> None:
    assert ended(Ending("declined", "no"))["expires_at"] == NOON + 90 * 86_400


def test_the_time_of_registration_is_the_endings() -> None:
    assert ended(Ending("issued", registered=OWN), now=NOON + 5.7)["registered_at"] == NOON + 5


LEFTOVERS = [
    pytest.param(Leftover(OWN), [OWN], [OLD], id="a key that was looked at"),
    pytest.param(
        Leftover(None, None, masked_card="000011******3333"), [OWN], [OLD], id="a key that could not be looked at"
    ),
    pytest.param(
        Leftover(None, OLD, masked_card="000011******3333"), [OWN], [OLD], id="what came after the one that was there"
    ),
    pytest.param(
        Leftover(None, OLD, before_was_left=True, masked_card="000011******3333"),
        [OWN, OLD],
        [replace(OLD, updated=NOON)],
        id="or that one itself, which was left behind too",
    ),
]


@pytest.mark.parametrize(("leftover", "may_be_replaced", "may_not"), LEFTOVERS)
def test_what_an_attempt_left_behind_is_known_to_the_next(
    leftover: Leftover, may_be_replaced: list[BillingKey], may_not: list[BillingKey]
) -> None:
    after = ended(Ending("declined", "no", leftover=leftover), begun(new=PAYING))
    for new in (NEW, PAYING, replace(PAYING, order=Order("order-2", 5))):
        known = begun(after, new).leftover
        assert known is not None
        assert [known.is_what_stands(key) for key in may_be_replaced] == [True] * len(may_be_replaced)
        assert [known.is_what_stands(key) for key in may_not] == [False] * len(may_not)


@pytest.mark.parametrize(
    ("ending", "stays"),
    [
        pytest.param(Ending("declined", "no", leftover=Leftover(OWN)), True, id="another no"),
        pytest.param(Ending("unknown", "no", leftover=Leftover(OWN)), True, id="given up"),
        pytest.param(Ending("issued", registered=OWN), False, id="a success"),
        pytest.param(Ending("not_issued"), False, id="nothing stands there any more"),
    ],
)
def test_what_was_left_behind_is_marked_until_a_success(ending: Ending, stays: bool) -> None:
    before = ended(Ending("declined", "no", leftover=Leftover(OWN)))
    attempt = begun(before)
    assert attempt.leftover is not None
    item = ended(ending, attempt)
    assert ("leftover" in item) is stays
    assert (begun(item).leftover is not None) is stays


@pytest.mark.parametrize(
    ("new", "ending", "event"),
    [
        (NEW, Ending("issued", registered=OWN), "billing_key.issued"),
        (NEW, Ending("declined", "no"), "billing_key.declined"),
        (NEW, Ending("not_issued"), "billing_key.not_issued"),
        (NEW, Ending("unknown"), "billing_key.unknown"),
        (PAYING, Ending("issued", registered=OWN, payment=TAKEN), "payment.paid"),
        (PAYING, Ending("paid_without_key", payment=TAKEN), "payment.paid_without_key"),
        (PAYING, Ending("declined", "no"), "payment.failed"),
        (PAYING, Ending("not_issued"), "billing_key.not_issued"),
        (PAYING, Ending("unknown"), "billing_key.unknown"),
    ],
)
def test_an_ending_is_an_event(new: NewAttempt, ending: Ending, event: str) -> None:
    item = ended(ending, begun(new=new))
    assert (item["event"], item["state"]) == (event, ending.state)
    assert item["merchant_uid"] == (new.order.merchant_uid if new.order else "")


@pytest.mark.parametrize("state", get_args(State))
def test_only_an_issued_attempt_keeps_what_tells_a_repeat_and_a_place_in_the_index(state: State) -> None:
    attempt = begun(new=PAYING)
    item = ended(Ending(state, registered=OWN, payment=TAKEN), attempt, now=NOON + 5.9)
    kept = {name: item[name] for name in ("request_fingerprint", "due_at", "due_shard") if name in item}
    place = {"due_at": NOON + 605, "due_shard": f"ended-{attempt.item['due_shard']}"}
    assert kept == ({"request_fingerprint": "r"} | place if state == "issued" else {})


@pytest.mark.parametrize("state", get_args(State))
def test_the_fingerprint_of_a_card_stands_in_no_attempt(state: State) -> None:
    """Only in the key of the card's own item. Version 2.0.0 wrote it into what it began."""
    assert "card_fingerprint" not in begun().item
    by_2_0_0 = replace(begun(), item={**begun().item, "card_fingerprint": "f"})
    assert "card_fingerprint" not in ended(Ending(state, registered=OWN), by_2_0_0)


def test_what_version_1_began_is_repeated_by_nobody_and_has_no_place_in_the_index() -> None:
    item = ended(Ending("issued", registered=OWN), attempt_in(OPEN_OF_VERSION_1))
    assert not item.keys() & {"request_fingerprint", "due_at", "due_shard"}


@pytest.mark.parametrize(
    ("ending", "told"),
    [
        (Ending("declined", "한도초과"), {"message": "한도초과", "imp_uid": "", "amount": 0, "receipt_url": ""}),
        (Ending("not_issued"), {"message": "", "imp_uid": "", "amount": 0, "receipt_url": ""}),
        (
            Ending("issued", registered=OWN, payment=TAKEN),
            {"message": "", "imp_uid": "imp_1", "amount": 99_000, "receipt_url": "https://receipts.invalid/1"},
        ),
        (
            Ending("issued", registered=OWN, payment=replace(TAKEN, receipt_url=None)),
            {"message": "", "imp_uid": "imp_1", "amount": 99_000, "receipt_url": ""},
        ),
        (
            Ending("paid_without_key", payment=TAKEN),
            {"message": "", "imp_uid": "imp_1", "amount": 99_000, "receipt_url": "https://receipts.invalid/1"},
        ),
    ],
)
def test_an_event_lacks_no_value(ending: Ending, told: dict[str, Any]) -> None:
    item = ended(ending, begun(new=PAYING), now=1_800_000_000.9)
    assert {name: item[name] for name in told} == told
    assert (item["ended_at"], item["event_time"]) == (1_800_000_000, "2027-01-15T08:00:00+00:00")


@pytest.mark.parametrize(
    ("attempt", "ending", "card"),
    [
        pytest.param(
            begun(), Ending("issued", registered=OLD), (OLD.card_number, "신한카드", "credit"), id="registered"
        ),
        pytest.param(
            begun(),
            Ending("issued", registered=BillingKey("mine", None, None, None, None)),
            ("", "", ""),
            id="registered, and Iamport tells nothing of it",
        ),
        pytest.param(begun(), Ending("declined", "no", registered=OLD), (NEW.masked_card, "", ""), id="tried"),
        pytest.param(begun(), Ending("unknown", "no"), (NEW.masked_card, "", ""), id="nobody knows"),
        pytest.param(
            noted(begun(new=PAYING), Seen()),
            Ending("paid_without_key", payment=TAKEN),
            (NEW.masked_card, "", ""),
            id="paid",
        ),
        pytest.param(begun(new=PAYING), Ending("paid_without_key", payment=TAKEN), ("", "", ""), id="paid before"),
    ],
)
def test_an_event_names_the_card_that_is_registered_or_the_one_that_was_tried(
    attempt: Attempt, ending: Ending, card: tuple[str, str, str]
) -> None:
    item = ended(ending, attempt)
    assert (item["told_card"], item["told_card_name"], item["told_card_type"]) == card


def test_what_was_begun_before_there_were_request_ids_is_told_without_one() -> None:
    assert ended(Ending("not_issued"), attempt_in(OPEN_OF_VERSION_1))["request_id"] == ""
    assert ended(Ending("not_issued"), begun(new=replace(NEW, request_id="request-1")))["request_id"] == "request-1"


def test_an_ended_attempt_is_no_longer_due() -> None:
    attempt = begun()
    gone = attempt.item.keys() - ended(Ending("not_issued", registered=OWN), attempt).keys()
    assert gone == {"due_at", "due_shard", "expires_at", "request_fingerprint"}


def test_an_attempt_that_iamport_answered_leaves_no_lock() -> None:
    assert "locked_until" not in ended(Ending("issued", registered=OWN))


def test_finding_frees_no_lock() -> None:
    """What was found may be followed by what is still in flight: the same request, sent twice by a proxy."""
    item = ended(Ending("issued", registered=OWN, may_still_land=True))
    assert item["locked_until"] == NOON + 28 + 60
    assert item["due_shard"].startswith("ended-"), "the settler has nothing to find out"


def test_the_lock_of_one_attempt_is_not_taken_for_the_nexts() -> None:
    last = ended(Ending("issued", registered=OWN, may_still_land=True))
    assert "locked_until" not in ended(Ending("declined", "no"), begun(last))


def test_a_new_attempt_takes_nothing_of_the_last_but_what_is_registered_and_left() -> None:
    last = ended(Ending("declined", "no", leftover=Leftover(OWN)), noted(begun(REGISTERED), Seen(OLD)))
    carried_over = begun_item(last).keys() - begun_item().keys()
    assert carried_over == {*(name for name in REGISTERED if name.startswith("registered_")), "leftover"}


def test_attempts_are_counted_by_the_hour() -> None:
    item: Item | None = None
    counts = []
    for now in (NOON, NOON + 1800, NOON + 3599.9, NOON + 3600, NOON + 3601, NOON + 3 * 3600):
        item = begun_item(item, now=now)
        counts.append(item["attempts"])
    assert counts == [1, 2, 3, 1, 2, 1]


def test_a_cards_attempts_of_another_day_in_seoul_stand_elsewhere() -> None:
    midnight = int(datetime(2027, 1, 16, tzinfo=SEOUL).timestamp())
    keys = [card_key("f", now) for now in (midnight - 86_400, midnight - 0.1, midnight)]
    assert keys[0] == keys[1] != keys[2]


def test_and_those_of_another_hour_under_another_name() -> None:
    names = [attempts_in_hour(now) for now in (NOON, NOON + 3599.9, NOON + 3600)]
    assert names[0] == names[1] != names[2]


def test_nothing_stands_under_the_key_of_something_else() -> None:
    keys = [customer_key("a"), customer_key("b"), order_key("a"), order_key("b")]
    keys += [card_key("a", NOON), card_key("b", NOON)]
    assert len(set(keys)) == len(keys)
    assert begun_item()["pk"] == customer_key("mine")


def test_open_attempts_are_spread_over_eight_shards() -> None:
    shards = [begun_item(new=replace(NEW, customer_uid=f"customer_{n}"))["due_shard"] for n in range(200)]
    assert set(shards) == {"0", "1", "2", "3", "4", "5", "6", "7"}
    assert max(shards.count(shard) for shard in set(shards)) < 50


def test_a_customer_stays_in_one_shard() -> None:
    """By no hash that changes with the process: `hash` would."""
    assert begun_item()["due_shard"] == "3"


def test_an_item_holds_texts_and_whole_numbers() -> None:
    attempt = noted(begun(REGISTERED, PAYING, order_is_paid=True), Seen(OLD, ("imp_0",)))
    leaving = Ending("issued", registered=OWN, payment=TAKEN, leftover=Leftover(OLD), may_still_land=True)
    assert {type(value) for value in ended(leaving, attempt).values()} == {str, int}
    assert {type(value) for value in attempt.item.values()} == {str, int}


OPEN_OF_VERSION_1: dict[str, Any] = {
    "pk": "uid#mine",
    "customer_uid": "mine",
    "attempt_id": "0123456789abcdef0123456789abcdef",
    "state": "open",
    "began_at": NOON,
    "iamport_time": NOON + 100,  # its clock and ours differ
    "ends_at": NOON + 28,
    "locked_until": NOON + 30,
    "due_at": NOON + 58,
    "due_shard": "3",
    "hour": NOON // 3600,
    "attempts": 2,
    "card_fingerprint": "f",
    "masked_card": "000011******3333",
    "merchant_uid": "",
    "expires_at": NOON + 90 * 86_400,
}
"""Word for word as 1.0.0 wrote it. With a card that it knew to be registered:"""
REGISTERED_BY_VERSION_1: dict[str, Any] = {
    "registered_at": NOON - 86_400,
    "registered_card_name": "신한카드",
    "registered_card_number": "000099******8888",
    "registered_card_type": "credit",
    "registered_updated": NOON - 86_400,
}
ENDED_OF_VERSION_1: dict[str, Any] = {
    **{name: OPEN_OF_VERSION_1[name] for name in OPEN_OF_VERSION_1.keys() - {"locked_until", "due_at", "due_shard"}},
    **REGISTERED_BY_VERSION_1,
    "merchant_uid": "order-1",
    "state": "issued",
    "ended_at": NOON + 5,
    "event": "payment.paid",
    "event_time": "2027-01-15T08:00:05+00:00",
    "message": "",
    "imp_uid": "imp_1",
    "amount": 99_000,
    "receipt_url": "",
}


def test_what_version_1_left_open_is_read_as_sent() -> None:
    attempt = attempt_in(OPEN_OF_VERSION_1)
    assert (attempt.customer_uid, attempt.masked_card, attempt.order) == ("mine", "000011******3333", None)
    assert (attempt.ends_at, attempt.order_is_paid, attempt.leftover) == (NOON + 28, False, None)
    assert attempt.seen is not None, "it may have been sent: version 1 did not write that down"
    assert not attempt.is_first, "version 1 looked nothing up, so something may be registered"


@pytest.mark.parametrize("registered", [{}, REGISTERED_BY_VERSION_1])
def test_what_version_1_left_open_is_due_no_earlier_than_everything_else(
    stopped_clock: StoppedClock, registered: dict[str, Any]
) -> None:
    """Its own lock ended after two seconds, and half a minute later it was settled: before its PG."""
    item = {**OPEN_OF_VERSION_1, **registered}
    for seconds, expected in ((58, False), (87.9, False), (88, True)):
        stopped_clock.wall = NOON + seconds
        assert is_due(attempt_in(item)) is expected


def test_an_order_of_version_1_is_read_without_its_amount() -> None:
    """It was not written down."""
    assert attempt_in({**OPEN_OF_VERSION_1, "merchant_uid": "order-1"}).order == Order("order-1", 0)


FOUND = BillingKey("mine", "국민KB카드", "000011******3333", "debit", NOON + 103)


@pytest.mark.parametrize(
    ("registered", "found", "is_own"),
    [
        pytest.param({}, FOUND, True, id="registered after it began"),
        pytest.param({}, replace(FOUND, updated=NOON + 95), True, id="five seconds before: clocks differ"),
        pytest.param({}, replace(FOUND, updated=NOON + 94), False, id="longer before"),
        pytest.param({}, replace(FOUND, updated=None), True, id="nobody says when"),
        pytest.param({}, replace(FOUND, card_number="000099******8888"), False, id="another card"),
        pytest.param(REGISTERED_BY_VERSION_1, FOUND, True, id="after another card"),
        pytest.param(REGISTERED_BY_VERSION_1, OLD, False, id="the card that it knew"),
        pytest.param(
            {**REGISTERED_BY_VERSION_1, "registered_updated": NOON + 96},
            replace(FOUND, updated=NOON + 96, card_number="000099******8888"),
            False,
            id="the card that it knew, a moment before",
        ),
        pytest.param(
            {**REGISTERED_BY_VERSION_1, "registered_updated": 0},
            replace(OLD, updated=None),
            False,
            id="the card that it knew, and nobody says since when",
        ),
    ],
)
def test_what_version_1_put_there_is_told_by_its_clock(
    registered: dict[str, Any], found: BillingKey, is_own: bool
) -> None:
    attempt = attempt_in({**OPEN_OF_VERSION_1, **registered})
    assert attempt.own_key(found) == (found if is_own else None)


MASKS_OF_PGS = ["000099******8888", "00009999****8888", "0000-99**-****-8888", "000099XXXXXX8888"]


@pytest.mark.parametrize("mask", MASKS_OF_PGS)
def test_a_mask_that_version_1_kept_as_the_pg_gave_it_is_compared_in_the_one_form(mask: str) -> None:
    item = {**ENDED_OF_VERSION_1, "registered_card_number": mask}
    assert registered_in(item) == OLD, "a repeat finds its own key"
    assert begun_item(item)["registered_card_number"] == OLD.card_number, "and it is carried on in the one form"
    left_open = {**OPEN_OF_VERSION_1, **REGISTERED_BY_VERSION_1, "registered_card_number": mask}
    assert ended(Ending("not_issued"), attempt_in(left_open))["registered_card_number"] == OLD.card_number
    recently = {**left_open, "registered_updated": NOON + 96}
    found = replace(OLD, updated=NOON + 96)
    assert attempt_in(recently).own_key(found) is None, "nor is what stood there before an attempt's own"


@pytest.mark.parametrize("mask", MASKS_OF_PGS)
def test_marks_of_what_stood_there_are_compared_in_the_one_form(mask: str) -> None:
    other = replace(OLD, card_number=mask)
    assert noted(begun(), Seen(other)).seen == Seen(replace(OLD, card_name=None, card_type=None))
    after = ended(Ending("declined", "no", leftover=Leftover(other)), begun(new=PAYING))
    known = begun(after).leftover
    assert known is not None
    assert known.is_what_stands(OLD)


def test_what_version_1_left_open_is_closed_like_everything_else() -> None:
    item = ended(Ending("issued", registered=FOUND), attempt_in(OPEN_OF_VERSION_1))
    assert (item["state"], item["event"]) == ("issued", "billing_key.issued")
    assert registered_in(item) == FOUND
    assert not item.keys() & {"locked_until", "due_at", "due_shard", "expires_at"}


def test_what_version_1_ended_is_read() -> None:
    assert registered_in(ENDED_OF_VERSION_1) == OLD
    assert payment_in(ENDED_OF_VERSION_1) == replace(TAKEN, receipt_url=None)
    assert "locked_until" not in ENDED_OF_VERSION_1


def test_an_attempt_after_one_of_version_1_is_of_this_version() -> None:
    item = begun_item(ENDED_OF_VERSION_1, now=NOON + 60)
    assert registered_in(item) == OLD
    assert item["attempts"] == 3, "it counts on"
    assert "iamport_time" not in item
    assert attempt_in(item).seen is None, "nothing was sent yet"


def test_a_request_that_iamport_did_not_accept_leaves_in_its_words_and_is_asked_after_by_its_code() -> None:
    item = ended(Ending("not_issued", "gateway_refused", words="비인증결제모듈 사용정보를 찾을 수 없습니다."))
    assert item["message"] == "비인증결제모듈 사용정보를 찾을 수 없습니다."
    assert closed_in(item).ending.message == "gateway_refused"
