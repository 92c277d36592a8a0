"""Sockets: kept alive, side by side, TLS, and running alone."""

import json
import re
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import requests
import trustme

from infra.local.iamport import Call, Simulator, Timing, cards
from tests.integration.iamport_simulator.client import Client
from tests.serving import certificate_of


def test_one_connection_serves_many_calls(client: Client) -> None:
    for _ in range(5):
        client.look_up()

    assert client.simulator.connections == 1


def test_requests_are_served_side_by_side(client: Client) -> None:
    everyone = threading.Barrier(8)

    def wait_for_everyone(_call: Call) -> None:
        everyone.wait(3)

    client.simulator.choose_fault = wait_for_everyone

    def look_up() -> None:
        Client(client.simulator).look_up()

    threads = [threading.Thread(target=look_up) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(4)
    assert not everyone.broken
    assert len(client.simulator.calls) == 9


@pytest.mark.parametrize("header", ["Content-Length: -1", "Content-Length: 9999999", "Transfer-Encoding: chunked"])
def test_a_body_of_no_sound_length_is_refused_in_an_envelope(simulator: Simulator, header: str) -> None:
    host, port = simulator.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=3) as connection:
        connection.sendall(f"POST /users/getToken HTTP/1.1\r\nHost: x\r\n{header}\r\n\r\n".encode())
        answer = connection.makefile("rb").read()

    assert re.match(rb"HTTP/1.1 41[13] ", answer)
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == -1


def test_it_speaks_tls(tmp_path: Path) -> None:
    authority, bundle = trustme.CA(), str(tmp_path / "authorities.pem")
    authority.cert_pem.write_to_path(bundle)
    certificate = certificate_of(authority, "127.0.0.1")
    with Simulator(tls_context=certificate) as simulator, requests.Session() as session:
        answers = [session.post(f"{simulator.url}/users/getToken", timeout=3, verify=bundle) for _ in range(2)]

        assert simulator.url.startswith("https://")
        assert [answer.status_code for answer in answers] == [400, 400]
        assert simulator.connections == 1


@pytest.mark.parametrize("stop_signal", [signal.SIGINT, signal.SIGTERM])
def test_it_runs_alone_until_it_is_told_to_stop(stop_signal: signal.Signals) -> None:
    command = [sys.executable, "-m", "infra.local.iamport", "--port", "0", "--imp-key", "k", "--imp-secret", "s"]
    root = Path(__file__).parents[3]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stdout is not None
        assert process.stderr is not None
        url = process.stdout.readline().split()[-1]
        answer = requests.post(f"{url}/users/getToken", data={"imp_key": "k", "imp_secret": "s"}, timeout=30)
        process.send_signal(stop_signal)
        process.wait(30)
        printed, errors = process.stdout.read(), process.stderr.read()

    assert answer.json()["code"] == 0
    assert [card.scenario for card in cards.test_cards(Timing()) if f"{card.number} " not in printed] == []
    assert "POST /users/getToken 200" in printed
    assert (process.returncode, errors) == (0, "")
