"""Servers for tests: they answer byte by byte as a script says, or in HTTP; or they say nothing at all."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus

import trustme

Script = Callable[["Line"], None]
"""What happens on one connection."""

TOO_LONG = 30.0
"""Seconds until a script that is never cut ends by itself."""

HOST = "127.0.0.1"


@dataclass(frozen=True)
class HttpRequest:
    method: str
    path: str
    """With its query."""
    headers: Mapping[str, str]
    """By their names in lower case."""
    body: bytes


@dataclass(frozen=True)
class HttpAnswer:
    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    """But for Content-Length, which is always the body's."""


@dataclass
class Server:
    url: str
    requests: list[HttpRequest] = field(default_factory=list)
    """All that were read, in their order."""
    requests_of: list[int] = field(default_factory=list)
    """How many requests each connection brought."""
    hung_up: int = 0
    """How many connections this end has closed: the other end has its goodbye."""

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])


class Line:
    """One connection, from the server's side."""

    def __init__(self, connection: socket.socket, server: Server) -> None:
        self._connection = connection
        self._server = server
        server.requests_of.append(0)
        self._number = len(server.requests_of) - 1

    def receive(self) -> bytes:
        """What has come so far; nothing: the other end has hung up."""
        return self._connection.recv(65536)

    def read_request(self) -> HttpRequest | None:
        """A whole request, head and body; None: the other end has hung up."""
        received = b""
        while b"\r\n\r\n" not in received:
            if not (chunk := self.receive()):
                return None
            received += chunk
        head, _, body = received.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        while len(body) < int(headers.get("content-length", "0")):
            if not (chunk := self.receive()):
                return None
            body += chunk
        request = HttpRequest(method, path, headers, body)
        self._server.requests.append(request)
        self._server.requests_of[self._number] += 1
        return request

    def send(self, data: bytes) -> None:
        self._connection.sendall(data)

    def send_again_and_again(self, data: bytes, pause: float = 0.05) -> None:
        """As a server does that is busy for ever: no single wait for it is long."""
        ends_at = time.monotonic() + TOO_LONG
        while time.monotonic() < ends_at:
            self.send(data)
            time.sleep(pause)


def answering(answer: Callable[[HttpRequest], HttpAnswer]) -> Script:
    """Every request of a connection is answered, until the other end hangs up."""

    def script(line: Line) -> None:
        while (request := line.read_request()) is not None:
            line.send(_on_the_line(answer(request)))

    return script


def _on_the_line(answer: HttpAnswer) -> bytes:
    others = {name: value for name, value in answer.headers.items() if name.lower() != "content-length"}
    headers = {**others, "Content-Length": str(len(answer.body))}
    first = f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}"
    head = [first, *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(head).encode() + answer.body


@contextmanager
def serving(script: Script, tls: ssl.SSLContext | None = None, *, scheme: str = "") -> Iterator[Server]:
    """`scheme`: what the URL says where that is not what the server speaks."""
    with socket.create_server((HOST, 0)) as listening:
        server, over = Server(_url(scheme or ("https" if tls else "http"), listening)), threading.Event()

        def accept_until_over() -> None:
            while True:
                accepted, _ = listening.accept()
                if over.is_set():
                    accepted.close()
                    return
                accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=_serve, args=[accepted, server, script, tls], daemon=True).start()

        accepting = threading.Thread(target=accept_until_over, daemon=True)
        accepting.start()
        try:
            yield server
        finally:
            over.set()
            socket.create_connection(listening.getsockname()).close()  # `accept` ends for somebody who comes
            accepting.join()


def _serve(accepted: socket.socket, server: Server, script: Script, tls: ssl.SSLContext | None) -> None:
    with suppress(OSError), closing(accepted if tls is None else tls.wrap_socket(accepted, server_side=True)) as line:
        script(Line(line, server))
    server.hung_up += 1


@dataclass(frozen=True)
class SilentServer:
    url: str
    listening: socket.socket

    def was_connected_to(self) -> bool:
        self.listening.setblocking(False)
        try:
            self.listening.accept()[0].close()
        except BlockingIOError:
            return False
        return True


@contextmanager
def saying_nothing(scheme: str = "http") -> Iterator[SilentServer]:
    """Connections are made, and that is all."""
    with socket.create_server((HOST, 0)) as listening:
        yield SilentServer(_url(scheme, listening), listening)


@contextmanager
def nobody_listening() -> Iterator[str]:
    """The URL of a port that refuses every connection for as long as it is held."""
    with socket.socket() as held:
        held.bind((HOST, 0))
        yield _url("http", held)


@contextmanager
def nobody_accepting() -> Iterator[str]:
    """The URL of a port whose queue is full, so that who comes is neither taken nor refused, as behind a firewall."""
    with socket.create_server((HOST, 0), backlog=0) as listening, ExitStack() as waiting:
        for _ in range(4):
            one = waiting.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(listening.getsockname())
        yield _url("http", listening)


def certificate_of(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    """For a server of these names."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


def _url(scheme: str, bound: socket.socket) -> str:
    return f"{scheme}://{HOST}:{bound.getsockname()[1]}"
