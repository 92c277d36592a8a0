"""What became of an attempt, by what Iamport has of it; what counts at once, and what only when it is due."""

from dataclasses import replace
from typing import Any

import pytest

from billing.model.attempt import Attempt, Ending, Leftover, Seen
from billing.model.deadline import Deadline
from billing.model.errors import Unavailable
from billing.settlement import find_ending, settle
from tests.unit.fakes import (
    ATTEMPT,
    OLD,
    OWN,
    PAID,
    PAYING,
    REFUSED,
    SENT,
    SENT_PAYING,
    TAKEN,
    FakeIamport,
    FakeLedger,
    StoppedClock,
)

IN_TIME = Deadline.after(3600)
LONG_AGO = StoppedClock().wall - 3600

REPLACING = replace(SENT, seen=Seen(OLD))
PAYING_AND_REPLACING = replace(SENT_PAYING, seen=Seen(OLD))
EARLIER = Leftover(OLD)

pytestmark = pytest.mark.usefixtures("stopped_clock")


def due(attempt: Attempt) -> Attempt:
    """The same, where nothing can be in flight any more."""
    return replace(attempt, ends_at=LONG_AGO)


@pytest.mark.parametrize(
    ("attempt", "at_iamport", "ending"),
    [
        pytest.param(SENT, {"look_up": None}, Ending("not_issued"), id="nothing is registered"),
        pytest.param(SENT, {"look_up": OWN}, Ending("issued", None, OWN), id="its own key"),
        pytest.param(
            REPLACING,
            {"look_up": OLD},
            Ending("not_issued", None, OLD),
            id="the key that was there before",
        ),
        pytest.param(REPLACING, {"look_up": OWN}, Ending("issued", None, OWN), id="its own key replaces an older"),
        pytest.param(SENT, {"look_up": OLD}, Ending("not_issued", None, OLD), id="another card, registered elsewhere"),
        pytest.param(ATTEMPT, {"look_up": None}, Ending("not_issued"), id="nothing was sent"),
        pytest.param(
            ATTEMPT, {"look_up": OWN}, Ending("not_issued", None, OWN), id="nothing was sent, so the key is not its own"
        ),
        pytest.param(
            replace(ATTEMPT, leftover=EARLIER),
            {"look_up": None},
            Ending("not_issued", leftover=EARLIER),
            id="nothing was sent: an earlier attempt's leftover stays one",
        ),
        pytest.param(
            replace(REPLACING, leftover=EARLIER),
            {"look_up": OLD},
            Ending("not_issued", None, OLD, leftover=EARLIER),
            id="an earlier attempt's leftover is there still",
        ),
        pytest.param(
            replace(REPLACING, leftover=EARLIER),
            {"look_up": None},
            Ending("not_issued"),
            id="an earlier attempt's leftover is gone",
        ),
        pytest.param(
            SENT_PAYING,
            {"payments": (PAID,), "look_up": OWN},
            Ending("issued", None, OWN, TAKEN),
            id="paid",
        ),
        pytest.param(
            SENT_PAYING,
            {"payments": (REFUSED, PAID), "look_up": OWN},
            Ending("issued", None, OWN, TAKEN),
            id="paid, behind a newer failure",
        ),
        pytest.param(
            SENT_PAYING,
            {"payments": (replace(PAID, status="cancelled"),), "look_up": OWN},
            Ending("issued", None, OWN, TAKEN),
            id="paid, and cancelled since",
        ),
        pytest.param(
            SENT_PAYING,
            {"payments": (PAID,), "look_up": None},
            Ending("paid_without_key", payment=TAKEN),
            id="paid, and Iamport keeps no key",
        ),
        pytest.param(
            SENT_PAYING,
            {"payments": (PAID,), "look_up": OLD},
            Ending("issued", None, OLD, TAKEN),
            id="paid with another card, where nothing else stood there before",
        ),
        pytest.param(
            PAYING,
            {"payments": (PAID,), "look_up": OLD},
            Ending("issued", None, OLD, TAKEN),
            id="nothing was sent: paid by an earlier attempt, whose key it is",
        ),
        pytest.param(
            PAYING,
            {"payments": (PAID,), "look_up": None},
            Ending("paid_without_key", payment=TAKEN),
            id="nothing was sent: paid by an earlier attempt, and Iamport keeps no key",
        ),
        pytest.param(
            PAYING_AND_REPLACING,
            {"payments": (PAID,), "look_up": OWN},
            Ending("issued", None, OWN, TAKEN),
            id="paid, and the older card is replaced",
        ),
        pytest.param(
            PAYING_AND_REPLACING,
            {"payments": (PAID,), "look_up": OLD},
            Ending("paid_without_key", None, OLD, TAKEN),
            id="paid, and the older card stands there still: it is not what was paid with",
        ),
        pytest.param(
            SENT_PAYING,
            {"payments": (REFUSED,), "look_up": None},
            Ending("declined", "한도초과"),
            id="refused, in the words of the PG",
        ),
        pytest.param(
            SENT_PAYING,
            {"payments": (replace(REFUSED, fail_reason=None),), "look_up": OWN},
            Ending("declined", None, OWN, leftover=Leftover(OWN)),
            id="refused, and it left a key that may be replaced",
        ),
        pytest.param(
            PAYING_AND_REPLACING,
            {"payments": (REFUSED,), "look_up": OLD},
            Ending("declined", "한도초과", OLD),
            id="refused, and the older card is there still",
        ),
        pytest.param(
            replace(SENT_PAYING, seen=Seen(None, ("imp_2",))),
            {"payments": (REFUSED,), "look_up": None},
            Ending("not_issued"),
            id="the failure was there before: an earlier attempt's",
        ),
        pytest.param(
            PAYING,
            {"payments": (REFUSED,), "look_up": None},
            Ending("not_issued"),
            id="nothing was sent: the failure is not its own",
        ),
        pytest.param(
            SENT_PAYING,
            {"payments": (), "look_up": None},
            Ending("not_issued"),
            id="no payment",
        ),
        pytest.param(
            SENT_PAYING,
            {"payments": (), "look_up": OWN},
            Ending("not_issued", None, OWN, leftover=Leftover(OWN)),
            id="no payment, but its own key: no success, and it may be replaced",
        ),
        pytest.param(
            SENT_PAYING,
            {"payments": (replace(PAID, customer_uid="another"),), "look_up": OWN},
            Ending("not_issued", None, OWN, leftover=Leftover(OWN)),
            id="another customer's payment",
        ),
        pytest.param(
            SENT_PAYING,
            {"payments": (replace(PAID, amount=100),), "look_up": OWN},
            Ending("not_issued", None, OWN, leftover=Leftover(OWN)),
            id="another amount",
        ),
        pytest.param(
            SENT_PAYING,
            {"payments": (replace(PAID, status="ready"),), "look_up": None},
            Ending("not_issued"),
            id="an abandoned payment window",
        ),
    ],
)
def test_how_an_attempt_ended_that_is_due(attempt: Attempt, at_iamport: dict[str, Any], ending: Ending) -> None:
    iamport, ledger = FakeIamport(**at_iamport), FakeLedger()
    assert find_ending(due(attempt), iamport, IN_TIME) == ending
    assert settle(due(attempt), iamport, ledger, IN_TIME) == ending
    assert (ledger.told, ledger.told_of) == ([ending], [due(attempt)])
    assert ledger.written_by == {"finish": IN_TIME}


