"""The smoke test passes a service that keeps the contract, and tells what is wrong with one that does not."""

import re
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import requests
import trustme

from billing.credentials import PLACEHOLDER
from infra.local.service import LocalService, put_local_keys, run_service
from infra.local.template import PROJECT
from infra.smoke import CHECKS, SINGULAR, read_service, run_checks
from tests.serving import HttpAnswer, HttpRequest, Server, answering, certificate_of, serving

Spoil = Callable[[HttpAnswer], HttpAnswer]


def unspoiled(answer: HttpAnswer) -> HttpAnswer:
    return answer


def status(number: int) -> Spoil:
    return lambda answer: replace(answer, status=number)


def without(header: str) -> Spoil:
    return lambda answer: replace(
        answer, headers={name: answer.headers[name] for name in answer.headers.keys() - {header}}
    )


def header(name: str, value: str) -> Spoil:
    return lambda answer: replace(answer, headers={**answer.headers, name: value})


def policy_with(directive: str) -> Spoil:
    """The page's policy with this in the place of what it says of the same, or beside it."""

    def spoil(answer: HttpAnswer) -> HttpAnswer:
        name = "Content-Security-Policy"
        if name not in answer.headers:
            return answer
        kept = [one for one in answer.headers[name].split("; ") if one.split(" ")[0] != directive.split(" ")[0]]
        return replace(answer, headers={**answer.headers, name: "; ".join([*kept, directive])})

    return spoil


def body(text: bytes) -> Spoil:
    return lambda answer: replace(answer, body=text)


def body_with(new: bytes, *, instead_of: bytes) -> Spoil:
    return lambda answer: replace(answer, body=answer.body.replace(instead_of, new))


@contextmanager
def spoiled(service: LocalService, spoil: Spoil, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """Passes every request on to the real service, and spoils what comes back."""

    def pass_on(request: HttpRequest) -> HttpAnswer:
        url = service.url + request.path
        answer = requests.request(request.method, url, headers=request.headers, data=request.body, timeout=30)
        return spoil(HttpAnswer(answer.status_code, answer.content, dict(answer.headers)))

    with serving(answering(pass_on), tls) as between:
        yield between


def address_of(server: Server) -> str:
    """As the stack's output IssueBillingUrl."""
    return server.url + SINGULAR


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
        assert failed == [
            "an empty card is refused: HTTP 503 instead of 400 or 401",
            "the card form is shown with its security headers: HTTP 503 instead of 200 or 401",
            "the other spelling of the path shows it too: HTTP 503 instead of 200 or 401",
        ]
        put_local_keys(service.backends.aws)
        assert run_checks(read_service(service.url + SINGULAR))


def test_it_sends_nothing_that_could_be_a_card_and_issues_nothing(service: LocalService) -> None:
    before = len(service.backends.simulator.calls)
    with spoiled(service, unspoiled) as between:
        assert run_checks(read_service(address_of(between)))
    assert len(between.requests) == len(CHECKS)
    assert not [one for one in between.requests if re.search(r"\d{6}", re.sub(r"[\s-]", "", str(one)))]
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
    "the page may be kept": (without("Cache-Control"), "Cache-Control is not no-store"),
    "the page has no policy": (without("Content-Security-Policy"), "Policy differs in base-uri, connect-src"),
    "the page may send to anybody": (policy_with("connect-src *"), "Policy differs in connect-src"),
    "the page's form may be sent to anybody": (
        policy_with("form-action 'self' https:"),
        "Policy differs in form-action",
    ),
    "the page's addresses may be turned": (policy_with("base-uri *"), "Policy differs in base-uri"),
    "the page loads any picture": (policy_with("img-src *"), "Policy differs in img-src"),
    "the page has any style": (policy_with("style-src 'unsafe-inline'"), "Policy differs in style-src"),
    "any page may frame it": (policy_with("frame-ancestors *"), "Policy differs in frame-ancestors"),
    "the page runs any script": (policy_with("script-src *"), "script-src allows more than this version's"),
    "the policy says the same twice, of which the first counts": (
        header("Content-Security-Policy", "connect-src *; connect-src 'self'"),
        "Policy differs in base-uri, connect-src",
    ),
    "the policy has a directive more": (policy_with("worker-src *"), "Policy differs in worker-src"),
    "the page runs another script": (
        body_with(b"</main><script>1</script>", instead_of=b"</main>"),
        "a script is not this version's",
    ),
    "the page's script was changed": (
        body_with(b"JSON.stringify(spy", instead_of=b"JSON.stringify("),
        "a script is not this version's",
    ),
    "the page loads a script": (
        body_with(b'</main><script src="https://evil.example/"></script>', instead_of=b"</main>"),
        "a script is loaded from an address",
    ),
    "the policy allows more": (
        header("Content-Security-Policy", "default-src 'none'; script-src 'sha256-' 'unsafe-inline'; x"),
        "script-src allows more than this version's",
    ),
    "the page tells nobody where it is": (without("Referrer-Policy"), "Referrer-Policy is not strict-origin"),
    "the page tells its address": (
        header("Referrer-Policy", "strict-origin-when-cross-origin"),
        "Referrer-Policy is not strict-origin",
    ),
    "the page may ask for payments": (without("Permissions-Policy"), "Permissions-Policy is not camera=()"),
    "the page may use the camera": (header("Permissions-Policy", "payment=()"), "Permissions-Policy is not camera=()"),
    "the page's type may be guessed": (without("X-Content-Type-Options"), "X-Content-Type-Options is not nosniff"),
    "plain HTTP is allowed": (without("Strict-Transport-Security"), "no Strict-Transport-Security"),
    "plain HTTP is allowed soon": (header("Strict-Transport-Security", "max-age=300"), "no Strict-Transport-Security"),
}
"""What is wrong with a service, and what the smoke test says of it."""


