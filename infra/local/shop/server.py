"""The local shop: the frontends of `examples/` on an origin of their own, and a merchant's server behind them.

/                             the shop
/visit                        who is here, and what there is to try; POST begins another visit
/events?after=N               the events that the shop's server has received since
/open/..., /signed/...        the examples, at the API that takes a customer_uid or a customer_token
/open/customer, /signed/customer   whose card it is, as the shop's server says it to its pages
/open/hosted, /signed/hosted  on to the hosted form
/docs                         the contract
"""

import json
import mimetypes
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from http.cookies import CookieError, SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from infra.local.contract_page import contract_page
from infra.local.event_pipe import Event
from infra.local.iamport.cards import Card
from infra.local.shop.visits import Identity, Visit, Visits, customer_of
from infra.local.template import PROJECT

API_IN_EXAMPLES = "http://127.0.0.1:3000"
"""Where the examples' files post to; what is served names the API that really runs."""

CUSTOMER_IN_EXAMPLES = '<input type="hidden" name="customer_uid" value="gildong_0001_1234">'
"""Where a merchant's server writes whose card it is into the HTML form."""

EXAMPLES = PROJECT / "examples"
PAGES = Path(__file__).with_name("pages")
REACT_BUILT = EXAMPLES / "react" / "dist"

FOLDERS = {"html": EXAMPLES / "html", "react": REACT_BUILT}
SINGLE_FILES = ("card-door.js", "embed.js")

HTML, JSON = "text/html; charset=utf-8", "application/json"

VISIT_COOKIE = "visit"


@dataclass(frozen=True)
class Answer:
    content: bytes = b""
    media_type: str = HTML
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


NOTHING_HERE = Answer(b"There is nothing at this address.\n", "text/plain", 404)


class ShopServer(ThreadingHTTPServer):
    """`doors`, `cards` may be set later than the server listens: the API has to know this origin first.

    Raises OSError where the port is taken.
    """

    daemon_threads = True

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__((host, port), _ShopConnection)
        self.origin = f"http://{host}:{self.server_address[1]}"
        self.origins = (self.origin, f"http://localhost:{self.server_address[1]}")
        self.doors: Mapping[Identity, str] = {}
        """The URL of the API for each identity that can be tried."""
        self.cards: Sequence[Card] = ()
        self.visits = Visits()
        self._events: list[Event] = []

    def receive(self, event: Event) -> None:
        """As a merchant's endpoint does (docs/events.md)."""
        self._events.append(event)

    def page(self, path: str, query: Mapping[str, str], visit: Visit) -> Answer:
        match path.strip("/").split("/"):
            case [""]:
                return _file(PAGES / "index.html")
            case ["shop.css" | "shop.js" as name]:
                return _file(PAGES / name)
            case ["docs"]:
                return Answer(contract_page().encode())
            case ["visit"]:
                return _json(self._what_there_is(visit))
            case ["events"]:
                return _json(self._events_after(query.get("after", "")))
            case [("open" | "signed") as identity, *rest] if identity in self.doors:
                return self._at_the_door(identity, rest, query, visit)
        return NOTHING_HERE

    def _at_the_door(self, identity: Identity, rest: list[str], query: Mapping[str, str], visit: Visit) -> Answer:
        door, customer = self.doors[identity], customer_of(visit, identity, query)
        match rest:
            case ["customer"]:
                return _json(customer)
            case ["hosted"]:
                return Answer(status=303, headers={"Location": self._hosted(door, customer)})
            case [name] if name in SINGLE_FILES:
                return _file(EXAMPLES / name)
            case [folder, *names] if folder in FOLDERS:
                return _example(FOLDERS[folder], "/".join(names), door, customer)
        return NOTHING_HERE

    def _hosted(self, door: str, customer: Mapping[str, str]) -> str:
        query = {**customer, "return_url": f"{self.origin}/"}
        return f"{door}/subscription/issue-billing?{urlencode(query)}"

    def _what_there_is(self, visit: Visit) -> dict[str, Any]:
        return {
            "customer_uid": visit.customer_uid,
            "payment": dict(visit.payment),
            "doors": dict(self.doors),
            "react_built": REACT_BUILT.is_dir(),
            "cards": [
                {"number": card.number, "scenario": card.scenario, "what_happens": card.what_happens}
                for card in self.cards
            ],
        }

    def _events_after(self, count: str) -> dict[str, Any]:
        after = int(count) if count.isascii() and count.isdecimal() else 0
        return {"events": [asdict(event) for event in self._events[after:]], "after": len(self._events)}

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


def _json(value: Any) -> Answer:
    return Answer(json.dumps(value, ensure_ascii=False).encode(), JSON)


def _file(path: Path) -> Answer:
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return Answer(path.read_bytes(), media_type)


def _example(folder: Path, name: str, door: str, customer: Mapping[str, str]) -> Answer:
    root = folder.resolve()
    file = (root / (unquote(name) or "index.html")).resolve()
    if not (file.is_relative_to(root) and file.is_file()):
        return NOTHING_HERE
    found = _file(file)
    [(field_name, value)] = customer.items()
    hidden = f'<input type="hidden" name="{field_name}" value="{value}">'
    filled_in = found.content.replace(API_IN_EXAMPLES.encode(), door.encode())
    return Answer(filled_in.replace(CUSTOMER_IN_EXAMPLES.encode(), hidden.encode()), found.media_type)


class _ShopConnection(BaseHTTPRequestHandler):
    server: ShopServer
    timeout = 60
    """Seconds that a silent connection is kept."""

    def do_GET(self) -> None:
        visit = self.server.visits.find(self._visit_id())
        self._answer(visit or self.server.visits.begin(), is_new=visit is None)

    def do_POST(self) -> None:
        if urlsplit(self.path).path != "/visit":
            self._send(NOTHING_HERE, {})
            return
        self._answer(self.server.visits.begin(), is_new=True)

    def _answer(self, visit: Visit, *, is_new: bool) -> None:
        address = urlsplit(self.path)
        answer = self.server.page(address.path, dict(parse_qsl(address.query)), visit)
        cookie = {"Set-Cookie": f"{VISIT_COOKIE}={visit.id}; Path=/; HttpOnly; SameSite=Lax"}
        self._send(answer, cookie if is_new else {})

    def _visit_id(self) -> str:
        try:
            cookies = SimpleCookie(self.headers.get("Cookie", ""))
        except CookieError:
            return ""
        return cookies[VISIT_COOKIE].value if VISIT_COOKIE in cookies else ""

    def _send(self, answer: Answer, more_headers: Mapping[str, str]) -> None:
        self.send_response(answer.status)
        headers = {
            "Content-Type": answer.media_type,
            "Content-Length": str(len(answer.content)),
            "Cache-Control": "no-store",
            **answer.headers,
            **more_headers,
        }
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nothing: the API's log is what one watches."""
