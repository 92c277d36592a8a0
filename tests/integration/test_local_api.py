"""The local API answers as API Gateway and Lambda do, whatever the handler does."""

import base64
import http.client
import json
import os
import signal
import socket
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from infra.local.api import ApiGateway
from infra.local.execution_environments import FunctionError
from infra.local.http_server import serve
from infra.local.service import API, LocalService, run_api
from infra.local.template import Function, Template

PATH = "/subscription/issue-billing"

OF_SHOPS_LIBRARIES = {
    *("x-requested-with", "authorization", "x-csrf-token", "cache-control", "idempotency-key"),
    *("traceparent", "tracestate", "baggage", "sentry-trace"),  # OpenTelemetry, Sentry
    *("x-datadog-origin", "x-datadog-parent-id", "x-datadog-sampling-priority", "x-datadog-trace-id"),
    *("x-datadog-sampled", "x-datadog-tags"),
}
"""What they add to a request by themselves; a browser asks for each of them by its name."""

ECHO = """
import json
def handler(event, context):
    return {"statusCode": 200, "body": json.dumps({"event": event, "context": {
        "aws_request_id": context.aws_request_id,
        "function_name": context.function_name,
        "memory_limit_in_mb": context.memory_limit_in_mb,
        "invoked_function_arn": context.invoked_function_arn,
        "milliseconds": context.get_remaining_time_in_millis(),
    }})}
"""


@contextmanager
def stub(
    folder: Path,
    handler: str,
    *,
    timeout_seconds: float = 10,
    largest_pool: int = 8,
    binary_media_types: tuple[str, ...] = (),
    environment: dict[str, str] | None = None,
) -> Iterator[str]:
    """The template's API in front of another handler. Gives the URL of the route."""
    (folder / "stub.py").write_text(handler)
    function = Function("Stub", folder, "stub.handler", timeout_seconds, 256, environment or {})
    api = replace(Template().api(API), binary_media_types=binary_media_types)
    with (folder / "log").open("ab") as log, run_api(api, function, largest_pool=largest_pool, log=log) as url:
        yield url + PATH


def post(url: str, body: bytes = b"{}", **headers: str) -> requests.Response:
    return requests.post(url, data=body, headers=headers, timeout=30)


@pytest.fixture(scope="module")
def echo_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with stub(tmp_path_factory.mktemp("echo"), ECHO, binary_media_types=("image/png",)) as url:
        yield url


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The template's API with no function behind it."""

    def invoke(event: Mapping[str, Any], request_id: str, patience: float) -> Any:
        raise AssertionError("the function was asked", event, request_id, patience)

    with serve(ApiGateway(Template().api(API), invoke), "127.0.0.1", 0) as url:
        yield url


class TestWhatTheHandlerGets:
    def test_the_route_the_stage_and_the_caller(self, echo_url: str) -> None:
        event = post(echo_url).json()["event"]
        context = event["requestContext"]
        assert (event["resource"], event["path"], event["httpMethod"]) == (PATH, PATH, "POST")
        assert (context["stage"], context["path"]) == ("v1", "/v1" + PATH)
        assert context["identity"]["sourceIp"] == "127.0.0.1"

    def test_two_ids_that_the_answer_names_too_and_the_invocations_own(self, echo_url: str) -> None:
        answer = post(echo_url)
        context = answer.json()["event"]["requestContext"]
        assert answer.headers["x-amzn-RequestId"] == context["requestId"]
        assert answer.headers["x-amz-apigw-id"] == context["extendedRequestId"]
        ids = {context["requestId"], context["extendedRequestId"], answer.json()["context"]["aws_request_id"]}
        assert len(ids) == 3

    def test_of_the_two_ids_a_caller_may_choose_one(self, echo_url: str) -> None:
        context = post(echo_url, b"{}", **{"x-amzn-RequestId": "mine"}).json()["event"]["requestContext"]
        assert context["requestId"] == "mine"
        assert context["extendedRequestId"] != "mine"

    def test_a_context_with_the_time_that_is_left(self, echo_url: str) -> None:
        context = post(echo_url).json()["context"]
        assert 5_000 < context["milliseconds"] <= 10_000
        assert (context["function_name"], context["memory_limit_in_mb"]) == ("Stub", "256")
        assert context["invoked_function_arn"].endswith(":function:Stub")

    def test_the_last_value_of_a_header_and_of_a_query_parameter_and_all_of_them(self, echo_url: str) -> None:
        connection = http.client.HTTPConnection(urlsplit(echo_url).netloc, timeout=30)
        connection.putrequest("POST", f"{PATH}?a=1&a=2&b=%20&c=")
        connection.putheader("X-Twice", "first")
        connection.putheader("X-Twice", "second")
        connection.putheader("Content-Length", "0")
        connection.endheaders()
        event = json.loads(connection.getresponse().read())["event"]
        connection.close()
        assert event["headers"]["X-Twice"] == "second"
        assert event["multiValueHeaders"]["X-Twice"] == ["first", "second"]
        assert event["queryStringParameters"] == {"a": "2", "b": " ", "c": ""}
        assert event["multiValueQueryStringParameters"] == {"a": ["1", "2"], "b": [" "], "c": [""]}

    def test_no_body_as_null(self, echo_url: str) -> None:
        event = post(echo_url, b"").json()["event"]
        assert (event["body"], event["isBase64Encoded"]) == (None, False)

    def test_a_text_body_as_text_with_what_is_not_utf_8_replaced(self, echo_url: str) -> None:
        event = post(echo_url, "카드".encode() + b"\xff").json()["event"]
        assert (event["body"], event["isBase64Encoded"]) == ("카드\ufffd", False)

    def test_a_body_of_a_binary_media_type_as_base64(self, echo_url: str) -> None:
        event = post(echo_url, b"\x89PNG\xff", **{"Content-Type": "image/png"}).json()["event"]
        assert (base64.b64decode(event["body"]), event["isBase64Encoded"]) == (b"\x89PNG\xff", True)

    def test_a_chunked_body_in_one_piece(self, echo_url: str) -> None:
        answer = requests.post(echo_url, data=iter([b"one ", b"two"]), timeout=30)
        assert answer.json()["event"]["body"] == "one two"


