"""The settler's run: which attempts it closes, and what the operator sees of it."""

import importlib
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

from billing.model.attempt import Attempt, Ending
from billing.model.errors import Unavailable
from infra.local.template import PROJECT
from tests.integration.door import context
from tests.unit.conftest import Counted, Lines
from tests.unit.fakes import ATTEMPT, ENVIRONMENT, OWN, FakeIamport, FakeLedger, StoppedClock

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


@pytest.fixture
def run(settler: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Run:
    """One run with these in the place of the module's own."""

    def run(iamport: FakeIamport, ledger: FakeLedger, seconds_left: float = 55) -> None:
        monkeypatch.setattr(settler, "iamport", iamport)
        monkeypatch.setattr(settler, "ledger", ledger)
        settler.handler({}, context(seconds_left))

    return run


def left_open(ago: float, attempt_id: str = "attempt-1") -> Attempt:
    """Its invocation ended so many seconds ago."""
    return replace(ATTEMPT, attempt_id=attempt_id, ends_at=StoppedClock().wall - ago)


def ledger_with(*attempts: Attempt) -> FakeLedger:
    ledger = FakeLedger()
    ledger.open = list(attempts)
    return ledger


def test_what_is_due_is_settled(run: Run, logged: Lines, counted: Counted) -> None:
    ledger = ledger_with(left_open(40, "a"), left_open(50, "b"))
    run(FakeIamport(look_up=[OWN, None]), ledger)
    assert ledger.told == [Ending("issued", None, OWN), Ending("not_issued")]
    assert [(line["level"], line["message"], line["attempt_id"], line["outcome"]) for line in logged()] == [
        ("INFO", "attempt settled", "a", "issued"),
        ("INFO", "attempt settled", "b", "not_issued"),
    ]
    assert counted() == {"AttemptSettled": 2, "OldestOpenAttempt": 50}


def test_what_cannot_be_settled_makes_room_for_the_others(run: Run, logged: Lines, counted: Counted) -> None:
    ledger = ledger_with(left_open(40, "a"), left_open(50, "b"))
    run(FakeIamport(look_up=[DOWN, OWN]), ledger)
    assert (ledger.postponed, ledger.told) == ([("a", 120)], [Ending("issued", None, OWN)])
    first, second = logged()
    assert (first["level"], first["message"]) == ("WARNING", "attempt not settled yet")
    assert (first["attempt_id"], first["reason"]) == ("a", "iamport_unreachable")
    assert (second["message"], second["attempt_id"]) == ("attempt settled", "b")
    assert counted() == {"AttemptPostponed": 1, "AttemptSettled": 1, "OldestOpenAttempt": 50}


@pytest.mark.parametrize(
    ("ago", "is_given_up"),
    [(DAY - 1, False), (DAY, False), (DAY + 1, True)],
)
def test_an_attempt_is_given_up_after_a_day(
    run: Run, logged: Lines, counted: Counted, ago: float, is_given_up: bool
) -> None:
    ledger = ledger_with(left_open(ago))
    run(FakeIamport(look_up=DOWN), ledger)
    (line,) = logged()
    assert (line["attempt_id"], line["reason"]) == ("attempt-1", "iamport_unreachable")
    if is_given_up:
        assert (ledger.told, ledger.postponed) == ([Ending("unknown", "iamport_unreachable")], [])
        assert (line["level"], line["message"]) == ("ERROR", "attempt given up")
        assert counted() == {"AttemptGivenUp": 1, "OldestOpenAttempt": ago}
    else:
        assert (ledger.told, ledger.postponed) == ([], [("attempt-1", 120)])
        assert counted() == {"AttemptPostponed": 1, "OldestOpenAttempt": ago}


def test_an_attempt_that_iamport_tells_of_after_a_day_is_settled_all_the_same(run: Run) -> None:
    ledger = ledger_with(left_open(DAY + 1))
    run(FakeIamport(look_up=OWN), ledger)
    assert ledger.told == [Ending("issued", None, OWN)]


class SlowIamport(FakeIamport):
    """Takes so many seconds for a look-up."""

    def __init__(self, clock: StoppedClock, seconds: float) -> None:
        super().__init__(look_up=OWN)
        self._clock, self._seconds = clock, seconds

    def _next(self, verb: str, deadline: Any) -> Any:
        self._clock.advance(self._seconds)
        return super()._next(verb, deadline)


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
    ledger = ledger_with(*(left_open(40, attempt_id) for attempt_id in "abc"))
    run(SlowIamport(stopped_clock, seconds_each), ledger, seconds_left)
    assert [attempt.attempt_id for attempt in ledger.told_of] == list("abc")[:closed]


@pytest.mark.parametrize(
    ("ages", "seconds_left", "oldest"),
    [
        pytest.param([], 55, 0, id="nothing is open"),
        pytest.param([40, 50, 45], 55, 50, id="of all that are settled"),
        pytest.param([700], 10, 700, id="of one that there is no time for"),
    ],
)
def test_the_oldest_open_attempt_is_counted_in_seconds(
    run: Run, counted: Counted, ages: list[float], seconds_left: float, oldest: float
) -> None:
    run(FakeIamport(look_up=OWN), ledger_with(*map(left_open, ages)), seconds_left)
    assert counted()["OldestOpenAttempt"] == oldest


@pytest.mark.filterwarnings("ignore:No application metrics")
def test_a_table_that_cannot_be_read_stops_the_run(run: Run) -> None:
    """So that the alarm for a failing settler rings."""
    with pytest.raises(Unavailable):
        run(FakeIamport(), FakeLedger(failing=Unavailable("ledger_unreachable")))


def test_the_runbook_filters_on_what_is_logged(run: Run, logged: Lines) -> None:
    """`ask "$SETTLE_LOG" "filter message in [...]"`: a line that is called otherwise would not be found."""
    ledger = ledger_with(left_open(40), left_open(40), left_open(DAY + 1))
    run(FakeIamport(look_up=[OWN, DOWN]), ledger)
    filters = re.findall(r"message (?:=|in) ('[^']*'|\[[^\]]*\])", RUNBOOK)
    filtered_on = {message for texts in filters for message in re.findall("'([^']*)'", texts)}
    assert filtered_on
    assert filtered_on <= {line["message"] for line in logged()}


def test_nothing_is_sent_when_the_module_is_imported(settler: ModuleType) -> None:
    assert vars(settler.services.aws) == {}, "no client of AWS's was made"
