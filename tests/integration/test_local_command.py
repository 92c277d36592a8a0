"""`python -m infra.local`, as `make run` and `make backends` start it."""

import json
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

from infra.local.iamport import CONTRACTS, LOCAL_IMP_KEY, LOCAL_IMP_SECRET, Simulator
from infra.local.service import IMP_KEY, IMP_SECRET
from infra.local.template import PROJECT
from tests.serving import HttpAnswer, answering, serving
from tests.waiting import eventually

LONGEST_START = 60.0
"""Seconds."""


@contextmanager
def started(*options: str, module: str = "infra.local", **settings: str) -> Iterator["subprocess.Popen[str]"]:
    """`settings`: environment variables."""
    command = [sys.executable, "-m", module, *options]
    process = subprocess.Popen(  # noqa: S603 (our own program)
        command,
        cwd=PROJECT,
        env=os.environ | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
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


def test_it_posts_each_event_to_the_webhook_and_says_what_it_was_answered() -> None:
    with (
        serving(answering(lambda _: HttpAnswer(503))) as shop,
        started("--port", "0", WEBHOOK_URL=f"{shop.url}/events") as service,
    ):
        printed = printed_until_ready(service)
        assert f"Webhook              {shop.url}/events, X-Api-Key: local-webhook-key\n" in printed
        customer_uid = answer_to_printed_curl(printed)["customer_uid"]
        assert eventually(lambda: bool(shop.requests), seconds=20)
        [posted] = [json.loads(request.body) for request in shop.requests]
        assert (posted["detail-type"], posted["detail"]["customer_uid"]) == ("billing_key.issued", customer_uid)
        os.killpg(service.pid, signal.SIGINT)
        _, errors = service.communicate(timeout=20)
        assert "webhook: billing_key.issued, 503: EventBridge would try again" in errors


def test_it_does_not_start_with_a_webhook_that_is_no_address() -> None:
    with started("--port", "0", WEBHOOK_URL="shop.example") as service:
        _, errors = service.communicate(timeout=LONGEST_START)
    assert service.returncode == 1
    assert errors == "Not started: WEBHOOK_URL takes an https address, or http of this machine\n"


def test_it_has_the_contract_that_it_is_given() -> None:
    settings = {"CUSTOMER_IDENTITY": "signed", "ATTEMPTS_PER_CUSTOMER": "1"}
    with started("--port", "0", "--contract", "welcome", **settings) as service:
        printed = printed_until_ready(service)
        assert re.search(r"^Contract with the PG welcome: ", printed, re.MULTILINE)
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


def test_a_contract_that_is_none_is_told() -> None:
    with started("--port", "0", "--contract", "uplus") as service:
        _, errors = service.communicate(timeout=LONGEST_START)
    assert service.returncode == 2
    assert "invalid choice: 'uplus'" in errors


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


def test_the_port_after_the_last_one_is_not_asked_for() -> None:
    with started("--port", "65535") as service:
        _, errors = service.communicate(timeout=LONGEST_START)
    assert service.returncode == 2
    assert "the shop takes the next port, and after 65535 there is none" in errors


def test_two_backends_at_one_port_are_told() -> None:
    with started("--backends-only", "--iamport-port", "4012", "--aws-port", "4012") as backends:
        _, errors = backends.communicate(timeout=LONGEST_START)
    assert backends.returncode == 2
    assert "Iamport's simulator and AWS's stand-in want a port each" in errors


def test_the_shops_port_in_use_is_told_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with started("--port", str(port - 1)) as service:
            printed, errors = service.communicate(timeout=LONGEST_START)
    assert service.returncode == 1
    assert printed == ""
    assert re.fullmatch(rf"Not started: .*{port}.*in use.*the shop takes the port after the API's.*\n", errors)


def test_a_mistyped_setting_is_told_in_one_line() -> None:
    with started("--port", "0", CUSTOMER_IDENTITY="singed") as service:
        _, errors = service.communicate(timeout=LONGEST_START)
    assert service.returncode == 1
    assert errors == "Not started: CUSTOMER_IDENTITY takes open or signed, not 'singed'\n"


def test_it_takes_its_settings_from_the_environment_and_prints_the_forms_address() -> None:
    settings = {
        "ALLOWED_ORIGINS": "https://shop.example",
        "ATTEMPTS_PER_CUSTOMER": "1",
        "PRIVACY_POLICY_URL": "https://shop.example/privacy",
    }
    with started("--port", "0", **settings) as service:
        printed = printed_until_ready(service)
        assert "the shop's pages are forbidden" in printed
        form = address_after("Card form", printed)
        assert "https://shop.example/privacy" in requests.get(form, timeout=30).text
        api = form.partition("?")[0]
        card = {"card_number": "0000-2000-0000-0001", "expiry": "2099-12", "birth": "900101", "pwd_2digit": "12"}
        answers = [
            requests.post(api, {**card, "customer_uid": "one"}, headers={"Origin": origin}, timeout=30).json()["code"]
            for origin in ("http://localhost:8080", "https://shop.example", "https://shop.example")
        ]
    assert answers == ["forbidden", "declined", "too_many_attempts"]


def test_any_origin_of_this_machine_may_call_it_unless_origins_are_named() -> None:
    with started("--port", "0") as service:
        api = address_after("Card form", printed_until_ready(service)).partition("?")[0]
        for origin in ("http://localhost:8080", "http://127.0.0.1:4200", "http://localhost"):
            assert requests.post(api, "{}", headers={"Origin": origin}, timeout=30).json()["code"] != "forbidden"


def test_it_issues_and_takes_a_payment_by_the_curl_that_it_prints_for_that() -> None:
    with started("--port", "0") as service:
        [*_, curl] = re.findall(r"^curl .*$", printed_until_ready(service), re.MULTILINE)
        _, _, url, _, _, _, body = shlex.split(curl)
        answer = requests.post(url, data=body, headers={"Content-Type": "application/json"}, timeout=30).json()
    assert (answer["status"], answer["payment"]["amount"]) == ("success", 9900)


def test_it_talks_to_the_iamport_that_the_environment_names() -> None:
    with (
        Simulator(IMP_KEY, IMP_SECRET) as iamport,
        started("--port", "0", IAMPORT_BASE_URL=iamport.url) as service,
    ):
        printed = printed_until_ready(service)
        assert address_after("Iamport", printed) == iamport.url
        assert "Contract with the PG" not in printed, "that one's is its own"
        api = address_after("Card form", printed).partition("?")[0]
        card = {"card_number": "0000-1000-0000-0001", "expiry": "2099-12", "birth": "900101", "pwd_2digit": "12"}
        requests.post(api, {**card, "customer_uid": "one"}, timeout=30)
        assert list(iamport.customers) == ["one"]


def test_the_backends_take_ports() -> None:
    with socket.socket() as one, socket.socket() as other:
        ports = []
        for held in (one, other):
            held.bind(("127.0.0.1", 0))
            ports.append(str(held.getsockname()[1]))
    with started("--backends-only", "--iamport-port", ports[0], "--aws-port", ports[1]) as backends:
        printed = printed_until_ready(backends)
        assert all(port in printed for port in ports)
        assert "write these ports into it" in printed
        assert requests.get(f"http://127.0.0.1:{ports[0]}/subscribe/customers/x", timeout=30).status_code == 401


def address_after(what: str, printed: str) -> str:
    [line] = [line for line in printed.splitlines() if line.startswith(what)]
    return line.split()[-1]
