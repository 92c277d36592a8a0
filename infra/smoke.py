"""`python -m infra.smoke URL`: whether a deployed service keeps the contract. URL: the stack's output IssueBillingUrl.

It issues nothing: no request of it holds a card number. One line for each check, and the exit status is 1 when one
of them fails. Of an answer it tells what is wrong with it, and never its body.

Standard library alone, so that it runs wherever Python 3.11 does.
"""

import argparse
import json
import re
import socket
import ssl
import sys
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

sys.path.append(str(Path(__file__).parents[1] / "functions" / "issue_billing"))
from card_form.assets import SCRIPT, hash_source

SINGULAR = "/subscription/issue-billing"
PLURAL = "/subscriptions/issue-billing"

FOREIGN_ORIGIN = "https://smoke-test.invalid"
"""A page that nobody has allowed, unless any page is; the reserved name can be nobody's (RFC 2606)."""

SECONDS_FOR_ONE_ANSWER = 30.0
"""API Gateway gives up on the function after 29."""

LARGEST_ANSWER = 1024 * 1024

COMMON_HEADERS = {
    "User-Agent": "card-door-smoke-test",  # AWS's common firewall rules turn away who has none
}

DATA = ' type="application/json" id="page-data"'
"""Of the one script element that no browser runs."""

FORM_HEADERS = {
    "Cache-Control": "no-store",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "strict-origin",
    "X-Content-Type-Options": "nosniff",
}
"""The card form's, each as it is (card_form/page.py)."""

A_HASH = "'sha256-[A-Za-z0-9+/]{43}='"

FORM_POLICY = {
    "default-src": "'none'",
    "script-src": A_HASH,  # which one: check_scripts
    "style-src": A_HASH,
    "img-src": r"data:( https://\S+)?",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": r"'none'|https?://[^\s*]+( https?://[^\s*]+)*",
}
"""Its Content Security Policy: each directive as a pattern, as some follow the operator's settings."""

LEAST_TRANSPORT_SECURITY_SECONDS = 365 * 24 * 3600


class CheckFailed(Exception):
    """What is wrong, in words that hold nothing of an answer's body."""


