"""Connections to Iamport: kept and used again, known to have sent nothing, and cut when time is up."""

import gc
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType, FunctionType, ModuleType, TracebackType
from typing import Any

import certifi
import pytest
import trustme

from billing.aws_clients import AwsClients
from billing.credentials import CredentialsStore
from billing.iamport import client as gateway
from billing.iamport.client import Iamport
from billing.iamport.connection import IDLE_SECONDS
from billing.iamport.token import Token
from billing.model.card import Card
from billing.model.customer import Customer
from billing.model.deadline import Deadline
from billing.model.errors import BillingError, GatewayError, OutcomeUnknown, Unavailable
from billing.model.sensitive import Sensitive
from billing.settings import read_settings
from tests.conftest import ClockAhead
from tests.serving import Line, Script, certificate_of, nobody_accepting, nobody_listening, saying_nothing, serving
from tests.waiting import eventually

NUMBER = "0000-9876-9876-9876"
CARD = Card(Sensitive(NUMBER), Sensitive("2099-12"), Sensitive("900101"), Sensitive("73"))
CUSTOMER = Customer("mine", vouched_for=True, may_replace=False, payment=None, details=())

DECLINED = b'{"code":-1,"message":"no","response":null}'
HEAD = b"HTTP/1.1 200 OK\r\n"
ANSWER = HEAD + b"Content-Length: %d\r\n\r\n" % len(DECLINED) + DECLINED

SECONDS = 1.0
"""Time for a whole request that its time ends."""
ENOUGH = 5.0
"""For one that is answered, on a busy machine too."""


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    authority = trustme.CA()
    bundle = tmp_path / "authorities.pem"
    authority.cert_pem.write_to_path(str(bundle))
    monkeypatch.setattr(certifi, "where", lambda: str(bundle))
    return certificate_of(authority, "127.0.0.1", "localhost")


@pytest.fixture(params=["http", "https"])
def context(request: pytest.FixtureRequest, tls: ssl.SSLContext) -> ssl.SSLContext | None:
    return tls if request.param == "https" else None


@pytest.fixture(autouse=True)
def no_time_kept_for_a_pg(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "LEAST_ISSUE_SECONDS", 0.0)


def client_of(url: str) -> Iamport:
    names = ("IAMPORT_SECRET_ID", "FINGERPRINT_SECRET_ID", "ATTEMPTS_TABLE")
    settings = read_settings({**dict.fromkeys(names, "unused"), "IAMPORT_BASE_URL": url})
    iamport = Iamport(settings, CredentialsStore(settings, AwsClients()))
    iamport._tokens._kept = Token(Sensitive("made-up-token"), good_until=time.time() + 10**6)
    return iamport


def outcome(iamport: Iamport, seconds: float = SECONDS) -> BillingError:
    """Of one issuing request, which has to end in time and may not carry the card away."""
    started = time.monotonic()
    with pytest.raises(BillingError) as raised:
        iamport.issue(CUSTOMER, CARD, Deadline.after(seconds))
    assert time.monotonic() - started < seconds + 0.5
    assert list(texts_with_the_card_in(raised.value)) == []
    return raised.value


def texts_with_the_card_in(failure: BaseException) -> Iterator[str]:
    """Everything that can be reached from an exception but for the code that it went through."""
    seen, left = set[int](), [failure, failure.__context__, failure.__cause__, failure.args, failure.__dict__]
    while left:
        found: Any = left.pop()
        if id(found) in seen or isinstance(found, type | ModuleType | FunctionType | FrameType | TracebackType):
            continue
        seen.add(id(found))
        if isinstance(found, str | bytes | bytearray):
            text = found if isinstance(found, str) else found.decode("latin-1")
            if NUMBER in text:
                yield text
        left += gc.get_referents(found)


def test_the_search_would_find_the_card_in_an_exception_of_requests() -> None:
    """That of a request which failed holds the request, whose body is the card."""
    failure = Unavailable("any")
    failure.__context__ = ValueError({"request": {"body": f'{{"card_number": "{NUMBER}"}}'.encode()}})
    assert list(texts_with_the_card_in(failure))


def hanging_up_after(requests: int) -> Script:
    """Without a word of it in its answers, as a server does to an idle line."""

    def script(line: Line) -> None:
        for _ in range(requests):
            if line.read_request() is None:
                return
            line.send(ANSWER)

    return script


def test_one_connection_serves_many_requests(context: ssl.SSLContext | None) -> None:
    with serving(hanging_up_after(9), context) as server:
        iamport = client_of(server.url)
        assert [outcome(iamport, ENOUGH).code for _ in range(3)] == ["declined"] * 3
    assert server.requests_of == [3]


