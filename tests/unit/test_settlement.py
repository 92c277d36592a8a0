"""What became of an attempt, by what Iamport has of it."""

from dataclasses import replace
from typing import Any

import pytest

from billing.model.attempt import Attempt, Ending
from billing.model.billing_key import BillingKey, FailedPayment
from billing.model.deadline import Deadline
from billing.model.errors import Unavailable
from billing.settlement import find_ending, is_of, settle
from tests.unit.fakes import ATTEMPT, BEGAN, OLD, OWN, PAYING, TAKEN, FakeIamport, FakeLedger

IN_TIME = Deadline.after(3600)


def key(number: str | None, updated: int | None) -> BillingKey:
    return BillingKey("mine", None, number, None, updated)


@pytest.mark.parametrize(
    ("before", "found", "is_own"),
    [
        pytest.param(None, key("B", BEGAN + 3), True, id="put there after the attempt began"),
        pytest.param(None, key("B", BEGAN), True, id="in the very second"),
        pytest.param(None, key("B", BEGAN - 5), True, id="five seconds before: clocks may differ by that"),
        pytest.param(None, key("B", BEGAN - 6), False, id="six seconds before"),
        pytest.param(None, key("B", None), True, id="nobody knows when, and nothing was there before"),
        pytest.param(key("A", BEGAN - 99), key("A", BEGAN - 99), False, id="what was there before"),
        pytest.param(key("A", BEGAN + 1), key("A", BEGAN + 1), False, id="the same, by a clock that is ahead"),
        pytest.param(key("A", BEGAN - 99), key("A", BEGAN + 3), True, id="the same card, put there anew"),
        pytest.param(key("A", BEGAN - 99), key("B", BEGAN + 3), True, id="another card"),
        pytest.param(key("A", BEGAN + 1), key("B", BEGAN + 1), True, id="another card in the same second"),
        pytest.param(key("A", BEGAN - 99), key("B", BEGAN - 50), False, id="another card, from before the attempt"),
        pytest.param(key("A", None), key("A", None), False, id="the same card, nobody knows when"),
        pytest.param(key("A", None), key("B", None), True, id="another card, nobody knows when"),
    ],
)
def test_a_key_is_an_attempts_own(before: BillingKey | None, found: BillingKey, is_own: bool) -> None:
    assert is_of(replace(ATTEMPT, registered=before), found) is is_own


@pytest.mark.parametrize(
    ("attempt", "at_iamport", "ending"),
    [
        pytest.param(ATTEMPT, {"look_up": None}, Ending("not_issued"), id="nothing is registered"),
        pytest.param(ATTEMPT, {"look_up": OWN}, Ending("issued", None, OWN), id="its own key"),
        pytest.param(ATTEMPT, {"look_up": OLD}, Ending("not_issued"), id="an older key"),
        pytest.param(
            PAYING,
            {"paid": TAKEN, "look_up": OWN},
            Ending("issued", None, OWN, TAKEN),
            id="paid",
        ),
        pytest.param(
            PAYING,
            {"paid": TAKEN, "look_up": None},
            Ending("issued", None, None, TAKEN),
            id="paid, and the key is gone: the payment stands",
        ),
        pytest.param(
            PAYING,
            {"paid": TAKEN, "look_up": OLD},
            Ending("issued", None, OLD, TAKEN),
            id="paid by an earlier attempt, whose key it is",
        ),
        pytest.param(
            PAYING,
            {"paid": None, "look_up": None, "newest": FailedPayment("한도초과")},
            Ending("declined", "한도초과"),
            id="refused, in the words of the PG",
        ),
        pytest.param(
            PAYING,
            {"paid": None, "look_up": OWN, "newest": FailedPayment(None)},
            Ending("declined", None, OWN),
            id="refused, and the key is there all the same",
        ),
        pytest.param(
            PAYING,
            {"paid": None, "look_up": OLD, "newest": FailedPayment(None)},
            Ending("declined"),
            id="refused, and the older key is there still",
        ),
        pytest.param(
            PAYING,
            {"paid": None, "look_up": None, "newest": None},
            Ending("not_issued"),
            id="no payment",
        ),
        pytest.param(
            PAYING,
            {"paid": None, "look_up": OWN, "newest": None},
            Ending("not_issued", None, OWN),
            id="no payment, but its own key",
        ),
    ],
)
def test_how_an_attempt_ended(attempt: Attempt, at_iamport: dict[str, Any], ending: Ending) -> None:
    iamport, ledger = FakeIamport(**at_iamport), FakeLedger()
    assert find_ending(attempt, iamport, IN_TIME) == ending
    assert settle(attempt, iamport, ledger, IN_TIME) == ending
    assert ledger.told == [ending]


@pytest.mark.parametrize(
    ("attempt", "at_iamport"),
    [
        (ATTEMPT, {"look_up": Unavailable("iamport_unreachable")}),
        (PAYING, {"paid": Unavailable("iamport_unreachable"), "look_up": OWN}),
        (PAYING, {"paid": TAKEN, "look_up": Unavailable("iamport_unreachable")}),
        (PAYING, {"paid": None, "look_up": OWN, "newest": Unavailable("iamport_unreachable")}),
    ],
)
def test_where_iamport_cannot_be_asked_nothing_is_closed(attempt: Attempt, at_iamport: dict[str, Any]) -> None:
    ledger = FakeLedger()
    with pytest.raises(Unavailable):
        settle(attempt, FakeIamport(**at_iamport), ledger, IN_TIME)
    assert ledger.told == []


def test_the_payment_is_looked_for_before_the_key() -> None:
    """The key is registered first and paid with second: asked the other way round, a payment would lack its key."""
    iamport = FakeIamport(paid=TAKEN, look_up=OWN)
    find_ending(PAYING, iamport, IN_TIME)
    assert iamport.asked == ["paid", "look_up"]
