"""requests' way to Iamport, on which it is certain when a request was never sent, and whose answers end by a deadline.

urllib3 and requests leave both open. Their errors come from before the request was sent as well as from after; their
time-outs start anew with each byte and with each address of a name, and leave out the look-up of the name.
"""

import socket
import ssl
import time
from contextlib import suppress
from threading import Timer
from typing import Any

import certifi
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, connection_from_url
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.connection import create_connection

IDLE_SECONDS = 30.0
"""A connection last used longer ago is closed: while Lambda was frozen, its other end may have hung up unheard, and a
request that is lost that way looks like one whose outcome is unknown."""


class NeverSent(Exception):
    """Not a byte of the request has left. No OSError, as urllib3 and requests make others of those."""


class Turn:
    """The request under way; `connected_by` is of the monotonic clock."""

    connected_by: float = 0.0
    line: socket.socket | None = None

    def cut(self) -> None:
        """Wakes whoever waits for the other end, wherever in the answer that is."""
        if self.line is not None:
            with suppress(OSError):
                # SSLSocket's own shutdown would take TLS away from under the thread that reads.
                socket.socket.shutdown(self.line, socket.SHUT_RDWR)


class _Connection(HTTPConnection):
    _used_at = 0.0

    def __init__(self, *arguments: Any, turn: Turn, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self._turn = turn

    def connect(self) -> None:
        """Raises NeverSent."""
        reason = "connected_too_late"
        try:
            super().connect()
        except Exception as failure:  # noqa: BLE001 (whatever it is, nothing was sent)
            reason = type(failure).__name__
        else:
            self._turn.line, self._used_at = self.sock, time.time()
            if time.monotonic() < self._turn.connected_by:
                return
        self.close()
        raise NeverSent(reason)

    def _new_conn(self) -> socket.socket:
        reason: OSError = TimeoutError()
        for *_, address in socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM):
            try:
                connected = create_connection((str(address[0]), self.port), self._left(), None, self.socket_options)
            except OSError as failure:
                reason = failure
            else:
                connected.settimeout(self._left())  # the whole of a TLS handshake ends by it
                return connected
        raise reason

    def _left(self) -> float:
        return max(self._turn.connected_by - time.monotonic(), 0.001)

    def request(self, *arguments: Any, **keywords: Any) -> None:
        # By the wall clock: the monotonic one may stand still while Lambda is frozen.
        if time.time() - self._used_at > IDLE_SECONDS:
            self.close()
        self._used_at = time.time()
        super().request(*arguments, **keywords)


class _TlsConnection(_Connection, HTTPSConnection):
    pass


class DeadlineAdapter(HTTPAdapter):
    """To one host, one request at a time, never sent twice."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._turn = Turn()
        # requests would read all authorities' certificates anew for every connection, 15 ms each time.
        tls = {"ssl_context": ssl.create_default_context(cafile=certifi.where())} if url.startswith("https:") else {}
        self._pool = connection_from_url(url, turn=self._turn, **tls)
        self._pool.ConnectionCls = _TlsConnection if tls else _Connection

    def get_connection_with_tls_context(self, *_: Any, **__: Any) -> HTTPConnectionPool:
        return self._pool

    def cert_verify(self, *_: Any) -> None:
        """The TLS context does."""

    def send(self, request: PreparedRequest, timeout: Any = None, **options: Any) -> Response:  # type: ignore[override]
        """`timeout`: (seconds to be connected, seconds to the end of the answer, connecting included).

        Raises NeverSent. Whatever else it raises, the request may have been sent.
        """
        connect_seconds, answer_seconds = timeout
        self._turn.connected_by = time.monotonic() + connect_seconds
        timer = Timer(answer_seconds, self._turn.cut)
        timer.start()
        try:
            response = super().send(request, timeout=timeout, **options)
            response.content  # noqa: B018 (read here, while the timer runs)
        finally:
            timer.cancel()
            timer.join()  # or it might cut the next request, whose socket may be the same
        return response
