"""Frontends on an origin of their own: both examples, and the published guide's own two forms as they stand there."""

import re
import shutil
import subprocess
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from billing.web import messages
from billing.web.answers import HTTP_STATUS
from infra.local.iamport import Simulator
from infra.local.service import LocalService
from infra.local.shop.server import REACT_BUILT
from infra.local.template import PROJECT
from tests.browser.card_form import PATH
from tests.browser.conftest import NewPage, Shop
from tests.cannot_run import cannot_run

GUIDE = Path(__file__).parent / "guide"
FRONTEND = (PROJECT / "docs/frontend.md").read_text("utf-8")

CARD = {"카드번호": "0000-1000-0000-0001", "유효기간": "2099-12", "생년월일": "900101", "카드 비밀번호": "07"}
GUIDES_LABELS = {"카드번호": "카드 번호", "유효기간": "카드 유효기간"}

IN_THE_EXAMPLES_OWN_WORDS = {
    "too_many_attempts": "카드 등록을 너무 여러 번 시도했습니다.",
    "in_progress": "카드 등록 결과를 확인하는 중입니다.",
    "outcome_unknown": "카드 등록 결과를 확인하는 중입니다.",
    **dict.fromkeys(("too_large", "unsupported_media_type", "not_found"), "이 페이지의 오류로 카드를 등록하지"),
}
"""API Gateway and the firewall give these codes too, in Korean whatever the page's language is."""

IN_ENGLISH = "document.addEventListener('readystatechange', () => { document.documentElement.lang = 'en' })"
"""As if the page had been written so: its scripts run after this."""

SHOWN_CARD = "국민KB카드 000010******0001"


def answer_in_turn(page: Page, url: str, *codes: str, **more: Any) -> list[str | None]:
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
        language = messages.language_for(route.request.headers["accept-language"])
        body = {"status": "failed", "code": code, "message": messages.BY_CODE[code][language], "request_id": "req-1"}
        route.fulfill(status=HTTP_STATUS[code], json=body | more, headers=headers)

    page.route(url, answer)
    return bodies


def type_card(page: Page, labels: Mapping[str, str], /, **changes: str) -> None:
    for label, text in (CARD | changes).items():
        page.get_by_label(labels.get(label, label)).fill(text)


def register(page: Page, **changes: str) -> None:
    type_card(page, {}, **changes)
    page.get_by_role("button").click()


def documented_buttons() -> dict[str, str]:
    """Code to what docs/frontend.md says of the button."""
    rows = re.findall(r"^\| (`.*?) \| .* \| (on|on, after that|off) \|$", FRONTEND, re.MULTILINE)
    return {code: button for codes, button in rows for code in re.findall(r"`(\w+)`", codes)}


BOTH = ("html", "react")


