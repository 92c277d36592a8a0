"""Connections that are kept: used again while the other end holds them, and never when it has hung up."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import certifi
import pytest
import trustme

from billing.connection import KeptConnections

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@dataclass
class Server:
    url: str
    requests_of: list[int] = field(default_factory=list)
    """How many each connection brought."""


@contextmanager
def serving(requests_a_connection: int, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """Hangs up after so many requests, without a word of it in its answers, as a server does to an idle line."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        scheme = "http" if tls is None else "https"
        server = Server(f"{scheme}://127.0.0.1:{listening.getsockname()[1]}")
        threading.Thread(target=_serve, args=[listening, server, requests_a_connection, tls], daemon=True).start()
        yield server


def _serve(listening: socket.socket, server: Server, most: int, tls: ssl.SSLContext | None) -> None:
    while True:
        try:
            accepted, _ = listening.accept()
        except OSError:
            return
        with closing(accepted if tls is None else tls.wrap_socket(accepted, server_side=True)) as connection:
            server.requests_of.append(0)
            while server.requests_of[-1] < most and connection.recv(65536):
                server.requests_of[-1] += 1
                connection.sendall(ANSWER)


def ask(connections: KeptConnections) -> tuple[int, bytes]:
    return connections.exchange("POST", "/", b"{}", {}, connect_seconds=2, answer_seconds=2)


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    authority = trustme.CA()
    bundle = tmp_path / "authorities.pem"
    authority.cert_pem.write_to_path(str(bundle))
    monkeypatch.setattr(certifi, "where", lambda: str(bundle))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


def test_one_connection_serves_many_requests() -> None:
    with serving(requests_a_connection=9) as server:
        connections = KeptConnections(server.url)
        assert [ask(connections) for _ in range(3)] == [(200, b"{}")] * 3
    assert server.requests_of == [3]


def test_a_connection_that_the_other_end_has_closed_is_not_used_again() -> None:
    with serving(requests_a_connection=1) as server:
        connections = KeptConnections(server.url)
        for _ in range(3):
            assert ask(connections) == (200, b"{}")
            _until_the_goodbye_is_here(connections)
    assert server.requests_of == [1, 1, 1]


@pytest.mark.parametrize(("most", "requests_of"), [(9, [3]), (1, [1, 1, 1])])
def test_over_tls_too(tls: ssl.SSLContext, most: int, requests_of: list[int]) -> None:
    with serving(most, tls) as server:
        connections = KeptConnections(server.url)
        for _ in range(3):
            assert ask(connections) == (200, b"{}")
            if most == 1:
                _until_the_goodbye_is_here(connections)
    assert server.requests_of == requests_of


def _until_the_goodbye_is_here(connections: KeptConnections) -> None:
    [(_, connection)] = connections._idle
    connection.sock.settimeout(2)
    assert socket.socket.recv(connection.sock, 1, socket.MSG_PEEK) is not None
