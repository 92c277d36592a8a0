"""AWS's JSON services as we call them: signed, repeated where that may help, and never for long."""

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.utils import ContainerMetadataFetcher

from billing import aws
from billing.aws import DYNAMODB, SECRETS_MANAGER, AwsNotAnswering, AwsRefused, Client, find_credentials
from billing.settings import read_settings

KEYS = ("made-up-key-id", "made-up-key", "made-up-session")


@dataclass
class Service:
    """Answers with what is in `answers`, one after the other, and keeps what it was sent."""

    answers: list[tuple[int, bytes]]
    seconds: float = 0.0
    url: str = ""
    received: list[tuple[Mapping[str, str], bytes]] = field(default_factory=list)


@contextmanager
def answering(*answers: tuple[int, object], seconds: float = 0.0) -> Iterator[Service]:
    service = Service(
        [(status, body if isinstance(body, bytes) else json.dumps(body).encode()) for status, body in answers], seconds
    )

    class Connection(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            service.received.append((dict(self.headers), body))
            time.sleep(service.seconds)
            status, answer = service.answers.pop(0)
            with suppress(BrokenPipeError):  # who waits no longer has hung up
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

        do_GET = do_POST  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Connection) as server:
        server.daemon_threads = True
        service.url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield service
        server.shutdown()


def client_of(url: str) -> Client:
    return Client(DYNAMODB, settings_with(url))


def settings_with(url: str) -> Any:
    return read_settings(
        {
            "IAMPORT_SECRET_ID": "secret",
            "ATTEMPTS_TABLE": "table",
            "AWS_REGION": "ap-northeast-2",
            "AWS_ENDPOINT_URL": url,
        }
    )


@pytest.fixture(autouse=True)
def lambdas_own_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in zip(("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"), KEYS, strict=True):
        monkeypatch.setenv(f"AWS_{name}", value)


def test_what_is_sent_bears_the_signature_that_aws_works_out_for_it() -> None:
    with answering((200, {"Item": {}})) as service:
        assert client_of(service.url).call("GetItem", {"TableName": "t"}) == {"Item": {}}
    headers, body = service.received[0]
    assert json.loads(body) == {"TableName": "t"}
    assert headers["X-Amz-Target"] == "DynamoDB_20120810.GetItem"
    signed = AWSRequest("POST", f"{service.url}/", data=body)
    for name in ("Content-Type", "X-Amz-Target"):
        signed.headers[name] = headers[name]
    signer = SigV4Auth(Credentials(*KEYS), "dynamodb", "ap-northeast-2")
    signed.context["timestamp"] = headers["X-Amz-Date"]
    signed.headers["X-Amz-Date"] = headers["X-Amz-Date"]
    signed.headers["X-Amz-Security-Token"] = headers["X-Amz-Security-Token"]
    expected = signer.signature(signer.string_to_sign(signed, signer.canonical_request(signed)), signed)
    assert headers["Authorization"].endswith(f"Signature={expected}")


def test_without_a_stand_in_each_service_is_asked_in_the_functions_region() -> None:
    settings = settings_with("")
    assert Client(DYNAMODB, settings)._url == "https://dynamodb.ap-northeast-2.amazonaws.com"
    assert Client(SECRETS_MANAGER, settings)._url == "https://secretsmanager.ap-northeast-2.amazonaws.com"


@pytest.mark.parametrize(
    "broken",
    [
        (500, {"__type": "com.amazonaws.dynamodb.v20120810#InternalServerError"}),
        (503, b"<html>"),
        (400, {"__type": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"}),
        (400, {"__type": "com.amazon.coral.availability#ThrottlingException"}),
        (200, b"{"),
    ],
)
def test_what_may_pass_is_tried_again(broken: tuple[int, object]) -> None:
    with answering(broken, broken, (200, {"Count": 1})) as service:
        assert client_of(service.url).call("Query", {}) == {"Count": 1}
    assert len(service.received) == 3


def test_three_tries_and_no_more() -> None:
    with answering(*[(500, {})] * 4) as service, pytest.raises(AwsNotAnswering, match="http_500"):
        client_of(service.url).call("Query", {})
    assert len(service.received) == 3


def test_a_decision_is_not_asked_for_twice() -> None:
    refusal = {"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException", "message": "no"}
    with answering((400, refusal)) as service, pytest.raises(AwsRefused) as refused:
        client_of(service.url).call("UpdateItem", {})
    assert (refused.value.code, refused.value.document, len(service.received)) == (
        "ConditionalCheckFailedException",
        refusal,
        1,
    )


def test_an_answer_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws, "ANSWER_SECONDS", 0.1)
    with answering(*[(200, {})] * 3, seconds=0.5) as service, pytest.raises(AwsNotAnswering, match="ReadTimeout"):
        client_of(service.url).call("Query", {})


def test_a_port_where_nobody_listens() -> None:
    with answering() as service:
        url = service.url
    with pytest.raises(AwsNotAnswering, match="NeverConnected"):
        client_of(url).call("Query", {})


def test_credentials_that_are_not_in_the_environment_are_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """With SnapStart they come from an endpoint that the environment names."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    found = {
        "AccessKeyId": KEYS[0],
        "SecretAccessKey": KEYS[1],
        "Token": KEYS[2],
        "Expiration": "2999-01-01T00:00:00Z",
    }
    with answering((200, found)) as service:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{service.url}/credentials")
        monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "made-up-authorization")
        assert tuple(find_credentials().get_frozen_credentials())[:3] == KEYS
    assert service.received[0][0]["Authorization"] == "made-up-authorization"


def test_credentials_that_cannot_be_fetched_are_a_service_that_does_not_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else an attempt whose card is registered would end as an error of the service."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setattr(ContainerMetadataFetcher, "SLEEP_TIME", 0)
    with answering(*[(500, {})] * 9) as service, answering() as dynamodb:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{service.url}/credentials")
        with pytest.raises(AwsNotAnswering, match="CredentialRetrievalError"):
            client_of(dynamodb.url).call("PutItem", {})
    assert dynamodb.received == []


def test_no_credentials_anywhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(AwsNotAnswering, match="no_aws_credentials"):
        find_credentials()
