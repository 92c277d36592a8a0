"""The access token: asked for once, renewed in time, and never why an attempt fails that could go through."""

import json

import pytest

from infra.local.aws import Aws
from infra.local.iamport import Simulator, faults
from tests.conftest import ClockAhead
from tests.integration.door import Door, form_fields


def issue(door: Door) -> str:
    return door.post_json(form_fields()).code


def test_one_token_and_one_connection_serve_a_whole_container(door: Door, iamport: Simulator) -> None:
    connections_before = iamport.connections
    assert [issue(door) for _ in range(5)] == ["issued"] * 5
    assert iamport.endpoints == ["token", *["look_up", "issue"] * 5]
    assert iamport.connections - connections_before == 1


@pytest.mark.parametrize(("seconds_left", "renewed"), [(65, False), (55, True)])
def test_a_token_is_renewed_when_less_than_a_minute_of_it_is_left(
    clock: ClockAhead, door: Door, iamport: Simulator, seconds_left: int, renewed: bool
) -> None:
    assert issue(door) == "issued"
    clock.advance(1800 - seconds_left)
    assert issue(door) == "issued"
    assert iamport.endpoints.count("token") == (2 if renewed else 1)


@pytest.mark.parametrize("endpoint", ["look_up", "issue"])
def test_a_token_that_died_early_is_replaced_and_the_request_sent_again(
    door: Door, iamport: Simulator, endpoint: str
) -> None:
    iamport.fail_next(endpoint, faults.UNAUTHORIZED)
    assert issue(door) == "issued"
    assert iamport.endpoints.count("issue") == (2 if endpoint == "issue" else 1)


def test_a_rotated_secret_is_read_anew(door: Door, iamport: Simulator, aws: Aws) -> None:
    assert issue(door) == "issued"
    iamport.rotate(imp_secret="rotated-imp-secret")
    aws.put_keys("local-imp-key", "rotated-imp-secret")
    assert issue(door) == "issued"


def test_a_request_that_stays_unauthorized_ends_as_unavailable(door: Door, iamport: Simulator) -> None:
    iamport.fail_next("issue", faults.UNAUTHORIZED, times=10)
    assert issue(door) == "unavailable"
    assert iamport.endpoints.count("issue") == 3


@pytest.mark.parametrize(
    "secret",
    [
        '{"imp_key":"replace-me","imp_secret":"replace-me"}',
        '{"imp_key":"local-imp-key","imp_secret":"wrong"}',
        '{"imp_key":"local-imp-key"}',
        '{"imp_key":1,"imp_secret":2}',
        "[]",
        "not json",
    ],
)
def test_without_the_right_key_nothing_is_sent(door: Door, iamport: Simulator, aws: Aws, secret: str) -> None:
    aws.put_secret(secret)
    assert issue(door) == "unavailable"
    assert set(iamport.endpoints) <= {"token"}


def test_a_key_that_was_wrong_works_as_soon_as_it_is_right(door: Door, aws: Aws) -> None:
    aws.put_keys("local-imp-key", "wrong")
    assert issue(door) == "unavailable"
    aws.put_keys("local-imp-key", "local-imp-secret")
    assert issue(door) == "issued"


@pytest.mark.usefixtures("door")
def test_without_secrets_manager_nothing_is_sent(monkeypatch: pytest.MonkeyPatch, iamport: Simulator) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert issue(Door()) == "unavailable"
    assert iamport.calls == []


@pytest.mark.usefixtures("door")
def test_the_log_tells_the_operator_which_part_failed(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.put_keys("replace-me", "replace-me")
    issue(Door())
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    [ended] = [line for line in lines if line.get("message") == "request ended"]
    assert (ended["outcome"], ended["reason"], ended["level"]) == ("unavailable", "secret_lacks_imp_key", "ERROR")
