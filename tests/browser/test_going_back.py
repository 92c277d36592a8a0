"""Who leaves the page and comes back to it finds what became of the card: nothing typed, and nothing to send again."""

import pytest
from playwright.sync_api import expect

from infra.local.iamport import Simulator
from tests.browser.card_form import CardForm
from tests.browser.conftest import OpenForm, Shop, Watched
from tests.browser.test_waiting import failed

TYPED = ("card_number", "expiry", "pwd_2digit", "birth")

COMES_BACK_FROM_MEMORY = """() => {
    window.dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true }));
    window.dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
}"""
"""What a browser does to a page that it kept in its back/forward cache. Playwright switches Chromium's off."""


@pytest.fixture
def from_shop(open_form: OpenForm, shop: Shop) -> OpenForm:
    """Opens the form by a link on a page of the shop's, which is where "back" leads to from the form."""

    def from_shop(**options: object) -> CardForm:
        form = open_form({"return_url": f"{shop.origin}/registered"}, **options)
        shop.put("/registered", page_named("registered"))
        shop.put("/cards", page_named("cards", f'<a href="{form.page.url.replace("&", "&amp;")}">register</a>'))
        form.page.goto(f"{shop.origin}/cards")
        form.page.get_by_role("link", name="register").click()
        expect(form.button).to_be_visible()
        return form

    return from_shop


def page_named(name: str, content: str = "") -> str:
    return f'<!doctype html><link rel="icon" href="data:,"><title>{name}</title>{content}'


def expect_nothing_typed(form: CardForm) -> None:
    for name in TYPED:
        expect(form.field(name)).to_have_value("")


def test_after_a_registration_back_leads_past_the_form(from_shop: OpenForm, shop: Shop, watched: Watched) -> None:
    form = from_shop()
    form.page.get_by_role("link", name="English").click()
    expect(form.button).to_have_text("Register card")
    form.fill().submit().page.wait_for_url(f"{shop.origin}/registered?**")
    form.page.go_back()
    expect(form.page).to_have_title("cards")
    form.page.go_forward()
    expect(form.page).to_have_title("registered")
    assert watched.posts() == 1


def test_back_to_a_registration_shows_it(open_form: OpenForm, shop: Shop, watched: Watched) -> None:
    form = open_form().fill().submit().expect_outcome("카드가 등록되었습니다")
    shop.put("/elsewhere", page_named("elsewhere"))
    form.page.goto(f"{shop.origin}/elsewhere")
    form.page.go_back()
    form.expect_outcome("카드가 등록되었습니다", "국민KB카드 000010******0001")
    expect(form.button).to_have_count(0)
    assert watched.posts() == 1


@pytest.mark.parametrize("java_script", [True, False])
def test_back_to_a_refusal_shows_it_with_an_empty_form(
    from_shop: OpenForm, shop: Shop, watched: Watched, java_script: bool
) -> None:
    form = from_shop(java_script_enabled=java_script)
    form.fill("wrong_number").submit().expect_outcome("카드가 거절되었습니다")
    form.page.get_by_role("link", name="판매자 페이지로 돌아가기").click()
    form.page.wait_for_url(f"{shop.origin}/registered?**")
    form.page.go_back()
    form.expect_outcome("카드가 거절되었습니다", "카드번호틀림")
    expect_nothing_typed(form)
    assert watched.posts() == 1


def test_without_javascript_back_leads_to_the_outcome_and_then_to_an_empty_form_that_registers_no_second_card(
    from_shop: OpenForm, shop: Shop, simulator: Simulator
) -> None:
    form = from_shop(java_script_enabled=False).fill().submit().expect_outcome("카드가 등록되었습니다")
    form.page.get_by_role("link", name="판매자 페이지로 돌아가기").click()
    form.page.wait_for_url(f"{shop.origin}/registered?**")
    form.page.go_back()
    form.expect_outcome("카드가 등록되었습니다")
    expect(form.button).to_have_count(0)
    form.page.go_back()
    expect_nothing_typed(form)
    form.fill("issued_debit").submit().expect_outcome("이미 등록된 카드가 있어")
    assert simulator.issue_count(form.customer_uid) == 1


def test_the_other_language_waits_while_a_card_is_sent(open_form: OpenForm, watched: Watched) -> None:
    form = open_form().fill("slow").submit()
    expect(form.button).to_be_disabled()
    form.page.get_by_role("link", name="English").click()
    form.expect_outcome("카드가 등록되었습니다")
    form.page.get_by_role("link", name="English").click()
    form.expect_outcome("Your card is registered")
    assert watched.posts() == 1


def test_a_reload_while_a_card_is_sent_leaves_an_empty_form_and_the_same_card_its_outcome(
    open_form: OpenForm, simulator: Simulator
) -> None:
    form = open_form().fill("slow").submit()
    expect(form.button).to_be_disabled()
    form.page.reload()
    expect_nothing_typed(form)
    form.fill("slow").submit().expect_outcome("카드가 등록되었습니다")
    assert simulator.issue_count(form.customer_uid) == 1


def test_a_page_from_the_browsers_memory_asks_the_service_anew(open_form: OpenForm, watched: Watched) -> None:
    form = open_form().answer_with(504, failed("outcome_unknown", "")).fill().submit()
    form.expect_outcome("아직 결과를 알 수 없습니다")
    expect(form.ask_again).to_be_visible()
    with form.page.expect_navigation():
        form.page.evaluate(COMES_BACK_FROM_MEMORY)
    form.expect_outcome("아직 결과를 알 수 없습니다")
    expect(form.ask_again).to_be_hidden()
    expect(form.page.locator("form")).to_have_count(0)
    assert watched.posts() == 1


def test_what_was_half_typed_is_gone_when_the_page_comes_from_the_browsers_memory(open_form: OpenForm) -> None:
    form = open_form().fill()
    with form.page.expect_navigation():
        form.page.evaluate(COMES_BACK_FROM_MEMORY)
    expect_nothing_typed(form)
