"""The settler's run: which attempts it closes, and what the operator sees of it."""

import importlib
import json
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import ModuleType

import pytest

from billing.ledger.ledger import Ended
from billing.model.attempt import Attempt, Ending, Leftover
from billing.model.deadline import Deadline
from billing.model.errors import OutcomeUnknown, Unavailable
from infra.local.template import PROJECT
from tests.integration.door import context
from tests.unit.conftest import Counted, Lines
from tests.unit.fakes import ENVIRONMENT, OLD, OWN, SENT, FakeIamport, FakeLedger, StoppedClock

RUNBOOK = (PROJECT / "docs/runbook.md").read_text("utf-8")

DAY = 24 * 3600
DOWN = Unavailable("iamport_unreachable")


@pytest.fixture
def settler(monkeypatch: pytest.MonkeyPatch, stopped_clock: StoppedClock) -> ModuleType:  # noqa: ARG001
    """The function's module as a fresh container imports it, with the clock stopped."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delitem(sys.modules, "settle", raising=False)
    return importlib.import_module("settle")


Run = Callable[..., None]
Failing = Exception | Mapping[str, Exception] | None


@pytest.fixture
def run(settler: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Run:
    """One run with these in the place of the module's own."""

    def run(iamport: FakeIamport, ledger: FakeLedger, seconds_left: float = 55) -> None:
        monkeypatch.setattr(settler, "iamport", iamport)
        monkeypatch.setattr(settler, "ledger", ledger)
        settler.handler({}, context(seconds_left))

    return run


def left_open(ago: float, name: str = "1") -> Attempt:
    """Its invocation ended so many seconds ago."""
    return replace(
        SENT, customer_uid=f"uid-{name}", attempt_id=f"attempt-{name}", ends_at=int(StoppedClock().wall - ago)
    )


def ledger_with(*attempts: Attempt, failing: Failing = None) -> FakeLedger:
    ledger = FakeLedger(failing=failing)
    ledger.open = list(attempts)
    return ledger


def test_what_is_due_is_settled(run: Run, logged: Lines, counted: Counted) -> None:
    ledger = ledger_with(left_open(70, "a"), left_open(80, "b"))
    iamport = FakeIamport(look_up=[OWN, None])
    run(iamport, ledger)
    assert ledger.told == [Ending("issued", None, OWN), Ending("not_issued")]
    assert iamport.asked_of == ["uid-a", "uid-b"]
    assert [(line["level"], line["message"], line["attempt_id"], line["outcome"]) for line in logged()] == [
        ("INFO", "attempt settled", "attempt-a", "issued"),
        ("INFO", "attempt settled", "attempt-b", "not_issued"),
    ]
    assert counted() == {"AttemptSettled": 2, "OldestOpenAttempt": 80}


def test_what_the_table_says_is_settled_and_not_what_the_index_says(run: Run) -> None:
    """An index lags, and it holds less than the table."""
    ledger = ledger_with(left_open(70))
    run(FakeIamport(look_up=None), ledger)
    assert ledger.told_of == ledger.open


class MovingLedger(FakeLedger):
    """While the run is at work on attempt-1, what is open under its uid changes: `reads`, the last from then on."""

    def __init__(self, ago: float, *reads: Attempt | None) -> None:
        super().__init__()
        self.open = [left_open(ago)]
        self._reads = list(reads)

    def read(self, customer_uid: str) -> Attempt | None:
        assert customer_uid == "uid-1"
        return self._reads.pop(0) if len(self._reads) > 1 else self._reads[0]


ANOTHER = replace(left_open(-20), attempt_id="attempt-2")
"""Under way under the same uid."""


@pytest.mark.parametrize("now", [None, ANOTHER])
def test_what_is_closed_already_is_left_alone(run: Run, logged: Lines, counted: Counted, now: Attempt | None) -> None:
    """Iamport is not asked either: FakeIamport() would refuse."""
    ledger = MovingLedger(70, now)
    run(FakeIamport(), ledger)
    assert (ledger.told, ledger.postponed, logged()) == ([], [], [])
    assert counted() == {"OldestOpenAttempt": 70}