class TestWhatTheCallerGets:
    def test_every_value_of_a_multi_value_header(self, tmp_path: Path) -> None:
        handler = """
def handler(event, context):
    single, multiple = {"X-One": "1", "X-Two": "c"}, {"X-Two": ["a", "b"]}
    return {"statusCode": 201, "headers": single, "multiValueHeaders": multiple, "body": "hi"}
"""
        with stub(tmp_path, handler) as url:
            answer = post(url)
        assert (answer.status_code, answer.text) == (201, "hi")
        assert answer.headers["X-One"] == "1"
        assert answer.raw.headers.getlist("X-Two") == ["a", "b"]
        assert answer.headers["Content-Type"] == "application/json"

    def test_a_base64_body_decoded_where_the_api_lists_the_accepted_type_as_binary(self, tmp_path: Path) -> None:
        handler = """
def handler(event, context):
    return {"statusCode": 200, "isBase64Encoded": True, "body": "iVBO/w=="}
"""
        with stub(tmp_path, handler, binary_media_types=("image/png",)) as url:
            assert post(url, Accept="image/png").content == b"\x89PN\xff"
            assert post(url, Accept="text/html").content == b"iVBO/w=="

    def test_answers_on_one_connection_kept_alive(self, tmp_path: Path) -> None:
        with stub(tmp_path, ECHO) as url:
            connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
            connection.connect()
            first_socket = connection.sock
            for _ in range(2):
                connection.request("POST", PATH, b"{}")
                assert connection.getresponse().read()
                assert connection.sock is first_socket
            connection.close()


class TestWhatApiGatewayAnswersByItself:
    """In the template's words."""

    @pytest.mark.parametrize(
        ("method", "path"),
        [("POST", "/nothing"), ("DELETE", PATH), ("PUT", PATH), ("POST", PATH + "/"), ("OPTIONS", "/nothing")],
    )
    def test_an_unknown_path_or_method(self, url: str, method: str, path: str) -> None:
        answer = requests.request(method, url + path, timeout=30)
        assert_failed(answer, 404, "not_found")

    def test_a_preflight(self, url: str) -> None:
        answer = requests.options(url + PATH, headers={"Origin": "https://shop.example"}, timeout=30)
        assert answer.status_code == 200
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Access-Control-Allow-Methods"] == "GET,POST,OPTIONS"
        allowed = {name.lower() for name in answer.headers["Access-Control-Allow-Headers"].split(",")}
        assert allowed >= {"content-type", "accept-language", *OF_SHOPS_LIBRARIES}
        assert "Access-Control-Allow-Credentials" not in answer.headers, "there are no cookies"

    @pytest.mark.parametrize("megabytes", [6, 40])
    def test_a_body_that_is_too_large(self, url: str, megabytes: int) -> None:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
        connection.request("POST", PATH, b"x" * megabytes * 1024 * 1024)
        answer = connection.getresponse()
        assert answer.status == 413
        assert json.loads(answer.read())["code"] == "too_large"
        connection.close()

    def test_what_is_not_http(self, url: str) -> None:
        host, port = urlsplit(url).netloc.split(":")
        with socket.create_connection((host, int(port)), timeout=30) as connection:
            connection.sendall(b"POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n")
            with connection.makefile("rb") as stream:
                answer = stream.read()
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["status"] == "failed"

    def test_the_index_page(self, url: str) -> None:
        answer = requests.get(url, timeout=30)
        assert answer.headers["Content-Type"].startswith("text/plain")
        assert PATH in answer.text


