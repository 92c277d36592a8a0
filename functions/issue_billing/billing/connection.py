"""HTTP connections on which it is certain when a request was never sent, and whose answers end by a deadline.

requests alone leaves both open. Its SSLError and ConnectionError come from before the request was sent as well as
from after, and its read time-out starts anew with every byte, so that an answer that drips never ends.
"""

import http.client
import io
import socket
import time
from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class NeverConnected(Exception):
    """Name look-up, connecting or the TLS handshake failed: not a byte of the request has left.

    Neither urllib3 nor requests knows this exception, so it comes through both as it is.
    """


def new_session() -> requests.Session:
    """A session that keeps connections alive, never retries by itself and reads nothing from its surroundings.

    `trust_env` off: a `.netrc` would replace the Authorization header, a proxy variable would send cards elsewhere.
    """
    session = requests.Session()
    session.trust_env = False
    session.mount("https://", _Adapter())
    session.mount("http://", _Adapter())
    return session


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


class _Certain(HTTPConnection):
    """What both kinds of connection share."""

    response_class = _Response

    def connect(self) -> None:
        try:
            super().connect()
        except Exception as failure:
            raise NeverConnected(type(failure).__name__) from failure


class _PlainConnection(_Certain):
    pass


class _TlsConnection(_Certain, HTTPSConnection):
    pass


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *arguments: Any, **keywords: Any) -> None:
        super().init_poolmanager(*arguments, **keywords)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}
