"""Nothing that was typed is in the browser's profile on disk: it is searched after a kill."""

import os
import shutil
import signal
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from infra.local.iamport import Simulator
from infra.local.service import LocalService
from tests.browser.card_form import CardForm
from tests.browser.conftest import CHROMIUM_ARGUMENTS, PATIENCE

NUMBER, BIRTH, EXPIRY = "0000100000000001", "871123", "11 / 97"

UNTIL_THE_SESSION_IS_WRITTEN = 15_000
"""Milliseconds. Chromium writes its session file every few seconds."""


@pytest.fixture(params=[True, False], ids=["with JavaScript", "without"])
def kept(request: pytest.FixtureRequest, browser: Browser, tmp_path: Path) -> tuple[BrowserContext, Path]:
    """A browser that keeps its profile, as a card holder's does, and where it does."""
    context = browser.browser_type.launch_persistent_context(
        tmp_path / "profile",
        executable_path=shutil.which("chromium"),
        args=CHROMIUM_ARGUMENTS,
        java_script_enabled=request.param,
        locale="ko-KR",
    )
    context.set_default_timeout(PATIENCE)
    return context, tmp_path / "profile"


def kill_and_search(profile: Path) -> list[str]:
    """The files that hold any of it, in any of the ways that it can be written."""
    written = [NUMBER, " ".join(NUMBER[at : at + 4] for at in range(0, 16, 4)), BIRTH, EXPIRY, "11+%2F+97"]
    searched = [form for text in written for form in (text.encode(), text.encode("utf-16-le"))]
    os.kill(browser_process(profile), signal.SIGKILL)
    found = []
    for path in profile.rglob("*"):
        if path.is_file():
            held = path.read_bytes()
            found += [f"{path.relative_to(profile)}: {text!r}" for text in searched if text in held]
    return found


def browser_process(profile: Path) -> int:
    """The one that all others of its kind belong to."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            command = (process / "cmdline").read_bytes()
            if f"--user-data-dir={profile}".encode() in command and b"--type=" not in command:
                return int(process.name)
    raise LookupError("no browser has this profile")


def typed(context: BrowserContext, service: LocalService) -> CardForm:
    form = CardForm(context.pages[0], service.url).open()
    for name, text in {"card_number": NUMBER, "expiry": EXPIRY, "pwd_2digit": "07", "birth": BIRTH}.items():
        form.field(name).press_sequentially(text)
    form.field("consent").check()
    return form


@pytest.mark.usefixtures("simulator")
def test_while_typing(kept: tuple[BrowserContext, Path], service: LocalService) -> None:
    context, directory = kept
    typed(context, service).page.wait_for_timeout(UNTIL_THE_SESSION_IS_WRITTEN)
    assert kill_and_search(directory) == []


@pytest.mark.parametrize("ending", ["issued", "refused by the service"])
def test_after_an_answer(
    kept: tuple[BrowserContext, Path], service: LocalService, simulator: Simulator, ending: str
) -> None:
    context, directory = kept
    form = typed(context, service)
    if ending == "issued":
        form.submit().expect_outcome("카드가 등록되었습니다")
        assert form.customer_uid in simulator.customers
    else:
        form.field("expiry").fill("11 / 20")
        form.submit()
        expect(form.error("expiry")).to_have_text("유효기간이 지난 카드입니다.")
    form.page.wait_for_timeout(UNTIL_THE_SESSION_IS_WRITTEN)
    assert kill_and_search(directory) == []
