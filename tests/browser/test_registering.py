"""A card holder registers a card on the hosted page and is told what became of it."""

import re
import threading

import pytest
import requests
from playwright.sync_api import Request, expect

from billing.web import messages
from card_form import outcomes
from infra.local.iamport import Call, Endpoint, Fault, Simulator, faults, number_of
from infra.local.service import IMP_SECRET
from tests.browser.conftest import OpenForm, Watched

ENGLISH = {"lang": "en"}
ANOTHER_CARD_NEVER = "다른 카드나 다른 주문으로는 시도하지 마세요"
WRONG_BIRTH = "주민OR사업자등록번호오류"


def test_a_card_is_registered(open_form: OpenForm, simulator: Simulator) -> None:
    form = open_form().fill().submit()
    form.expect_outcome("카드가 등록되었습니다", "국민KB카드 000010******0001")
    expect(form.button).to_be_hidden()
    assert form.customer_uid in simulator.customers


def test_a_corporate_card_is_registered_with_its_business_number_and_no_password(
    open_form: OpenForm, simulator: Simulator
) -> None:
    form = open_form()
    form.page.get_by_label("법인카드").check()
    form.fill(birth="123-45-67891", pwd_2digit="").submit().expect_outcome("카드가 등록되었습니다")
    assert form.customer_uid in simulator.customers


def test_the_page_speaks_the_browsers_language_or_the_one_in_its_address(open_form: OpenForm) -> None:
    form = open_form(locale="en-US")
    expect(form.button).to_have_text("Register card")
    form.page.get_by_role("link", name="한국어").click()
    expect(form.button).to_have_text("카드 등록하기")
    form = open_form(ENGLISH, locale="ko-KR")
    form.fill(expiry="12 / 20").submit()
    expect(form.error("expiry")).to_have_text("This card has expired.")
    form.fill("wrong_birth").submit().expect_outcome("The card was declined", WRONG_BIRTH, "use another card")


@pytest.mark.parametrize(
    ("scenario", "words"),
    [
        ("unknown_bin", "card_bin 없음"),
        ("wrong_number", "카드번호틀림"),
        ("wrong_password", "비밀번호틀림"),
        ("wrong_expiry", "유효기간오류"),
        ("wrong_birth", WRONG_BIRTH),
        ("nicepay_error", "Error From NICEPAY"),
    ],
)
def test_a_refusal_is_told_in_iamports_words_and_another_card_may_be_tried(
    open_form: OpenForm, scenario: str, words: str
) -> None:
    form = open_form().fill(scenario).submit()
    form.expect_outcome("카드가 거절되었습니다", words, "다른 카드를 이용해 주세요")
    form.fill().submit().expect_outcome("카드가 등록되었습니다")


TYPED = {"card_number": "0000 2000 0000 0002", "expiry": "12 / 99", "pwd_2digit": "07", "birth": "900101"}


@pytest.mark.parametrize(
    ("status", "code", "kept"),
    [
        (200, "declined", TYPED | {"pwd_2digit": ""}),
        (502, "gateway_error", TYPED),
        (503, "unavailable", TYPED),
        (429, "too_many_attempts", TYPED),
        (200, "success", dict.fromkeys(TYPED, "")),
        (500, "internal_error", dict.fromkeys(TYPED, "")),
        (502, "gateway_refused", dict.fromkeys(TYPED, "")),
    ],
)
def test_what_was_typed_stays_only_where_it_may_be_sent_again(
    open_form: OpenForm, status: int, code: str, kept: dict[str, str]
) -> None:
    form = open_form().answer_with(status, SUCCESS if code == "success" else failed(code))
    form.fill("wrong_number").submit().expect_outcome()
    for name, text in kept.items():
        expect(form.field(name)).to_have_value(text)
    form.page.evaluate("window.dispatchEvent(new PageTransitionEvent('pagehide'))")
    for name in kept:
        expect(form.field(name)).to_have_value("")


