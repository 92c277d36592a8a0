"""A failure that is answered at once, while Iamport goes on with what it was asked."""

import time
from dataclasses import replace

import pytest
import requests

from infra.local.iamport import Fault, Simulator, faults
from tests.integration.iamport_simulator.client import HTTP_FAULTS, Client, StandingClock
from tests.waiting import eventually

SOON, NEVER = 0.3, 60.0


def fail(client: Client, fault: Fault) -> None:
    client.simulator.fail_next("issue", fault)
    client.issue()


@pytest.mark.parametrize(("fault", "status"), HTTP_FAULTS)
def test_what_was_asked_lands_after_the_failure_was_answered(client: Client, fault: Fault, status: int) -> None:
    client.simulator.fail_next("issue", faults.landing(fault, SOON))
    started = time.monotonic()

    assert client.issue().status_code == status
    assert client.simulator.customers == {}
    assert eventually(lambda: "member-1" in client.simulator.customers)
    assert time.monotonic() - started >= SOON


@pytest.mark.parametrize("fault", [faults.LINE_CUT, faults.ANSWER_LOST])
def test_what_was_asked_lands_after_the_line_was_cut(client: Client, fault: Fault) -> None:
    client.simulator.fail_next("issue", faults.landing(fault, SOON))

    with pytest.raises(requests.ConnectionError):
        client.issue()
    assert client.look_up().json()["code"] == 1
    assert eventually(lambda: client.look_up().json()["code"] == 0)


def test_what_was_asked_lands_after_the_client_gave_up(client: Client, lines: list[str]) -> None:
    client.simulator.fail_next("issue", faults.landing(faults.SILENCE, SOON))

    with pytest.raises(requests.ReadTimeout):
        client.issue(timeout=SOON / 4)
    client.session.close()
    assert client.simulator.customers == {}
    client.simulator.wait_until_idle()

    assert "member-1" in client.simulator.customers
    assert eventually(lambda: lines[1:] == ["POST /subscribe/customers/member-1 no answer (silence)"])


def test_silence_alone_does_nothing(client: Client) -> None:
    client.simulator.fail_next("issue", faults.SILENCE)

    with pytest.raises(requests.ReadTimeout):
        client.issue(timeout=SOON / 4)
    client.session.close()
    client.simulator.wait_until_idle()

    assert client.simulator.customers == {}


def test_it_is_not_idle_before_everything_has_landed(client: Client) -> None:
    fail(client, faults.landing(faults.SERVER_ERROR, SOON))
    client.session.close()

    with pytest.raises(TimeoutError):
        client.simulator.wait_until_idle(SOON / 4)
    client.simulator.wait_until_idle()

    assert client.simulator.issue_count("member-1") == 1


def test_a_reset_drops_what_has_not_landed(client: Client) -> None:
    fail(client, faults.landing(faults.SERVER_ERROR, NEVER))
    client.simulator.reset()
    client.session.close()

    client.simulator.wait_until_idle(1)
    assert client.simulator.customers == {}


def test_after_a_reset_things_land_as_before(client: Client) -> None:
    client.simulator.reset()
    client.log_in()
    fail(client, faults.landing(faults.HTML, 0))

    assert eventually(lambda: "member-1" in client.simulator.customers)


def test_stopping_drops_what_has_not_landed(clock: StandingClock) -> None:
    with Simulator(clock=clock) as simulator:
        client = Client(simulator)
        client.log_in()
        fail(client, faults.landing(faults.SERVER_ERROR, SOON))

    time.sleep(SOON * 1.5)
    assert simulator.customers == {}


def test_what_lands_may_be_refused_like_anything_else(client: Client) -> None:
    client.pay()
    client.simulator.fail_next("pay_onetime", faults.landing(faults.SERVER_ERROR, 0))
    client.pay()
    client.session.close()

    client.simulator.wait_until_idle()
    assert len(client.simulator.payments) == 1


@pytest.mark.parametrize("fault", [faults.slow(1), faults.drip(), faults.TRUNCATED])
def test_the_real_answer_cannot_go_before_what_it_tells(fault: Fault) -> None:
    with pytest.raises(ValueError, match="sends the real answer"):
        faults.landing(fault, 1)
    with pytest.raises(ValueError, match="sends the real answer"):
        replace(fault, answered_first=True)


def test_what_is_never_processed_cannot_land() -> None:
    with pytest.raises(ValueError, match="processed"):
        replace(faults.LINE_CUT, answered_first=True)
