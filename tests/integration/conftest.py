"""The whole service on free ports, started once for all tests of a process."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.iamport import Simulator
from infra.local.service import LocalService, run_service


@pytest.fixture(scope="session")
def function_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything that the function writes: its log lines and metrics."""
    return tmp_path_factory.mktemp("service") / "function.log"


@pytest.fixture(scope="session")
def service(function_log: Path) -> Iterator[LocalService]:
    with function_log.open("ab") as log, run_service(log=log) as running:
        yield running


@pytest.fixture
def simulator(service: LocalService) -> Simulator:
    return service.backends.simulator
