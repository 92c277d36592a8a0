"""boto3's clients as they are set up: tried again where that may help, never for long, and their errors ours."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config
from botocore.utils import ContainerMetadataFetcher

from billing import aws_clients
from billing.aws_clients import AwsClients, as_unavailable
from billing.model.errors import Unavailable
from tests.serving import HttpAnswer, HttpRequest, Script, answering, nobody_listening, serving

KEYS = {"ACCESS_KEY_ID": "made-up-key-id", "SECRET_ACCESS_KEY": "made-up-key", "SESSION_TOKEN": "made-up-session"}


def in_turn(*answers: tuple[int, object], seconds: float = 0.0) -> Script:
    """Status and body of one answer after the other; each takes its time."""
    left = list(answers)

    def answer(_: HttpRequest) -> HttpAnswer:
        time.sleep(seconds)
        status, body = left.pop(0)
        return HttpAnswer(status, body if isinstance(body, bytes) else json.dumps(body).encode())

    return answering(answer)


@pytest.fixture(autouse=True)
def lambdas_own_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in KEYS.items():
        monkeypatch.setenv(f"AWS_{name}", value)


def write_at(url: str, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, Any]:
    """One write at a service that answers there. Raises Unavailable."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    with as_unavailable("ledger"):
        return AwsClients().dynamodb.put_item(TableName="table", Item={"pk": {"S": "key"}})


@pytest.mark.parametrize("url", [None, ""])
def test_without_a_stand_in_each_service_is_asked_in_the_functions_region(
    monkeypatch: pytest.MonkeyPatch, url: str | None
) -> None:
    """The template names the variable, and leaves it empty."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    if url is not None:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    clients = AwsClients()
    assert clients.dynamodb.meta.endpoint_url == "https://dynamodb.ap-northeast-2.amazonaws.com"
    assert clients.secrets_manager.meta.endpoint_url == "https://secretsmanager.ap-northeast-2.amazonaws.com"


def test_one_client_for_each_service_serves_a_container() -> None:
    clients = AwsClients()
    assert clients.dynamodb is clients.dynamodb
    assert clients.secrets_manager is clients.secrets_manager


def test_a_silent_service_is_waited_for_two_seconds_and_not_two_minutes() -> None:
    for client in (AwsClients().dynamodb, AwsClients().secrets_manager):
        config = client.meta.config
        assert (config.connect_timeout, config.read_timeout) == (1, 1)  # type: ignore[attr-defined]
        assert config.retries == {"mode": "standard", "total_max_attempts": 2}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "broken",
    [
        (500, {"__type": "com.amazonaws.dynamodb.v20120810#InternalServerError"}),
        (503, b"<html>"),
        (400, {"__type": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"}),
        (400, {"__type": "com.amazon.coral.availability#ThrottlingException"}),
        (200, b"{"),
        (200, b""),
    ],
)
def test_what_may_pass_is_tried_again_once(monkeypatch: pytest.MonkeyPatch, broken: tuple[int, object]) -> None:
    with serving(in_turn(broken, (200, {"Attributes": {"a": {"S": "b"}}}))) as service:
        assert write_at(service.url, monkeypatch)["Attributes"] == {"a": {"S": "b"}}
    assert len(service.requests) == 2
    with serving(in_turn(broken, broken, broken)) as service, pytest.raises(Unavailable):
        write_at(service.url, monkeypatch)
    assert len(service.requests) == 2


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ((500, {"__type": "x#InternalServerError"}), "ledger_unreachable: InternalServerError"),
        ((503, b"<html>"), "ledger_unreachable: 503"),
        ((200, b"{"), "ledger_unreachable: HTTPClientError"),
        ((400, {"__type": "x#AccessDeniedException"}), "ledger_refused: AccessDeniedException"),
        ((400, {"__type": "x#ThrottlingException"}), "ledger_refused: ThrottlingException"),
    ],
)
def test_the_operator_is_told_who_said_no(
    monkeypatch: pytest.MonkeyPatch, answer: tuple[int, object], reason: str
) -> None:
    with serving(in_turn(answer, answer)) as service, pytest.raises(Unavailable) as unavailable:
        write_at(service.url, monkeypatch)
    assert unavailable.value.reason == reason


def test_a_decision_is_not_asked_for_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    refusal = {"__type": "com.amazonaws.dynamodb.v20120810#AccessDeniedException", "message": "no"}
    with serving(in_turn((400, refusal), (400, refusal))) as service, pytest.raises(Unavailable):
        write_at(service.url, monkeypatch)
    assert len(service.requests) == 1


def test_an_answer_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws_clients, "CONFIG", aws_clients.CONFIG.merge(Config(read_timeout=0.1)))
    with (
        serving(in_turn(*[(200, {})] * 3, seconds=0.5)) as service,
        pytest.raises(Unavailable, match="ledger_unreachable: ReadTimeoutError"),
    ):
        write_at(service.url, monkeypatch)


def test_a_port_where_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    with nobody_listening() as url, pytest.raises(Unavailable, match="ledger_unreachable: EndpointConnectionError"):
        write_at(url, monkeypatch)


def test_proxy_variables_have_no_say(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(in_turn((200, {}))) as service, serving(in_turn((200, {}))) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        write_at(service.url, monkeypatch)
    assert proxy.requests == []


def test_credentials_that_are_not_in_the_environment_are_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """With SnapStart they come from an endpoint that the environment names."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    found = {
        "AccessKeyId": "made-up-key-of-the-endpoint",
        "SecretAccessKey": "made-up-key",
        "Token": "made-up-session",
        "Expiration": "2999-01-01T00:00:00Z",
    }
    with serving(in_turn((200, found))) as endpoint, serving(in_turn((200, {}))) as dynamodb:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{endpoint.url}/credentials")
        monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "made-up-authorization")
        write_at(dynamodb.url, monkeypatch)
    assert endpoint.requests[0].headers["authorization"] == "made-up-authorization"
    assert "Credential=made-up-key-of-the-endpoint/" in dynamodb.requests[0].headers["authorization"]


def test_credentials_that_cannot_be_fetched_are_a_service_that_does_not_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else an attempt whose card is registered would end as an error of the service."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setattr(ContainerMetadataFetcher, "SLEEP_TIME", 0)
    with serving(in_turn(*[(500, {})] * 9)) as endpoint, serving(in_turn()) as dynamodb:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{endpoint.url}/credentials")
        with pytest.raises(Unavailable, match="ledger_unreachable: CredentialRetrievalError"):
            write_at(dynamodb.url, monkeypatch)
    assert dynamodb.requests == []


def test_no_credentials_anywhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    with serving(in_turn()) as service, pytest.raises(Unavailable, match="ledger_unreachable: NoCredentialsError"):
        write_at(service.url, monkeypatch)
