"""What tests share: no AWS account, Iamport's simulator and AWS's stand-in on sockets, and the handler before them."""

import gc
import os
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from infra.local.aws import Aws, run_aws
from infra.local.iamport import Simulator
from infra.local.lambda_environment import MADE_UP_ACCOUNT, NOTHING_OF_THIS_MACHINE, lambda_environment
from infra.local.service import IMP_KEY, IMP_SECRET, Backends, put_local_keys, talking_to
from infra.local.template import Function, Template
from tests import botocore_data
from tests.attempts_table import empty_ledger
from tests.integration.door import Door

TEMPLATE = Template()

NOTHING_CREATED = {"IamportSecret": "", "FingerprintSecret": "", "AttemptsTable": ""}


def function(physical_ids: Mapping[str, str]) -> Function:
    return TEMPLATE.function(TEMPLATE.function_behind_api(), physical_ids)


# Powertools reads its variables once in a process, when it is imported first.
os.environ |= {
    **MADE_UP_ACCOUNT,
    **NOTHING_OF_THIS_MACHINE,
    **{name: value for name, value in function(NOTHING_CREATED).environment.items() if name.startswith("POWERTOOLS_")},
}

botocore_data.read_once()

MEASURED = tuple(Path(__file__).parent / suite for suite in ("unit", "integration"))
"""The suites that show what each line of the function does. What the others reach, these reach too, and to be measured
costs as much again as the simulation's schedules, and a third of Playwright's own work.
"""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Coverage of the function, where it is asked for, is measured in the suites that are there to reach its lines."""
    plugin: Any = item.config.pluginmanager.get_plugin("_cov")
    controller = plugin and plugin.cov_controller
    if controller:
        is_measured = any(item.path.is_relative_to(suite) for suite in MEASURED)
        if is_measured and not controller.started:
            controller.resume()
        elif controller.started and not is_measured:
            controller.pause()
            # A thread that waits, as one of xdist's, hears of it when it wakes, and slows all of the process till then.
            threading.settrace_all_threads(None)
    return (yield)


LONGEST_FIRST = ("simulation", "browser/test_profile.py", "browser", "integration", "contract", "e2e", "infrastructure")
"""Files that take a minute, and those of many seconds: at the end one worker would run the last of them alone. The unit
tests come last, a second or two a file.
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    tests = Path(__file__).parent

    def place(item: pytest.Item) -> int:
        return next((at for at, part in enumerate(LONGEST_FIRST) if item.path.is_relative_to(tests / part)), 99)

    items.sort(key=place)


def pytest_collection_finish() -> None:
    """What is there by now stays to the end: the collector need not walk through it, which took a fifth of the time."""
    gc.collect()
    gc.freeze()


class ClockAhead:
    """The time of this process and of the simulator, which can be put forward."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def advance(self, seconds: float) -> None:
        self.ahead += seconds

    def advance_to_whole(self, unit: int) -> None:
        """To where the next hour (3600 seconds) begins, or the next second: what follows has all of it."""
        self.advance(unit - time.time() % unit)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> ClockAhead:
    clock, real_time = ClockAhead(), time.time
    monkeypatch.setattr(time, "time", lambda: real_time() + clock.ahead)
    return clock


@pytest.fixture(scope="session")
def running_aws() -> Iterator[Aws]:
    with run_aws(TEMPLATE) as aws:
        yield aws


@pytest.fixture
def aws(running_aws: Aws) -> Iterator[Aws]:
    """Its faults are one test's; its data are all tests'."""
    yield running_aws
    running_aws.clear_faults()


@pytest.fixture
def iamport() -> Iterator[Simulator]:
    with Simulator(IMP_KEY, IMP_SECRET, clock=lambda: time.time()) as simulator:
        yield simulator


@pytest.fixture
def backends(aws: Aws, iamport: Simulator) -> Backends:
    """With the secret filled in, and no attempt in the ledger."""
    put_local_keys(aws)
    empty_ledger(aws)
    return Backends(iamport, aws)


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch, backends: Backends) -> Door:
    """A fresh container of the function. What became of a card it looks for in a third of a second, not in ten."""
    monkeypatch.setattr("billing.sending.PAUSES_BETWEEN_LOOKS", (0.0, 0.1, 0.2))
    monkeypatch.setattr("billing.sending.PAUSE_BEFORE_SECOND_LOOK", 0.2)
    talking = talking_to(backends, function(backends.aws.physical_ids))
    no_limit = {"ATTEMPTS_PER_CARD": "1000", "ATTEMPTS_PER_CARD_PER_DAY": "1000"}
    for name, value in (lambda_environment(talking) | no_limit).items():
        monkeypatch.setenv(name, value)
    return Door()


@pytest.fixture
def signed_door(monkeypatch: pytest.MonkeyPatch, door: Door) -> Door:  # noqa: ARG001 (sets its surroundings up)
    """The same where only the merchant's server may say who the customer is."""
    monkeypatch.setenv("CUSTOMER_IDENTITY", "signed")
    return Door()
