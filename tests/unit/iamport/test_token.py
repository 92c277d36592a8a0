"""This token, a new token, a new secret: in that order, and no further than it takes."""

import json
from typing import Any

import pytest
import responses

from billing.credentials import CredentialsStore
from billing.iamport.client import Iamport
from billing.model.deadline import Deadline
from billing.model.errors import Answered, GatewayRefused, Unavailable
from tests.unit.fakes import SETTINGS, FakeSecretsManager, StoppedClock, aws_of, refused_by_aws

pytestmark = pytest.mark.usefixtures("stopped_clock")

URL = SETTINGS.iamport_base_url
OLD_SECRET, NEW_SECRET = (json.dumps({"imp_key": key, "imp_secret": "made-up"}) for key in ("old", "new"))
NO_KEY = {"code": 1, "message": None, "response": None}
UNAUTHORIZED = {"code": -1, "message": "unauthorized", "response": None}
PAGE = "<html>401</html>"


def iamport_of(*secrets: str | Exception) -> Iamport:
    return Iamport(SETTINGS, CredentialsStore(SETTINGS, aws_of(secrets_manager=FakeSecretsManager(*secrets))))


def envelope(clock: StoppedClock, *, ahead: float = 0.0, lasts: float = 1800.0, text: str = "token") -> dict[str, Any]:
    now = int(clock.wall + ahead)
    response = {"access_token": text, "now": now, "expired_at": now + int(lasts)}
    return {"code": 0, "message": None, "response": response}


def gives(method: str, path: str, status: int, body: object) -> None:
    text = body if isinstance(body, str) else json.dumps(body)
    responses.add(method, URL + path, body=text, status=status)


def gives_token(status: int, body: object) -> None:
    gives("POST", "/users/getToken", status, body)


def gives_look_up(status: int, body: object = NO_KEY) -> None:
    gives("GET", "/subscribe/customers/mine", status, body)


def look_up(iamport: Iamport) -> object:
    """The reason where it is Unavailable."""
    try:
        return iamport.look_up("mine", Deadline.after(28))
    except Unavailable as failure:
        return failure.reason


def sent() -> list[str]:
    """Each request: by which key a token was asked for, or with which token something else."""
    return [
        "key " + json.loads(call.request.body or "{}")["imp_key"]
        if call.request.url == f"{URL}/users/getToken"
        else call.request.headers["Authorization"]
        for call in responses.calls
    ]


@responses.activate
def test_one_token_serves_all_requests_while_it_lasts(stopped_clock: StoppedClock) -> None:
    gives_token(200, envelope(stopped_clock))
    gives_look_up(200)
    iamport = iamport_of(OLD_SECRET)
    iamport.prepare(Deadline.after(28))
    for _ in range(3):
        assert look_up(iamport) is None
    iamport.prepare(Deadline.after(28))
    assert sent() == ["key old", "Bearer token", "Bearer token", "Bearer token"]


@responses.activate
@pytest.mark.parametrize(
    ("lasts", "later", "tokens"),
    [
        pytest.param(1800, 1740, 1, id="a minute is left"),
        pytest.param(1800, 1741, 2, id="less than a minute is left"),
        pytest.param(59, 0, 2, id="it had less from the start: iamport gives what it has"),
    ],
)
def test_a_token_is_renewed_with_less_than_a_minute_left(
    stopped_clock: StoppedClock, lasts: float, later: float, tokens: int
) -> None:
    gives_token(200, envelope(stopped_clock, lasts=lasts))
    iamport = iamport_of(OLD_SECRET)
    iamport.prepare(Deadline.after(28))
    stopped_clock.advance(later)
    iamport.prepare(Deadline.after(28))
    assert len(responses.calls) == tokens


@responses.activate
@pytest.mark.parametrize("ahead", [-7200, -3, 0, 3, 7200])
def test_clocks_that_differ_shorten_no_token(stopped_clock: StoppedClock, ahead: float) -> None:
    gives_token(200, envelope(stopped_clock, ahead=ahead))
    iamport = iamport_of(OLD_SECRET)
    for elapsed, tokens in ((0, 1), (1739, 1), (1742, 2)):
        stopped_clock.wall = StoppedClock().wall + elapsed
        iamport.prepare(Deadline.after(28))
        assert len(responses.calls) == tokens


REFUSALS = [
    pytest.param(UNAUTHORIZED, id="an envelope"),
    pytest.param(PAGE, id="a page"),
    pytest.param("", id="nothing"),
]


@responses.activate
@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_token_that_is_refused_is_replaced(stopped_clock: StoppedClock, refusal: object) -> None:
    gives_token(200, envelope(stopped_clock, text="first"))
    gives_token(200, envelope(stopped_clock, text="second"))
    gives_look_up(401, refusal)
    gives_look_up(200)
    iamport = iamport_of(OLD_SECRET)
    iamport.prepare(Deadline.after(28))
    assert look_up(iamport) is None
    assert look_up(iamport) is None, "and the new one is kept"
    assert sent() == ["key old", "Bearer first", "key old", "Bearer second", "Bearer second"]


