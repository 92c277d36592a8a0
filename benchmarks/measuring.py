"""Runs contenders in processes of their own, and reads what those measured of themselves."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import batched
from pathlib import Path
from statistics import mean, median, quantiles
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.attempts import Event, require_success
from benchmarks.contenders import Contender
from benchmarks.stand_in import Counts, StandIn
from infra.local.lambda_environment import lambda_environment
from infra.local.program import Program, run_program
from infra.local.template import PROJECT

STOPWATCH = Path(__file__).with_name("stopwatch.py")

BATCH = 10
"""Attempts that one contender makes before it is the next one's turn: what the machine does besides falls on all."""


@dataclass(frozen=True)
class Attempt:
    """All in milliseconds."""

    wait: float
    cpu: float
    watched: float
    """The part of the wait that went into the methods which were asked for."""


@dataclass
class Series:
    """What one process has measured so far."""

    attempts: list[Attempt] = field(default_factory=list)
    counts: Counts = field(default_factory=Counts)
    peak_memory: float = 0.0
    """Megabytes that the process has held at most, since it began."""
    memory: float = 0.0
    """Megabytes that it holds now."""

    def p50(self) -> float:
        return median(attempt.wait for attempt in self.attempts)

    def p99(self) -> float:
        return quantiles((attempt.wait for attempt in self.attempts), n=100)[98]

    def p50_without_watched(self) -> float:
        return median(attempt.wait - attempt.watched for attempt in self.attempts)

    def cpu(self) -> float:
        return mean(attempt.cpu for attempt in self.attempts)


class Process:
    def __init__(self, program: Program) -> None:
        self._program = program

    def run(self, events: Sequence[Event], series: Series) -> None:
        """Adds the measurements to `series`. Raises AttemptFailed."""
        result: dict[str, Any] = json.loads(self._program.ask(json.dumps(events)))
        require_success(attempt.pop("answer") for attempt in result["attempts"])
        series.attempts += [Attempt(**attempt) for attempt in result["attempts"]]
        series.peak_memory, series.memory = result["peak_memory"], result["memory"]


@contextmanager
def run_process(contender: Contender, watched: Sequence[str] = ()) -> Iterator[Process]:
    """Python sees the contender's package and the standard library there, as on Lambda.

    `watched`: methods whose time is added up by itself, as `module:Class.method`.
    """
    with TemporaryDirectory(prefix="benchmarks-") as directory:
        arguments = ("-S", STOPWATCH, contender.package, contender.function.handler, Path(directory) / "function.log")
        with run_program(*arguments, *watched, environment=_environment(contender)) as program:
            yield Process(program)


def side_by_side(runs: Sequence[tuple[Process, Sequence[Event]]], stand_in: StandIn) -> list[Series]:
    """Every process makes its own attempts, as many as the others, all of them by turns."""
    all_series = [Series() for _ in runs]
    for batches in zip(*(batched(events, BATCH) for _, events in runs), strict=True):
        for (process, _), batch, series in zip(runs, batches, all_series, strict=True):
            before = stand_in.counts()
            process.run(batch, series)
            series.counts += stand_in.counts() - before
    return all_series


def _environment(contender: Contender) -> dict[str, str]:
    return {
        "PYTHONPATH": str(PROJECT),
        **lambda_environment(replace(contender.function, code=contender.package)),
    }
