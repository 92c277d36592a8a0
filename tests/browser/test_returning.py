"""The result goes back to the merchant, to named origins only, and a hostile address does nothing."""

from html import escape
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from infra.local.iamport import Simulator, number_of
from infra.local.service import LocalService
from tests.browser.card_form import PATH
from tests.browser.conftest import NewPage, OpenForm, Shop, Watched

MERCHANT_PAGE = """<!doctype html><title>shop</title><link rel="icon" href="data:,"><script>
window.received = [];
window.heights = [];
window.ready = 0;
window.addEventListener("message", ({origin, data}) => {
    if (data.type === "card-door:result") received.push({origin, data});
    if (data.type === "card-door:height") heights.push(data.height);
    if (data.type === "card-door:ready") ready += 1;
});
</script><iframe src="%s" width="440" height="900"></iframe>"""


def query_of(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def embed(page: Page, shop: Shop, form_url: str) -> FrameLocator:
    """The hosted form in a frame of a page on the shop's origin."""
    shop.put("/cards", MERCHANT_PAGE.replace("%s", escape(form_url)))
    page.goto(f"{shop.origin}/cards")
    return page.frame_locator("iframe")


def test_the_result_goes_to_the_return_url(open_form: OpenForm, shop: Shop) -> None:
    form = open_form({"return_url": f"{shop.origin}/back?order=7&status=old#top"})
    form.fill().submit().page.wait_for_url(f"{shop.origin}/**")
    assert query_of(form.page.url) == {"order": "7", "status": "success", "customer_uid": form.customer_uid}
    assert form.page.url.endswith("#top")


@pytest.mark.parametrize("java_script", [True, False])
def test_a_refusal_offers_the_way_back_with_the_result(open_form: OpenForm, shop: Shop, java_script: bool) -> None:
    form = open_form({"return_url": f"{shop.origin}/back"}, java_script_enabled=java_script)
    form.fill("wrong_number").submit().expect_outcome("카드가 거절되었습니다")
    form.page.get_by_role("link", name="판매자 페이지로 돌아가기").click()
    form.page.wait_for_url(f"{shop.origin}/**")
    assert query_of(form.page.url) == {"status": "failed", "code": "declined", "customer_uid": form.customer_uid}


def test_without_javascript_a_success_links_back(open_form: OpenForm, shop: Shop) -> None:
    form = open_form({"return_url": f"{shop.origin}/back"}, java_script_enabled=False).fill().submit()
    form.page.get_by_role("link", name="판매자 페이지로 돌아가기").click()
    form.page.wait_for_url(f"{shop.origin}/**")
    assert query_of(form.page.url) == {"status": "success", "customer_uid": form.customer_uid}


def test_in_a_frame_the_result_goes_to_the_page_around_it(
    new_page: NewPage, shop: Shop, service: LocalService, simulator: Simulator
) -> None:
    page = new_page()
    frame = embed(page, shop, f"{service.url}{PATH}?customer_uid=framed")
    fill_in_frame(frame, number_of("wrong_number"))
    expect(frame.locator("#outcome")).to_contain_text("카드가 거절되었습니다")
    fill_in_frame(frame, number_of("issued_credit"))
    expect(frame.locator("#outcome")).to_contain_text("카드가 등록되었습니다")
    declined, issued = page.evaluate("received")
    assert {declined["origin"], issued["origin"]} == {service.url}
    assert declined["data"]["code"] == "declined"
    assert "카드번호틀림" in declined["data"]["message"]
    assert issued["data"].pop("request_id")
    assert issued["data"] == {
        "type": "card-door:result",
        "status": "success",
        "code": "",
        "message": "Billing has successfully issued",
        "customer_uid": "framed",
        "card": {"name": "국민KB카드", "number": "000010******0001", "type": "credit"},
    }
    assert "framed" in simulator.customers


def fill_in_frame(frame: FrameLocator, card_number: str) -> None:
    for name, text in {"card_number": card_number, "expiry": "1299", "pwd_2digit": "07", "birth": "900101"}.items():
        frame.locator(f"#{name}").fill(text)
    frame.locator("#consent").check()
    frame.locator("#submit").click()


def test_in_a_frame_it_says_that_it_is_ready_and_how_high_it_is(
    new_page: NewPage,
    shop: Shop,
    service: LocalService,
    simulator: Simulator,  # noqa: ARG001
) -> None:
    page = new_page(viewport={"width": 800, "height": 1200})
    frame = embed(page, shop, f"{service.url}{PATH}?customer_uid=framed")
    page.wait_for_function("ready === 1 && heights.length > 0")
    main = frame.locator("main")
    expect(main).to_have_css("box-shadow", "none")
    expect(main).to_have_css("min-height", "0px")
    of_form = page.evaluate("heights[heights.length - 1]")
    box = main.bounding_box()
    assert box is not None
    assert abs(of_form - box["height"]) <= 1
    assert main.evaluate("main => main.getBoundingClientRect().top") == 0
    fill_in_frame(frame, number_of("issued_credit"))
    expect(frame.locator("#outcome")).to_contain_text("카드가 등록되었습니다")
    page.wait_for_function("height => heights[heights.length - 1] < height / 2", arg=of_form)


def test_only_the_shop_around_it_is_told(new_page: NewPage, other_shop: Shop, service: LocalService) -> None:
    """A page that frames it nevertheless, as an old browser without frame-ancestors would let it."""
    page = new_page()
    page.route(
        f"{service.url}{PATH}*",
        lambda route: route.fulfill(response=route.fetch(), headers={"Content-Type": "text/html"}),
    )
    embed(page, other_shop, f"{service.url}{PATH}?customer_uid=framed")
    page.frame_locator("iframe").locator("#submit").wait_for()
    page.wait_for_timeout(500)
    assert page.evaluate("[ready, heights.length, received.length]") == [0, 0, 0]


def test_korean_in_the_way_back_is_kept(open_form: OpenForm, shop: Shop) -> None:
    form = open_form({"return_url": f"{shop.origin}/back?이름=가나"}).fill().submit()
    form.page.wait_for_url(f"{shop.origin}/**")
    assert query_of(form.page.url)["이름"] == "가나"


def test_another_origin_may_not_frame_the_page(
    new_page: NewPage, other_shop: Shop, service: LocalService, watched: Watched
) -> None:
    page = new_page()
    with watched.line(page, "frame-ancestors"):
        frame = embed(page, other_shop, f"{service.url}{PATH}?customer_uid=framed")
    expect(frame.locator("form")).to_have_count(0)


HOSTILE = [
    "javascript:alert(1)",
    "//evil.example",
    "https://evil.example/",
    "SHOP@evil.example/",
    "SHOP.evil.example/",
    "SHOP:8/",
    "SHOP\\@evil.example/",
    "SHOP\t/",
    " SHOP/",
    "data:text/html,<script>alert(1)</script>",
    '"><script>alert(1)</script>',
    "</script><script>alert(1)</script>",
    "x" * 10_000,
]


@pytest.mark.parametrize("name", ["return_url", "customer_uid", "customer_token", "lang"])
def test_a_hostile_address_does_nothing(open_form: OpenForm, shop: Shop, service: LocalService, name: str) -> None:
    form = open_form()
    dialogs: list[str] = []
    form.page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    for value in HOSTILE:
        form.open({name: value.replace("SHOP", shop.origin)})
        scripts = form.page.locator("script").count()
        assert scripts == 2
        expect(form.page.locator("#return")).to_be_hidden()
        addresses = form.page.locator("a").evaluate_all("links => links.map(link => link.href)")
        assert all(address.startswith((service.url, "https://shop.example/privacy")) for address in addresses)
    form.open({name: HOSTILE[0]} | ({} if name == "customer_uid" else {"customer_uid": form.customer_uid}))
    form.fill().submit().expect_outcome()
    assert form.page.url.startswith(service.url)
    assert dialogs == []


def test_an_address_without_a_customer_has_no_form(new_page: NewPage, service: LocalService) -> None:
    page = new_page()
    page.goto(f"{service.url}{PATH}?{urlencode({'customer_uid': ' '})}")
    expect(page.locator("#outcome")).to_contain_text("판매자 페이지에서 카드 등록을 다시 열어 주세요.")
    expect(page.locator("form")).to_have_count(0)
