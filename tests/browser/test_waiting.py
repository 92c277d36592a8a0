"""While an outcome is unknown the page asks after the attempt by itself: the card is typed once and sent once."""

import pytest
from playwright.sync_api import Request, Route, expect

from billing.web import messages
from tests.browser.card_form import CardForm
from tests.browser.conftest import OpenForm, Shop, Watched
from tests.browser.test_accessibility import violations

ATTEMPT = "0123456789abcdef0123456789abcdef"

SUCCESS: dict[str, object] = {
    "status": "success",
    "message": messages.SUCCESS,
    "customer_uid": "a",
    "card": {"name": "국민KB카드", "number": "000010******0001", "type": "credit"},
    "request_id": "1",
    "attempt_id": ATTEMPT,
}


def failed(code: str, attempt: str = ATTEMPT) -> dict[str, object]:
    named = {"attempt_id": attempt} if attempt else {}
    return {"status": "failed", "code": code, "message": messages.BY_CODE[code]["ko"], "request_id": "1", **named}


def asks(request: Request) -> bool:
    return "application/json" in request.headers.get("accept", "") and request.method == "GET"


def answer_in_turn(form: CardForm, *bodies: dict[str, object], retry_after: int = 1) -> CardForm:
    """To the post, and then to each question what became of it; the last one again and again."""
    left = list(bodies)

    def answer(route: Route) -> None:
        if route.request.method == "POST" or asks(route.request):
            body = left.pop(0) if len(left) > 1 else left[0]
            route.fulfill(json=body, headers={"Content-Type": "application/json", "Retry-After": str(retry_after)})
        else:
            route.continue_()

    form.page.route(f"{form.url}*", answer)
    return form


@pytest.mark.parametrize("code", ["in_progress", "outcome_unknown"])
def test_the_page_asks_until_the_outcome_is_known(open_form: OpenForm, watched: Watched, code: str) -> None:
    form = answer_in_turn(open_form(), failed(code), failed("in_progress"), SUCCESS).fill().submit()
    form.expect_outcome("결과를 확인하고 있습니다", "창을 닫지 말고")
    expect(form.page).to_have_title("결과를 확인하고 있습니다 – 카드 등록")
    expect(form.field("card_number")).to_have_value("")
    form.expect_outcome("카드가 등록되었습니다", "국민KB카드 000010******0001")
    assert watched.posts() == 1
    questions = [request.url for request in watched.requests if asks(request)]
    assert len(questions) == 2
    assert all(f"attempt={ATTEMPT}" in url and f"customer_uid={form.customer_uid}" in url for url in questions)


def test_what_says_nothing_of_the_attempt_does_not_end_the_asking(open_form: OpenForm) -> None:
    form = answer_in_turn(
        open_form(), failed("outcome_unknown"), failed("too_many_attempts", ""), failed("internal_error", ""), SUCCESS
    )
    form.fill().submit().expect_outcome("카드가 등록되었습니다")


def test_after_three_minutes_the_shop_is_to_be_asked(open_form: OpenForm) -> None:
    form = open_form()
    form.page.clock.install()
    answer_in_turn(form, failed("outcome_unknown")).open().fill().submit().expect_outcome("결과를 확인하고 있습니다")
    seconds = 0
    while seconds < 200 and "판매자에게 문의" not in form.outcome.inner_text():
        form.page.clock.run_for(1000)
        seconds += 1
    form.expect_outcome("아직 결과를 알 수 없습니다", "판매자에게 문의해 주세요")
    assert seconds > 150, "settling takes up to two and a half minutes"
    expect(form.button).to_be_hidden()


def test_it_asks_no_sooner_than_it_is_told(open_form: OpenForm) -> None:
    form = open_form()
    form.page.clock.install()
    answer_in_turn(form, failed("outcome_unknown"), SUCCESS, retry_after=60).open().fill().submit()
    form.expect_outcome("결과를 확인하고 있습니다")
    form.page.clock.run_for(40_000)
    form.expect_outcome("결과를 확인하고 있습니다")
    form.page.clock.run_for(30_000)
    form.expect_outcome("카드가 등록되었습니다")


def test_while_it_asks_nobody_is_sent_to_the_shop_and_the_card_is_gone(open_form: OpenForm, shop: Shop) -> None:
    form = answer_in_turn(open_form(), failed("outcome_unknown"), failed("in_progress"), retry_after=600)
    form.open({"return_url": f"{shop.origin}/back"}).fill().submit().expect_outcome("결과를 확인하고 있습니다")
    expect(form.page.locator("#return")).to_be_hidden()
    expect(form.field("card_number")).to_have_value("")


def test_a_reload_and_the_other_language_show_the_outcome(open_form: OpenForm, watched: Watched) -> None:
    form = open_form().fill().submit().expect_outcome("카드가 등록되었습니다")
    assert "attempt=" in form.page.url
    form.page.reload()
    form.expect_outcome("카드가 등록되었습니다", "국민KB카드 000010******0001")
    expect(form.button).to_have_count(0)
    form.page.get_by_role("link", name="English").click()
    form.expect_outcome("Your card is registered")
    assert watched.posts() == 1


def test_a_refusal_is_shown_again_with_an_empty_form(open_form: OpenForm) -> None:
    form = open_form().fill("wrong_number").submit().expect_outcome("카드가 거절되었습니다")
    form.page.reload()
    form.expect_outcome("카드가 거절되었습니다", "카드번호틀림")
    expect(form.field("card_number")).to_have_value("")
    form.fill().submit().expect_outcome("카드가 등록되었습니다")


def test_the_address_tells_why_none_was_begun_and_never_a_success(open_form: OpenForm) -> None:
    form = open_form().answer_with(503, failed("unavailable", "")).fill().submit().expect_outcome()
    assert "outcome=unavailable" in form.page.url
    form.page.reload()
    form.expect_outcome("카드 등록을 마치지 못했습니다")
    for code in ("success", "declined", "paid_without_key"):
        form.open({"outcome": code})
        expect(form.outcome).to_be_hidden()
        expect(form.button).to_be_visible()


@pytest.mark.parametrize("java_script", [True, False])
def test_an_address_of_an_attempt_that_is_under_way_waits_for_it(open_form: OpenForm, java_script: bool) -> None:
    form = open_form(java_script_enabled=java_script)
    form.open({"attempt": ATTEMPT}).expect_outcome("결과를 확인할 수 없습니다")
    expect(form.page.locator("#outcome-reference")).to_contain_text("문의 번호")


def test_without_javascript_the_answer_to_a_post_holds_no_page(open_form: OpenForm, watched: Watched) -> None:
    form = open_form(java_script_enabled=False).fill().submit().expect_outcome("카드가 등록되었습니다")
    (posted,) = (request for request in watched.requests if request.method == "POST")
    response = posted.response()
    assert response is not None
    assert response.status == 303
    assert response.headers["location"].startswith("?")
    assert "attempt=" in form.page.url


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_while_it_waits(open_form: OpenForm, theme: str) -> None:
    form = answer_in_turn(open_form(color_scheme=theme), failed("in_progress")).fill().submit()
    form.expect_outcome("결과를 확인하고 있습니다")
    assert violations(form.page) == []
