"""Whatever colour a shop has, the page can be read."""

from itertools import product
from typing import get_args

import pytest

from card_form.colours import LINE_CONTRAST, PALETTES, TEXT_CONTRAST, Theme, colours_css, contrast, palette

CHANNEL = ("00", "80", "ff")
CORNERS = ["#" + "".join(channels) for channels in product(CHANNEL, repeat=3)]
ANY = [*CORNERS, "#757575", "#767676", "#1f4fd8", "#ffe812", "#03c75a", "#e0457b"]


def test_contrast_is_that_of_the_guidelines() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("theme", get_args(Theme))
@pytest.mark.parametrize("accent", ANY)
def test_the_button_has_the_shops_colour_and_is_read(accent: str, theme: Theme) -> None:
    colours = palette(accent, theme)
    assert colours["button"] == accent
    assert contrast(colours["on-button"], colours["button"]) >= 4.58
    assert contrast(colours["on-button"], colours["button-pressed"]) >= 4.58
    assert colours["button-pressed"] != accent or accent in ("#000000", "#ffffff")


@pytest.mark.parametrize("theme", get_args(Theme))
@pytest.mark.parametrize("accent", ["", *ANY])
def test_links_and_lines_are_seen_on_the_page(accent: str, theme: Theme) -> None:
    colours = palette(accent, theme)
    for behind in ("panel", "ground"):
        assert contrast(colours["link"], colours[behind]) >= TEXT_CONTRAST
        assert contrast(colours["mark"], colours[behind]) >= LINE_CONTRAST


def test_a_colour_that_is_seen_in_one_theme_is_used_in_that_one_alone() -> None:
    navy = "#001a66"
    assert (palette(navy, "light")["link"], palette(navy, "light")["mark"]) == (navy, navy)
    assert palette(navy, "dark")["link"] == PALETTES["dark"]["link"]
    middling = "#e0457b"  # 3:1 and not 4.5:1
    assert palette(middling, "light")["mark"] == middling
    assert palette(middling, "light")["link"] == PALETTES["light"]["link"]


def test_without_a_colour_of_the_shops_the_page_has_its_own() -> None:
    assert palette("", "light") == PALETTES["light"]


def test_a_theme_that_is_asked_for_is_the_only_one() -> None:
    assert "prefers-color-scheme" in colours_css("", None)
    assert "prefers-color-scheme" not in colours_css("", "dark")
    assert PALETTES["dark"]["panel"] in colours_css("", "dark")
    assert PALETTES["light"]["panel"] not in colours_css("", "dark")
