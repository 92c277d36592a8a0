"""What is told of an attempt to who asks by its id, by how it ended; and what the operator sees of the asking."""

import json
import sys
from dataclasses import replace
from typing import Any

import pytest

from billing.inquiry import ask_after, told_of
from billing.model.attempt import Attempt, Closed, Ending
from billing.model.billing_key import Issued
from billing.model.deadline import Deadline
from billing.model.errors import (
    BillingError,
    Declined,
    OutcomeUnknown,
    PaidWithoutKey,
    Unavailable,
    UnknownAttempt,
)
from tests.integration.door import Door
from tests.unit.conftest import Counted, Lines
from tests.unit.fakes import (
    ATTEMPT,
    ATTEMPT_ID,
    OLD,
    OWN,
    SENT,
    SENT_PAYING,
    TAKEN,
    FakeIamport,
    FakeLedger,
    StoppedClock,
    services_of,
)

UNSENT, OPEN = replace(ATTEMPT, attempt_id=ATTEMPT_ID), replace(SENT, attempt_id=ATTEMPT_ID)
PAYING = replace(SENT_PAYING, attempt_id=ATTEMPT_ID)


def closed(attempt: Attempt, ending: Ending) -> Closed:
    return Closed(attempt, ending, ending.key_stays(attempt))


@pytest.mark.parametrize(
    ("attempt", "ending", "code"),
    [
        (OPEN, Ending("declined", "한도초과"), "declined"),
        (OPEN, Ending("declined"), "declined"),
        (PAYING, Ending("paid_without_key", payment=TAKEN), "paid_without_key"),
        (OPEN, Ending("not_issued", "already_registered", OLD), "already_registered"),
        (PAYING, Ending("not_issued", "already_paid"), "already_paid"),
        (OPEN, Ending("not_issued", "gateway_error"), "gateway_error"),
        (OPEN, Ending("not_issued", "gateway_refused"), "gateway_refused"),
        (OPEN, Ending("not_issued", "unavailable"), "unavailable"),
        (OPEN, Ending("not_issued"), "gateway_error"),
        (UNSENT, Ending("not_issued"), "unavailable"),
        (OPEN, Ending("unknown", "ledger_unreachable"), "outcome_unknown"),
    ],
)
def test_what_ended_in_a_no_is_told_by_its_code(attempt: Attempt, ending: Ending, code: str) -> None:
    told = told_of(closed(attempt, ending))
    assert isinstance(told, BillingError)
    assert (told.code, told.attempt_id) == (code, ATTEMPT_ID)


def test_what_was_issued_is_told_as_it_was_known_then() -> None:
    ending = Ending("issued", registered=OWN, payment=TAKEN)
    assert told_of(closed(PAYING, ending)) == Issued(OWN, TAKEN, ATTEMPT_ID)


def test_a_no_is_told_in_iamports_words_and_a_payment_as_it_was_taken() -> None:
    declined = told_of(closed(OPEN, Ending("declined", "한도초과")))
    assert isinstance(declined, Declined)
    assert declined.message == "한도초과"
    paid = told_of(closed(PAYING, Ending("paid_without_key", payment=TAKEN)))
    assert isinstance(paid, PaidWithoutKey)
    assert paid.payment == TAKEN


def test_that_a_key_stays_is_told_again() -> None:
    told = told_of(closed(PAYING, Ending("declined", "한도초과", OWN)))
    assert isinstance(told, BillingError)
    assert told.key_stays == "this_card"


def asked(iamport: FakeIamport, ledger: FakeLedger) -> object:
    """What is told, or the code of what is told or raised."""
    try:
        told = ask_after("mine", ATTEMPT_ID, services_of(iamport, ledger), Deadline.after(28))
    except BillingError as raised:
        told = raised
    return told if isinstance(told, Issued) else told.code


def with_open(attempt: Attempt, **ledger: Any) -> FakeLedger:
    made = FakeLedger(**ledger)
    made.open = [attempt]
    return made


@pytest.mark.parametrize(
    ("seconds", "look", "told", "closes"),
    [
        pytest.param(0, OWN, "in_progress", False, id="its function may be at work"),
        pytest.param(29, OWN, Issued(OWN, attempt_id=ATTEMPT_ID), True, id="found at once"),
        pytest.param(29, None, "in_progress", False, id="not found, and it may still land"),
        pytest.param(100, None, "gateway_error", True, id="not found, and nothing is in flight"),
        pytest.param(29, Unavailable("down"), "in_progress", False, id="not to be looked at"),
        pytest.param(29, KeyError("bug"), "outcome_unknown", False, id="a bug"),
    ],
)
def test_an_open_attempt_is_looked_at_as_a_repeat_looks_at_it(
    stopped_clock: StoppedClock, seconds: float, look: Any, told: object, closes: bool
) -> None:
    stopped_clock.advance(seconds)
    iamport, ledger = FakeIamport(look_up=look), with_open(OPEN)
    assert asked(iamport, ledger) == told
    assert iamport.asked == (["look_up"] if seconds else [])
    assert bool(ledger.told) is closes


def test_who_asks_out_of_turn_has_nobody_asked(stopped_clock: StoppedClock) -> None:
    stopped_clock.advance(29)
    ledger = with_open(OPEN)
    ledger.is_our_turn = False
    assert asked(FakeIamport(), ledger) == "in_progress"


@pytest.mark.parametrize("verb", ["read", "take_turn_to_look"])
def test_a_ledger_out_of_reach_says_nothing_of_the_outcome(stopped_clock: StoppedClock, verb: str) -> None:
    stopped_clock.advance(29)
    ledger = with_open(OPEN, failing={verb: Unavailable("ledger_unreachable")})
    assert asked(FakeIamport(), ledger) == "outcome_unknown"


def test_no_attempt_is_unknown() -> None:
    with pytest.raises(UnknownAttempt):
        ask_after("mine", ATTEMPT_ID, services_of(FakeIamport(), FakeLedger()), Deadline.after(28))
    with pytest.raises(UnknownAttempt):  # the table is not asked for what is no id
        ask_after(
            "mine", "x", services_of(FakeIamport(), FakeLedger(failing=OutcomeUnknown("asked"))), Deadline.after(28)
        )


@pytest.mark.parametrize(
    ("known", "metric", "logged_as"),
    [
        (closed(PAYING, Ending("issued", registered=OWN, payment=TAKEN)), "AttemptTold", ("attempt_told", "issued")),
        (
            closed(PAYING, Ending("paid_without_key", payment=TAKEN)),
            "AttemptTold",
            ("attempt_told", "paid_without_key"),
        ),
        (None, "InvalidRequest", ("unknown_attempt", None)),
    ],
)
def test_asking_counts_as_no_outcome_of_a_card(
    door: Door,
    monkeypatch: pytest.MonkeyPatch,
    logged: Lines,
    counted: Counted,
    known: Closed | None,
    metric: str,
    logged_as: tuple[str, str | None],
) -> None:
    ledger = FakeLedger()
    ledger.closed = known
    monkeypatch.setattr(sys.modules["app"], "services", services_of(FakeIamport(), ledger))
    door.get({"attempt": ATTEMPT_ID, "customer_uid": "mine"})
    (line,) = logged()
    assert (line["level"], line["outcome"], line.get("told")) == ("INFO", *logged_as)
    assert line.get("attempt_id") == (ATTEMPT_ID if known else None)
    assert counted() == {metric: 1}
    assert "mine" not in json.dumps(line), "no log holds a customer_uid"