class TestHandlersThatFail:
    """The card may have been sent by then, so the contract's answer is that nobody knows the outcome."""

    @pytest.mark.parametrize(
        ("misdeed", "in_the_log"),
        [
            ("raise ValueError('no')", "the handler raised ValueError"),
            ("os._exit(3)", "the runtime exited, status 3"),
            ("time.sleep(60)", "Task timed out after 0.50 seconds"),
            ("return {'body': 'no status'}", "no statusCode"),
            ("return {'statusCode': 200, 'body': {}}", "the body is not a string"),
            ("return object()", "the handler raised TypeError"),
        ],
    )
    def test_get_the_contracts_answer_and_the_next_request_works(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture, misdeed: str, in_the_log: str
    ) -> None:
        handler = f"""
import os, time
def handler(event, context):
    if event["body"] == "misbehave":
        {misdeed}
    return {{"statusCode": 200, "body": "fine"}}
"""
        with stub(tmp_path, handler, timeout_seconds=0.5) as url:
            assert_failed(post(url, b"misbehave"), 504, "outcome_unknown")
            assert post(url).text == "fine"
        assert in_the_log in caplog.text

    def test_a_process_that_dies_between_requests_is_replaced(self, tmp_path: Path) -> None:
        handler = """
import os
def handler(event, context):
    return {"statusCode": 200, "body": str(os.getpid())}
"""
        with stub(tmp_path, handler) as url:
            first = int(body_of(post(url)))
            os.kill(first, signal.SIGKILL)
            os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)
            assert int(body_of(post(url))) != first

    def test_a_handler_that_cannot_be_imported_keeps_the_service_from_starting(self, tmp_path: Path) -> None:
        with pytest.raises(FunctionError, match="cannot be imported"), stub(tmp_path, "import nothing_like_that"):
            pass
        assert "ModuleNotFoundError" in (tmp_path / "log").read_text()


class TestRequestsAtOnce:
    MEETING = """
import os, socket
def handler(event, context):
    with socket.create_connection(("127.0.0.1", int(os.environ["MEETING_PORT"])), timeout=20) as door:
        door.recv(1)
    return {"statusCode": 200, "body": str(os.getpid())}
"""

    def test_run_side_by_side_each_in_a_process_of_its_own(self, tmp_path: Path) -> None:
        """Every handler waits until the others have come too."""
        with (
            self.meeting() as door,
            stub(tmp_path, self.MEETING, environment=door_port(door)) as url,
            ThreadPoolExecutor(3) as callers,
            ExitStack() as guests,
        ):
            answers = [callers.submit(post, url) for _ in range(3)]
            let_in([guests.enter_context(door.accept()[0]) for _ in range(3)])
            processes = {body_of(answer.result()) for answer in answers}
        assert len(processes) == 3

    def test_wait_for_a_free_process_where_all_are_busy(self, tmp_path: Path) -> None:
        with (
            self.meeting() as door,
            stub(tmp_path, self.MEETING, largest_pool=1, environment=door_port(door)) as url,
            ThreadPoolExecutor(2) as callers,
        ):
            answers = [callers.submit(post, url) for _ in range(2)]
            for _ in range(2):
                guest, _ = door.accept()
                with guest:
                    let_in([guest])
            processes = {body_of(answer.result()) for answer in answers}
        assert len(processes) == 1

    def test_are_ended_with_the_service_wherever_they_are(self, tmp_path: Path) -> None:
        with self.meeting() as door, ThreadPoolExecutor(1) as callers:
            with stub(tmp_path, self.MEETING, environment=door_port(door)) as url:
                callers.submit(post, url)
                guest, _ = door.accept()
            guest.settimeout(5)
            with guest:
                assert guest.recv(1) == b"", "the handler is still there"

    @staticmethod
    @contextmanager
    def meeting() -> Iterator[socket.socket]:
        with socket.create_server(("127.0.0.1", 0)) as door:
            door.settimeout(20)
            yield door


class TestTheRealHandler:
    def test_issues_a_billing_key(self, service: LocalService) -> None:
        card = {
            "card_number": "0000-1000-0000-0001",
            "expiry": "2099-12",
            "birth": "900101",
            "pwd_2digit": "12",
            "customer_uid": "local-api-1",
        }
        answer = requests.post(service.url + PATH, json=card, timeout=30)
        assert answer.status_code == 200
        assert answer.json()["message"] == "Billing has successfully issued"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"

    def test_answers_what_is_not_utf_8_with_400(self, service: LocalService) -> None:
        answer = post(service.url + PATH, b'{"card_number":"\xff\xfe"}', **{"Content-Type": "application/json"})
        assert_failed(answer, 400, "invalid_request")


def assert_failed(answer: requests.Response, status_code: int, code: str) -> None:
    assert answer.status_code == status_code
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    body = answer.json()
    assert (body["status"], body["code"]) == ("failed", code)
    assert body["message"]
    assert body["request_id"] == answer.headers["x-amz-apigw-id"]


def body_of(answer: requests.Response) -> str:
    assert answer.status_code == 200, answer.text
    return answer.text


def door_port(door: socket.socket) -> dict[str, str]:
    return {"MEETING_PORT": str(door.getsockname()[1])}


def let_in(guests: Sequence[socket.socket]) -> None:
    for guest in guests:
        guest.sendall(b".")