def test_what_is_not_due_after_all_is_left_alone(run: Run, logged: Lines, counted: Counted) -> None:
    ledger = ledger_with(left_open(40))
    run(FakeIamport(look_up=None), ledger)
    assert (ledger.told, ledger.postponed, logged()) == ([], [], [])
    assert counted() == {"OldestOpenAttempt": 40}


TROUBLES = [
    (DOWN, "iamport_unreachable"),
    (OutcomeUnknown("about_something_else"), "OutcomeUnknown"),
    (KeyError("0000-1111-2222-3333"), "KeyError"),
    (ValueError("0000-1111-2222-3333"), "ValueError"),
    (TypeError("unhashable type: 'list'"), "TypeError"),
    (RecursionError("maximum recursion depth exceeded"), "RecursionError"),
    (OverflowError("cannot convert float infinity to integer"), "OverflowError"),
    (ArithmeticError("NaN"), "ArithmeticError"),
    (MemoryError(), "MemoryError"),
]
"""What an odd answer, or an odd item, may raise, and what is logged of it."""


@pytest.mark.parametrize(("trouble", "reason"), TROUBLES)
def test_one_attempts_trouble_is_its_own(
    run: Run, logged: Lines, counted: Counted, trouble: Exception, reason: str
) -> None:
    ledger = ledger_with(left_open(70, "a"), left_open(80, "b"))
    run(FakeIamport(look_up=[trouble, OWN]), ledger)
    assert ledger.postponed == [("uid-a", "attempt-a", 120)]
    assert ledger.told == [Ending("issued", None, OWN)]
    first, second = logged()
    assert (first["level"], first["message"]) == ("WARNING", "attempt not settled yet")
    assert (first["attempt_id"], first["reason"]) == ("attempt-a", reason)
    assert "3333" not in json.dumps(first)
    assert (second["message"], second["attempt_id"]) == ("attempt settled", "attempt-b")
    assert counted() == {"AttemptPostponed": 1, "AttemptSettled": 1, "OldestOpenAttempt": 80}


@pytest.mark.parametrize("verb", ["read", "finish"])
@pytest.mark.parametrize(("trouble", "reason"), [(Unavailable("ledger_busy"), "ledger_busy"), (KeyError(), "KeyError")])
def test_an_attempt_whose_item_makes_trouble_is_postponed(
    run: Run, logged: Lines, counted: Counted, verb: str, trouble: Exception, reason: str
) -> None:
    ledger = ledger_with(left_open(70), failing={verb: trouble})
    run(FakeIamport(look_up=OWN), ledger)
    assert (ledger.told, ledger.postponed) == ([], [("uid-1", "attempt-1", 120)])
    assert [line["reason"] for line in logged()] == [reason]
    assert counted() == {"AttemptPostponed": 1, "OldestOpenAttempt": 70}


@pytest.mark.parametrize(("trouble", "reason"), [(Unavailable("ledger_busy"), "Unavailable"), (KeyError(), "KeyError")])
def test_an_attempt_that_cannot_even_be_postponed_holds_nobody_up(
    run: Run, logged: Lines, counted: Counted, trouble: Exception, reason: str
) -> None:
    ledger = ledger_with(left_open(70, "a"), left_open(80, "b"), failing={"postpone": trouble})
    run(FakeIamport(look_up=[DOWN, OWN]), ledger)
    assert ledger.told == [Ending("issued", None, OWN)]
    assert [line.get("reason") for line in logged()] == [reason, None]
    assert counted() == {"AttemptPostponed": 1, "AttemptSettled": 1, "OldestOpenAttempt": 80}


