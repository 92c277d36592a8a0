"""The benchmark's instrument is right: the network charges what it says, and processes measure themselves."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from benchmarks.attempts import AttemptFailed, new_event
from benchmarks.contenders import Contender
from benchmarks.measuring import Series, run_process
from benchmarks.network import HOST, run_network
from benchmarks.stand_in import Counts, new_authority, run_stand_in
from infra.local.service import IMP_KEY, IMP_SECRET
from infra.local.template import Function
from tests.serving import Line, serving

ROUND_TRIP = 0.020
"""Seconds. They are counted whole: a busy machine adds milliseconds to the best of ten tries."""

FUNCTION = """
import json, time

class Ledger:
    def write(self):
        time.sleep(0.010)

def handler(event, context):
    print("not an answer")
    Ledger().write()
    busy_until = time.process_time() + 0.020
    while time.process_time() < busy_until:
        pass
    return {"body": json.dumps({"status": json.loads(event["body"])["customer_uid"]})}
"""


@pytest.fixture(scope="module")
def network() -> Iterator[int]:
    """The way to a server that sends back what it gets."""
    with serving(_send_back) as server, run_network(server.port, ROUND_TRIP) as port:
        yield port


@pytest.fixture
def connection(network: int) -> Iterator[socket.socket]:
    with socket.create_connection((HOST, network), timeout=5) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield connection


def test_a_new_connection_costs_a_round_trip_before_its_first_byte(network: int) -> None:
    def first_answer() -> float:
        started = time.perf_counter()
        with socket.create_connection((HOST, network), timeout=5) as connection:
            _ask(connection)
            return time.perf_counter() - started

    assert round(min(first_answer() for _ in range(10)) / ROUND_TRIP) == 2


def test_an_open_connection_costs_one_round_trip_for_each_answer(connection: socket.socket) -> None:
    _ask(connection)

    def answer() -> float:
        started = time.perf_counter()
        _ask(connection)
        return time.perf_counter() - started

    assert round(min(answer() for _ in range(10)) / ROUND_TRIP) == 1


def test_chunks_that_follow_each_other_keep_their_order_and_wait_side_by_side(connection: socket.socket) -> None:
    _ask(connection)
    sent = [bytes([number]) * 100 for number in range(10)]

    def seconds() -> float:
        started = time.perf_counter()
        for chunk in sent:
            connection.sendall(chunk)
            time.sleep(0.001)
        assert _receive(connection, len(b"".join(sent))) == b"".join(sent)
        return time.perf_counter() - started

    assert min(seconds() for _ in range(5)) < 3 * ROUND_TRIP  # one after the other they would take ten


def test_the_end_of_a_connection_gets_through(connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_WR)
    assert connection.recv(1) == b""


def test_the_stand_in_counts_calls_and_connections_over_real_tls(tmp_path: Path) -> None:
    authority = new_authority(tmp_path)
    with run_stand_in(authority.server_certificate) as stand_in, requests.Session() as session:
        for _ in range(2):
            keys = {"imp_key": IMP_KEY, "imp_secret": IMP_SECRET}
            url = f"https://{HOST}:{stand_in.port}/users/getToken"
            answer = session.post(url, json=keys, timeout=5, verify=str(authority.bundle))
            assert answer.json()["code"] == 0
        assert stand_in.counts() - Counts() == Counts(issue_calls=0, token_calls=2, other_calls=0, connections=1)


def test_a_process_tells_waiting_from_computing_and_from_what_is_watched(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(FUNCTION)
    series = Series()
    with run_process(_contender(tmp_path), ["app:Ledger.write"]) as process:
        process.run([new_event("success") for _ in range(3)], series)
    best = min(series.attempts, key=lambda attempt: attempt.wait)
    assert best.wait >= 30
    assert 20 <= best.cpu < 25
    assert 10 <= best.watched < 15
    assert 5 < series.memory <= series.peak_memory < 100


def test_an_attempt_that_fails_is_not_taken_for_a_quick_one(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(FUNCTION)
    with run_process(_contender(tmp_path)) as process, pytest.raises(AttemptFailed):
        process.run([new_event("failed")], Series())


def _contender(package: Path) -> Contender:
    return Contender("made up", Function("made-up", package, "app.handler", 28, 1024, {}), package)


def _send_back(line: Line) -> None:
    while chunk := line.receive():
        line.send(chunk)


def _ask(connection: socket.socket) -> None:
    connection.sendall(b"?")
    assert connection.recv(1) == b"?"


def _receive(connection: socket.socket, length: int) -> bytes:
    received = b""
    while len(received) < length:
        received += connection.recv(65536)
    return received
