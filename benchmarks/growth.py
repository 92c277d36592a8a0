"""Whether an attempt costs more, the more customers and attempts a process has seen.

Without network time, which would only hide a difference. What is compared runs side by side, in processes of its own.
"""

from collections.abc import Iterator
from contextlib import ExitStack

from benchmarks.attempts import Event, new_event
from benchmarks.contenders import Contender, Surroundings
from benchmarks.figures import Row, times
from benchmarks.measuring import Series, run_process, side_by_side
from benchmarks.stand_in import StandIn

CUSTOMERS = (1, 10, 100, 1_000)
ATTEMPTS_EACH = 200
MANY_ATTEMPTS = 5_000
LAST = 500
WARM_UP = 20

FLAT = 1.15
"""Runs of the very same code side by side differ by half of that on a noisy machine."""
FLAT_MEMORY = 1.05


def measure(surroundings: Surroundings) -> list[Row]:
    ours = surroundings.without_network(surroundings.ours)
    return [*by_customers(ours, surroundings.stand_in), *by_attempts(ours, surroundings.stand_in)]


def by_customers(contender: Contender, stand_in: StandIn) -> Iterator[Row]:
    runs = []
    with ExitStack() as stack:
        for customers in CUSTOMERS:
            process = stack.enter_context(run_process(contender))
            warm_up = max(customers, WARM_UP)
            events = [replacing_event(number, customers) for number in range(warm_up + ATTEMPTS_EACH)]
            process.run(events[:warm_up], Series())
            runs.append((process, events[warm_up:]))
        series = side_by_side(runs, stand_in)
    for figure, read in (("p50", Series.p50), ("processor time", Series.cpu)):
        one, *others = map(read, series)
        yield Row(f"{figure}, 1 customer", "ms", one)
        for customers, several in zip(CUSTOMERS[1:], others, strict=True):
            flat = times(FLAT, one, "that of one")
            yield Row(f"{figure}, {customers:,} customers", "ms", several, limits=(flat,))


def by_attempts(contender: Contender, stand_in: StandIn) -> Iterator[Row]:
    """A process that makes its last attempts, beside one that makes its first."""
    before_last = MANY_ATTEMPTS - LAST
    with run_process(contender) as old_process, run_process(contender) as new_process:
        # In batches here too: a process that holds thousands of events at once would measure the memory of those.
        early, _ = (
            side_by_side([(old_process, new_events("old", numbers))], stand_in)[0]
            for numbers in (range(LAST), range(LAST, before_last))
        )
        new_process.run(new_events("new", range(WARM_UP)), Series())
        runs = [
            (old_process, new_events("old", range(before_last, MANY_ATTEMPTS))),
            (new_process, new_events("new", range(WARM_UP, WARM_UP + LAST))),
        ]
        old, new = side_by_side(runs, stand_in)
    after, beside = f"after {MANY_ATTEMPTS:,} attempts", "that of a new process beside it"
    yield Row(f"p50 {after}", "ms", old.p50(), limits=(times(FLAT, new.p50(), beside),))
    yield Row(f"processor time {after}", "ms", old.cpu(), limits=(times(FLAT, new.cpu(), beside),))
    then = f"that after {LAST}"
    yield Row(f"memory {after}", "MB", old.memory, limits=(times(FLAT_MEMORY, early.memory, then),))


def replacing_event(number: int, customers: int) -> Event:
    """Replaces the card of one of so many customers, so that any number of them goes the same way through the code.

    Another card each time: the same again would only be answered as before.
    """
    return new_event(
        f"replacing-{customers}-{number % customers}", card_number=f"0000-5000-0000-{number:04}", replace=True
    )


def new_events(process: str, numbers: range) -> list[Event]:
    """A customer of its own for every attempt."""
    return [new_event(f"growth-{process}-{number}", new=True) for number in numbers]