def test_a_refusal_is_told_in_iamports_words_that_are_set_apart(open_form: OpenForm) -> None:
    form = open_form().fill("wrong_number").submit().expect_outcome("카드가 거절되었습니다")
    said = form.page.locator("#outcome-said")
    expect(said).to_contain_text("결제대행사가 보낸 메시지")
    expect(said.locator("q")).to_contain_text("카드번호틀림")
    expect(form.page).to_have_title("카드가 거절되었습니다 – 카드 등록")
    form.fill().submit().expect_outcome("카드가 등록되었습니다")
    expect(said).to_be_hidden()
    expect(form.page).to_have_title("카드가 등록되었습니다 – 카드 등록")


def test_no_card_data_is_in_the_address_the_history_or_any_storage(open_form: OpenForm, watched: Watched) -> None:
    form = open_form().fill().submit().expect_outcome("카드가 등록되었습니다")
    kept = form.page.evaluate(
        """async () => JSON.stringify([
            location.href, history.state, {...localStorage}, {...sessionStorage}, document.cookie,
            (await indexedDB.databases()), (await caches.keys()),
        ])"""
    )
    addresses = " ".join(request.url for request in watched.requests)
    for typed in (number_of("issued_credit"), number_of("issued_credit").replace("-", ""), "900101"):
        assert typed not in kept + addresses


def test_a_double_click_sends_once(open_form: OpenForm, watched: Watched) -> None:
    form = open_form().fill("slow")
    form.button.dblclick()
    expect(form.button).to_be_disabled()
    expect(form.button).to_have_attribute("aria-busy", "true")
    expect(form.button).to_have_text("등록하는 중입니다. 창을 닫지 마세요.")
    form.expect_outcome("카드가 등록되었습니다")
    assert watched.posts() == 1


def test_it_works_by_keyboard_alone(open_form: OpenForm) -> None:
    form = open_form()
    keyboard = form.page.keyboard
    for _ in range(2):  # the language, then the kind of card
        keyboard.press("Tab")
    for text in (number_of("issued_credit"), "1299", "07", "", "900101"):  # "": shows the password
        keyboard.press("Tab")
        keyboard.type(text)
    keyboard.press("Tab")
    keyboard.press("Space")
    for _ in range(3):  # what is agreed to, the privacy policy, the button
        keyboard.press("Tab")
    expect(form.button).to_be_focused()
    keyboard.press("Enter")
    form.expect_outcome("카드가 등록되었습니다")
    expect(form.outcome).to_be_focused()


def test_what_turns_while_a_card_is_sent_is_round(open_form: OpenForm) -> None:
    form = open_form(ENGLISH)
    form.page.route(f"{form.url}*", lambda _: None)
    form.fill().submit()
    expect(form.button).to_be_disabled()
    style = form.button.evaluate(
        "button => { const { width, height } = getComputedStyle(button, '::before'); return [width, height] }"
    )
    assert style == ["18px", "18px"]


class TestWhatIsWrongStandsBesideItsField:
    def test_an_empty_form_names_every_field_and_sends_nothing(self, open_form: OpenForm, watched: Watched) -> None:
        form = open_form().submit()
        for name in ("card_number", "expiry", "pwd_2digit", "birth", "consent"):
            expect(form.error(name)).not_to_be_empty()
            expect(form.field(name)).to_have_attribute("aria-invalid", "true")
        expect(form.field("card_number")).to_be_focused()
        assert watched.posts() == 0

    def test_the_error_goes_once_the_field_is_typed_into(self, open_form: OpenForm) -> None:
        form = open_form().submit()
        form.field("birth").press_sequentially("9")
        expect(form.error("birth")).to_be_empty()
        expect(form.field("birth")).not_to_have_attribute("aria-invalid", "true")

    def test_it_stands_in_the_hints_place(self, open_form: OpenForm) -> None:
        form = open_form()
        hint = form.page.locator("#birth-hint")
        expect(hint).to_be_visible()
        form.submit()
        expect(hint).to_be_hidden()
        form.field("birth").press_sequentially("9")
        expect(hint).to_be_visible()

    def test_a_consent_that_is_missing_is_told_above_what_it_is_for(self, open_form: OpenForm) -> None:
        form = open_form().submit()
        form.page.get_by_text("내용 보기").click()
        error, details = form.error("consent").bounding_box(), form.page.locator("details").bounding_box()
        assert error is not None
        assert details is not None
        assert error["y"] + error["height"] <= details["y"]

    def test_without_consent_nothing_is_sent(self, open_form: OpenForm, watched: Watched) -> None:
        form = open_form().fill()
        form.field("consent").uncheck()
        form.submit()
        expect(form.error("consent")).to_have_text("동의하셔야 카드를 등록할 수 있습니다.")
        expect(form.field("consent")).to_be_focused()
        assert watched.posts() == 0

    def test_what_only_the_service_sees_comes_back_beside_its_field(self, open_form: OpenForm) -> None:
        form = open_form().fill(expiry="01 / 20", birth="991399").submit()
        expect(form.error("expiry")).to_have_text("유효기간이 지난 카드입니다.")
        expect(form.error("birth")).to_have_text("생년월일(YYMMDD)을 확인해 주세요.")
        expect(form.field("expiry")).to_be_focused()
        expect(form.field("card_number")).to_have_value("0000 1000 0000 0001")
        form.fill().submit().expect_outcome("카드가 등록되었습니다")


