"""The local shop of `make run`: what a visitor can try, and what the shop's server hears of it."""

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from infra.local.iamport import Simulator, number_of
from infra.local.shop.visits import FIRST_MONTH
from tests.browser.conftest import NewPage, Shop
from tests.browser.test_accessibility import violations

LONGEST_LOOK = 20_000
"""Milliseconds; where Iamport's answer is lost, the service looks for ten seconds."""


@pytest.fixture
def page(new_page: NewPage, shop: Shop, simulator: Simulator) -> Page:  # noqa: ARG001
    return visit(new_page(viewport={"width": 1280, "height": 900}), shop)


def visit(page: Page, shop: Shop) -> Page:
    page.goto(shop.origin)
    expect(page.locator("#cards li")).not_to_have_count(0)
    return page


def go(page: Page, to: str, *claims: str) -> None:
    if claims:
        page.get_by_text("가게 서버", exact=True).click()
    for claim in claims:
        page.locator(f"[name={claim}]").check()
    page.get_by_text(to, exact=True).click()
    page.get_by_role("button", name="카드 등록하러 가기").click()


def type_into_the_hosted_form(page: Page, number: str) -> None:
    for name, text in {"card_number": number, "expiry": "1299", "pwd_2digit": "12", "birth": "900101"}.items():
        page.locator(f"#{name}").fill(text)
    page.locator("#consent").check()
    page.locator("#submit").click()


def back_in_the_shop(page: Page, shop: Shop) -> None:
    page.wait_for_url(f"{shop.origin}/**", timeout=LONGEST_LOOK)


def test_a_card_is_registered_on_the_hosted_form_and_the_event_comes(page: Page, shop: Shop) -> None:
    customer_uid = page.locator("#customer").inner_text()
    go(page, "호스팅 폼")
    type_into_the_hosted_form(page, "0000100000000001")
    back_in_the_shop(page, shop)
    expect(page.locator("#result")).to_contain_text("카드를 등록하고 돌아오셨네요")
    event = page.locator("#events li").filter(has_text="이 손님 · 국민KB카드 000010******0001")
    expect(event).to_contain_text("billing_key.issued")
    assert json.loads(event.locator("pre").text_content() or "")["customer_uid"] == customer_uid


@pytest.mark.parametrize(
    ("scenario", "event"),
    [
        ("payment_refused_without_key", "payment.failed"),
        ("payment_refused_with_key", "payment.failed"),
        ("payment_failed", "payment.failed"),
        ("payment_answer_lost", "payment.paid"),
    ],
)
def test_each_payment_card_can_be_tried_by_hand(
    page: Page, shop: Shop, simulator: Simulator, scenario: str, event: str
) -> None:
    order = page.locator("#order").inner_text()
    go(page, "호스팅 폼", "payment")
    type_into_the_hosted_form(page, number_of(scenario))
    expect(page.locator("#outcome.bad, #result")).to_be_visible(timeout=LONGEST_LOOK)
    visit(page, shop)
    expect(page.locator("#events li").filter(has_text=order)).to_contain_text(event, timeout=LONGEST_LOOK)
    assert all(payment.amount == FIRST_MONTH for payment in simulator.payments)


def test_the_payment_card_that_leaves_no_key_can_be_tried_too(page: Page, simulator: Simulator) -> None:
    """Its event comes only when no key can come any more, after a minute."""
    go(page, "호스팅 폼", "payment")
    type_into_the_hosted_form(page, number_of("paid_without_key"))
    expect(page.locator("#outcome")).to_contain_text("결제만 완료되었습니다", timeout=LONGEST_LOOK)
    assert [payment.amount for payment in simulator.payments] == [FIRST_MONTH]


def test_a_card_is_replaced_only_where_the_token_says_so(page: Page, shop: Shop, simulator: Simulator) -> None:
    def register(number: str, *claims: str) -> None:
        go(visit(page, shop), "HTML 폼", *claims)
        labels = {"카드번호": number, "유효기간": "12/99", "생년월일": "900101", "카드 비밀번호": "12"}
        for label, text in labels.items():
            page.get_by_label(label).fill(text)
        page.get_by_role("button").click()

    register("0000-1000-0000-0001", "new")
    expect(page.get_by_role("status")).to_contain_text("000010******0001")
    register("0000-1000-0000-0002", "new")
    expect(page.get_by_role("status")).to_contain_text("이미 등록된 카드가 있어")
    register("0000-1000-0000-0002", "replace")
    expect(page.get_by_role("status")).to_contain_text("000010******0002")
    assert len(simulator.customers) == 1


def test_who_begins_anew_is_another_customer_with_another_order(page: Page) -> None:
    def who() -> tuple[str, str]:
        return page.locator("#customer").inner_text(), page.locator("#order").text_content() or ""

    before = who()
    page.reload()
    expect(page.locator("#customer")).to_have_text(before[0])
    page.get_by_role("button", name="새 손님으로").click()
    expect(page.locator("#customer")).not_to_have_text(before[0])
    expect(page.locator("#customer")).to_contain_text("shop-")
    assert not set(before) & set(who())


def test_without_a_token_there_are_no_claims_to_choose(page: Page) -> None:
    expect(page.locator("[name=payment]")).to_be_disabled()
    page.get_by_text("가게 서버", exact=True).click()
    expect(page.locator("[name=payment]")).to_be_enabled()


def test_every_test_card_stands_there_in_korean(page: Page, simulator: Simulator) -> None:
    shown = dict(line.split("\n")[:2] for line in page.locator("#cards li").all_inner_texts())
    assert list(shown) == [card.number for card in simulator.cards]
    assert {card.what_happens for card in simulator.cards} & set(shown.values()) == set()


DARK_PHONE = {"color_scheme": "dark"}
LIGHT_DESKTOP = {"viewport": {"width": 1280, "height": 900}}


@pytest.mark.parametrize("browser_is", [DARK_PHONE, LIGHT_DESKTOP], ids=["phone", "desktop"])
def test_axe_finds_nothing_and_nothing_is_cut_off(
    new_page: Callable[..., Page], shop: Shop, browser_is: dict[str, object]
) -> None:
    page = visit(new_page(**browser_is), shop)
    assert violations(page) == []
    page.get_by_text("가게 서버", exact=True).click()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
