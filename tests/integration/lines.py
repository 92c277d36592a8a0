"""Servers that answer byte by byte as a test says, with and without TLS."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field

Script = Callable[["Line"], None]
"""What happens on one connection."""

TOO_LONG = 30.0
"""Seconds until a script that is never cut ends by itself."""


@dataclass
class Server:
    url: str
    requests_of: list[int] = field(default_factory=list)
    """How many requests each connection brought."""


class Line:
    """One connection, from the server's side."""

    def __init__(self, connection: socket.socket, server: Server) -> None:
        self._connection = connection
        self._server = server
        server.requests_of.append(0)
        self._number = len(server.requests_of) - 1

    def read_request(self) -> bool:
        """A whole request, head and body; False: the other end has hung up."""
        received = b""
        while b"\r\n\r\n" not in received:
            chunk = self._connection.recv(65536)
            if not chunk:
                return False
            received += chunk
        head, _, body = received.partition(b"\r\n\r\n")
        lengths = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
        missing = int(lengths[0].partition(b":")[2]) - len(body) if lengths else 0
        while missing > 0:
            missing -= len(self._connection.recv(65536))
        self._server.requests_of[self._number] += 1
        return True

    def send(self, data: bytes) -> None:
        self._connection.sendall(data)

    def send_again_and_again(self, data: bytes, pause: float = 0.05) -> None:
        """As a server does that is busy for ever: no single wait for it is long."""
        ends_at = time.monotonic() + TOO_LONG
        while time.monotonic() < ends_at:
            self.send(data)
            time.sleep(pause)


@contextmanager
def serving(script: Script, tls: ssl.SSLContext | None = None, *, scheme: str = "") -> Iterator[Server]:
    """Gives the server. `scheme`: what its URL says where that is not what it speaks."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        scheme = scheme or ("https" if tls else "http")
        server = Server(f"{scheme}://127.0.0.1:{listening.getsockname()[1]}")
        threading.Thread(target=_accept, args=[listening, server, script, tls], daemon=True).start()
        yield server


def _accept(listening: socket.socket, server: Server, script: Script, tls: ssl.SSLContext | None) -> None:
    while True:
        try:
            accepted, _ = listening.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=[accepted, server, script, tls], daemon=True).start()


def _serve(accepted: socket.socket, server: Server, script: Script, tls: ssl.SSLContext | None) -> None:
    with suppress(OSError), closing(accepted if tls is None else tls.wrap_socket(accepted, server_side=True)) as line:
        script(Line(line, server))
