"""One simulator per test, with a clock and a log of its own."""

from collections.abc import Iterator

import pytest

from infra.local.iamport import Simulator
from tests.integration.iamport_simulator.client import QUICK, Client, StandingClock


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def simulator(clock: StandingClock, lines: list[str]) -> Iterator[Simulator]:
    with Simulator(clock=clock, timing=QUICK, log=lines.append) as simulator:
        yield simulator


@pytest.fixture
def client(simulator: Simulator) -> Iterator[Client]:
    client = Client(simulator)
    client.log_in()
    with client.session:
        yield client
