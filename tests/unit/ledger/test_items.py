"""What is written about an attempt, and what is read back of it."""

from dataclasses import replace
from typing import Any

import pytest

from billing.ledger.items import (
    attempt_in,
    card_key,
    customer_key,
    ended_item,
    new_item,
    payment_in,
    payment_key,
    plain,
    registered_in,
    typed,
)
from billing.model.attempt import Attempt, Ending, Item, NewAttempt
from billing.model.billing_key import BillingKey, PaidPayment

NOON = 1_800_000_000 // 3600 * 3600
"""The start of an hour."""
NEW = NewAttempt(
    customer_uid="mine",
    card_fingerprint="f",
    masked_card="000011******3333",
    merchant_uid=None,
    iamport_time=NOON - 1,
    ends_at=NOON + 28.9,
)
PAYING = replace(NEW, merchant_uid="order-1")
OWN = BillingKey("mine", "국민KB카드", "000011******3333", "debit", NOON + 3)
OLD = BillingKey("mine", "신한카드", "000099******8888", "credit", NOON - 86_400)
TAKEN = PaidPayment("order-1", "imp_1", 99_000, "https://receipts.invalid/1")


def stored(item: Item) -> dict[str, Any]:
    """As DynamoDB gives it back."""
    return plain(typed(item))


def begun(seen: Item | None = None, new: NewAttempt = NEW, now: float = NOON) -> Attempt:
    return attempt_in(stored(new_item(seen, new, now)))


def ended(ending: Ending, attempt: Attempt | None = None, now: float = NOON + 5.7) -> dict[str, Any]:
    return stored(ended_item(attempt or begun(), ending, now))


REGISTERED = ended(Ending("issued", None, OLD))
"""What stands under a uid that has a card."""


def test_a_new_attempt_is_open_and_locked_until_its_invocation_is_over() -> None:
    item = stored(new_item(None, NEW, NOON + 0.9))
    assert (item["state"], item["began_at"], item["ends_at"]) == ("open", NOON, NOON + 28)
    assert item["locked_until"] == NOON + 30, "two seconds more, as clocks differ"
    assert item["due_at"] == NOON + 58, "half a minute more, as a PG may be at work"


@pytest.mark.parametrize("merchant_uid", [None, "order-1"])
@pytest.mark.parametrize("registered", [None, OLD])
def test_an_attempt_is_read_back_as_it_began(merchant_uid: str | None, registered: BillingKey | None) -> None:
    seen = None if registered is None else REGISTERED
    attempt = begun(seen, replace(NEW, merchant_uid=merchant_uid))
    assert (attempt.customer_uid, attempt.card_fingerprint, attempt.masked_card) == ("mine", "f", "000011******3333")
    assert (attempt.merchant_uid, attempt.registered) == (merchant_uid, registered)
    assert (attempt.iamport_time, attempt.ends_at) == (NOON - 1, NOON + 28)
    assert attempt.item["attempt_id"] == attempt.attempt_id


def test_each_attempt_has_its_own_id() -> None:
    assert begun().attempt_id != begun().attempt_id


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
    assert registered_in(ended(Ending("issued", None, key))) == key


@pytest.mark.parametrize("payment", [TAKEN, replace(TAKEN, receipt_url=None), None])
def test_a_payment_is_read_back_as_it_was(payment: PaidPayment | None) -> None:
    item = ended(Ending("issued", None, OWN, payment), begun(new=PAYING))
    assert payment_in(item) == payment


@pytest.mark.parametrize(
    ("seen", "ending", "registered"),
    [
        pytest.param(None, Ending("issued", None, OWN), OWN, id="a first card"),
        pytest.param(REGISTERED, Ending("issued", None, OWN), OWN, id="another card"),
        pytest.param(REGISTERED, Ending("declined", "no"), OLD, id="refused: as before"),
        pytest.param(REGISTERED, Ending("unknown", "no"), OLD, id="unknown: as before"),
        pytest.param(None, Ending("declined", "no"), None, id="refused: none as before"),
        pytest.param(None, Ending("not_issued", "already_registered", OLD), OLD, id="found under the uid"),
    ],
)
def test_what_is_registered_after_an_attempt(seen: Item | None, ending: Ending, registered: BillingKey | None) -> None:
    item = ended(ending, begun(seen))
    assert registered_in(item) == registered
    assert begun(item).registered == registered, "the next attempt knows it"
    assert ("expires_at" in item) is (registered is None), "what is registered is kept"
    assert ("expires_at" in new_item(item, NEW, NOON)) is (registered is None)


def test_what_is_not_registered_is_kept_for_ninety_days() -> None:
    assert ended(Ending("declined", "no"))["expires_at"] == NOON + 90 * 86_400


