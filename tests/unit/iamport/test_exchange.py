"""What is asked again, for how long, and what is known of a request whose answer is missing."""

from collections.abc import Callable
from typing import Any

import pytest
import requests
import responses

from billing.iamport.connection import NeverSent
from billing.iamport.exchange import Answer, Call, Exchange, read_answer
from billing.model.deadline import Deadline
from billing.model.errors import GatewayError, OutcomeUnknown, Unavailable
from billing.model.sensitive import Sensitive
from tests.unit.fakes import SETTINGS, StoppedClock

pytestmark = pytest.mark.usefixtures("stopped_clock")

URL = SETTINGS.iamport_base_url
LOOK_UP = Call("GET", "/asked")
ISSUING = Call("POST", "/asked", {"amount": 1}, issues_or_charges=True, least_seconds=4.0)
DONE = '{"code": 0, "message": null, "response": {}}'


def ask(call: Call, seconds_left: float = 28.0) -> Answer:
    return Exchange(URL).ask(call, Sensitive("token"), Deadline.after(seconds_left))


def gives(*bodies: str | Exception) -> None:
    for body in bodies:
        for method in ("GET", "POST"):
            responses.add(method, URL + "/asked", body=body)


NOT_CONNECTED = NeverSent("ConnectionRefusedError")


@responses.activate
@pytest.mark.parametrize("call", [LOOK_UP, ISSUING])
def test_what_was_never_sent_is_sent_again(stopped_clock: StoppedClock, call: Call) -> None:
    gives(NOT_CONNECTED, NOT_CONNECTED, NOT_CONNECTED, DONE)
    assert ask(call).code == 0
    assert stopped_clock.slept == [0.25, 0.5, 1.0]


@responses.activate
@pytest.mark.parametrize("call", [LOOK_UP, ISSUING])
def test_what_can_never_be_sent_is_given_up(stopped_clock: StoppedClock, call: Call) -> None:
    gives(NOT_CONNECTED)
    with pytest.raises(Unavailable) as failure:
        ask(call)
    assert failure.value.reason == "iamport_unreachable: ConnectionRefusedError"
    assert (len(responses.calls), len(stopped_clock.slept)) == (4, 3)


@responses.activate
def test_a_card_whose_answer_was_lost_is_not_sent_again() -> None:
    gives(requests.ConnectionError(), DONE)
    with pytest.raises(OutcomeUnknown) as unknown:
        ask(ISSUING)
    assert unknown.value.reason == "ConnectionError"
    assert len(responses.calls) == 1


@responses.activate
def test_a_look_up_whose_answer_was_lost_is_asked_twice() -> None:
    gives(requests.ConnectionError(), DONE)
    assert ask(LOOK_UP).code == 0


@responses.activate
def test_a_look_up_is_not_asked_a_third_time() -> None:
    gives(requests.ConnectionError())
    with pytest.raises(Unavailable) as failure:
        ask(LOOK_UP)
    assert failure.value.reason == "iamport_not_answering: ConnectionError"
    assert len(responses.calls) == 2


@responses.activate
def test_a_look_up_may_be_lost_and_not_be_sent_by_turns() -> None:
    gives(NOT_CONNECTED, requests.ConnectionError(), NOT_CONNECTED, DONE)
    assert ask(LOOK_UP).code == 0


@responses.activate
@pytest.mark.parametrize(
    ("call", "seconds_left", "times"),
    [(ISSUING, 4.0, 0), (ISSUING, 4.1, 1), (LOOK_UP, 0.0, 0), (LOOK_UP, 0.1, 1)],
)
def test_with_too_little_time_left_nothing_is_sent(call: Call, seconds_left: float, times: int) -> None:
    gives(DONE)
    if times:
        ask(call, seconds_left)
    else:
        with pytest.raises(Unavailable, check=lambda failure: failure.reason == "no_time_left"):
            ask(call, seconds_left)
    assert len(responses.calls) == times


@responses.activate
def test_time_may_run_out_between_two_tries(stopped_clock: StoppedClock) -> None:
    gives(NOT_CONNECTED)
    with pytest.raises(Unavailable, match="iamport_unreachable"):
        ask(LOOK_UP, seconds_left=0.5)
    assert stopped_clock.slept == [0.25, 0.25]


def taking(clock: StoppedClock, seconds: float, body: str | Exception) -> Callable[..., Any]:
    def answer(_: object) -> tuple[int, dict[str, str], str]:
        clock.advance(seconds)
        if isinstance(body, Exception):
            raise body
        return 200, {}, body

    return answer


@responses.activate
@pytest.mark.parametrize("body", [DONE, "", requests.ReadTimeout()])
def test_what_comes_when_the_time_is_up_is_no_answer(stopped_clock: StoppedClock, body: str | Exception) -> None:
    """It was cut off, and Iamport may still be at work."""
    responses.add_callback("POST", URL + "/asked", taking(stopped_clock, 20, body))
    with pytest.raises(OutcomeUnknown) as unknown:
        ask(ISSUING, seconds_left=20)
    assert unknown.value.reason == "time_out"


@responses.activate
def test_what_comes_in_time_is_an_answer(stopped_clock: StoppedClock) -> None:
    responses.add_callback("POST", URL + "/asked", taking(stopped_clock, 19.9, DONE))
    assert ask(ISSUING, seconds_left=20).code == 0


