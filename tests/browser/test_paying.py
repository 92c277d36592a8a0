"""Where tokens say whose card it is: what they say is told before typing, one that can't work at once."""

import threading
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from infra.local.iamport import Call, Endpoint, Fault, Simulator, faults
from infra.local.iamport.simulator import no_fault
from infra.local.service import LocalService
from infra.local.token import new_token
from tests.browser.conftest import OpenForm, Shop, Watched, run_for
from tests.browser.test_accessibility import DESKTOP, PHONE, violations

PAYMENT = {"merchant_uid": "order-1", "amount": 9900, "name": "별빛 정기배송"}


@pytest.fixture(scope="module")
def service(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    """Stands for the one that the other modules share."""
    with run_for(shop, tmp_path_factory.mktemp("paying"), CustomerIdentity="signed", ShopName="별빛 상점") as service:
        yield service


def paying(**claims: object) -> dict[str, str]:
    return {"customer_uid": "", "customer_token": new_token("customer-1", payment=PAYMENT, **claims)}


@pytest.mark.parametrize("java_script", [True, False])
def test_a_payment_is_told_before_and_after(open_form: OpenForm, simulator: Simulator, java_script: bool) -> None:
    form = open_form(paying(display="gildong@shop.example"), java_script_enabled=java_script)
    told = form.page.locator(".what-for")
    for text in ("gildong@shop.example", "별빛 정기배송", "별빛 상점", "9,900원"):
        expect(told).to_contain_text(text)
    expect(form.button).to_have_text("9,900원 결제하고 카드 등록")
    form.fill().submit().expect_outcome("카드가 등록되었습니다", "결제 금액 9,900원", "국민KB카드 000010******0001")
    receipt = form.page.get_by_role("link", name="영수증 보기")
    expect(receipt).to_have_attribute("href", simulator.payments[0].receipt_url or "")


@pytest.mark.parametrize("java_script", [True, False])
@pytest.mark.parametrize(
    "query",
    [
        {"customer_token": new_token("customer-1", exp=int(time.time()) - 60)},
        {"customer_token": "aaa.bbb.ccc"},
        {"customer_uid": "customer-1"},
    ],
    ids=["expired", "forged", "a customer_uid"],
)
def test_what_can_not_work_says_so_at_once(
    open_form: OpenForm, watched: Watched, query: dict[str, str], java_script: bool
) -> None:
    form = open_form({"customer_uid": ""} | query, java_script_enabled=java_script)
    form.expect_outcome("카드 등록 시간이 지났거나 올바르지 않은 접근입니다")
    expect(form.button).to_have_count(0)
    assert watched.posts() == 0


def test_a_token_alone_says_whose_card_it_is(open_form: OpenForm, simulator: Simulator) -> None:
    query = {"customer_uid": "", "customer_token": new_token("customer-2")}
    open_form(query).fill().submit().expect_outcome("카드가 등록되었습니다")
    assert list(simulator.customers) == ["customer-2"]


def test_the_page_asks_by_its_token_without_an_address_that_has_it(
    open_form: OpenForm, simulator: Simulator, watched: Watched
) -> None:
    issued = threading.Event()

    def lose_the_answer_and_the_first_look_ups(call: Call) -> Fault | None:
        if call.endpoint is Endpoint.ISSUE:
            issued.set()
            return faults.ANSWER_LOST
        return faults.SERVER_ERROR if issued.is_set() and call.endpoint is Endpoint.LOOK_UP else None

    simulator.choose_fault = lose_the_answer_and_the_first_look_ups
    form = open_form({"customer_uid": "", "customer_token": new_token("customer-3")}).fill().submit()
    form.expect_outcome("결과를 확인하고 있습니다")
    simulator.choose_fault = no_fault
    form.expect_outcome("카드가 등록되었습니다")
    assert watched.posts() == 1
    asked = [request for request in watched.requests if "application/json" in request.headers.get("accept", "")]
    questions = [request for request in asked if request.method == "GET"]
    assert questions
    assert all("customer_token" not in request.url for request in questions)
    assert all(request.headers["authorization"].startswith("Bearer ") for request in questions)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, DESKTOP])
def test_axe_finds_nothing(open_form: OpenForm, theme: str, viewport: dict[str, int]) -> None:
    form = open_form(paying(display="길동"), color_scheme=theme, viewport=viewport)
    assert violations(form.page) == []
    form.fill().submit().expect_outcome("결제 금액")
    assert violations(form.page) == []
