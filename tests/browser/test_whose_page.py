"""The page says whose it is, in the shop's own colour, and loads the shop's logo and nothing else."""

from base64 import b64decode
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from infra.local.service import LocalService
from tests.browser.card_form import CardForm
from tests.browser.conftest import NewPage, OpenForm, Shop, Watched, run_for
from tests.browser.test_accessibility import DESKTOP, PHONE, violations

LOGO = "https://cdn.shop.example/logo.gif"
PICTURE = b64decode("R0lGODlhAQABAIAAAP///wAAACwAAAAAAQABAAACAkQBADs=")


@pytest.fixture(scope="module")
def service(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    """Stands for the one that the other modules share."""
    named = {
        "ShopName": "별빛 상점",
        "ShopLogoUrl": LOGO,
        "ShopContact": "고객센터 1588-0000",
        "AccentColor": "#03c75a",
    }
    with run_for(shop, tmp_path_factory.mktemp("shop"), **named) as service:
        yield service


@pytest.fixture
def open_form(new_page: NewPage, service: LocalService, watched: Watched) -> Iterator[OpenForm]:
    """The logo's host is the one that may be asked beside the service."""

    def open_form(query: dict[str, str] | None = None, **options: Any) -> CardForm:
        page = new_page(**options)
        page.route(LOGO, lambda route: route.fulfill(body=PICTURE, content_type="image/gif"))
        return CardForm(page, service.url).open(query)

    yield open_form
    assert set(watched.foreign_addresses()) == {LOGO}
    watched.requests = [request for request in watched.requests if request.url != LOGO]


def test_the_shop_is_named_with_its_logo(open_form: OpenForm) -> None:
    form = open_form()
    expect(form.page.locator(".shop")).to_have_text("별빛 상점")
    expect(form.page).to_have_title("카드 등록 – 별빛 상점")
    expect(form.page.locator(".contact")).to_contain_text("1588-0000")
    logo = form.page.locator(".shop img")
    assert logo.evaluate("image => image.complete && image.naturalWidth") == 1


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_dark_logo_is_seen_in_both_themes(open_form: OpenForm, theme: str) -> None:
    logo = open_form(color_scheme=theme).page.locator(".shop img")
    expect(logo).to_have_css("background-color", "rgb(255, 255, 255)")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_theme_in_the_address_wins_over_the_browsers(open_form: OpenForm, theme: str) -> None:
    other = "dark" if theme == "light" else "light"
    form = open_form({"theme": theme}, color_scheme=other)
    expected = {"light": "rgb(255, 255, 255)", "dark": "rgb(22, 29, 41)"}[theme]
    expect(form.page.locator("main")).to_have_css("background-color", expected)
    expect(form.button).to_have_css("background-color", "rgb(3, 199, 90)")
    expect(form.button).to_have_css("color", "rgb(0, 0, 0)")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, DESKTOP])
def test_axe_finds_nothing(open_form: OpenForm, theme: str, viewport: dict[str, int]) -> None:
    assert violations(open_form(color_scheme=theme, viewport=viewport).page) == []