@pytest.mark.parametrize(
    ("ago", "is_given_up"),
    [(DAY - 1, False), (DAY, False), (DAY + 1, True)],
)
@pytest.mark.parametrize(("trouble", "reason"), TROUBLES)
def test_an_attempt_is_given_up_after_a_day(
    run: Run, logged: Lines, counted: Counted, ago: float, is_given_up: bool, trouble: Exception, reason: str
) -> None:
    ledger = ledger_with(left_open(ago))
    run(FakeIamport(look_up=trouble), ledger)
    (line,) = logged()
    assert (line["attempt_id"], line["reason"]) == ("attempt-1", reason)
    if is_given_up:
        assert (ledger.told, ledger.postponed) == ([Ending("unknown", reason)], [])
        assert (line["level"], line["message"]) == ("ERROR", "attempt given up")
        assert counted() == {"AttemptGivenUp": 1, "OldestOpenAttempt": ago}
    else:
        assert (ledger.told, ledger.postponed) == ([], [("uid-1", "attempt-1", 120)])
        assert (line["level"], line["message"]) == ("WARNING", "attempt not settled yet")
        assert counted() == {"AttemptPostponed": 1, "OldestOpenAttempt": ago}


def test_what_is_given_up_keeps_an_earlier_attempts_leftover(run: Run) -> None:
    ledger = ledger_with(replace(left_open(DAY + 1), leftover=Leftover(OLD)))
    run(FakeIamport(look_up=DOWN), ledger)
    assert ledger.told == [Ending("unknown", "iamport_unreachable", leftover=Leftover(OLD))]


@pytest.mark.parametrize("verb", ["read", "finish"])
@pytest.mark.parametrize("trouble", [Unavailable("ledger_busy"), KeyError()])
def test_what_cannot_be_given_up_is_counted_as_postponed(
    run: Run, logged: Lines, counted: Counted, verb: str, trouble: Exception
) -> None:
    ledger = ledger_with(left_open(DAY + 1, "a"), left_open(70, "b"), failing={verb: trouble})
    run(FakeIamport(look_up=DOWN), ledger)
    assert ledger.told == []
    assert {line["message"] for line in logged()} == {"attempt not settled yet"}
    assert counted() == {"AttemptPostponed": 2, "OldestOpenAttempt": DAY + 1}


@pytest.mark.parametrize("now", [None, ANOTHER])
def test_what_began_meanwhile_is_not_given_up_in_its_place(run: Run, now: Attempt | None) -> None:
    ledger = MovingLedger(DAY + 1, left_open(DAY + 1), now)
    run(FakeIamport(look_up=DOWN), ledger)
    assert ledger.told == []


def test_what_was_closed_meanwhile_is_not_given_up(run: Run, logged: Lines) -> None:
    ledger = FakeLedger(closed_meanwhile=True)
    ledger.open = [left_open(DAY + 1)]
    run(FakeIamport(look_up=DOWN), ledger)
    assert [line["message"] for line in logged()] == ["attempt not settled yet"]


def test_an_attempt_that_iamport_tells_of_after_a_day_is_settled_all_the_same(run: Run) -> None:
    ledger = ledger_with(left_open(DAY + 1))
    run(FakeIamport(look_up=OWN), ledger)
    assert ledger.told == [Ending("issued", None, OWN)]


@pytest.mark.parametrize(
    ("seconds_left", "seconds_each", "closed"),
    [
        pytest.param(55.0, 1, 3, id="all of them"),
        pytest.param(55.0, 20, 3, id="15 seconds are left for the third"),
        pytest.param(55.0, 21, 2, id="13 seconds are left for the third"),
        pytest.param(15.0, 1, 1, id="just enough for one"),
        pytest.param(14.9, 1, 0, id="not enough for one"),
    ],
)
def test_no_attempt_is_looked_at_without_the_time_for_it(
    run: Run, stopped_clock: StoppedClock, seconds_left: float, seconds_each: float, closed: int
) -> None:
    ledger = ledger_with(*(left_open(70, name) for name in "abc"))
    run(FakeIamport(stopped_clock, seconds_each, look_up=OWN), ledger, seconds_left)
    assert [attempt.customer_uid for attempt in ledger.told_of] == ["uid-a", "uid-b", "uid-c"][:closed]


