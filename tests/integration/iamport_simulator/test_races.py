"""Something happens just before a call is performed."""

import threading

import pytest
import requests

from infra.local.iamport import faults
from infra.local.iamport.cards import number_of
from tests.integration.iamport_simulator.client import Client


def test_somebody_else_is_a_moment_faster(client: Client) -> None:
    client.simulator.before("pay_onetime", lambda: client.simulator.pay("order-1", 1000))

    assert client.pay().json()["code"] == -1
    assert len(client.simulator.payments) == 1


def test_it_happens_once_and_before_that_endpoint_only(client: Client) -> None:
    happened: list[str] = []
    client.simulator.before("look_up", lambda: happened.append("first"))
    client.simulator.before("look_up", lambda: happened.append("second"))

    client.issue()
    assert happened == []
    client.look_up()
    assert happened == ["first"]
    client.look_up()
    client.look_up()
    assert happened == ["first", "second"]


def test_meanwhile_others_are_served(client: Client) -> None:
    def another_server_issues() -> None:
        other = Client(client.simulator)
        with other.session:
            other.log_in()
            other.issue()

    client.simulator.before("look_up", another_server_issues)

    assert client.look_up().json()["code"] == 0


def test_it_waits_for_a_call_that_is_performed(client: Client) -> None:
    client.simulator.before("issue", lambda: client.simulator.register("member-1", number_of("issued_debit")))

    client.issue(expiry="12/99")
    client.simulator.fail_next("issue", faults.SERVER_ERROR)
    client.issue()
    assert client.simulator.customers == {}
    client.issue()
    assert client.simulator.customers["member-1"].card_type == 0
    assert client.simulator.issue_count("member-1") == 1


def test_before_what_lands_it_happens_at_the_landing(client: Client) -> None:
    answered = threading.Event()
    in_time: list[bool] = []
    client.simulator.before("issue", lambda: in_time.append(answered.wait(3)))
    client.simulator.fail_next("issue", faults.landing(faults.LINE_CUT, 0))

    with pytest.raises(requests.ConnectionError):
        client.issue()
    answered.set()
    client.session.close()
    client.simulator.wait_until_idle()
    assert in_time == [True]


def test_a_reset_forgets_it(client: Client) -> None:
    client.simulator.before("token", lambda: client.simulator.rotate("second"))
    client.simulator.reset()

    assert client.token().status_code == 200


def test_an_endpoint_that_does_not_exist_is_never_called(client: Client) -> None:
    with pytest.raises(ValueError, match="refund"):
        client.simulator.before("refund", lambda: None)