class TestWhatEachFailureTells:
    def test_a_customer_that_holds_a_card_already(self, open_form: OpenForm) -> None:
        form = open_form().fill().submit().expect_outcome("카드가 등록되었습니다")
        form.open().fill("issued_debit").submit().expect_outcome("이미 등록된 카드가 있어", "판매자에게 문의해 주세요")
        expect(form.button).to_be_hidden()

    def test_another_attempt_under_way(self, open_form: OpenForm, simulator: Simulator) -> None:
        form = open_form().fill()
        under_way = threading.Event()

        def take_long(call: Call) -> Fault | None:
            if call.endpoint is not Endpoint.ISSUE:
                return None
            under_way.set()
            return faults.slow(4)

        simulator.choose_fault = take_long
        other = {"card_number": number_of("issued_debit"), "expiry": "2099-12", "birth": "900101", "pwd_2digit": "07"}
        first = threading.Thread(
            target=requests.post,
            args=(form.url,),
            kwargs={"json": other | {"customer_uid": form.customer_uid}, "timeout": 30},
        )
        first.start()
        assert under_way.wait(10)
        form.submit().expect_outcome("이미 처리하고 있습니다")
        expect(form.button).to_be_disabled()
        first.join()
        form.ask_again.click()
        form.expect_outcome("이미 등록된 카드가 있어")

    def test_too_many_attempts(self, open_form: OpenForm) -> None:
        form = open_form()
        wrong = {"expiry": "2099-12", "birth": "900101", "pwd_2digit": "07", "customer_uid": form.customer_uid}
        for _ in range(10):
            requests.post(form.url, json=wrong | {"card_number": number_of("wrong_number")}, timeout=10)
        form.fill().submit().expect_outcome("너무 여러 번 시도했습니다")
        expect(form.button).to_be_disabled()
        expect(form.button).to_have_text(re.compile("([0-9]{2}:){1,2}[0-9]{2} 후 다시 시도할 수 있습니다"))

    def test_what_has_to_wait_is_counted_down(self, open_form: OpenForm) -> None:
        form = open_form().answer_with(429, failed("too_many_attempts"), retry_after=2).fill().submit()
        expect(form.button).to_have_text("00:01 후 다시 시도할 수 있습니다")
        expect(form.button).to_have_text("카드 등록하기")
        expect(form.button).to_be_enabled()

    def test_a_button_that_has_to_wait_looks_so(self, open_form: OpenForm) -> None:
        form = open_form().answer_with(429, failed("too_many_attempts"), retry_after=60).fill()
        form.button.hover()
        under_the_mouse = form.button.evaluate("button => getComputedStyle(button).backgroundColor")
        form.submit().expect_outcome()
        expect(form.button).to_be_disabled()
        expect(form.button).not_to_have_css("background-color", under_the_mouse)

    def test_the_gateway_had_an_error_and_nothing_was_issued(self, open_form: OpenForm) -> None:
        form = open_form().fill("too_many_requests").submit()
        form.expect_outcome("카드 등록을 마치지 못했습니다", "잠시 후 다시 시도해 주세요")
        expect(form.button).to_be_enabled()

    def test_the_gateway_can_not_be_used(self, open_form: OpenForm, simulator: Simulator) -> None:
        simulator.rotate("another secret")
        form = open_form().fill().submit().expect_outcome("잠시 후 다시 시도해 주세요")
        expect(form.button).to_be_enabled()
        simulator.rotate(IMP_SECRET)
        form.fill().submit().expect_outcome("카드가 등록되었습니다")

    def test_the_answer_was_lost_and_the_key_is_found(self, open_form: OpenForm) -> None:
        open_form().fill("answer_lost").submit().expect_outcome("카드가 등록되었습니다")

    def test_nobody_knows_and_nobody_is_told_to_try_again(self, open_form: OpenForm, simulator: Simulator) -> None:
        form = open_form().fill()
        issued = threading.Event()

        def lose_the_answer_and_every_look_up(call: Call) -> Fault | None:
            if call.endpoint is Endpoint.ISSUE:
                issued.set()
                return faults.ANSWER_LOST
            return faults.SERVER_ERROR if issued.is_set() and call.endpoint is Endpoint.LOOK_UP else None

        simulator.choose_fault = lose_the_answer_and_every_look_up
        form.submit().expect_outcome("결과를 확인하고 있습니다", "3분")
        expect(form.button).to_be_hidden()
        expect(form.ask_again).to_be_disabled()

    def test_a_line_that_is_cut_on_the_way_means_that_nobody_knows(self, open_form: OpenForm, watched: Watched) -> None:
        form = open_form()
        form.page.route(f"{form.url}*", lambda route: route.abort())
        with watched.line(form.page, "net::ERR_FAILED"):
            form.fill().submit().expect_outcome("아직 결과를 알 수 없습니다", ANOTHER_CARD_NEVER)
        expect(form.button).to_be_disabled()

    def test_an_answer_that_is_no_json_means_that_nobody_knows(self, open_form: OpenForm) -> None:
        form = open_form().answer_with(502, "<html>").fill().submit()
        form.expect_outcome("아직 결과를 알 수 없습니다")
        expect(form.button).to_be_disabled()

    def test_offline_the_very_same_can_be_sent_later(
        self, open_form: OpenForm, watched: Watched, simulator: Simulator
    ) -> None:
        """Whether a request left before the line went, no browser says."""
        form = open_form().fill()
        form.page.context.set_offline(True)
        with watched.line(form.page, "net::ERR_INTERNET_DISCONNECTED"):
            form.submit().expect_outcome("아직 결과를 알 수 없습니다", ANOTHER_CARD_NEVER)
        form.page.context.set_offline(False)
        form.ask_again.click()
        form.expect_outcome("카드가 등록되었습니다")
        assert form.customer_uid in simulator.customers

    @pytest.mark.parametrize("language", ["ko", "en"])
    @pytest.mark.parametrize("code", sorted(messages.BY_CODE))
    def test_every_code_of_the_contract_has_its_words(
        self, open_form: OpenForm, code: str, language: messages.Language
    ) -> None:
        """In the page's language, even where the answer comes from API Gateway, which speaks Korean only."""
        body = {"status": "failed", "code": code, "message": messages.BY_CODE[code]["ko"], "request_id": "1"}
        form = open_form({"lang": language}).answer_with(500, body).fill().submit()
        form.expect_outcome(outcomes.outcome(code, language).text)
        expect(form.page.locator("#outcome-reference")).to_be_visible()
        expect(form.page.locator("#outcome-request")).to_have_text("1")
        if code in ("in_progress", "outcome_unknown", "internal_error", "already_paid", "paid_without_key"):
            assert "please try again" not in form.outcome.inner_text().lower()
            assert "다시 시도해" not in form.outcome.inner_text()
            expect(form.button).to_be_disabled()


