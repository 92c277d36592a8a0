"""What can go wrong, by test card and by hook."""

import threading
import time

import pytest
import requests

from infra.local.iamport import Call, Endpoint, Fault, Simulator, faults
from infra.local.iamport.cards import number_of
from tests.integration.iamport_simulator.client import HTTP_FAULTS, QUICK, Client, StandingClock
from tests.waiting import eventually


@pytest.mark.parametrize(("fault", "status"), HTTP_FAULTS)
def test_a_fault_answers_instead_and_what_was_asked_is_done_or_not(client: Client, fault: Fault, status: int) -> None:
    client.simulator.fail_next("issue", fault)

    assert client.issue().status_code == status
    assert ("member-1" in client.simulator.customers) is fault.processed
    assert client.issue().json()["code"] == 0


@pytest.mark.parametrize("fault", [faults.LINE_CUT, faults.ANSWER_LOST, faults.TRUNCATED])
def test_a_cut_line_is_no_answer(client: Client, fault: Fault) -> None:
    client.simulator.fail_next(Endpoint.ISSUE, fault)

    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        client.issue()
    assert ("member-1" in client.simulator.customers) is fault.processed


def test_a_fault_strikes_at_any_endpoint_by_choice(client: Client) -> None:
    seen: list[Call] = []

    def choose(call: Call) -> Fault | None:
        seen.append(call)
        return faults.SERVER_ERROR if call.endpoint in {Endpoint.TOKEN, Endpoint.FIND_PAYMENT} else None

    client.simulator.choose_fault = choose

    assert client.token().status_code == 500
    assert client.get("/payments/find/order-1").status_code == 500
    assert client.look_up().status_code == 200
    assert [call.merchant_uid for call in seen] == [None, "order-1", None]


def test_a_fault_may_strike_several_times(client: Client) -> None:
    client.simulator.fail_next("look_up", faults.TOO_MANY_REQUESTS, times=2)

    assert [client.look_up().status_code for _ in range(3)] == [429, 429, 200]


def test_an_endpoint_that_does_not_exist_cannot_fail(client: Client) -> None:
    with pytest.raises(ValueError, match="refund"):
        client.simulator.fail_next("refund", faults.LINE_CUT)


@pytest.mark.parametrize(
    ("scenario", "issued"),
    [
        ("answer_lost", True),
        ("line_cut", False),
        ("server_error", False),
        ("html", False),
        ("html_afterwards", True),
        ("too_many_requests", False),
        ("empty_response", True),
    ],
)
def test_a_test_card_brings_its_own_fault(client: Client, scenario: str, issued: bool) -> None:
    try:
        answer = client.issue(card_number=number_of(scenario))
    except requests.ConnectionError:
        assert scenario in {"answer_lost", "line_cut"}
    else:
        assert answer.status_code != 200 or answer.json()["response"] is None
    assert ("member-1" in client.simulator.customers) is issued


def test_a_slow_card_is_issued_in_the_end(client: Client) -> None:
    started = time.monotonic()

    assert client.issue(card_number=number_of("slow")).json()["code"] == 0
    assert time.monotonic() - started >= QUICK.slow


def test_iamport_goes_on_when_the_client_hangs_up(client: Client) -> None:
    with pytest.raises(requests.ReadTimeout):
        client.issue(card_number=number_of("too_late"), timeout=0.02)

    assert client.simulator.customers == {}
    assert eventually(lambda: "member-1" in client.simulator.customers)


def test_it_is_idle_when_all_is_done_that_was_asked_and_not_when_all_is_answered(client: Client) -> None:
    started = time.monotonic()
    with pytest.raises(requests.ReadTimeout):
        client.issue(card_number=number_of("too_late"), timeout=0.02)
    client.session.close()

    client.simulator.wait_until_idle()

    assert "member-1" in client.simulator.customers
    assert QUICK.too_late_stored <= time.monotonic() - started < QUICK.too_late


def test_it_is_idle_at_once_when_nothing_was_asked(simulator: Simulator) -> None:
    started = time.monotonic()
    for _ in range(20):
        simulator.wait_until_idle(2)
    assert time.monotonic() - started < 2


def test_it_is_not_idle_while_something_is_still_to_be_done(client: Client) -> None:
    client.simulator.fail_next("issue", faults.slow(60))
    with pytest.raises(requests.ReadTimeout):
        client.issue(timeout=0.02)
    client.session.close()

    with pytest.raises(TimeoutError):
        client.simulator.wait_until_idle(0.1)


def test_it_is_not_idle_while_a_client_may_still_ask(client: Client) -> None:
    with pytest.raises(TimeoutError):
        client.simulator.wait_until_idle(0.1)


def test_a_dripping_answer_never_times_out_between_two_bytes(client: Client) -> None:
    started = time.monotonic()

    answer = client.issue(card_number=number_of("drip"), timeout=0.2)

    assert answer.json()["code"] == 0
    assert time.monotonic() - started > 0.2


def test_stopping_ends_slow_requests_at_once(clock: StandingClock) -> None:
    threads_before = threading.active_count()
    with Simulator(clock=clock) as simulator:
        client = Client(simulator)
        client.log_in()
        simulator.choose_fault = lambda _call: faults.slow(60)
        failures: list[Exception] = []

        def look_up() -> None:
            try:
                client.look_up()
            except requests.RequestException as error:
                failures.append(error)

        waiting = threading.Thread(target=look_up)
        waiting.start()
        assert eventually(lambda: len(simulator.calls) == 2)
        started = time.monotonic()

    assert time.monotonic() - started < 1
    assert eventually(lambda: threading.active_count() <= threads_before)
    assert [type(failure) for failure in failures] == [requests.ConnectionError]
