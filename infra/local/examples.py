"""The frontends of `examples/` on an origin of their own, as a merchant's pages are, and the contract as a page."""

import mimetypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from infra.local.contract_page import contract_page
from infra.local.template import PROJECT

API_IN_EXAMPLES = b"http://127.0.0.1:3000"
"""Where the examples' files post to; what is served names the API that really runs."""

FOLDERS = {
    "html": PROJECT / "examples" / "html",
    "react": PROJECT / "examples" / "react" / "dist",
}

INDEX = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Examples</title><link rel="icon" href="data:,"></head><body>
<h1>Frontends that call the API</h1>
<ul>
<li><a href="/html/">A plain HTML form</a></li>
<li>{react}</li>
<li><a href="{api}/subscription/issue-billing?customer_uid=gildong_0001_1234">The hosted form</a></li>
</ul>
<p><a href="/docs">The contract</a></p>
</body></html>
"""

REACT_BUILT = '<a href="/react/">React</a>, and <a href="/react/#hosted">the hosted form in a frame</a>'
REACT_NOT_BUILT = "React is not built yet: <code>make examples</code> (needs npm)"


class ExamplesServer(ThreadingHTTPServer):
    """`api_url` may be set later than the server starts: the API has to know this origin first.

    Raises OSError where the port is taken.
    """

    daemon_threads = True

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__((host, port), _ExamplesConnection)
        self.origin = f"http://{host}:{self.server_address[1]}"
        self.origins = (self.origin, f"http://localhost:{self.server_address[1]}")
        self.api_url = ""

    def page(self, path: str) -> tuple[str, bytes] | None:
        """Media type and content; None where there is nothing."""
        if path == "/":
            react = REACT_BUILT if FOLDERS["react"].is_dir() else REACT_NOT_BUILT
            return "text/html; charset=utf-8", INDEX.format(react=react, api=self.api_url).encode()
        if path == "/docs":
            return "text/html; charset=utf-8", contract_page().encode()
        file = _file(path)
        if file is None:
            return None
        media_type = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        return media_type, file.read_bytes().replace(API_IN_EXAMPLES, self.api_url.encode())

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that went away is no event."""


@contextmanager
def running(server: ThreadingHTTPServer) -> Iterator[None]:
    """Serves until the block ends."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _file(path: str) -> Path | None:
    _, folder, *rest = unquote(path).split("/")
    if folder not in FOLDERS:
        return None
    root = FOLDERS[folder].resolve()
    file = (root / "/".join(rest or [""])).resolve()
    if file == root:
        file = root / "index.html"
    return file if file.is_relative_to(root) and file.is_file() else None


class _ExamplesConnection(BaseHTTPRequestHandler):
    server: ExamplesServer
    timeout = 60
    """Seconds that a silent connection is kept."""

    def do_GET(self) -> None:
        found = self.server.page(urlsplit(self.path).path)
        media_type, content = found or ("text/plain", b"There is nothing at this address.\n")
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nothing: the API's log is what one watches."""
