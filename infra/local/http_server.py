"""HTTP/1.1 on a socket: bytes to HttpRequest, HttpResponse to bytes, one thread for each connection."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from werkzeug.serving import DechunkedInput

from infra.local.api import LARGEST_EVENT, ApiGateway
from infra.local.proxy_event import HttpRequest, HttpResponse

logger = logging.getLogger(__name__)

MOST_DISCARDED = 64 * 1024 * 1024
"""Bytes of a body that is too large which are still read, as a client listens only after it has sent all."""


@contextmanager
def serve(gateway: ApiGateway, host: str, port: int) -> Iterator[str]:
    """Gives the URL. Raises OSError where the port is taken."""
    with _ApiServer((host, port), gateway) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://{host}:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


class _ApiServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], gateway: ApiGateway) -> None:
        self.gateway = gateway
        super().__init__(address, _ApiConnection)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        """A client that went away is no event; anything else is."""
        logger.debug("connection ended", exc_info=True)


class _ApiConnection(BaseHTTPRequestHandler):
    server: _ApiServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 60
    """Seconds that a silent connection is kept."""

    def _answer(self) -> None:
        started = time.monotonic()
        try:
            body = self._read_body()
        except (OSError, ValueError):
            self.send_error(400)
            return
        request = HttpRequest(
            method=self.command,
            target=self.path,
            headers=tuple((name, str(value)) for name, value in self.headers.items()),
            body=body,
            source_ip=self.client_address[0],
        )
        response = self.server.gateway.answer(request)
        self._write(response)
        # The path without its query, which may name a customer.
        milliseconds = (time.monotonic() - started) * 1000
        logger.info("%s %s %d %.0f ms", request.method, request.path, response.status_code, milliseconds)

    do_DELETE = do_GET = do_HEAD = do_OPTIONS = do_PATCH = do_POST = do_PUT = _answer  # noqa: N815

    def _read_body(self) -> bytes:
        """At most LARGEST_EVENT + 1 bytes of it; what comes after them is discarded. Raises OSError, ValueError."""
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            source, length = DechunkedInput(self.rfile), MOST_DISCARDED  # type: ignore[arg-type]
        else:
            source, length = self.rfile, int(self.headers.get("Content-Length", "0"))  # type: ignore[assignment]
            if length < 0:
                raise ValueError("negative Content-Length")
        body, unread = bytearray(), length
        while unread > 0 and (chunk := source.read(min(unread, 65536))):
            unread -= len(chunk)
            if len(body) <= LARGEST_EVENT:
                body += chunk
            elif length - unread > MOST_DISCARDED:
                break
        self.close_connection = self.close_connection or len(body) > LARGEST_EVENT
        return bytes(body[: LARGEST_EVENT + 1])

    def _write(self, response: HttpResponse) -> None:
        self.send_response_only(response.status_code)
        for name, value in response.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """Called by the standard library too, for what it cannot read."""
        self.close_connection = True
        self.command = getattr(self, "command", "") or ""
        self.request_version = self.protocol_version
        with suppress(OSError):
            self._write(self.server.gateway.refuse_malformed(code))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nothing: `_answer` writes the one line that a request gets."""
