"""Frontends on an origin of their own: both examples, and the published guide's own two forms as they stand there."""

import uuid
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from billing.web import messages
from billing.web.answers import HTTP_STATUS
from infra.local.examples import FOLDERS
from infra.local.iamport import Simulator
from infra.local.service import LocalService
from tests.browser.card_form import PATH
from tests.browser.conftest import NewPage, Shop, cannot_run

GUIDE = Path(__file__).parent / "guide"

CARD = {"카드 번호": "0000-1000-0000-0001", "카드 유효기간": "2099-12", "생년월일": "900101", "카드 비밀번호": "07"}

CUSTOMER_UID = "gildong_0001_1234"
"""In both examples."""


def answer_in_turn(page: Page, url: str, *codes: str) -> list[str | None]:
    """Stands in for the service. The list that comes back fills with what was posted."""
    bodies: list[str | None] = []

    def answer(route: Route) -> None:
        headers = {
            "Access-Control-Allow-Origin": "*",
            "Access-Control-Allow-Headers": "Content-Type",
            "Access-Control-Expose-Headers": "Retry-After",
            "Content-Type": "application/json",
            "Retry-After": "1",
        }
        if route.request.method == "OPTIONS":
            route.fulfill(status=200, headers=headers)
            return
        bodies.append(route.request.post_data)
        code = codes[len(bodies) - 1]
        body = {"status": "failed", "code": code, "message": messages.BY_CODE[code]["ko"], "request_id": "1"}
        route.fulfill(status=HTTP_STATUS[code], json=body, headers=headers)

    page.route(url, answer)
    return bodies


def type_card(page: Page, **changes: str) -> None:
    for label, text in (CARD | changes).items():
        page.get_by_label(label).fill(text)


class TestTheHtmlExample:
    @pytest.fixture
    def page(self, new_page: NewPage, shop: Shop, simulator: Simulator) -> Page:  # noqa: ARG002
        page = new_page()
        page.goto(f"{shop.origin}/html/")
        return page

    def test_a_card_is_registered(self, page: Page, simulator: Simulator) -> None:
        type_card(page)
        page.get_by_role("button").click()
        expect(page.get_by_role("status")).to_have_text("Billing has successfully issued")
        assert CUSTOMER_UID in simulator.customers

    def test_what_is_wrong_is_told(self, page: Page) -> None:
        type_card(page, 생년월일="1")
        page.get_by_role("button").click()
        expect(page.get_by_role("status")).to_contain_text("생년월일 6자리 또는 사업자등록번호 10자리를 입력해 주세요.")
        expect(page.get_by_role("button")).to_be_enabled()

    def test_the_very_same_is_sent_again_until_its_outcome_is_known(self, page: Page, service: LocalService) -> None:
        bodies = answer_in_turn(page, service.url + PATH, "outcome_unknown", "unavailable", "in_progress", "declined")
        type_card(page)
        page.get_by_role("button").click()
        expect(page.get_by_role("status")).to_contain_text("결과를 확인하는 중입니다")
        expect(page.get_by_role("button")).to_be_disabled()
        expect(page.get_by_role("status")).to_contain_text("카드 등록이 거절되었습니다", timeout=10_000)
        expect(page.get_by_role("button")).to_be_enabled()
        assert len(bodies) == 4
        assert len(set(bodies)) == 1

    def test_without_javascript_the_services_page_answers(
        self, new_page: NewPage, shop: Shop, simulator: Simulator
    ) -> None:
        page = new_page(java_script_enabled=False)
        page.goto(f"{shop.origin}/html/")
        type_card(page)
        page.get_by_role("button").click()
        expect(page.locator("#outcome")).to_contain_text("카드가 등록되었습니다")
        assert CUSTOMER_UID in simulator.customers


