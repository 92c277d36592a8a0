"""Real Chromium in front of the real service: the API on one origin, the merchant's pages on another."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, Request, sync_playwright

from infra.local.event_pipe import EVENT_PIPE, run_pipe
from infra.local.iamport import Simulator
from infra.local.service import LocalService, run_second_door, run_service
from infra.local.shop.server import Answer, ShopServer, running
from infra.local.shop.visits import Visit
from infra.local.template import Template
from tests.attempts_table import empty_ledger
from tests.browser.card_form import CardForm
from tests.cannot_run import cannot_run

# Nothing that the browser does by itself may leave this machine.
CHROMIUM_ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]

PATIENCE = 10_000
"""Milliseconds."""

REFUSED_BY_STATUS = "Failed to load resource: the server responded with a status of "
"""Chromium's own line for every answer of fetch that is 4xx or 5xx; no page can keep it from being written."""


NOT_KNOWN_YET = "Unrecognized feature: 'autofill'."
"""Chromium's own line for a frame's `allow="autofill"`, in the versions before the feature is on."""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, else the one that `playwright install chromium` brings.

    Where there is one that was built without windows it is that one: a page opens in it for a third of the work.
    """
    chromium = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGUMENTS)
        except Error:
            cannot_run("no browser: `apt install chromium` or `playwright install chromium`")
        yield browser
        browser.close()


class Shop(ShopServer):
    """A merchant's origin, with the local shop and with the pages that a test puts there.

    On a real socket: Chromium lets no page that came from nowhere call this machine.
    """

    def __init__(self) -> None:
        super().__init__()
        self.pages: dict[str, Answer] = {}

    def put(self, path: str, text: str, media_type: str = "text/html; charset=utf-8") -> None:
        self.pages[path] = Answer(text.encode(), media_type)

    def page(self, path: str, query: Mapping[str, str], visit: Visit) -> Answer:
        return self.pages.get(path) or super().page(path, query, visit)


@pytest.fixture(scope="session")
def shop() -> Iterator[Shop]:
    """The origin that the API allows."""
    with (shop := Shop()), running(shop):
        yield shop


@pytest.fixture(scope="session")
def other_shop() -> Iterator[Shop]:
    """An origin that it does not."""
    with (shop := Shop()), running(shop):
        yield shop


@pytest.fixture(scope="session")
def service(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    directory = tmp_path_factory.mktemp("browser")
    signed = deployed(shop) | {"CustomerIdentity": "signed"}
    with (
        run_for(shop, directory) as service,
        (directory / "signed.log").open("ab") as log,
        run_second_door(service.backends, signed, log=log) as signed_door,
        run_pipe(Template().pipe(EVENT_PIPE), service.backends.aws, shop.receive),
    ):
        shop.doors = {"open": service.url, "signed": signed_door}
        shop.cards = service.backends.simulator.cards
        yield service


@contextmanager
def run_for(shop: Shop, directory: Path, **parameters: str) -> Iterator[LocalService]:
    """The service as the shop has it deployed; `parameters`: of the template."""
    log = directory / "function.log"
    with log.open("ab") as stream, run_service(parameters=deployed(shop) | parameters, log=stream) as service:
        yield service


def deployed(shop: Shop) -> dict[str, str]:
    return {
        "AllowedOrigins": shop.origin,
        "PrivacyPolicyUrl": "https://shop.example/privacy",
        "AttemptsPerCustomer": "10",
        "DataCollection": "consent",
    }


@pytest.fixture
def simulator(service: LocalService) -> Iterator[Simulator]:
    """Knows no customer; nor does the ledger."""
    simulator = service.backends.simulator
    simulator.reset()
    empty_ledger(service.backends.aws)
    yield simulator
    simulator.reset()


class Watched:
    """What the pages of one test asked for and what they wrote to the console."""

    def __init__(self, *own_origins: str) -> None:
        self._own_hosts = {urlsplit(origin).netloc for origin in own_origins}
        self.requests: list[Request] = []
        self.console: list[str] = []

    def watch(self, context: BrowserContext) -> None:
        context.on("request", self._note)
        context.on("console", self._write)
        context.on("weberror", lambda error: self.console.append(str(error.error)))

    def _note(self, request: Request) -> None:
        self.requests.append(request)

    def _write(self, message: ConsoleMessage) -> None:
        if not message.text.startswith((REFUSED_BY_STATUS, NOT_KNOWN_YET)):
            self.console.append(message.text)

    def foreign_addresses(self) -> list[str]:
        """Of the requests that left for another host."""
        addresses = [request.url for request in self.requests]
        return [url for url in addresses if not url.startswith("data:") and urlsplit(url).netloc not in self._own_hosts]

    @contextmanager
    def line(self, page: Page, words: str) -> Iterator[None]:
        """The block has Chromium write one line with these words to the console, sooner or later: no fault."""
        with page.expect_console_message(lambda message: words in message.text) as written:
            yield
        self.console.remove(written.value.text)

    def posts(self) -> int:
        return sum(request.method == "POST" for request in self.requests)


@pytest.fixture
def watched(shop: Shop, other_shop: Shop, service: LocalService) -> Iterator[Watched]:
    """At the end of every test, no other host was asked and the console is empty."""
    watched = Watched(shop.origin, other_shop.origin, service.url, *shop.doors.values())
    yield watched
    assert watched.foreign_addresses() == []
    assert watched.console == []


NewPage = Callable[..., Page]
OpenForm = Callable[..., CardForm]


@pytest.fixture
def new_page(browser: Browser, watched: Watched) -> Iterator[NewPage]:
    """A page of a browser that has seen nothing yet; takes what `Browser.new_context` takes."""
    with ExitStack() as contexts:

        def new_page(**options: Any) -> Page:
            defaults = {"locale": "ko-KR", "viewport": {"width": 360, "height": 740}}
            context = contexts.enter_context(browser.new_context(**(defaults | options)))
            context.set_default_timeout(PATIENCE)
            watched.watch(context)
            return context.new_page()

        yield new_page


@pytest.fixture
def open_form(new_page: NewPage, service: LocalService, simulator: Simulator) -> OpenForm:  # noqa: ARG001
    """Opens the hosted form; `query` goes into its address, everything else to `new_page`."""

    def open_form(query: dict[str, str] | None = None, **options: Any) -> CardForm:
        return CardForm(new_page(**options), service.url).open(query)

    return open_form