@pytest.mark.parametrize(
    ("attempt", "at_iamport"),
    [
        pytest.param(SENT, {"look_up": OWN}, id="its own key"),
        pytest.param(REPLACING, {"look_up": OWN}, id="its own key replaces an older"),
        pytest.param(SENT_PAYING, {"payments": (PAID,), "look_up": OWN}, id="key and payment"),
    ],
)
def test_a_success_counts_at_once_and_frees_no_lock(attempt: Attempt, at_iamport: dict[str, Any]) -> None:
    payment = None if attempt.order is None else TAKEN
    ending = Ending("issued", None, OWN, payment, may_still_land=True)
    ledger = FakeLedger()
    assert settle(attempt, FakeIamport(**at_iamport), ledger, IN_TIME) == ending
    assert ledger.told == [ending]


@pytest.mark.parametrize(
    ("attempt", "at_iamport"),
    [
        pytest.param(SENT, {"look_up": None}, id="nothing"),
        pytest.param(REPLACING, {"look_up": OLD}, id="what was there before"),
        pytest.param(SENT, {"look_up": OLD}, id="another card"),
        pytest.param(ATTEMPT, {"look_up": OWN}, id="a key, where nothing was sent"),
        pytest.param(SENT_PAYING, {"payments": (), "look_up": OWN}, id="the key alone"),
        pytest.param(SENT_PAYING, {"payments": (PAID,), "look_up": None}, id="the payment alone"),
        pytest.param(SENT_PAYING, {"payments": (PAID,), "look_up": OLD}, id="the payment, and another card"),
        pytest.param(PAYING, {"payments": (PAID,), "look_up": OWN}, id="key and payment, where nothing was sent"),
        pytest.param(SENT_PAYING, {"payments": (REFUSED,), "look_up": None}, id="a failed payment"),
        pytest.param(SENT_PAYING, {"payments": (REFUSED,), "look_up": OWN}, id="a failed payment that left a key"),
        pytest.param(
            SENT_PAYING,
            {"payments": (replace(PAID, customer_uid="another"),), "look_up": OWN},
            id="the key, and another customer's payment",
        ),
    ],
)
def test_everything_else_counts_only_when_the_attempt_is_due(attempt: Attempt, at_iamport: dict[str, Any]) -> None:
    ledger = FakeLedger()
    assert settle(attempt, FakeIamport(**at_iamport), ledger, IN_TIME) is None
    assert ledger.told == []