@pytest.mark.parametrize(
    ("ages", "seconds_left", "oldest"),
    [
        pytest.param([], 55, 0, id="nothing is open"),
        pytest.param([70, 80, 75], 55, 80, id="of all that are settled"),
        pytest.param([700], 10, 700, id="of one that there is no time for"),
    ],
)
def test_the_oldest_open_attempt_is_counted_in_seconds(
    run: Run, counted: Counted, ages: list[float], seconds_left: float, oldest: float
) -> None:
    attempts = [left_open(ago, str(ago)) for ago in ages]
    run(FakeIamport(look_up=OWN), ledger_with(*attempts), seconds_left)
    assert counted()["OldestOpenAttempt"] == oldest


@pytest.mark.filterwarnings("ignore:No application metrics")
def test_a_table_that_cannot_be_read_stops_the_run(run: Run) -> None:
    """So that the alarm for a failing settler rings."""
    with pytest.raises(Unavailable):
        run(FakeIamport(), FakeLedger(failing=Unavailable("ledger_unreachable")))


def test_the_runbook_filters_on_what_is_logged(run: Run, logged: Lines) -> None:
    """`ask "$SETTLE_LOG" "filter message in [...]"`: a line that is called otherwise would not be found."""
    ledger = ledger_with(left_open(70, "a"), left_open(70, "b"), left_open(DAY + 1, "c"))
    run(FakeIamport(look_up=[OWN, DOWN]), ledger)
    filters = re.findall(r"message (?:=|in) ('[^']*'|\[[^\]]*\])", RUNBOOK)
    filtered_on = {message for texts in filters for message in re.findall("'([^']*)'", texts)}
    assert filtered_on
    assert filtered_on <= {line["message"] for line in logged()}


def test_nothing_is_sent_when_the_module_is_imported(settler: ModuleType) -> None:
    assert vars(settler.services.aws) == {}, "no client of AWS's was made"


def past(*names: str) -> list[Ended]:
    return [Ended(f"uid-{name}", f"attempt-{name}") for name in names]


def test_requests_are_forgotten_after_all_that_is_open(run: Run, counted: Counted, logged: Lines) -> None:
    ledger = ledger_with(left_open(70))
    ledger.past = past("a", "b")
    run(FakeIamport(look_up=OWN), ledger)
    assert ledger.steps == ["finish", "forget_request", "forget_request"]
    assert ledger.forgotten == ledger.past
    assert counted() == {"AttemptSettled": 1, "OldestOpenAttempt": 70}
    assert len(logged()) == 1


def test_requests_are_forgotten_in_the_time_that_is_left(run: Run, stopped_clock: StoppedClock) -> None:
    ledger = SlowLedger(stopped_clock)
    ledger.past = past("a", "b", "c")
    run(FakeIamport(), ledger, seconds_left=5)
    assert ledger.forgotten == past("a", "b")


class SlowLedger(FakeLedger):
    def __init__(self, clock: StoppedClock) -> None:
        super().__init__()
        self._clock = clock

    def forget_request(self, ended: Ended, deadline: Deadline) -> None:
        assert deadline.left() <= 3
        super().forget_request(ended, deadline)
        self._clock.advance(1.5)


@pytest.mark.parametrize(("trouble", "reason"), [(Unavailable("ledger_busy"), "ledger_busy"), (KeyError(), "KeyError")])
def test_a_request_that_cannot_be_forgotten_holds_no_other_up(
    run: Run, logged: Lines, counted: Counted, trouble: Exception, reason: str
) -> None:
    ledger = ledger_with(failing={"forget_request": trouble})
    ledger.past = past("a", "b")
    run(FakeIamport(), ledger)
    assert [(line["level"], line["message"], line["attempt_id"], line["reason"]) for line in logged()] == [
        ("WARNING", "request not forgotten yet", "attempt-a", reason),
        ("WARNING", "request not forgotten yet", "attempt-b", reason),
    ]
    assert counted() == {"OldestOpenAttempt": 0}