class TestBothExamples:
    """Each has the same to do; they differ in how they are written."""

    @pytest.fixture(params=BOTH)
    def example(self, request: pytest.FixtureRequest) -> str:
        if request.param == "react" and not REACT_BUILT.is_dir():
            cannot_run("the React example is not built: `make examples`")
        return str(request.param)

    @pytest.fixture
    def page(self, example: str, new_page: NewPage, shop: Shop, simulator: Simulator) -> Page:  # noqa: ARG002
        page = new_page()
        page.goto(f"{shop.origin}/open/{example}/")
        return page

    def test_the_card_that_is_registered_is_shown(self, page: Page, simulator: Simulator) -> None:
        register(page)
        expect(page.get_by_role("status")).to_have_text(f"카드가 등록되었습니다. {SHOWN_CARD}")
        expect(page.get_by_role("button")).to_have_count(0)
        assert len(simulator.customers) == 1

    def test_the_password_is_masked_and_no_browser_offers_to_store_it(self, page: Page) -> None:
        password = page.get_by_label("카드 비밀번호 앞 2자리")
        expect(password).to_have_css("-webkit-text-security", "disc")
        assert password.evaluate("input => [input.type, input.autocomplete]") == ["text", "off"]

    def test_each_visit_has_a_customer_of_its_own(
        self, example: str, new_page: NewPage, shop: Shop, simulator: Simulator
    ) -> None:
        for _ in range(2):
            page = new_page()
            page.goto(f"{shop.origin}/open/{example}/")
            register(page)
            expect(page.get_by_role("status")).to_contain_text(SHOWN_CARD)
        assert len(simulator.customers) == 2

    def test_signed_a_token_says_whose_card_it_is_and_what_is_paid(
        self, example: str, new_page: NewPage, shop: Shop, simulator: Simulator
    ) -> None:
        page = new_page()
        page.goto(f"{shop.origin}/signed/{example}/?payment=1&new=1")
        register(page)
        expect(page.get_by_role("status")).to_have_text(f"카드가 등록되었습니다. {SHOWN_CARD} 결제한 금액: ₩9,900")
        assert [payment.amount for payment in simulator.payments] == [9900]

    def test_after_invalid_request_nothing_is_cleared_and_each_field_says_what_is_wrong(
        self, page: Page, simulator: Simulator
    ) -> None:
        register(page, 생년월일="1", 유효기간="2001-01")
        expect(page.get_by_label("생년월일")).to_have_accessible_description(
            re.compile("생년월일 6자리 또는 사업자등록번호 10자리를 입력해 주세요.")
        )
        expect(page.get_by_label("유효기간")).to_have_accessible_description(re.compile("유효기간이 지난 카드입니다."))
        expect(page.get_by_label("유효기간")).to_be_focused()
        typed = CARD | {"생년월일": "1", "유효기간": "2001-01"}
        assert {label: page.get_by_label(label).input_value() for label in typed} == typed
        assert simulator.customers == {}
        expect(page.get_by_role("button")).to_be_enabled()

    def test_after_any_other_answer_what_was_typed_is_gone(self, page: Page) -> None:
        register(page, 카드번호="0000-2000-0000-0002")
        expect(page.get_by_role("status")).to_contain_text("카드번호틀림")
        expect(page.get_by_role("status")).to_contain_text("다른 카드를 이용해 주세요.")
        expect(page.get_by_role("button")).to_be_enabled()
        assert {page.get_by_label(label).input_value() for label in CARD} == {""}

    @pytest.mark.parametrize("code", sorted(set(messages.BY_CODE) - {"invalid_request"}))
    def test_every_code_is_told_and_the_button_is_as_documented(
        self, page: Page, service: LocalService, code: str
    ) -> None:
        """docs/frontend.md. While the outcome is not known, the same is sent again: here until it is forbidden to."""
        asked_again = code in ("in_progress", "outcome_unknown")
        answer_in_turn(page, service.url + PATH, *([code] * 60 if asked_again else [code]))
        register(page)
        text = IN_THE_EXAMPLES_OWN_WORDS.get(code, messages.BY_CODE[code]["ko"])
        expect(page.get_by_role("status")).to_contain_text(text)
        if documented_buttons()[code].startswith("on"):
            expect(page.get_by_role("button")).to_be_enabled()
        else:
            expect(page.get_by_role("button")).to_be_disabled()

    def test_who_has_to_ask_the_shop_is_told_by_which_number(self, page: Page, service: LocalService) -> None:
        answer_in_turn(page, service.url + PATH, "internal_error")
        register(page)
        expect(page.get_by_role("status")).to_contain_text("문의 번호: req-1")

    def test_paid_without_a_key_the_amount_is_told(self, page: Page, service: LocalService) -> None:
        answer_in_turn(page, service.url + PATH, "paid_without_key", payment={"amount": 9900})
        register(page)
        expect(page.get_by_role("status")).to_contain_text("결제한 금액: ₩9,900")

    def test_after_too_many_attempts_the_button_waits(self, page: Page, service: LocalService) -> None:
        answer_in_turn(page, service.url + PATH, "too_many_attempts")
        register(page)
        expect(page.get_by_role("status")).to_contain_text("다음 시도까지 남은 시간: 1초")
        expect(page.get_by_role("button")).to_be_enabled()

    def test_messages_come_in_the_pages_language_whatever_the_browsers_is(
        self, page: Page, service: LocalService
    ) -> None:
        page.evaluate("document.documentElement.lang = 'en'")
        page.reload()
        page.add_init_script(
            "document.addEventListener('readystatechange', () => document.documentElement.lang = 'en')"
        )
        page.reload()
        answer_in_turn(page, service.url + PATH, "already_registered")
        register(page)
        expect(page.get_by_role("status")).to_have_text("A card is registered already, so the new one was not.")

    def test_no_answer_is_told_as_an_unknown_outcome_and_asked_for_again(
        self, page: Page, service: LocalService
    ) -> None:
        no_json = {"Access-Control-Allow-Origin": "*", "Content-Type": "text/html"}
        page.route(service.url + PATH, lambda route: route.fulfill(status=502, headers=no_json, body="<h1>502</h1>"))
        register(page)
        expect(page.get_by_role("status")).to_contain_text("결과를 확인하는 중입니다")
        page.unroute(service.url + PATH)
        expect(page.get_by_role("status")).to_contain_text(SHOWN_CARD, timeout=15_000)

    def test_the_very_same_is_sent_again_until_its_outcome_is_known(self, page: Page, service: LocalService) -> None:
        bodies = answer_in_turn(page, service.url + PATH, "outcome_unknown", "unavailable", "in_progress", "declined")
        register(page)
        expect(page.get_by_role("status")).to_contain_text("결과를 확인하는 중입니다")
        expect(page.get_by_role("button")).to_be_disabled()
        expect(page.get_by_role("status")).to_contain_text("카드 등록이 거절되었습니다", timeout=10_000)
        expect(page.get_by_role("button")).to_be_enabled()
        assert len(bodies) == 4
        assert len(set(bodies)) == 1