@pytest.mark.parametrize(
    ("attempt", "over_since", "is_closed"),
    [
        pytest.param(SENT, 59, False, id="a PG may be at work for sixty seconds"),
        pytest.param(SENT, 60, True, id="and no longer"),
        pytest.param(ATTEMPT, -1, False, id="nothing was sent yet"),
        pytest.param(ATTEMPT, 0, True, id="nothing was sent, and nothing will be"),
    ],
)
def test_an_attempt_is_due_when_nothing_is_in_flight(attempt: Attempt, over_since: float, is_closed: bool) -> None:
    attempt = replace(attempt, ends_at=StoppedClock().wall - over_since)
    ending = find_ending(attempt, FakeIamport(look_up=None), IN_TIME)
    assert ending == (Ending("not_issued") if is_closed else None)


def test_a_success_that_is_found_when_the_attempt_is_due_frees_the_lock() -> None:
    over = StoppedClock().wall - 60
    for ends_at, may_still_land in ((over, False), (over + 1, True)):
        ending = find_ending(replace(SENT, ends_at=ends_at), FakeIamport(look_up=OWN), IN_TIME)
        assert ending == Ending("issued", None, OWN, may_still_land=may_still_land)


@pytest.mark.parametrize(
    ("attempt", "at_iamport"),
    [
        (SENT, {"look_up": Unavailable("iamport_unreachable")}),
        (SENT_PAYING, {"payments": Unavailable("iamport_unreachable"), "look_up": OWN}),
        (SENT_PAYING, {"payments": (PAID,), "look_up": Unavailable("iamport_unreachable")}),
        (SENT_PAYING, {"payments": (), "look_up": Unavailable("iamport_unreachable")}),
    ],
)
def test_where_iamport_cannot_be_asked_nothing_is_closed(attempt: Attempt, at_iamport: dict[str, Any]) -> None:
    ledger = FakeLedger()
    with pytest.raises(Unavailable):
        settle(due(attempt), FakeIamport(**at_iamport), ledger, IN_TIME)
    assert ledger.told == []


def test_where_the_ledger_cannot_be_reached_nothing_is_told() -> None:
    with pytest.raises(Unavailable):
        settle(due(SENT), FakeIamport(look_up=OWN), FakeLedger(failing=Unavailable("ledger_unreachable")), IN_TIME)


def test_the_payment_is_looked_for_before_the_key() -> None:
    """The key is registered first and paid with second: asked the other way round, a payment would lack its key."""
    iamport = FakeIamport(payments=(PAID,), look_up=OWN)
    find_ending(SENT_PAYING, iamport, IN_TIME)
    assert iamport.asked == ["payments", "look_up"]
    assert iamport.asked_of == ["order-1", "mine"]


def test_without_an_order_no_payment_is_looked_for() -> None:
    iamport = FakeIamport(look_up=OWN)
    find_ending(SENT, iamport, IN_TIME)
    assert iamport.asked_of == ["mine"]
