"""The sockets: requests in, answers out, and every way an answer can go wrong on the line."""

import contextlib
import socket
import ssl
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from infra.local.iamport.background import Background
from infra.local.iamport.envelope import Reply, refused
from infra.local.iamport.faults import REPLY_INSTEAD, SENDS_THE_REAL_ANSWER, Fault, Kind

LARGEST_BODY = 1024 * 1024
IDLE_SECONDS = 75


@dataclass(frozen=True)
class Request:
    """`path` is as it came over the wire, without its `query`."""

    method: str
    path: str
    query: str
    authorization: str
    tier: str | None
    content_type: str
    body: bytes


@dataclass(frozen=True)
class Exchange:
    """What is to be done for a request, the fault that strikes, and whom to tell how it ended."""

    perform: Callable[[], Reply]
    fault: Fault | None
    ended: Callable[[str], None]


class FaultyServer(ThreadingHTTPServer):
    """One thread per connection; `exchange` turns a request into what happens with it."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(
        self, host: str, port: int, tls_context: ssl.SSLContext | None, exchange: Callable[[Request], Exchange]
    ) -> None:
        super().__init__((host, port), FaultyConnection)
        self.exchange = exchange
        self.connections = 0
        self.stopping = threading.Event()
        self._tls_context = tls_context
        self._open: set[socket.socket] = set()
        self._at_work: dict[socket.socket, Any] = {}
        """The open connections from which something may still be done, and the addresses of their other ends."""
        self._changed = threading.Condition()
        self.background = Background(self._changed)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        scheme = "http" if self._tls_context is None else "https"
        return f"{scheme}://{self.server_address[0]!s}:{self.server_port}"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.stopping.set()
        self.background.drop()
        if self._thread.is_alive():
            self._stop_serving()
        self.server_close()
        with self._changed:
            still_open = list(self._open)
        for connection in still_open:
            hang_up(connection)

    def _stop_serving(self) -> None:
        """At once: the loop looks up when somebody comes, and by itself only every 20 ms."""
        asking = threading.Thread(target=self.shutdown)
        asking.start()
        socket.create_connection(self.socket.getsockname()).close()
        asking.join()
        self._thread.join()

    def wait_until_idle(self, seconds: float) -> None:
        """Raises TimeoutError."""
        with socket.create_connection(self.socket.getsockname()) as last:
            # Connections are taken in their order: with this one, all are known that were made before.
            here = last.getsockname()
            with self._changed:
                if not self._changed.wait_for(lambda: self._is_idle_but_for(here), seconds):
                    raise TimeoutError

    def _is_idle_but_for(self, address: Any) -> bool:
        return self.background.is_idle and list(self._at_work.values()) == [address]

    @contextlib.contextmanager
    def nothing_left_but_to_answer(self, connection: socket.socket) -> Iterator[None]:
        with self._changed:
            address = self._at_work.pop(connection)
            self._changed.notify_all()
        yield
        with self._changed:
            self._at_work[connection] = address

    def server_bind(self) -> None:
        """Without HTTPServer's look-up of the host's name, which can take seconds."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        if self._tls_context is not None:
            # The handshake is left to the connection's own thread: a silent client holds up no other.
            connection = self._tls_context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        with self._changed:
            self.connections += 1
            self._open.add(connection)
            self._at_work[connection] = address
            self._changed.notify_all()
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        with self._changed:
            self._open.discard(request)
            self._at_work.pop(request, None)
            self._changed.notify_all()
        super().shutdown_request(request)

    def handle_error(self, _request: Any, _client_address: Any) -> None:
        """A client that hangs up is no error; anything else is a bug, shown without the values in it."""
        kind, error, trace = sys.exc_info()
        if kind is not None and not isinstance(error, OSError):
            print(kind.__name__, *traceback.format_tb(trace), sep="\n", file=sys.stderr)


