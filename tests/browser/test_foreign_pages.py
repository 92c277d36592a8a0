"""CORS does not stop a native form post: the service itself turns a page away that it doesn't know."""

from html import escape

import pytest
from playwright.sync_api import expect

from infra.local.iamport import Simulator
from infra.local.service import LocalService
from tests.browser.card_form import PATH
from tests.browser.conftest import NewPage, OpenForm, Shop, Watched

FORM = """<!doctype html><html><head><title>cards</title><link rel="icon" href="data:,">%s</head><body>
<form method="post" action="%s">
<input type="hidden" name="customer_uid" value="native">
<input type="hidden" name="card_number" value="0000100000000001">
<input type="hidden" name="expiry" value="2099-12"><input type="hidden" name="birth" value="900101">
<input type="hidden" name="pwd_2digit" value="07"><button>post</button></form></body></html>"""

NO_REFERRER = '<meta name="referrer" content="no-referrer">'

NO_SCRIPTS_IN_THERE = "because the document's frame is sandboxed and the 'allow-scripts' permission is not set."
"""The end of Chromium's line, which begins with the address that the post led to."""

REFUSED, ISSUED = "카드가 등록되지 않았습니다", "카드가 등록되었습니다"


def form_to(service: LocalService, head: str = "") -> str:
    return FORM % (head, service.url + PATH)


@pytest.mark.usefixtures("watched")
def test_a_shop_that_is_allowed_may_post_natively(
    new_page: NewPage, shop: Shop, service: LocalService, simulator: Simulator
) -> None:
    shop.put("/native", form_to(service))
    page = new_page()
    page.goto(f"{shop.origin}/native")
    page.get_by_role("button").click()
    expect(page.locator("#outcome")).to_contain_text(ISSUED)
    assert list(simulator.customers) == ["native"]


@pytest.mark.usefixtures("watched")
def test_a_page_that_is_not_allowed_registers_no_card(
    new_page: NewPage, other_shop: Shop, service: LocalService, simulator: Simulator
) -> None:
    other_shop.put("/native", form_to(service))
    page = new_page()
    page.goto(f"{other_shop.origin}/native")
    page.get_by_role("button").click()
    expect(page.locator("#outcome")).to_contain_text(REFUSED)
    expect(page.locator("form")).to_have_count(0)
    assert simulator.calls == []


@pytest.mark.usefixtures("watched")
def test_a_shop_that_says_no_referrer_has_no_origin_to_be_known_by(
    new_page: NewPage, shop: Shop, service: LocalService, simulator: Simulator
) -> None:
    """As docs/frontend.md says."""
    shop.put("/native", form_to(service, NO_REFERRER))
    page = new_page()
    page.goto(f"{shop.origin}/native")
    page.get_by_role("button").click()
    expect(page.locator("#outcome")).to_contain_text(REFUSED)
    assert simulator.calls == []


def test_a_sandboxed_frame_registers_no_card(
    new_page: NewPage, shop: Shop, service: LocalService, simulator: Simulator, watched: Watched
) -> None:
    sandboxed = f'<iframe sandbox="allow-forms allow-top-navigation" srcdoc="{escape(form_to(service))}"></iframe>'
    shop.put("/sandboxed", f"<!doctype html><title>cards</title>{sandboxed}")
    page = new_page()
    page.goto(f"{shop.origin}/sandboxed")
    with (
        watched.line(page, NO_SCRIPTS_IN_THERE),
        page.expect_response(lambda response: response.request.method == "POST") as answered,
    ):
        page.frame_locator("iframe").get_by_role("button").click()
    assert answered.value.status == 303
    assert "outcome=forbidden" in answered.value.headers["location"]
    assert answered.value.request.headers["origin"] == "null"
    assert simulator.calls == []


@pytest.mark.usefixtures("simulator")
@pytest.mark.parametrize("java_script", [True, False])
def test_the_hosted_form_says_where_it_comes_from_and_nothing_more(
    open_form: OpenForm, watched: Watched, service: LocalService, java_script: bool
) -> None:
    open_form(java_script_enabled=java_script).fill().submit().expect_outcome(ISSUED)
    (posted,) = (request for request in watched.requests if request.method == "POST")
    headers = posted.all_headers()
    assert headers["origin"] == service.url
    assert headers.get("referer") in (f"{service.url}/", None)
