"""What the simulator tells about its calls, and what it must not."""

import socket
from collections.abc import Callable

import pytest
import requests

from infra.local.iamport import LOCAL_IMP_SECRET, Call, Endpoint, Simulator, faults
from tests.integration.iamport_simulator.client import HTTP_FAULTS, MARKED_CARD, Client
from tests.waiting import eventually


def test_calls_tell_what_was_asked_without_card_data(client: Client) -> None:
    client.issue(channel_key="channel-1")

    token, issue = client.simulator.calls
    assert (token.endpoint, token.parameters) == ("token", {})
    assert issue == Call(
        method="POST",
        path="/subscribe/customers/member-1",
        endpoint=Endpoint.ISSUE,
        customer_uid="member-1",
        parameters={"customer_uid": "member-1", "channel_key": "channel-1"},
    )


def test_a_broken_request_is_not_repeated_in_its_answer(simulator: Simulator) -> None:
    host, port = simulator.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=3) as connection:
        connection.sendall(f"POST /{MARKED_CARD} and more\r\n\r\n".encode())
        answer = connection.makefile("rb").read()

    assert answer.endswith(b'{"code":-1,"message":"Bad Request","response":null}')
    assert MARKED_CARD.encode() not in answer


def test_a_reset_simulator_is_as_new(client: Client) -> None:
    client.pay(customer_uid="member-1")
    client.simulator.fail_next("token", faults.SERVER_ERROR)
    client.simulator.reset()

    assert client.simulator.calls == []
    assert (client.simulator.customers, client.simulator.payments) == ({}, [])
    assert client.simulator.issue_count("member-1") == 0
    assert client.look_up().status_code == 401
    assert client.token().status_code == 200


def test_one_line_is_logged_per_call(client: Client, lines: list[str]) -> None:
    client.simulator.fail_next("issue", faults.ANSWER_LOST)
    with pytest.raises(requests.ConnectionError):
        client.issue()

    assert eventually(lambda: len(lines) == 2)
    assert lines == ["POST /users/getToken 200", "POST /subscribe/customers/member-1 line cut (answer_lost)"]


def test_a_marked_card_is_neither_printed_nor_kept(
    client: Client, lines: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    secrets = ("0000777788881234", MARKED_CARD, "880101", "2099-12", '"57"', LOCAL_IMP_SECRET)
    sends: dict[str, Callable[[], object]] = {
        "issue": client.issue,
        "pay_onetime": lambda: client.pay(customer_uid="member-1"),
        "token": client.token,
    }
    for fault in (None, *(fault for fault, _ in HTTP_FAULTS), faults.ANSWER_LOST, faults.LINE_CUT, faults.TRUNCATED):
        for endpoint, send in sends.items():
            if fault is not None:
                client.simulator.fail_next(endpoint, fault)
            try:
                send()
            except requests.RequestException:
                assert fault in (faults.ANSWER_LOST, faults.LINE_CUT, faults.TRUNCATED)
    client.issue(expiry="12/99")

    simulator = client.simulator
    kept = repr((simulator.calls, simulator.customers, simulator.payments, lines, capfd.readouterr()))
    assert "00007777****1234" in kept
    assert [secret for secret in secrets if secret in kept] == []