class FaultyConnection(BaseHTTPRequestHandler):
    """One connection, kept alive over many requests."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = IDLE_SECONDS
    server: FaultyServer

    def setup(self) -> None:
        super().setup()
        if isinstance(self.connection, ssl.SSLSocket):
            self.connection.do_handshake()

    def handle_one_call(self) -> None:
        body = self._read_body()
        if body is None:
            return
        path, _, query = self.path.partition("?")
        request = Request(
            method=self.command,
            path=path,
            query=query,
            authorization=self.headers.get("Authorization", ""),
            tier=self.headers.get("Tier"),
            content_type=self.headers.get("Content-Type", ""),
            body=body,
        )
        exchange = self.server.exchange(request)
        try:
            ending = self._deliver(exchange.perform, exchange.fault)
        except OSError:
            ending = "client hung up"
            self.close_connection = True
        exchange.ended(ending if exchange.fault is None else f"{ending} ({exchange.fault.kind})")

    # The names http.server looks for; methods that no endpoint has get the envelope of an unknown path.
    do_GET = do_POST = do_DELETE = do_PUT = do_PATCH = do_OPTIONS = handle_one_call  # noqa: N815

    def _read_body(self) -> bytes | None:
        """The body, or None when there is no telling where it ends: then that is the answer."""
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not (length.isascii() and length.isdigit()):
            self.send_error(411)
        elif len(length) > len(str(LARGEST_BODY)) or int(length) > LARGEST_BODY:
            self.send_error(413)
        else:
            return self.rfile.read(int(length))
        return None

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What http.server refuses by itself comes in the envelope too, and never repeats what was sent."""
        del message, explain
        self.close_connection = True
        self._send(refused(-1, HTTPStatus(code).phrase, code))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nothing: the simulator logs its calls itself."""

    def _deliver(self, perform: Callable[[], Reply], fault: Fault | None) -> str:
        """Do what was asked and answer, or fail as the fault says. Returns the HTTP status, or what came instead."""
        if fault is None:
            return self._send(perform())
        if fault.answered_first:
            self.server.background.do_later(fault.processed_after, perform)
            return self._fail(fault)
        self._wait(fault.processed_after)
        if fault.kind in SENDS_THE_REAL_ANSWER:
            return self._send_badly(perform(), fault)
        if fault.processed:
            perform()
        return self._fail(fault)

    def _fail(self, fault: Fault) -> str:
        """What the client gets instead of Iamport's answer."""
        if fault.kind is Kind.SILENCE:
            with self.server.nothing_left_but_to_answer(self.connection):
                self.connection.recv(1)  # until it hangs up
            self._cut()
            return "no answer"
        if fault.kind in (Kind.ANSWER_LOST, Kind.LINE_CUT):
            return self._cut()
        return self._send(fault.answer or REPLY_INSTEAD[fault.kind])

    def _send_badly(self, reply: Reply, fault: Fault) -> str:
        if fault.kind is Kind.SLOW:
            with self.server.nothing_left_but_to_answer(self.connection):
                self._wait(fault.seconds - fault.processed_after)
            return self._send(reply)
        message = self._message(reply)
        if fault.kind is Kind.TRUNCATED:
            self.wfile.write(message[: -len(reply.body) // 2])
            return self._cut()
        for position in range(len(message)):
            self.wfile.write(message[position : position + 1])
            self._wait(fault.seconds)
        return str(reply.status)

    def _send(self, reply: Reply) -> str:
        self.wfile.write(self._message(reply))
        return str(reply.status)

    def _message(self, reply: Reply) -> bytes:
        """The whole answer as one piece, so that it leaves in one packet."""
        head = [
            f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}",
            f"Date: {self.date_time_string()}",
            f"Content-Type: {reply.content_type}",
            f"Content-Length: {len(reply.body)}",
            *(f"{name}: {value}" for name, value in reply.headers),
            *(["Connection: close"] if self.close_connection else []),
        ]
        return "\r\n".join([*head, "", ""]).encode("ascii") + reply.body

    def _cut(self) -> str:
        self.close_connection = True
        return "line cut"

    def _wait(self, seconds: float) -> None:
        if seconds > 0 and self.server.stopping.wait(seconds):
            raise ConnectionAbortedError


def hang_up(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