class TestAskingForTheOutcome:
    def test_the_very_same_is_sent_again_until_its_outcome_is_known(
        self, open_form: OpenForm, watched: Watched
    ) -> None:
        form = open_form().answer_with(504, failed("outcome_unknown"), retry_after=1).fill()
        with form.page.expect_request(is_a_post) as first:
            form.submit()
        form.expect_outcome("아직 결과를 알 수 없습니다", ANOTHER_CARD_NEVER)
        expect(form.ask_again).to_be_disabled()
        expect(form.button).to_be_hidden()
        form.answer_with(200, SUCCESS)
        with form.page.expect_request(is_a_post) as second:
            form.ask_again.click()
        form.expect_outcome("카드가 등록되었습니다", "국민KB카드")
        expect(form.ask_again).to_be_hidden()
        assert first.value.post_data == second.value.post_data
        assert watched.posts() == 2

    @pytest.mark.parametrize(
        ("status", "code"),
        [
            (503, "unavailable"),
            (502, "gateway_error"),
            (502, "gateway_refused"),
            (429, "too_many_attempts"),
            (400, "invalid_request"),
            (401, "invalid_customer_token"),
            (500, "internal_error"),
        ],
    )
    def test_what_tells_nothing_of_the_first_opens_no_form_for_another_card(
        self, open_form: OpenForm, status: int, code: str
    ) -> None:
        form = open_form().answer_with(504, failed("outcome_unknown"), retry_after=1).fill().submit().expect_outcome()
        form.answer_with(status, failed(code), retry_after=1)
        with form.page.expect_response(lambda response: response.status == status):
            form.ask_again.click()
        expect(form.ask_again).to_have_text("결과 확인하기")
        form.expect_outcome("아직 결과를 알 수 없습니다")
        expect(form.button).to_be_hidden()
        form.answer_with(200, failed("declined"))
        form.ask_again.click()
        form.expect_outcome("카드가 거절되었습니다")
        expect(form.button).to_be_enabled()

    def test_a_payment_without_a_key_is_told_and_nothing_can_be_sent_any_more(self, open_form: OpenForm) -> None:
        payment = {"merchant_uid": "order-1", "imp_uid": "imp_1", "amount": 9900, "receipt_url": None}
        form = open_form().answer_with(200, failed("paid_without_key") | {"payment": payment}).fill().submit()
        form.expect_outcome("결제만 완료되었습니다", "다시 결제하지 말고 판매자에게 문의해 주세요")
        expect(form.button).to_be_hidden()
        expect(form.ask_again).to_be_hidden()