@responses.activate
@pytest.mark.parametrize("body", [DONE, NOT_CONNECTED, requests.ReadTimeout()])
def test_time_waited_is_counted_however_it_ended(stopped_clock: StoppedClock, body: str | Exception) -> None:
    responses.add_callback("GET", URL + "/asked", taking(stopped_clock, 2, body))
    exchange = Exchange(URL)
    tries = 0
    try:
        exchange.ask(LOOK_UP, None, Deadline.after(28))
    except Unavailable:
        tries = len(responses.calls)
    assert exchange.take_seconds_waited() == 2 * max(tries, 1)
    assert exchange.take_seconds_waited() == 0, "since it was last asked"


@responses.activate
@pytest.mark.parametrize(
    ("call", "seconds_left", "to_connect"),
    [(LOOK_UP, 28, 3), (LOOK_UP, 2, 2), (ISSUING, 28, 3), (ISSUING, 5, 1)],
)
def test_connecting_leaves_time_for_the_answer(call: Call, seconds_left: float, to_connect: float) -> None:
    gives(DONE)
    ask(call, seconds_left)
    request: Any = responses.calls[0].request
    assert request.req_kwargs["timeout"] == (to_connect, seconds_left)


@responses.activate
@pytest.mark.parametrize(("token", "header"), [(Sensitive("made-up"), "Bearer made-up"), (None, None)])
def test_a_token_is_sent_where_there_is_one(token: Sensitive | None, header: str | None) -> None:
    gives(DONE)
    Exchange(URL).ask(LOOK_UP, token, Deadline.after(28))
    assert responses.calls[0].request.headers.get("Authorization") == header


@responses.activate
def test_a_body_is_sent_as_json() -> None:
    gives(DONE)
    ask(ISSUING)
    request = responses.calls[0].request
    assert (request.headers["Content-Type"], request.body) == ("application/json", b'{"amount": 1}')


def test_a_card_is_not_shown_with_its_call() -> None:
    assert "3333" not in repr(Call("POST", "/asked", {"card_number": "0000-1111-2222-3333"}))


@responses.activate
def test_an_exception_does_not_carry_the_card() -> None:
    gives(requests.ConnectionError())
    with pytest.raises(OutcomeUnknown) as unknown:
        ask(ISSUING)
    assert unknown.value.__context__ is None
    assert unknown.value.__cause__ is None


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (401, b"<html></html>", Answer(401, -1, None, None)),
        (401, b"", Answer(401, -1, None, None)),
        (401, b'{"code": -1, "message": "unauthorized"}', Answer(401, -1, "unauthorized", None)),
        (200, b'{"code": 0, "message": "", "response": {"a": 1}}', Answer(200, 0, None, {"a": 1})),
        (200, b'{"code": 0, "message": 1, "response": []}', Answer(200, 0, None, None)),
        (299, b'{"code": 0}', Answer(299, 0, None, None)),
        (400, b'{"code": 0}', Answer(400, 0, None, None)),
        (499, b'{"code": 0}', Answer(499, 0, None, None)),
    ],
)
def test_an_envelope_or_a_401_is_an_answer(status: int, body: bytes, expected: Answer) -> None:
    assert read_answer(status, body) == expected


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (400, b"<html></html>", "not_an_envelope"),
        (403, b"", "not_an_envelope"),
        (404, b"<html></html>", "not_an_envelope"),
        (200, b'{"code": ' + b"[" * 100_000, "not_an_envelope"),
        (200, b'{"code": NaN}', "not_an_envelope"),
        (200, b'{"code": ' + b"9" * 10_000 + b"}", "not_an_envelope"),
        (200, b"\xff", "not_an_envelope"),
        (500, b'{"code": 0}', "http_500"),
        (599, b'{"code": 0}', "http_599"),
    ],
)
def test_anything_else_leaves_the_outcome_unknown(status: int, body: bytes, reason: str) -> None:
    with pytest.raises(OutcomeUnknown) as unknown:
        read_answer(status, body)
    assert unknown.value.reason == reason


@pytest.mark.parametrize("status", [300, 302, 307, 399, 429])
@pytest.mark.parametrize("body", [b'{"code": 0}', b"<html></html>", b""])
def test_only_429_and_a_redirect_say_that_nothing_was_processed(status: int, body: bytes) -> None:
    """A 5xx does not: what stands before Iamport gives up, and Iamport goes on."""
    with pytest.raises(GatewayError) as failure:
        read_answer(status, body)
    assert failure.value.reason == f"http_{status}"


def answers(*statuses: int) -> None:
    for status in statuses:
        for method in ("GET", "POST"):
            responses.add(method, URL + "/asked", body=DONE, status=status)


@responses.activate
@pytest.mark.parametrize(
    ("status", "expected"),
    [(429, GatewayError), (302, GatewayError), (500, OutcomeUnknown), (502, OutcomeUnknown), (504, OutcomeUnknown)],
)
def test_a_card_is_never_sent_again_on_a_guess(status: int, expected: type[Exception]) -> None:
    """Not even where it is certain that it was not processed: that is the caller's to decide."""
    answers(status, 200)
    with pytest.raises(expected):
        ask(ISSUING)
    assert len(responses.calls) == 1


@responses.activate
@pytest.mark.parametrize("status", [429, 302, 500, 502, 504])
def test_a_look_up_that_was_not_processed_is_asked_again(status: int) -> None:
    answers(status, 200)
    assert ask(LOOK_UP).code == 0


@responses.activate
@pytest.mark.parametrize("status", [429, 302, 500])
def test_a_look_up_that_is_never_processed_is_unavailable(status: int) -> None:
    answers(status)
    with pytest.raises(Unavailable) as failure:
        ask(LOOK_UP)
    assert failure.value.reason == f"iamport_not_answering: http_{status}"
    assert len(responses.calls) == 2