def test_a_connection_that_the_other_end_has_closed_is_not_used_again(context: ssl.SSLContext | None) -> None:
    with serving(hanging_up_after(1), context) as server:
        iamport = client_of(server.url)
        for attempts in (1, 2, 3):
            assert outcome(iamport, ENOUGH).code == "declined"
            assert eventually(lambda: server.hung_up == attempts)  # noqa: B023 (asked at once)
    assert server.requests_of == [1, 1, 1]


def test_a_connection_idle_for_long_is_not_used_again(context: ssl.SSLContext | None, clock: ClockAhead) -> None:
    with serving(hanging_up_after(9), context) as server:
        iamport = client_of(server.url)
        for _ in range(2):
            for _ in range(3):
                assert outcome(iamport, ENOUGH).code == "declined"
                clock.advance(IDLE_SECONDS - 5)
            clock.advance(6)
    assert server.requests_of == [3, 3]


def dripping(*pieces: bytes, drip: bytes) -> Script:
    def script(line: Line) -> None:
        line.read_request()
        for piece in pieces:
            line.send(piece)
        line.send_again_and_again(drip)

    return script


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(dripping(drip=b"X"), id="its first line"),
        pytest.param(dripping(HEAD, drip=b"X-Header: 1\r\n"), id="headers"),
        pytest.param(dripping(drip=b"HTTP/1.1 100 Continue\r\n\r\n"), id="100 Continue"),
        pytest.param(dripping(HEAD, b"Content-Length: 99999\r\n\r\n{", drip=b" "), id="a body of a known length"),
        pytest.param(dripping(HEAD, b"Connection: close\r\n\r\n{", drip=b" "), id="a body without a length"),
        pytest.param(dripping(HEAD, b"Transfer-Encoding: chunked\r\n\r\n", drip=b"1\r\n \r\n"), id="chunks of a body"),
        pytest.param(dripping(HEAD, b"Transfer-Encoding: chunked\r\n\r\n", drip=b"0"), id="the size of a chunk"),
        pytest.param(
            # whole and right, were it not for what is still to come
            dripping(HEAD, b"Connection: close\r\n\r\n" + DECLINED, drip=b"\n"),
            id="white space behind an answer",
        ),
    ],
)
def test_an_answer_that_never_ends_is_cut_when_its_time_is_up(script: Script, context: ssl.SSLContext | None) -> None:
    with serving(script, context) as server:
        unknown = outcome(client_of(server.url))
    assert isinstance(unknown, OutcomeUnknown)
    assert unknown.reason == "time_out"
    assert server.requests_of == [1]


@pytest.mark.parametrize("response", ['{"customer_uid":"another","card_name":"X"}', "null"])
def test_an_answer_that_tells_nothing_of_what_was_asked_is_none(response: str) -> None:
    """As of a proxy that is out of step with its requests."""
    body = f'{{"code":0,"message":null,"response":{response}}}'.encode()
    with serving(sending(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)) as server:
        assert isinstance(outcome(client_of(server.url)), OutcomeUnknown)


def sending(answer: bytes) -> Script:
    def script(line: Line) -> None:
        line.read_request()
        line.send(answer)

    return script


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x00\xff\xfe", id="no HTTP"),
        pytest.param(ANSWER[:-5], id="half of it"),
        pytest.param(HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", id="a chunk of no size"),
        pytest.param(
            HEAD + b"Content-Encoding: gzip\r\nContent-Length: 8\r\n\r\n\x1f\x8bbroken", id="gzip that is none"
        ),
    ],
)
def test_a_broken_answer_to_what_was_sent_is_an_unknown_outcome(answer: bytes, context: ssl.SSLContext | None) -> None:
    with serving(sending(answer), context) as server:
        assert isinstance(outcome(client_of(server.url), ENOUGH), OutcomeUnknown)
    assert server.requests_of == [1], "sent once"


def test_a_redirect_to_nowhere_was_not_processed(context: ssl.SSLContext | None) -> None:
    redirect = b"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://[nowhere\r\nContent-Length: 0\r\n\r\n"
    with serving(sending(redirect), context) as server:
        assert isinstance(outcome(client_of(server.url), ENOUGH), GatewayError)
    assert server.requests_of == [1], "sent once"