@dataclass(frozen=True)
class DeployedService:
    address: SplitResult
    prefix: str
    """The path before the route: the API's stage, or nothing at a domain of the merchant's own."""

    def ask(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> "ServiceAnswer":
        """`path` comes after the prefix. Redirects are not followed. Raises OSError, HTTPException."""
        connection = self._connection()
        try:
            own_page = {"Origin": f"{self.address.scheme}://{self.address.netloc}"}  # the hosted form
            connection.request(method, self.prefix + path, body, {**COMMON_HEADERS, **own_page, **(headers or {})})
            response = connection.getresponse()
            return ServiceAnswer(response.status, response.headers, response.read(LARGEST_ANSWER))
        finally:
            connection.close()

    def _connection(self) -> HTTPConnection:
        host = self.address.netloc
        if self.address.scheme == "http":
            return HTTPConnection(host, timeout=SECONDS_FOR_ONE_ANSWER)
        # A certificate that is not the host's ends it here.
        return HTTPSConnection(host, timeout=SECONDS_FOR_ONE_ANSWER, context=ssl.create_default_context())


@dataclass(frozen=True)
class ServiceAnswer:
    status: int
    headers: Message
    body: bytes

    def header(self, name: str) -> str:
        """Empty where there is none."""
        return self.headers.get(name, "")


def check_preflight(service: DeployedService) -> None:
    asked = {
        "Origin": FOREIGN_ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    answer = service.ask("OPTIONS", SINGULAR, headers=asked)
    require(answer.status in (200, 204), f"HTTP {answer.status} instead of 200 or 204")
    require_cross_origin(answer)
    require("POST" in listed(answer, "Access-Control-Allow-Methods"), "POST is not allowed")
    require("CONTENT-TYPE" in listed(answer, "Access-Control-Allow-Headers"), "Content-Type is not allowed")


def check_unreadable_body(service: DeployedService) -> None:
    answer = service.ask("POST", SINGULAR, b"{", {"Content-Type": "application/json"})
    require_errors(require_failure(answer, {400: "invalid_request"}))


def check_foreign_page(service: DeployedService) -> None:
    """Its body is not even looked at, unless AllowedOrigins is `*`."""
    headers = {"Origin": FOREIGN_ORIGIN, "Content-Type": "application/json"}
    require_failure(service.ask("POST", SINGULAR, b"{", headers), {400: "invalid_request", 403: "forbidden"})


def check_empty_card(service: DeployedService) -> None:
    """Where tokens are asked for, that is the first thing missing; it takes the keys in the secret to say so."""
    answer = service.ask("POST", PLURAL, b"{}", {"Content-Type": "application/json"})
    body = require_failure(answer, {400: "invalid_request", 401: "invalid_customer_token"})
    if answer.status == 400:
        require("card_number" in require_errors(body), "the missing card_number is not among the errors")


def check_unknown_path(service: DeployedService) -> None:
    require_failure(service.ask("GET", f"{SINGULAR}/no-such-path"), {404: "not_found"})


def check_card_form(service: DeployedService) -> None:
    require_card_form(service.ask("GET", f"{SINGULAR}?customer_uid=smoke-test", headers={"Accept": "text/html"}))


def check_scripts(service: DeployedService) -> None:
    """PCI DSS 11.6.1: the page as a browser gets it has this version's script, and none beside it."""
    require_own_scripts(service.ask("GET", f"{SINGULAR}?customer_uid=smoke-test", headers={"Accept": "text/html"}))


def check_other_spelling(service: DeployedService) -> None:
    require_card_form(service.ask("GET", f"{PLURAL}?customer_uid=smoke-test", headers={"Accept": "text/html"}))


def check_old_tls(service: DeployedService) -> None:
    """Offers nothing newer than TLS 1.1; PCI DSS calls that early TLS and no strong cryptography."""
    address = (service.address.hostname, service.address.port or 443)
    with socket.create_connection(address, timeout=SECONDS_FOR_ONE_ANSWER) as connection:
        try:
            tls_1_1_or_older().wrap_socket(connection, server_hostname=service.address.hostname)
        except ssl.SSLError:
            return
    raise CheckFailed("TLS 1.1 is taken")


def tls_1_1_or_older() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers("ALL:@SECLEVEL=0")  # what was good enough for TLS 1.1
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # only whether there is a handshake; nothing is sent
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


CHECKS: Mapping[str, Callable[[DeployedService], None]] = {
    "a page of another origin may ask": check_preflight,
    "a page that is not allowed is refused": check_foreign_page,
    "a body that is no JSON is refused": check_unreadable_body,
    "an empty card is refused": check_empty_card,
    "an unknown path is answered in the contract's shape": check_unknown_path,
    "the card form is shown with its security headers": check_card_form,
    "the card form's script is this version's and the only one": check_scripts,
    "the other spelling of the path shows it too": check_other_spelling,
}

CHECKS_OF_HTTPS: Mapping[str, Callable[[DeployedService], None]] = {
    "what is older than TLS 1.2 is refused": check_old_tls,
}


def require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise CheckFailed(otherwise)


def require_cross_origin(answer: ServiceAnswer) -> None:
    """`*` or an origin. Which one may read the answer is a setting; that there is a header at all is the contract."""
    require(bool(answer.header("Access-Control-Allow-Origin")), "no Access-Control-Allow-Origin")


def require_failure(answer: ServiceAnswer, code_by_status: Mapping[int, str]) -> dict[str, Any]:
    """The body of a failure in the contract's shape."""
    expected = " or ".join(str(status) for status in code_by_status)
    require(answer.status in code_by_status, f"HTTP {answer.status} instead of {expected}")
    require_cross_origin(answer)
    require(answer.header("Content-Type").startswith("application/json"), "the answer is not JSON by its Content-Type")
    try:
        body = json.loads(answer.body)
    except ValueError:
        raise CheckFailed("the body is not JSON") from None
    require(isinstance(body, dict), "the body is not a JSON object")
    require(body.get("status") == "failed", "status is not `failed`")
    require(body.get("code") == code_by_status[answer.status], f"code is not `{code_by_status[answer.status]}`")
    for name in ("message", "request_id"):
        require(bool(body.get(name)), f"no {name}")
    return dict(body)


def require_errors(body: Mapping[str, Any]) -> set[str]:
    """The names of the fields that an answer calls wrong, each with a message."""
    match body.get("errors"):
        case [_, *_] as errors if all(isinstance(error, dict) for error in errors):
            named = {str(error.get("field")) for error in errors if error.get("field") and error.get("message")}
        case _:
            raise CheckFailed("no list of errors")
    require(bool(named), "no error has both field and message")
    return named


def require_card_form(answer: ServiceAnswer) -> None:
    """Where tokens are asked for, a page that says so."""
    require(answer.status in (200, 401), f"HTTP {answer.status} instead of 200 or 401")
    require(answer.header("Content-Type").startswith("text/html"), "the answer is not HTML by its Content-Type")
    require((b"<form" in answer.body) is (answer.status == 200), "no form in the page, or one that can't work")
    for name, value in FORM_HEADERS.items():
        require(answer.header(name) == value, f"{name} is not {value}")
    require_policy(answer.header("Content-Security-Policy"))
    kept = re.search(r"max-age=(\d+)", answer.header("Strict-Transport-Security"))
    require(kept is not None and int(kept[1]) >= LEAST_TRANSPORT_SECURITY_SECONDS, "no Strict-Transport-Security")


def require_policy(policy: str) -> None:
    """Every directive of ours and no other: one that is missing or added can let out what is typed."""
    directives: dict[str, str] = {}
    for part in filter(None, map(str.strip, policy.split(";"))):
        name, _, sources = part.partition(" ")
        directives.setdefault(name, sources)  # of two of one name, browsers take the first (CSP Level 3, 2.2.1)
    differing = [
        name
        for name in sorted(directives.keys() | FORM_POLICY.keys())
        if not re.fullmatch(FORM_POLICY.get(name, "(?!)"), directives.get(name, "there is none"))
    ]
    require(not differing, f"Content-Security-Policy differs in {', '.join(differing)}")


def require_own_scripts(answer: ServiceAnswer) -> None:
    page = answer.body.decode("utf-8", "replace")
    scripts = re.findall(r"<script\b([^>]*)>(.*?)</script", page, re.DOTALL | re.IGNORECASE)
    run = [text for attributes, text in scripts if attributes != DATA]
    require(not any("src" in attributes for attributes, _ in scripts), "a script is loaded from an address")
    require([hash_source(text) for text in run] == [hash_source(SCRIPT)], "a script is not this version's")
    allowed = re.search(r"script-src ([^;]*)", answer.header("Content-Security-Policy"))
    require(allowed is not None and allowed[1] == hash_source(SCRIPT), "script-src allows more than this version's")


def listed(answer: ServiceAnswer, name: str) -> set[str]:
    return {item.strip().upper() for item in answer.header(name).split(",")}


def run_checks(service: DeployedService) -> bool:
    """Prints a line for each; false where one failed."""
    all_hold = True
    checks = {**CHECKS, **CHECKS_OF_HTTPS} if service.address.scheme == "https" else CHECKS
    for name, check in checks.items():
        try:
            check(service)
        except HTTPException as failure:  # its message may quote what came
            all_hold = False
            print(f"FAIL  {name}: {type(failure).__name__}")
        except (CheckFailed, OSError) as failure:
            all_hold = False
            print(f"FAIL  {name}: {failure}")
        else:
            print(f"ok    {name}")
    return all_hold


def read_service(url: str) -> DeployedService:
    address = urlsplit(url)
    prefix, route, rest = address.path.rpartition(SINGULAR)
    if address.scheme not in ("http", "https") or not address.hostname or not route or rest or address.query:
        raise argparse.ArgumentTypeError(f"a URL that ends with {SINGULAR}, as the stack's output IssueBillingUrl")
    return DeployedService(address, prefix)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m infra.smoke", description="Checks a deployed service.")
    parser.add_argument("service", metavar="URL", type=read_service, help="the stack's output IssueBillingUrl")
    if not run_checks(parser.parse_args().service):
        sys.exit(1)


if __name__ == "__main__":
    main()
