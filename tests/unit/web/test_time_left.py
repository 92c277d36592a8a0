"""How long the answer is still waited for, by what API Gateway tells of the request's beginning."""

import pytest

from billing.web.time_left import seconds_left
from tests.unit.fakes import StoppedClock

NOW = StoppedClock().wall
INVOCATION = 28.0


def asked_for(seconds_ago: float) -> dict[str, object]:
    return {"requestContext": {"requestTimeEpoch": round((NOW - seconds_ago) * 1000)}}


@pytest.mark.usefixtures("stopped_clock")
@pytest.mark.parametrize(
    ("seconds_ago", "left"),
    [
        pytest.param(0.0, 28.0, id="no time has gone: the invocation ends first"),
        pytest.param(0.9, 28.0, id="a warm container, and a slow way to it"),
        pytest.param(1.0, 28.0, id="both at once"),
        pytest.param(1.5, 27.5, id="a cold start"),
        pytest.param(9.0, 20.0, id="a very cold start"),
        pytest.param(28.999, 0.001, id="just before API Gateway gives up"),
    ],
)
def test_the_answer_is_there_29_seconds_after_the_request_came(seconds_ago: float, left: float) -> None:
    assert seconds_left(asked_for(seconds_ago), INVOCATION) == pytest.approx(left)


@pytest.mark.usefixtures("stopped_clock")
@pytest.mark.parametrize(
    "seconds_ago",
    [
        pytest.param(29.0, id="given up at this moment"),
        pytest.param(3_600.0, id="an event that is played back"),
        pytest.param(0.499, id="so young that only the invocation counts"),
        pytest.param(-0.001, id="a moment in the future"),
        pytest.param(-3_600.0, id="an hour in the future"),
    ],
)
def test_a_time_that_cannot_bound_the_answer_says_nothing(seconds_ago: float) -> None:
    assert seconds_left(asked_for(seconds_ago), 55.0) == 55.0


@pytest.mark.usefixtures("stopped_clock")
@pytest.mark.parametrize(
    "epoch", [None, "", str(round(NOW * 1000) - 9000), True, [], {}, float("nan"), float("inf"), 10**400, -(10**400)]
)
def test_a_time_that_is_no_number_says_nothing(epoch: object) -> None:
    assert seconds_left({"requestContext": {"requestTimeEpoch": epoch}}, INVOCATION) == INVOCATION


@pytest.mark.parametrize("event", [{}, {"requestContext": None}, {"requestContext": ""}, {"requestContext": {}}])
def test_a_time_that_is_missing_says_nothing(event: dict[str, object]) -> None:
    assert seconds_left(event, INVOCATION) == INVOCATION
