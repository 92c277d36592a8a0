"""Real Chromium in front of the real service: the API on one origin, the merchant's pages on another."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, Request, sync_playwright

from infra.local.examples import ExamplesServer, running
from infra.local.iamport import Simulator
from infra.local.service import LocalService, run_service
from tests.attempts_table import empty_ledger
from tests.browser.card_form import CardForm

# Nothing that the browser does by itself may leave this machine.
CHROMIUM_ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]

PATIENCE = 10_000
"""Milliseconds."""

REFUSED_BY_STATUS = "Failed to load resource: the server responded with a status of "
"""Chromium's own line for every answer of fetch that is 4xx or 5xx; no page can keep it from being written."""


def cannot_run(reason: str) -> NoReturn:
    """Skips the test; in continuous integration, where everything is to be there, it fails."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, else the one that `playwright install chromium` brings."""
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM_ARGUMENTS)
        except Error:
            cannot_run("no browser: `apt install chromium` or `playwright install chromium`")
        yield browser
        browser.close()


class Shop(ExamplesServer):
    """A merchant's origin, with the examples and with the pages that a test puts there.

    On a real socket: Chromium lets no page that came from nowhere call this machine.
    """

    def __init__(self) -> None:
        super().__init__()
        self.pages: dict[str, tuple[str, bytes]] = {}

    def put(self, path: str, text: str, media_type: str = "text/html; charset=utf-8") -> None:
        self.pages[path] = (media_type, text.encode())

    def page(self, path: str) -> tuple[str, bytes] | None:
        return self.pages.get(path) or super().page(path)


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
    with run_for(shop, tmp_path_factory.mktemp("browser")) as service:
        shop.api_url = service.url
        yield service


@contextmanager
def run_for(shop: Shop, directory: Path, **parameters: str) -> Iterator[LocalService]:
    """The service as the shop has it deployed; `parameters`: of the template."""
    deployed = {
        "AllowedOrigins": shop.origin,
        "PrivacyPolicyUrl": "https://shop.example/privacy",
        "AttemptsPerCustomer": "10",
        "DataCollection": "consent",
    }
    log = directory / "function.log"
    with log.open("ab") as stream, run_service(parameters=deployed | parameters, log=stream) as service:
        yield service


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
        if not message.text.startswith(REFUSED_BY_STATUS):
            self.console.append(message.text)

    def foreign_addresses(self) -> list[str]:
        """Of the requests that left for another host."""
        addresses = [request.url for request in self.requests]
        return [url for url in addresses if not url.startswith("data:") and urlsplit(url).netloc not in self._own_hosts]

    def posts(self) -> int:
        return sum(request.method == "POST" for request in self.requests)


@pytest.fixture
def watched(shop: Shop, other_shop: Shop, service: LocalService) -> Iterator[Watched]:
    """At the end of every test, no other host was asked and the console is empty."""
    watched = Watched(shop.origin, other_shop.origin, service.url)
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