def test_the_time_of_registration_is_the_endings() -> None:
    assert ended(Ending("issued", None, OWN), now=NOON + 5.7)["registered_at"] == NOON + 5


@pytest.mark.parametrize(
    ("new", "ending", "event"),
    [
        (NEW, Ending("issued", None, OWN), "billing_key.issued"),
        (NEW, Ending("declined", "no"), "billing_key.declined"),
        (NEW, Ending("not_issued"), "billing_key.not_issued"),
        (NEW, Ending("unknown"), "billing_key.unknown"),
        (PAYING, Ending("issued", None, OWN, TAKEN), "payment.paid"),
        (PAYING, Ending("declined", "no"), "payment.failed"),
        (PAYING, Ending("not_issued"), "billing_key.not_issued"),
        (PAYING, Ending("unknown"), "billing_key.unknown"),
    ],
)
def test_an_ending_is_an_event(new: NewAttempt, ending: Ending, event: str) -> None:
    item = ended(ending, begun(new=new))
    assert (item["event"], item["state"]) == (event, ending.state)
    assert item["merchant_uid"] == (new.merchant_uid or "")


@pytest.mark.parametrize(
    ("ending", "told"),
    [
        (Ending("declined", "한도초과"), {"message": "한도초과", "imp_uid": "", "amount": 0, "receipt_url": ""}),
        (Ending("not_issued"), {"message": "", "imp_uid": "", "amount": 0, "receipt_url": ""}),
        (
            Ending("issued", None, OWN, TAKEN),
            {"message": "", "imp_uid": "imp_1", "amount": 99_000, "receipt_url": "https://receipts.invalid/1"},
        ),
        (
            Ending("issued", None, OWN, replace(TAKEN, receipt_url=None)),
            {"message": "", "imp_uid": "imp_1", "amount": 99_000, "receipt_url": ""},
        ),
    ],
)
def test_an_event_lacks_no_value(ending: Ending, told: dict[str, Any]) -> None:
    item = ended(ending, begun(new=PAYING), now=1_800_000_000.9)
    assert {name: item[name] for name in told} == told
    assert (item["ended_at"], item["event_time"]) == (1_800_000_000, "2027-01-15T08:00:00+00:00")


def test_an_ended_attempt_is_no_longer_due_or_locked() -> None:
    attempt = begun()
    gone = attempt.item.keys() - ended(Ending("issued", None, OWN), attempt).keys()
    assert gone == {"due_at", "due_shard", "locked_until", "expires_at"}


def test_a_new_attempt_takes_nothing_of_the_last_but_what_is_registered() -> None:
    last = ended(Ending("declined", "no"), begun(REGISTERED))
    carried_over = new_item(last, NEW, NOON).keys() - new_item(None, NEW, NOON).keys()
    assert carried_over == {name for name in REGISTERED if name.startswith("registered_")}


def test_attempts_are_counted_by_the_hour() -> None:
    item: Item | None = None
    counts = []
    for now in (NOON, NOON + 1800, NOON + 3599.9, NOON + 3600, NOON + 3601, NOON + 3 * 3600):
        item = stored(new_item(item, NEW, now))
        counts.append(item["attempts"])
    assert counts == [1, 2, 3, 1, 2, 1]


def test_a_cards_attempts_of_another_hour_stand_elsewhere() -> None:
    keys = [card_key("f", now) for now in (NOON, NOON + 3599.9, NOON + 3600)]
    assert keys[0] == keys[1] != keys[2]


def test_nothing_stands_under_the_key_of_something_else() -> None:
    keys = [customer_key("a"), customer_key("b"), payment_key("a"), payment_key("b")]
    keys += [card_key("a", NOON), card_key("b", NOON)]
    assert len(set(keys)) == len(keys)
    assert new_item(None, NEW, NOON)["pk"] == customer_key("mine")


def test_open_attempts_are_spread_over_eight_shards() -> None:
    shards = [new_item(None, replace(NEW, customer_uid=f"customer_{n}"), NOON)["due_shard"] for n in range(200)]
    assert set(shards) == {"0", "1", "2", "3", "4", "5", "6", "7"}
    assert max(shards.count(shard) for shard in set(shards)) < 50


def test_a_customer_stays_in_one_shard() -> None:
    """By no hash that changes with the process: `hash` would."""
    assert new_item(None, NEW, NOON)["due_shard"] == "3"


def test_an_item_holds_texts_and_whole_numbers() -> None:
    item = ended(Ending("issued", None, OWN, TAKEN), begun(REGISTERED, PAYING))
    assert {type(value) for value in item.values()} == {str, int}