def test_a_redirect_is_not_followed_and_known_as_one(context: ssl.SSLContext | None) -> None:
    with serving(hanging_up_after(1), context) as elsewhere:
        location = f"Location: {elsewhere.url}/\r\n".encode()
        redirect = b"HTTP/1.1 307 Temporary Redirect\r\n" + location + b"Content-Length: 0\r\n\r\n"
        with serving(sending(redirect), context) as server:
            unknown = outcome(client_of(server.url))
    assert (unknown.reason, server.requests_of, elsewhere.requests_of) == ("http_307", [1], [])


def test_where_nobody_listens_nothing_was_sent() -> None:
    with nobody_listening() as url:
        assert_unreachable(url)


def test_where_nobody_accepts_nothing_was_sent() -> None:
    with nobody_accepting() as url:
        assert_unreachable(url)


def test_where_a_name_is_not_known_nothing_was_sent() -> None:
    assert_unreachable("https://api.iamport.invalid")


def test_where_tls_never_begins_nothing_was_sent() -> None:
    with saying_nothing("https") as server:
        assert_unreachable(server.url)


def endless_handshake(line: Line) -> None:
    """A record of it, as long as may be, and never whole."""
    line.send(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc")
    line.send_again_and_again(b"\x00")


@pytest.mark.parametrize("script", [endless_handshake, hanging_up_after(1)], ids=["byte by byte", "no TLS at all"])
def test_where_tls_comes_to_nothing_nothing_was_sent(script: Script) -> None:
    with serving(script, scheme="https") as server:
        assert_unreachable(server.url)
    assert sum(server.requests_of) == 0


def assert_unreachable(url: str) -> None:
    never_sent = outcome(client_of(url))
    assert isinstance(never_sent, Unavailable)
    assert never_sent.reason is not None
    assert never_sent.reason.startswith("iamport_unreachable: ")


def test_a_certificate_of_somebody_else_is_spoken_to_by_nobody(tls: ssl.SSLContext) -> None:
    stranger = certificate_of(trustme.CA(), "127.0.0.1")
    for wrong in (stranger, tls):
        with serving(hanging_up_after(1), wrong) as server:
            # The second certificate is right, but for another name.
            url = server.url if wrong is stranger else server.url.replace("127.0.0.1", "127.0.0.2")
            assert isinstance(outcome(client_of(url)), Unavailable)
        assert sum(server.requests_of) == 0


def looking_up(monkeypatch: pytest.MonkeyPatch, seconds: float, *addresses: str) -> None:
    look_up = socket.getaddrinfo

    def slow(host: str, port: int, *arguments: Any, **keywords: Any) -> Any:
        if host != "localhost":
            return look_up(host, port, *arguments, **keywords)
        time.sleep(seconds)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", slow)


def test_after_a_slow_look_up_of_the_name_the_card_is_not_sent(
    monkeypatch: pytest.MonkeyPatch, context: ssl.SSLContext | None
) -> None:
    looking_up(monkeypatch, SECONDS + 0.2, "127.0.0.1")
    with serving(hanging_up_after(1), context) as server:
        never_sent = outcome(client_of(server.url.replace("127.0.0.1", "localhost")))
    assert isinstance(never_sent, Unavailable)
    assert sum(server.requests_of) == 0


def test_several_addresses_that_nobody_accepts_at_take_no_longer_than_one(monkeypatch: pytest.MonkeyPatch) -> None:
    looking_up(monkeypatch, 0.0, *["127.0.0.1"] * 4)
    with nobody_accepting() as url:
        assert isinstance(outcome(client_of(url.replace("127.0.0.1", "localhost"))), Unavailable)


def test_where_one_address_refuses_the_next_one_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    looking_up(monkeypatch, 0.0, "127.0.0.9", "127.0.0.1")
    with serving(hanging_up_after(1)) as server:
        assert outcome(client_of(server.url.replace("127.0.0.1", "localhost"))).code == "declined"


def test_neither_proxies_nor_cookies_nor_netrc_have_a_say(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login made-up password made-up")
    monkeypatch.setenv("NETRC", str(netrc))
    heads: list[bytes] = []

    def script(line: Line) -> None:
        for _ in range(2):
            heads.append(line.receive())
            line.send(HEAD + b"Set-Cookie: sticky=1\r\nContent-Length: %d\r\n\r\n" % len(DECLINED) + DECLINED)

    with serving(hanging_up_after(0)) as proxy, serving(script) as server:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        iamport = client_of(server.url)
        for _ in range(2):
            with pytest.raises(BillingError):
                iamport.look_up("mine", Deadline.after(SECONDS))
    assert proxy.requests_of == []
    for head in heads:
        assert b"Authorization: Bearer made-up-token" in head
        assert b"cookie" not in head.lower()