class TestTheReactExample:
    @pytest.fixture(autouse=True)
    def built(self) -> None:
        if not FOLDERS["react"].is_dir():
            cannot_run("the React example is not built: `make examples`")

    def test_a_card_is_registered(self, new_page: NewPage, shop: Shop, simulator: Simulator) -> None:
        page = new_page()
        page.goto(f"{shop.origin}/react/")
        type_card(page)
        page.get_by_role("button").click()
        expect(page.get_by_role("status")).to_have_text("Billing has successfully issued")
        assert CUSTOMER_UID in simulator.customers

    def test_a_refusal_is_told(self, new_page: NewPage, shop: Shop, simulator: Simulator) -> None:
        page = new_page()
        page.goto(f"{shop.origin}/react/")
        type_card(page, **{"카드 번호": "0000-2000-0000-0002"})
        page.get_by_role("button").click()
        expect(page.get_by_role("status")).to_contain_text("카드번호틀림")
        assert simulator.customers == {}

    def test_the_very_same_is_sent_again_until_its_outcome_is_known(
        self, new_page: NewPage, shop: Shop, service: LocalService
    ) -> None:
        page = new_page()
        page.goto(f"{shop.origin}/react/")
        bodies = answer_in_turn(page, service.url + PATH, "outcome_unknown", "unavailable", "in_progress", "declined")
        type_card(page)
        page.get_by_role("button").click()
        expect(page.get_by_role("button")).to_be_disabled()
        expect(page.get_by_role("status")).to_contain_text("카드 등록이 거절되었습니다", timeout=10_000)
        expect(page.get_by_role("button")).to_be_enabled()
        assert len(bodies) == 4
        assert len(set(bodies)) == 1

    def test_the_hosted_form_in_a_frame_hands_the_result_over(
        self, new_page: NewPage, shop: Shop, simulator: Simulator
    ) -> None:
        page = new_page(viewport={"width": 600, "height": 1000})
        page.goto(f"{shop.origin}/react/#hosted")
        frame = page.frame_locator("iframe")
        for name, text in {"card_number": "0000100000000001", "expiry": "1299", "pwd_2digit": "07"}.items():
            frame.locator(f"#{name}").fill(text)
        frame.locator("#birth").fill("900101")
        frame.locator("#consent").check()
        frame.locator("#submit").click()
        expect(page.locator("#root [role=status]")).to_contain_text(f"success  {CUSTOMER_UID} 000010******0001")
        assert CUSTOMER_UID in simulator.customers


class TestThePublishedGuidesOwnForms:
    @pytest.mark.parametrize("path", [PATH, "/subscriptions/issue-billing"])
    def test_the_html_form(
        self, new_page: NewPage, shop: Shop, service: LocalService, simulator: Simulator, path: str
    ) -> None:
        uid = f"guide_{uuid.uuid4().hex}"
        shop.put("/guide", completed(GUIDE / "form.html", service.url + path, uid))
        page = new_page()
        page.goto(f"{shop.origin}/guide")
        type_card(page)
        page.get_by_role("button", name="결제하기").click()
        expect(page.locator("#outcome")).to_contain_text("카드가 등록되었습니다")
        assert uid in simulator.customers

    def test_the_react_form(self, new_page: NewPage, shop: Shop, service: LocalService, simulator: Simulator) -> None:
        built = GUIDE / "react" / "dist"
        if not built.is_dir():
            cannot_run("the guide's React form is not built: `npm ci && npm run build` in tests/browser")
        uid = f"guide_{uuid.uuid4().hex}"
        shop.put("/guide/", (built / "index.html").read_text("utf-8"))
        for script in (built / "assets").iterdir():
            shop.put(f"/guide/assets/{script.name}", completed(script, service.url + PATH, uid), "text/javascript")
        page = new_page()
        page.goto(f"{shop.origin}/guide/")
        type_card(page)
        page.get_by_role("button", name="결제하기").click()
        expect(page.locator("#message")).to_have_text("success: Billing has successfully issued")
        assert uid in simulator.customers


def completed(file: Path, url: str, customer_uid: str) -> str:
    """With the two things that the guide leaves to the merchant."""
    return file.read_text("utf-8").replace("ISSUE_BILLING_URL", url).replace("CUSTOMER_UID", customer_uid)
