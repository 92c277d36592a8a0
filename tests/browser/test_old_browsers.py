"""What the page needs of a browser: Safari and iOS 15, and Chrome before 103, have to send a card too."""

import pytest
from playwright.sync_api import expect

from infra.local.iamport import Simulator
from tests.browser.card_form import CardForm
from tests.browser.conftest import OpenForm, Shop, Watched

OLD = """
delete AbortSignal.timeout;
delete AbortSignal.any;
delete Array.prototype.at;
delete Object.hasOwn;
delete window.structuredClone;
delete Array.prototype.findLast;
"""
"""What Safari 15.0 and Chrome 92 have not."""

NO_ERROR_NAMES = "for (const kind of [Error, TypeError, DOMException]) delete kind.prototype.name;"

SAYS_OFFLINE = "Object.defineProperty(Navigator.prototype, 'onLine', { get: () => false });"

CAN_NOT_MAKE_A_REQUEST = "window.Request = function () { throw new TypeError('no'); };"


def opened_where(open_form: OpenForm, script: str) -> CardForm:
    """With what is missing taken away before the page is loaded."""
    form = open_form()
    form.page.add_init_script(script)
    return form.open()


@pytest.mark.parametrize("script", [OLD, NO_ERROR_NAMES, SAYS_OFFLINE], ids=["old", "errors without names", "offline"])
def test_a_card_is_registered(open_form: OpenForm, simulator: Simulator, script: str) -> None:
    form = opened_where(open_form, script).fill().submit()
    form.expect_outcome("카드가 등록되었습니다", "국민KB카드")
    assert form.customer_uid in simulator.customers


def test_what_fails_before_it_is_sent_is_told_as_such(open_form: OpenForm, watched: Watched) -> None:
    form = opened_where(open_form, CAN_NOT_MAKE_A_REQUEST).fill().submit()
    form.expect_outcome("카드가 등록되지 않았습니다", "보내지 못했습니다")
    expect(form.field("card_number")).to_have_value("0000 1000 0000 0001")
    expect(form.button).to_be_enabled()
    assert watched.posts() == 0


def test_a_frame_that_comes_from_nowhere_says_so_before_anything_is_typed(open_form: OpenForm, shop: Shop) -> None:
    form = open_form()
    frame = f'<iframe sandbox="allow-scripts allow-forms" src="{form.url}?customer_uid=a" width="400" height="800">'
    shop.put("/sandboxed-form", f"<!doctype html><title>cards</title>{frame}</iframe>")
    form.page.goto(f"{shop.origin}/sandboxed-form")
    inside = form.page.frame_locator("iframe")
    expect(inside.locator("#outcome")).to_contain_text("이 화면에서는 카드를 등록할 수 없습니다")
    expect(inside.locator("#card-form")).to_be_hidden()
