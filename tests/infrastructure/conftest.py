"""AWS's stand-in as in the other suites, and a record of every call that it gets."""

import base64
import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infra.local.aws import Aws, run_aws
from infra.local.iamport import Simulator
from infra.local.template import Template
from tests.conftest import ClockAhead
from tests.infrastructure.every_way import Surroundings
from tests.integration.door import Door


@dataclass(frozen=True)
class Call:
    operation: str
    """As `DynamoDB.UpdateItem`."""
    parameters: Mapping[str, Any]


@dataclass(frozen=True)
class Calls:
    """What moto's recorder wrote: one request in a line."""

    file: Path

    def forget(self) -> None:
        self.file.write_text("")

    def read(self) -> list[Call]:
        requests = map(json.loads, self.file.read_text().splitlines())
        return [
            Call(
                request["headers"]["X-Amz-Target"].replace("_20120810", ""),
                json.loads(base64.b64decode(request["body"])),
            )
            for request in requests
        ]


@pytest.fixture(scope="session")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Calls:
    return Calls(tmp_path_factory.mktemp("aws") / "calls.jsonl")


@pytest.fixture(scope="session")
def running_aws(calls: Calls) -> Iterator[Aws]:
    """Only this one records: another test's, with a settler of its own, must not write into the same file."""
    with ExitStack() as stack:
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("MOTO_ENABLE_RECORDING", "true")
            environment.setenv("MOTO_RECORDER_FILEPATH", str(calls.file))
            aws = stack.enter_context(run_aws(Template()))
        yield aws


@pytest.fixture
def around(
    door: Door, signed_door: Door, iamport: Simulator, clock: ClockAhead, monkeypatch: pytest.MonkeyPatch
) -> Surroundings:
    """After a lost answer it is looked once, where it takes ten seconds otherwise."""
    monkeypatch.setattr("billing.sending.PAUSES_BETWEEN_LOOKS", (0.0,))
    return Surroundings(door, signed_door, iamport, clock, monkeypatch)
