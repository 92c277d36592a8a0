"""How long a card holder waits for a function that has run before, and what the attempt costs it."""

from collections.abc import Callable
from contextlib import ExitStack

from benchmarks.attempts import Event, new_event
from benchmarks.contenders import ROUND_TRIP, Surroundings
from benchmarks.figures import GUIDE, OFFICIAL, Limit, Row, Unit, times
from benchmarks.measuring import Series, run_process, side_by_side
from benchmarks.stand_in import Counts

ATTEMPTS = 200
WARM_UP = 20
"""Attempts before those, not counted."""

ROUND_TRIPS = Limit(1.25 * ROUND_TRIP * 1000, "1.25 round trips")

LEDGER_WRITES = ("billing.ledger.ledger:Ledger.begin", "billing.ledger.ledger:Ledger.finish")


def measure(surroundings: Surroundings) -> list[Row]:
    measured = (
        ("new", surroundings.ours, LEDGER_WRITES),
        ("looked-up", surroundings.ours, ()),
        ("official", surroundings.official_client, ()),
        ("guide", surroundings.guide_example, ()),
    )
    runs = []
    with ExitStack() as stack:
        for name, contender, watched in measured:
            process = stack.enter_context(run_process(contender, watched))
            process.run(_events(name, "warm-up", WARM_UP), Series())
            runs.append((process, _events(name, "measured", ATTEMPTS)))
        ours, looked_up, official, guide = side_by_side(runs, surroundings.stand_in)
    return _rows(ours, looked_up, official, guide)


def _events(name: str, part: str, count: int) -> list[Event]:
    """A customer of its own for every attempt. The token of all but `looked-up` says that it is new."""
    return [new_event(f"{name}-{part}-{number}", new=name != "looked-up") for number in range(count)]


def _rows(ours: Series, looked_up: Series, official: Series, guide: Series) -> list[Row]:
    def row(figure: str, unit: Unit, read: Callable[[Series], float], *limits: Limit) -> Row:
        return Row(figure, unit, read(ours), read(official), read(guide), limits)

    def per_attempt(figure: str, count: Callable[[Counts], int], most: float) -> Row:
        return row(f"{figure}, per attempt", "", lambda series: count(series.counts) / ATTEMPTS, Limit(most))

    faster = (times(0.8, official.p50(), OFFICIAL), times(0.3, guide.p50(), GUIDE))
    cheaper = (times(3, official.cpu(), OFFICIAL), times(0.2, guide.cpu(), GUIDE))
    return [
        row("warm attempt, p50", "ms", Series.p50, *faster),
        row("warm attempt, p99", "ms", Series.p99),
        Row("the same without the table's writes, p50", "ms", ours.p50_without_watched(), limits=(ROUND_TRIPS,)),
        Row("the same where the uid is looked up, p50", "ms", looked_up.p50()),
        row("processor time of a warm attempt", "ms", Series.cpu, *cheaper),
        per_attempt("calls to Iamport but for tokens", lambda counts: counts.issue_calls + counts.other_calls, 1),
        per_attempt("calls for a token", lambda counts: counts.token_calls, 0.03),
        per_attempt("new connections to Iamport", lambda counts: counts.connections, 0),
        row(
            f"memory, peak of {WARM_UP + ATTEMPTS} attempts",
            "MB",
            lambda series: series.peak_memory,
            times(1.1, guide.peak_memory, GUIDE),
        ),
    ]
