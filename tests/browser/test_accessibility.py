"""axe-core finds nothing on any state of the page, in both themes, on a phone and on a desktop."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from billing.web import messages
from tests.browser.card_form import CardForm
from tests.browser.conftest import OpenForm
from tests.cannot_run import cannot_run

AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"

PHONE, DESKTOP = {"width": 360, "height": 740}, {"width": 1280, "height": 900}

RUN_AXE = """() => axe.run({
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    resultTypes: ["violations"],
})"""


def corporate(form: CardForm) -> None:
    form.page.get_by_label("법인카드").check()


def errors(form: CardForm) -> None:
    form.submit()
    expect(form.error("card_number")).not_to_be_empty()


def waiting(form: CardForm) -> None:
    form.page.route(f"{form.url}*", lambda _: None)
    form.fill().submit()
    expect(form.button).to_be_disabled()


def answered(code: str) -> Callable[[CardForm], None]:
    def answer(form: CardForm) -> None:
        body: dict[str, Any] = {"status": "failed", "code": code, "message": "거절"}
        if code == "success":
            body = {"status": "success", "message": "issued", "card": {"name": "KB", "number": "000010******0001"}}
        form.answer_with(200, body).fill().submit().expect_outcome()

    return answer


STATES: dict[str, Callable[[CardForm], None]] = {
    "empty": lambda _: None,
    "corporate": corporate,
    "errors": errors,
    "waiting": waiting,
    **{code: answered(code) for code in ("success", *messages.BY_CODE)},
}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("state", STATES)
def test_axe_finds_nothing(open_form: OpenForm, state: str, theme: str) -> None:
    form = open_form(color_scheme=theme, viewport=DESKTOP if theme == "light" else PHONE)
    STATES[state](form)
    assert violations(form.page) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_on_the_page_without_a_customer(open_form: OpenForm, theme: str) -> None:
    assert violations(open_form({"customer_uid": ""}, color_scheme=theme).page) == []


def test_nothing_is_cut_off_on_a_small_phone_or_with_large_text(open_form: OpenForm) -> None:
    """WCAG 1.4.10 and 1.4.4: 320 px without scrolling sideways, text at twice its size."""
    form = open_form({"lang": "en"}, viewport={"width": 320, "height": 600})
    form.submit()
    form.page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert form.page.evaluate("document.documentElement.scrollWidth") <= 320


@pytest.mark.parametrize("state", ["empty", "errors", "success", "outcome_unknown"])
def test_what_can_be_pressed_is_large_enough(open_form: OpenForm, state: str) -> None:
    """WCAG 2.5.8: 24 px."""
    form = open_form()
    STATES[state](form)
    for box in form.page.locator("a:visible, button:visible, input:visible").all():
        size = box.bounding_box()
        assert size is not None
        assert min(size["width"], size["height"]) >= 24


def violations(page: Page) -> list[str]:
    if not AXE.exists():
        cannot_run("axe-core is not installed: `npm ci` in tests/browser")
    page.evaluate(AXE.read_text("utf-8"))
    result = page.evaluate(RUN_AXE)
    return [f"{found['id']}: {node['html']}" for found in result["violations"] for node in found["nodes"]]
