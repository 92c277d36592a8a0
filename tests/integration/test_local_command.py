"""`python -m infra.local`, as `make run` and `make backends` start it."""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests

from infra.local.iamport import CONTRACTS, LOCAL_IMP_KEY, LOCAL_IMP_SECRET
from infra.local.template import PROJECT
from tests.waiting import eventually

LONGEST_START = 60.0
"""Seconds."""


@contextmanager
def started(*options: str, module: str = "infra.local") -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", module, *options]
    process = subprocess.Popen(  # noqa: S603 (our own program)
        command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def printed_until_ready(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    printed = ""
    for line in process.stdout:
        printed += line
        if line.startswith("Ready"):
            return printed
    raise AssertionError(f"it ended without being ready: {printed}")


def descendants(process_id: int) -> set[int]:
    found = {child for child, parent, _ in processes() if parent == process_id}
    return found.union(*(descendants(child) for child in found))


def running() -> set[int]:
    """A zombie is not: it only waits for its parent to be told."""
    return {process_id for process_id, _, state in processes() if not state.startswith("Z")}


def processes() -> list[tuple[int, int, str]]:
    """Each one's id, its parent's and its state."""
    command = ["ps", "-A", "-o", "pid=,ppid=,stat="]
    listing = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)  # noqa: S603
    columns = [line.split() for line in listing.stdout.splitlines()]
    return [(int(process_id), int(parent), state) for process_id, parent, state in columns]


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_ending_it_leaves_no_process(ending: signal.Signals) -> None:
    with started("--port", "0") as service:
        printed_until_ready(service)
        started_by_it = descendants(service.pid)
        assert len(started_by_it) == 2, "moto and an execution environment"
        os.killpg(service.pid, ending)  # as a terminal does: to everything that was started from it
        _, errors = service.communicate(timeout=20)
        assert service.returncode == 0
        assert "Traceback" not in errors
        assert started_by_it & running() == set()


def test_killing_it_leaves_no_process_either() -> None:
    with started("--port", "0") as service:
        printed_until_ready(service)
        started_by_it = descendants(service.pid)
        service.kill()
        service.wait(timeout=20)
        assert eventually(lambda: not started_by_it & running(), seconds=20)


def answer_to_printed_curl(printed: str) -> Any:
    curl = re.search(r"^curl .*$", printed, re.MULTILINE)
    assert curl is not None
    _, _, url, _, header, _, body = shlex.split(curl[0])
    name, _, value = header.partition(": ")
    return requests.post(url, data=body, headers={name: value}, timeout=30).json()


def test_it_prints_the_test_cards_and_a_curl_that_issues_a_billing_key() -> None:
    with started("--port", "0") as service:
        printed = printed_until_ready(service)
        assert "0000-2000-0000-0001  refused" in printed
        assert answer_to_printed_curl(printed)["message"] == "Billing has successfully issued"


def test_it_has_the_contract_and_the_parameters_that_it_is_given() -> None:
    options = ("--contract", "welcome", "--parameters", "CustomerIdentity=signed", "AttemptsPerCustomer=1")
    with started("--port", "0", *options) as service:
        printed = printed_until_ready(service)
        assert "customer_token" in printed
        refused, too_many = answer_to_printed_curl(printed), answer_to_printed_curl(printed)
    assert (refused["code"], too_many["code"]) == ("declined", "too_many_attempts")
    assert refused["message"].endswith("[시뮬레이터] customer_name 값이 누락되었습니다.")


def test_the_simulator_alone_has_every_channel_and_the_one_that_it_is_given_first() -> None:
    with started("--port", "0", "--contract", "ksnet", module="infra.local.iamport") as simulator:
        assert simulator.stdout is not None
        url = simulator.stdout.readline().split()[-1]
        keys = {"imp_key": LOCAL_IMP_KEY, "imp_secret": LOCAL_IMP_SECRET}
        token = requests.post(f"{url}/users/getToken", json=keys, timeout=30).json()["response"]["access_token"]
        listed = requests.get(f"{url}/users/pg", headers={"Authorization": token}, timeout=30).json()["response"]
    assert listed[0]["pg_provider"] == "ksnet"
    assert {channel["channel_name"] for channel in listed} == {contract.name for contract in CONTRACTS}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--contract", "uplus"), "invalid choice: 'uplus'"),
        (("--parameters", "CardNumbers=yes"), "template.yaml has no parameter CardNumbers"),
    ],
)
def test_a_contract_or_parameter_that_is_none_is_told(options: tuple[str, ...], told: str) -> None:
    with started("--port", "0", *options) as service:
        _, errors = service.communicate(timeout=LONGEST_START)
    assert service.returncode == 2
    assert told in errors


def test_a_port_in_use_is_told_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        with started("--port", port) as service:
            printed, errors = service.communicate(timeout=LONGEST_START)
    assert service.returncode == 1
    assert printed == ""
    assert re.fullmatch(rf"Not started: .*{port}.*in use.*\n", errors)


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_a_port_that_is_none_is_told(port: str) -> None:
    with started(f"--port={port}") as service:
        _, errors = service.communicate(timeout=LONGEST_START)
    assert service.returncode == 2
    assert "a port is a number from 0 to 65535" in errors