class TestTheHtmlExampleWithoutJavaScript:
    @pytest.mark.parametrize("identity", ["open", "signed"])
    def test_the_services_page_answers(
        self, new_page: NewPage, shop: Shop, simulator: Simulator, identity: str
    ) -> None:
        page = new_page(java_script_enabled=False)
        page.goto(f"{shop.origin}/{identity}/html/")
        register(page)
        expect(page.locator("#outcome")).to_contain_text("카드가 등록되었습니다")
        assert len(simulator.customers) == 1


def test_form_data_is_no_form_unless_it_is_written_as_one(new_page: NewPage, shop: Shop, service: LocalService) -> None:
    """As the README says."""
    page = new_page()
    page.goto(f"{shop.origin}/open/html/")
    post = "async ([url, body]) => (await fetch(url, { method: 'POST', body: eval(body) })).status"
    form = "new FormData(document.querySelector('form'))"
    assert page.evaluate(post, [service.url + PATH, form]) == 415
    assert page.evaluate(post, [service.url + PATH, f"new URLSearchParams({form})"]) == 400


class TestTheHostedFormInAFrame:
    @pytest.fixture(params=["html/hosted.html", "react/#hosted"])
    def page(self, request: pytest.FixtureRequest, new_page: NewPage, shop: Shop, simulator: Simulator) -> Page:  # noqa: ARG002
        if request.param.startswith("react") and not REACT_BUILT.is_dir():
            cannot_run("the React example is not built: `make examples`")
        page = new_page(viewport={"width": 600, "height": 1000})
        page.goto(f"{shop.origin}/open/{request.param}")
        return page

    def test_it_hands_the_result_over(self, page: Page, simulator: Simulator) -> None:
        frame = page.frame_locator("iframe")
        for name, text in {"card_number": "0000100000000001", "expiry": "1299", "pwd_2digit": "07"}.items():
            frame.locator(f"#{name}").fill(text)
        frame.locator("#birth").fill("900101")
        frame.locator("#consent").check()
        frame.locator("#submit").click()
        expect(page.locator("body > p[role=status], #root > p[role=status]")).to_have_text(
            f"카드가 등록되었습니다. {SHOWN_CARD}"
        )
        assert len(simulator.customers) == 1


class TestTheReactExamplesOwnTests:
    def test_they_pass(self) -> None:
        """Vitest and TypeScript, by its own command."""
        npm, folder = shutil.which("npm"), REACT_BUILT.parent
        if npm is None or not (folder / "node_modules").is_dir():
            cannot_run("the React example's packages are not installed: `make examples`")
        ran = subprocess.run(  # noqa: S603 (npm itself)
            [npm, "test"], cwd=folder, capture_output=True, text=True, timeout=300
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr


class TestThePublishedGuidesOwnForms:
    @pytest.mark.parametrize("path", [PATH, "/subscriptions/issue-billing"])
    def test_the_html_form(
        self, new_page: NewPage, shop: Shop, service: LocalService, simulator: Simulator, path: str
    ) -> None:
        uid = f"guide_{uuid.uuid4().hex}"
        shop.put("/guide", completed(GUIDE / "form.html", service.url + path, uid))
        page = new_page()
        page.goto(f"{shop.origin}/guide")
        type_card(page, GUIDES_LABELS)
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
        type_card(page, GUIDES_LABELS)
        page.get_by_role("button", name="결제하기").click()
        expect(page.locator("#message")).to_have_text("success: Billing has successfully issued")
        assert uid in simulator.customers


def completed(file: Path, url: str, customer_uid: str) -> str:
    """With the two things that the guide leaves to the merchant."""
    return file.read_text("utf-8").replace("ISSUE_BILLING_URL", url).replace("CUSTOMER_UID", customer_uid)