@pytest.mark.parametrize(("spoil", "told"), BROKEN.values(), ids=BROKEN)
def test_a_broken_service_fails_and_the_line_says_how(
    service: LocalService, capsys: pytest.CaptureFixture[str], spoil: Spoil, told: str
) -> None:
    with spoiled(service, spoil) as between:
        failed = lines_that_fail(capsys, address_of(between))
    assert any(told in line for line in failed), failed


def test_a_failure_ends_with_status_one_and_prints_nothing_of_a_body(service: LocalService) -> None:
    secret = b'{"status": "failed", "message": "4f6e65-of-ours"}'
    with spoiled(service, body(secret)) as between:
        ended = smoke(address_of(between))
    assert ended.returncode == 1
    assert "FAIL" in ended.stdout
    assert "of-ours" not in ended.stdout + ended.stderr


class TestTls:
    @pytest.fixture
    def certificate(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
        """Trusted by this process."""
        authority, bundle = trustme.CA(), tmp_path / "authorities.pem"
        authority.cert_pem.write_to_path(str(bundle))
        monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
        return certificate_of(authority, "127.0.0.1")

    def test_passes_with_a_certificate_that_is_trusted(
        self, service: LocalService, certificate: ssl.SSLContext
    ) -> None:
        with spoiled(service, unspoiled, certificate) as between:
            assert run_checks(read_service(address_of(between)))

    def test_fails_with_one_that_is_not(
        self,
        service: LocalService,
        certificate: ssl.SSLContext,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.delenv("SSL_CERT_FILE")
        with spoiled(service, unspoiled, certificate) as between:
            failed = lines_that_fail(capsys, address_of(between))
        assert len(failed) == len(CHECKS)
        assert all("CERTIFICATE_VERIFY_FAILED" in line for line in failed)

    @pytest.mark.filterwarnings("ignore:.*TLSv1_1 is deprecated:DeprecationWarning")
    def test_fails_where_the_server_still_takes_tls_1_1(
        self, service: LocalService, certificate: ssl.SSLContext, capsys: pytest.CaptureFixture[str]
    ) -> None:
        certificate.set_ciphers("ALL:@SECLEVEL=0")
        certificate.minimum_version = ssl.TLSVersion.TLSv1_1
        with spoiled(service, unspoiled, certificate) as between:
            failed = lines_that_fail(capsys, address_of(between))
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
