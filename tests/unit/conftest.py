"""What unit tests share: a clock that stands still, and what got into the log and the metrics."""

import json
import time
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest

from billing.observability import logger, metrics
from tests.unit.fakes import StoppedClock

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def stopped_clock(monkeypatch: pytest.MonkeyPatch) -> StoppedClock:
    clock = StoppedClock()
    monkeypatch.setattr(time, "time", lambda: clock.wall)
    monkeypatch.setattr(time, "monotonic", lambda: clock.monotonic)
    monkeypatch.setattr(time, "sleep", clock.sleep)
    return clock


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Lines:
    """The log's lines so far."""
    log = StringIO()
    for handler in logger.handlers:
        monkeypatch.setattr(handler, "stream", log)
    return lambda: [json.loads(line) for line in log.getvalue().splitlines()]


@pytest.fixture
def counted() -> Callable[[], dict[str, float]]:
    """The metrics so far that were not yet sent, each with its sum."""
    metrics.clear_metrics()
    return lambda: {name: sum(metric["Value"]) for name, metric in metrics.metric_set.items()}
