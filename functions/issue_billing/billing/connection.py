"""HTTP connections on which it is certain when a request was never sent, and whose answers end by a deadline.

http.client, urllib3 and requests leave both open. Their errors come from before the request was sent as well as from
after, and their read time-out starts anew with every byte, so that an answer that drips never ends. The connections
are http.client's, as urllib3 takes as long again for each request (docs/benchmarks.md).
"""

import http.client
import io
import socket
import ssl
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import certifi
from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter
from requests.exceptions import ConnectionError as LineBroken
from requests.exceptions import ReadTimeout
from urllib3.util.wait import wait_for_read

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

SHORTEST_WAIT_SECONDS = 0.01
"""A time-out of zero would mean: do not wait at all, and one below it is an error."""
IDLE_SECONDS = 30.0
"""An idle connection older than this is given up: while Lambda was frozen, its other end may have hung up unheard, and
a request that is lost that way looks like one whose outcome is unknown."""


class NeverConnected(Exception):
    """Name look-up, connecting or the TLS handshake failed: not a byte of the request has left."""


class KeptConnections:
    """Connections to one host, kept alive."""

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)
        self._idle: list[tuple[float, http.client.HTTPConnection]] = []
        self._tls: ssl.SSLContext | None = None

    def exchange(
        self,
        method: str,
        path: str,
        body: bytes | None,
        headers: dict[str, str],
        *,
        connect_seconds: float,
        answer_seconds: float,
    ) -> tuple[int, bytes]:
        """The answer's status and body. Sends at most once, and follows no redirect.

        `answer_seconds`: until the answer's end, connecting included.
        Raises NeverConnected; ReadTimeout and LineBroken when the request was sent, wholly or in part.
        """
        ends_at = time.monotonic() + answer_seconds
        connection = self._idle_one() or self._new_one(connect_seconds)
        try:
            connection.sock.settimeout(max(ends_at - time.monotonic(), SHORTEST_WAIT_SECONDS))
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            status, answer = response.status, response.read()
        except TimeoutError as failure:
            connection.close()
            raise ReadTimeout from failure
        except (OSError, http.client.HTTPException) as failure:
            connection.close()
            raise LineBroken(type(failure).__name__) from failure
        if connection.sock is not None:
            self._idle.append((time.time(), connection))
        return status, answer

    def _idle_one(self) -> http.client.HTTPConnection | None:
        while self._idle:
            since, connection = self._idle.pop()
            if time.time() - since < IDLE_SECONDS and not _has_hung_up(connection):
                return connection
            connection.close()
        return None

    def _new_one(self, seconds: float) -> http.client.HTTPConnection:
        connection = self._unconnected(seconds)
        try:
            connection.connect()
        except Exception as failure:
            connection.close()
            raise NeverConnected(type(failure).__name__) from failure
        return connection

    def _unconnected(self, seconds: float) -> http.client.HTTPConnection:
        host, port = self._url.hostname or "", self._url.port
        if self._url.scheme == "http":
            return _Connection(host, port, timeout=seconds)
        if self._tls is None:
            self._tls = ssl.create_default_context(cafile=certifi.where())
        return _TlsConnection(host, port, timeout=seconds, context=self._tls)


class KeptAdapter(BaseAdapter):
    """requests over KeptConnections, to be used without its session.

    So no redirect is followed (a redirected POST would carry the card to wherever the answer points), no cookie is
    kept, no `.netrc` replaces the Authorization header and no proxy variable sends cards elsewhere.
    """

    def __init__(self, url: str) -> None:
        super().__init__()
        self._connections = KeptConnections(url)

    def send(self, request: PreparedRequest, *_: object, timeout: Any = None, **__: object) -> Response:
        """`timeout`: (seconds to connect, seconds to the end of the answer). Raises as `exchange` does."""
        assert request.method  # noqa: S101 (what `prepare` sets)
        connect_seconds, answer_seconds = timeout
        status, answer = self._connections.exchange(
            request.method,
            request.path_url,
            request.body.encode() if isinstance(request.body, str) else request.body,
            dict(request.headers),
            connect_seconds=connect_seconds,
            answer_seconds=answer_seconds,
        )
        response = Response()
        response.request, response.status_code, response.raw = request, status, io.BytesIO(answer)
        return response


def _has_hung_up(connection: http.client.HTTPConnection) -> bool:
    """Whether anything waits to be read, where nothing was asked for: that can only be the other end's goodbye."""
    return wait_for_read(connection.sock, timeout=0.0)


class _BoundedReader(io.RawIOBase):
    """Reads a socket with, each time, only what is left of the time-out that the socket started with."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._file = sock.makefile("rb", buffering=0)
        seconds = sock.gettimeout()
        self._moment = None if seconds is None else time.monotonic() + seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int | None:
        if self._moment is not None:
            left = self._moment - time.monotonic()
            if left <= 0:
                raise TimeoutError("the answer did not end in time")
            self._sock.settimeout(left)
        return self._file.readinto(buffer)

    def close(self) -> None:
        self._file.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *arguments: Any, **keywords: Any) -> None:
        super().__init__(sock, *arguments, **keywords)
        self.fp.close()
        self.fp = io.BufferedReader(_BoundedReader(sock))


class _Connection(http.client.HTTPConnection):
    """Sends head and body in one piece: one packet and one TLS record instead of two."""

    response_class = _Response
    _held: bytearray | None = None

    def request(self, *arguments: Any, **keywords: Any) -> None:
        self._held = bytearray()
        try:
            super().request(*arguments, **keywords)
            whole = bytes(self._held)
        finally:
            self._held = None
        super().send(whole)

    def send(self, data: Any) -> None:
        if self._held is None:
            super().send(data)
        else:
            self._held += data


class _TlsConnection(_Connection, http.client.HTTPSConnection):
    pass
