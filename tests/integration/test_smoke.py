"""The smoke test passes a service that keeps the contract, and tells what is wrong with one that does not."""

import re
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests

from billing.credentials import PLACEHOLDER
from infra.local.service import LocalService, put_local_keys, run_service
from infra.local.template import PROJECT
from infra.smoke import CHECKS, SINGULAR, read_service, run_checks
from tests.integration.iamport_simulator.test_connections import self_signed_certificate


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


Spoil = Callable[[Answer], Answer]


def unspoiled(answer: Answer) -> Answer:
    return answer


def status(number: int) -> Spoil:
    return lambda answer: replace(answer, status=number)


def without(header: str) -> Spoil:
    return lambda answer: replace(
        answer, headers={name: answer.headers[name] for name in answer.headers.keys() - {header}}
    )


def header(name: str, value: str) -> Spoil:
    return lambda answer: replace(answer, headers=answer.headers | {name: value})


def body(text: bytes) -> Spoil:
    return lambda answer: replace(answer, body=text)


def body_with(new: bytes, *, instead_of: bytes) -> Spoil:
    return lambda answer: replace(answer, body=answer.body.replace(instead_of, new))


@dataclass
class SpoiledService:
    """Passes every request on to the real service, and spoils what comes back."""

    behind: str
    spoil: Spoil
    url: str = ""
    requests: list[str] = field(default_factory=list)
    """What came in, head and body."""

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        self.requests.append(f"{method} {path} {headers} {body.decode()}")
        answer = requests.request(method, self.behind + path, headers=headers, data=body, timeout=30)
        return self.spoil(Answer(answer.status_code, dict(answer.headers), answer.content))


@contextmanager
def spoiled(service: LocalService, spoil: Spoil, certificate: ssl.SSLContext | None = None) -> Iterator[SpoiledService]:
    between = SpoiledService(service.url, spoil)

    class Connection(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            answer = between.answer(self.command, self.path, dict(self.headers), body)
            self.send_response_only(answer.status)
            for name, value in answer.headers.items():
                if name != "Content-Length":  # the body ends with the connection, as long as it is by now
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)

        do_GET = do_OPTIONS = do_POST  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Connection) as server:
        if certificate:
            server.socket = certificate.wrap_socket(server.socket, server_side=True)
        between.url = f"{'https' if certificate else 'http'}://localhost:{server.server_address[1]}{SINGULAR}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield between
        finally:
            server.shutdown()
            thread.join()


def smoke(url: str) -> "subprocess.CompletedProcess[str]":
    """As `make smoke` runs it."""
    command = [sys.executable, "-m", "infra.smoke", url]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603


def lines_that_fail(capsys: pytest.CaptureFixture[str], url: str) -> list[str]:
    assert not run_checks(read_service(url)), "the smoke test passed"
    return [line.removeprefix("FAIL  ") for line in capsys.readouterr().out.splitlines() if line.startswith("FAIL")]


def test_the_real_service_passes(service: LocalService) -> None:
    ended = smoke(service.url + SINGULAR)
    assert ended.stdout.splitlines() == [f"ok    {name}" for name in CHECKS]
    assert (ended.returncode, ended.stderr) == (0, "")


def test_so_does_one_that_asks_for_tokens_as_soon_as_its_secret_is_filled_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parameters = {"CustomerIdentity": "signed", "AllowedOrigins": "https://shop.example"}
    with (tmp_path / "log").open("ab") as log, run_service(parameters=parameters, log=log) as service:
        service.backends.aws.put_keys(PLACEHOLDER, PLACEHOLDER)
        failed = lines_that_fail(capsys, service.url + SINGULAR)
        assert failed == ["an empty card is refused: HTTP 503 instead of 400 or 401"]
        put_local_keys(service.backends.aws)
        assert run_checks(read_service(service.url + SINGULAR))


def test_it_sends_nothing_that_could_be_a_card_and_issues_nothing(service: LocalService) -> None:
    before = len(service.backends.simulator.calls)
    with spoiled(service, unspoiled) as between:
        assert run_checks(read_service(between.url))
    assert len(between.requests) == len(CHECKS)
    assert not [request for request in between.requests if re.search(r"\d{6}", re.sub(r"[\s-]", "", request))]
    assert len(service.backends.simulator.calls) == before