@responses.activate
@pytest.mark.parametrize("refusal", REFUSALS)
def test_after_a_fresh_token_was_refused_the_secret_is_read_anew(stopped_clock: StoppedClock, refusal: object) -> None:
    """The key may have been taken away from the account: its tokens are given, and good for nothing."""
    for text in ("first", "second"):
        gives_token(200, envelope(stopped_clock, text=text))
    gives_look_up(401, refusal)
    gives_look_up(200)
    assert look_up(iamport_of(OLD_SECRET, NEW_SECRET)) is None
    assert sent() == ["key old", "Bearer first", "key new", "Bearer second"]


@responses.activate
@pytest.mark.parametrize("refusal", REFUSALS)
def test_after_the_key_was_refused_the_secret_is_read_anew(stopped_clock: StoppedClock, refusal: object) -> None:
    gives_token(401, refusal)
    gives_token(200, envelope(stopped_clock))
    gives_look_up(200)
    assert look_up(iamport_of(OLD_SECRET, NEW_SECRET)) is None
    assert sent() == ["key old", "key new", "Bearer token"]


@responses.activate
@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_request_that_every_token_is_refused_for_is_given_up(stopped_clock: StoppedClock, refusal: object) -> None:
    for text in ("first", "second", "third"):
        gives_token(200, envelope(stopped_clock, text=text))
    gives_look_up(401, refusal)
    iamport = iamport_of(OLD_SECRET, NEW_SECRET)
    iamport.prepare(Deadline.after(28))
    assert look_up(iamport) == "token_refused"
    assert sent() == ["key old", "Bearer first", "key old", "Bearer second", "key new", "Bearer third"]


@responses.activate
def test_a_token_that_is_refused_and_a_key_that_is_too(stopped_clock: StoppedClock) -> None:
    gives_token(200, envelope(stopped_clock))
    gives_token(401, UNAUTHORIZED)
    gives_look_up(401, UNAUTHORIZED)
    iamport = iamport_of(OLD_SECRET, NEW_SECRET)
    iamport.prepare(Deadline.after(28))
    assert look_up(iamport) == "token_refused"
    assert sent() == ["key old", "Bearer token", "key old", "key new"]
    gives_look_up(200)
    assert look_up(iamport) == "wrong_key", "and the refused token is not kept"


@responses.activate
@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_wrong_key_is_unavailable_whatever_is_asked(refusal: object) -> None:
    gives_token(401, refusal)
    iamport = iamport_of(OLD_SECRET, NEW_SECRET)
    with pytest.raises(Unavailable, check=lambda failure: failure.reason == "wrong_key"):
        iamport.prepare(Deadline.after(28))
    assert sent() == ["key old", "key new"]
    assert look_up(iamport) == "wrong_key"


@responses.activate
def test_a_container_is_prepared_by_a_new_secret_where_the_old_one_is_refused(stopped_clock: StoppedClock) -> None:
    gives_token(401, UNAUTHORIZED)
    gives_token(200, envelope(stopped_clock))
    iamport_of(OLD_SECRET, NEW_SECRET).prepare(Deadline.after(28))
    assert sent() == ["key old", "key new"]


@responses.activate
def test_a_secret_that_cannot_be_read_anew_is_unavailable() -> None:
    gives_token(401, UNAUTHORIZED)
    iamport = iamport_of(OLD_SECRET, refused_by_aws("AccessDeniedException"))
    assert look_up(iamport) == "secret_refused: AccessDeniedException"


@responses.activate
@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {"code": -1, "message": "no", "response": None}),
        (200, {"code": 0, "message": None, "response": None}),
        (200, {"code": 0, "response": {"access_token": "", "now": 1, "expired_at": 1801}}),
        (200, {"code": 0, "response": {"access_token": None, "now": 1, "expired_at": 1801}}),
        (200, {"code": 0, "response": {"access_token": "token", "now": "1", "expired_at": 1801}}),
        (200, {"code": 0, "response": {"access_token": "token", "now": 1}}),
        (200, {"code": 1, "response": {"access_token": "token", "now": 1, "expired_at": 1801}}),
    ],
)
def test_an_answer_without_a_token_is_unavailable(status: int, body: object) -> None:
    gives_token(status, body)
    assert look_up(iamport_of(OLD_SECRET)) == "token_not_given"
    assert len(responses.calls) == 1, "by no new secret: the key was not refused"


@responses.activate
@pytest.mark.parametrize("status", [400, 403])
def test_a_request_for_a_token_that_is_not_accepted_is_the_operators_to_mend(status: int) -> None:
    gives_token(status, {"code": -1, "message": "imp_key is missing", "response": None})
    with pytest.raises(GatewayRefused) as refused:
        iamport_of(OLD_SECRET).prepare(Deadline.after(28))
    assert refused.value.answered == Answered(status, -1, "imp_key is missing")
    assert len(responses.calls) == 1, "by no new secret: the key was not refused"


@responses.activate
@pytest.mark.parametrize(("seconds_left", "wait"), [(28.0, 5.0), (3.0, 3.0)])
def test_a_token_is_waited_for_five_seconds_at_most(
    stopped_clock: StoppedClock, seconds_left: float, wait: float
) -> None:
    gives_token(200, envelope(stopped_clock))
    iamport_of(OLD_SECRET).prepare(Deadline.after(seconds_left))
    request: Any = responses.calls[0].request
    assert request.req_kwargs["timeout"][1] == wait
