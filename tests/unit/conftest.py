"""What unit tests share: a clock that stands still, and what got into the log and the metrics."""

import json
import time
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest

from billing.observability import logger, metrics
from tests.integration.door import Door
from tests.unit.fakes import ENVIRONMENT, StoppedClock

Lines = Callable[[], list[dict[str, Any]]]
Counted = Callable[[], dict[str, float]]


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Door:
    """A fresh container, of whose use case a test says what it gives."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return Door()


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
def counted(capsys: pytest.CaptureFixture[str]) -> Counted:
    """The metrics that were sent since this was last asked, each with its sum."""
    metrics.clear_metrics()  # what tests before have counted and not sent

    def counted() -> dict[str, float]:
        (sent,) = (json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line)
        names = [metric["Name"] for metric in sent["_aws"]["CloudWatchMetrics"][0]["Metrics"]]
        return {name: sum(sent[name]) for name in names}

    return counted
