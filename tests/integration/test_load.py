"""`make load`: attempts at a rate through the whole local service, and what it says that they met."""

import sys

import pytest

from infra.local.load import Attempt, Met, Wanted, drive, main, quantile, report, what_limits
from infra.local.processor_time import seconds_by_process, seconds_in

WANTED = Wanted(rate=10, seconds=10, pg_seconds=1)


def met(attempts: int = 100, *, seconds: float = 10, stand_in: float = 1, everything: float = 2) -> Met:
    return Met([Attempt(1.5, True)] * attempts, seconds, stand_in, everything)


def test_attempts_come_at_the_rate_and_each_gets_a_key() -> None:
    wanted = Wanted(rate=4, seconds=2, pg_seconds=0.3)
    found = drive(wanted)
    assert (len(found.attempts), found.errors) == (8, 0)
    assert all(attempt.seconds > wanted.pg_seconds for attempt in found.attempts), "the PG's seconds are waited for"
    assert 0 < found.rate <= wanted.rate
    assert "errors             0\n" in report(wanted, found, processors=2)


def test_the_report_tells_our_own_part_from_the_pgs() -> None:
    attempts = [Attempt(1 + milliseconds / 1000, True) for milliseconds in range(1, 101)]
    text = report(WANTED, Met([*attempts[:99], Attempt(31, False)], 10, 1, 2), processors=2)
    assert text.splitlines() == [
        "attempts a second  10.0 of 10 for 10 s, PG 1 s",
        "our own part, p50  50 ms",
        "our own part, p99  99 ms",
        "errors             1",
        "containers         16",
        "processors         0.20 of 2, AWS's stand-in 0.10 of them",
        "what limits        nothing at this rate",
    ]


@pytest.mark.parametrize(
    ("found", "limit"),
    [
        (met(), "nothing"),
        (met(seconds=10.4), "nothing"),
        (met(seconds=20, stand_in=19, everything=30), "AWS's stand-in"),
        (met(seconds=20, stand_in=10, everything=36), "this machine's processors"),
        (met(seconds=20, stand_in=10, everything=20), "16 containers"),
    ],
)
def test_what_is_used_up_is_what_limits(found: Met, limit: str) -> None:
    assert what_limits(WANTED, found, processors=2).startswith(limit)


@pytest.mark.parametrize(("share", "value"), [(0.5, 2), (0.75, 3), (0.99, 4), (0.01, 1)])
def test_a_quantile_is_one_of_the_values(share: float, value: float) -> None:
    assert quantile([1, 2, 3, 4], share) == value


@pytest.mark.parametrize(
    ("text", "seconds"), [("00:00:07", 7), ("01:02:03", 3723), ("2-00:00:01", 172801), ("0:07.25", 7.25)]
)
def test_the_time_of_ps_is_read(text: str, seconds: float) -> None:
    assert seconds_in(text) == seconds


def test_the_time_of_this_process_is_among_those_that_are_counted() -> None:
    assert sum(seconds_by_process().values()) > 0


@pytest.mark.parametrize("text", ["x", "", "0", "-1", "nan", "inf"])
def test_a_rate_that_is_none_is_told_in_words(
    text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["load", f"--rate={text}", "--seconds=1", "--pg-seconds=1"])
    with pytest.raises(SystemExit):
        main()
    assert "argument --rate: a number above 0" in capsys.readouterr().err