BROKEN = {
    "every answer is an internal error": (status(500), "HTTP 500 instead of"),
    "every answer is a success": (status(200), "HTTP 200 instead of 404"),
    "no page may read an answer": (without("Access-Control-Allow-Origin"), "no Access-Control-Allow-Origin"),
    "the preflight forbids POST": (header("Access-Control-Allow-Methods", "GET"), "POST is not allowed"),
    "the preflight forbids JSON": (header("Access-Control-Allow-Headers", "Accept"), "Content-Type is not allowed"),
    "JSON is not called JSON": (header("Content-Type", "text/plain"), "not JSON by its Content-Type"),
    "HTML instead of JSON": (body(b"<html>"), "the body is not JSON"),
    "a list instead of an object": (body(b"[]"), "not a JSON object"),
    "a refusal says success": (body_with(b'"success"', instead_of=b'"failed"'), "status is not `failed`"),
    "another name for the code": (body_with(b'"kind"', instead_of=b'"code"'), "code is not `invalid_request`"),
    "another name for the request id": (body_with(b'"id"', instead_of=b'"request_id"'), "no request_id"),
    "another name for the errors": (body_with(b'"faults"', instead_of=b'"errors"'), "no list of errors"),
    "another name for the errors' fields": (body_with(b'"name"', instead_of=b'"field"'), "no error has both"),
    "another name for the card number": (body_with(b'"card"', instead_of=b'"card_number"'), "missing card_number"),
    "an empty page": (body(b""), "no form in the page"),
    "the page is not called HTML": (header("Content-Type", "application/json"), "not HTML by its Content-Type"),
    "the page may be kept": (without("Cache-Control"), "Cache-Control lacks no-store"),
    "the page has no policy": (without("Content-Security-Policy"), "lacks default-src 'none'"),
    "the page runs any script": (header("Content-Security-Policy", "default-src 'none'"), "lacks script-src 'sha256-"),
    "the page tells its address": (without("Referrer-Policy"), "Referrer-Policy lacks no-referrer"),
    "the page may ask for payments": (without("Permissions-Policy"), "Permissions-Policy lacks payment=()"),
    "the page's type may be guessed": (without("X-Content-Type-Options"), "X-Content-Type-Options lacks nosniff"),
    "plain HTTP is allowed": (without("Strict-Transport-Security"), "no Strict-Transport-Security"),
    "plain HTTP is allowed soon": (header("Strict-Transport-Security", "max-age=300"), "no Strict-Transport-Security"),
}
"""What is wrong with a service, and what the smoke test says of it."""


@pytest.mark.parametrize(("spoil", "told"), BROKEN.values(), ids=BROKEN)
def test_a_broken_service_fails_and_the_line_says_how(
    service: LocalService, capsys: pytest.CaptureFixture[str], spoil: Spoil, told: str
) -> None:
    with spoiled(service, spoil) as between:
        failed = lines_that_fail(capsys, between.url)
    assert any(told in line for line in failed), failed


def test_a_failure_ends_with_status_one_and_prints_nothing_of_a_body(service: LocalService) -> None:
    secret = b'{"status": "failed", "message": "4f6e65-of-ours"}'
    with spoiled(service, body(secret)) as between:
        ended = smoke(between.url)
    assert ended.returncode == 1
    assert "FAIL" in ended.stdout
    assert "of-ours" not in ended.stdout + ended.stderr


class TestTls:
    @pytest.fixture
    def certificate(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
        """Trusted by this process."""
        path = self_signed_certificate(tmp_path)
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def test_passes_with_a_certificate_that_is_trusted(
        self, service: LocalService, certificate: ssl.SSLContext
    ) -> None:
        with spoiled(service, unspoiled, certificate) as between:
            assert run_checks(read_service(between.url))

    def test_fails_with_one_that_is_not(
        self,
        service: LocalService,
        certificate: ssl.SSLContext,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.delenv("SSL_CERT_FILE")
        with spoiled(service, unspoiled, certificate) as between:
            failed = lines_that_fail(capsys, between.url)
        assert len(failed) == len(CHECKS)
        assert all("CERTIFICATE_VERIFY_FAILED" in line for line in failed)

    @pytest.mark.filterwarnings("ignore:.*TLSv1_1 is deprecated:DeprecationWarning")
    def test_fails_where_the_server_still_takes_tls_1_1(
        self, service: LocalService, certificate: ssl.SSLContext, capsys: pytest.CaptureFixture[str]
    ) -> None:
        certificate.set_ciphers("ALL:@SECLEVEL=0")
        certificate.minimum_version = ssl.TLSVersion.TLSv1_1
        with spoiled(service, unspoiled, certificate) as between:
            failed = lines_that_fail(capsys, between.url)
        assert failed == ["what is older than TLS 1.2 is refused: TLS 1.1 is taken"]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "shop.example",
        "ftp://shop.example/subscription/issue-billing",
        "https://shop.example/v1",
        "https://shop.example/subscription/issue-billing?a=b",
    ],
)
def test_a_url_that_cannot_be_the_services_is_told(url: str) -> None:
    ended = smoke(url)
    assert ended.returncode == 2
    assert "IssueBillingUrl" in ended.stderr


def test_a_service_that_is_not_there_fails() -> None:
    ended = smoke("http://127.0.0.1:9/subscription/issue-billing")
    assert ended.returncode == 1
    assert ended.stdout.count("FAIL") == len(CHECKS)