SUCCESS = {
    "status": "success",
    "message": messages.SUCCESS,
    "customer_uid": "a",
    "card": {"name": "국민KB카드", "number": "000010******0001", "type": "credit"},
    "request_id": "1",
}


def failed(code: str) -> dict[str, object]:
    return {"status": "failed", "code": code, "message": messages.BY_CODE[code]["ko"], "request_id": "1"}


def is_a_post(request: Request) -> bool:
    return request.method == "POST"


class TestWithoutJavaScript:
    def test_a_card_is_registered(self, open_form: OpenForm, simulator: Simulator) -> None:
        form = open_form(java_script_enabled=False).fill().submit()
        form.expect_outcome("카드가 등록되었습니다", "국민KB카드 000010******0001")
        assert form.customer_uid in simulator.customers

    def test_errors_stand_beside_their_fields_and_no_card_data_comes_back(self, open_form: OpenForm) -> None:
        form = open_form(ENGLISH, java_script_enabled=False).fill(expiry="01 / 20").submit()
        expect(form.error("expiry")).to_have_text("This card has expired.")
        expect(form.field("expiry")).to_be_focused()
        expect(form.field("card_number")).to_have_value("")
        assert number_of("issued_credit") not in form.page.content()
        form.fill().submit().expect_outcome("Your card is registered")

    def test_a_refusal_lets_another_card_be_tried(self, open_form: OpenForm) -> None:
        form = open_form(java_script_enabled=False).fill("wrong_number").submit()
        form.expect_outcome("카드가 거절되었습니다", "카드번호틀림")
        form.fill().submit().expect_outcome("카드가 등록되었습니다")

    def test_where_a_key_may_exist_there_is_no_form_any_more(self, open_form: OpenForm) -> None:
        form = open_form(java_script_enabled=False).fill().submit().expect_outcome("카드가 등록되었습니다")
        form.open().fill("issued_debit").submit().expect_outcome("이미 등록된 카드가 있어")
        expect(form.button).to_have_count(0)
