"""examples/embed.js, the file that shops copy, around a page that says what it is told to say.

That page stands in for the hosted form, whose part is to send these messages: `card-door:ready`, `card-door:height`
with its `height` in pixels, and `card-door:result`.
"""

import json
from typing import Any

import pytest
from playwright.sync_api import Frame, Page, expect

from infra.local.template import PROJECT
from tests.browser.conftest import NewPage, Shop

EMBED = PROJECT / "examples/embed.js"

HEAD = '<!doctype html><meta charset="utf-8"><title>cards</title><link rel="icon" href="data:,">'

FORM = HEAD + "<p>the form</p>"

SHOPS_PAGE = (
    HEAD
    + """<div id="here"></div>
<script type="module">
  import { embedCardForm } from "/embed.js";
  window.told = [];
  window.takeAway = embedCardForm(document.getElementById("here"), {
    url: %s,
    query: { customer_token: "a.b.c", lang: "en" },
    title: "Your card",
    onReady: () => told.push("ready"),
    onResult: (result) => told.push(result),
  });
</script>"""
)

RESULT = {"type": "card-door:result", "status": "success", "code": "", "customer_uid": "customer-1", "card": None}


class Embedded:
    """The form's frame in the shop's page; the form is at another origin than the shop."""

    def __init__(self, page: Page, shop: Shop, form_origin: str) -> None:
        self.page = page
        shop.put("/embed.js", EMBED.read_text("utf-8"), "text/javascript")
        shop.put("/embedding", SHOPS_PAGE % json.dumps(f"{form_origin}/form?theme=dark"))
        page.goto(f"{shop.origin}/embedding")
        page.wait_for_function("() => window.takeAway")
        [self.form] = [frame for frame in page.frames if frame.url.startswith(form_origin)]
        self.frame = page.locator("#here iframe")

    def say(self, message: Any, source: Frame | None = None) -> None:
        """From the form's window, or from another one, to the shop's."""
        (source or self.form).evaluate("message => parent.postMessage(message, '*')", message)

    def height(self) -> float:
        box = self.frame.bounding_box()
        assert box is not None
        return box["height"]

    def told(self) -> Any:
        """After everything that was said has arrived: messages keep their order."""
        self.page.evaluate("() => new Promise((done) => setTimeout(done, 100))")
        return self.page.evaluate("told")


@pytest.fixture
def embedded(new_page: NewPage, shop: Shop, other_shop: Shop) -> Embedded:
    other_shop.put("/form", FORM)
    return Embedded(new_page(), shop, other_shop.origin)


def test_it_is_a_small_file_that_needs_no_other() -> None:
    text = EMBED.read_text("utf-8")
    assert len(text.encode()) < 3000
    assert "import" not in text


def test_the_form_is_asked_for_whose_card_it_is_and_may_be_filled_in_by_the_browser(
    embedded: Embedded, other_shop: Shop
) -> None:
    assert embedded.form.url == f"{other_shop.origin}/form?theme=dark&customer_token=a.b.c&lang=en"
    expect(embedded.frame).to_have_attribute("title", "Your card")
    expect(embedded.frame).to_have_attribute("allow", "autofill")
    assert embedded.frame.get_attribute("sandbox") is None


@pytest.mark.parametrize("height", [1200, 320, 640.4])
def test_the_frame_is_as_high_as_the_form_says(embedded: Embedded, height: float) -> None:
    embedded.say({"type": "card-door:height", "height": height})
    assert embedded.told() == []
    assert height <= embedded.height() < height + 1


@pytest.mark.parametrize("height", [0, -5, "many", None])
def test_a_height_that_is_none_changes_nothing(embedded: Embedded, height: Any) -> None:
    before = embedded.height()
    embedded.say({"type": "card-door:height", "height": height})
    assert embedded.told() == []
    assert embedded.height() == before


def test_the_shop_is_told_when_the_form_is_ready_and_each_result(embedded: Embedded) -> None:
    another_try = RESULT | {"status": "failed", "code": "declined"}
    for message in ({"type": "card-door:ready"}, another_try, RESULT):
        embedded.say(message)
    assert embedded.told() == ["ready", another_try, RESULT]


def test_what_is_no_message_of_the_forms_is_passed_over(embedded: Embedded) -> None:
    for message in (None, "card-door:ready", {}, {"type": "card-door:rest"}, [1]):
        embedded.say(message)
    assert embedded.told() == []


def test_another_frame_of_the_same_origin_is_not_listened_to(embedded: Embedded, other_shop: Shop) -> None:
    embedded.page.evaluate(
        "address => document.body.append(Object.assign(document.createElement('iframe'), { src: address }))",
        f"{other_shop.origin}/form?other",
    )
    embedded.page.frame_locator("iframe >> nth=1").get_by_text("the form").wait_for()
    [other] = [frame for frame in embedded.page.frames if frame.url.endswith("?other")]
    embedded.say(RESULT, other)
    assert embedded.told() == []


def test_a_frame_that_has_left_for_another_origin_is_not_listened_to(embedded: Embedded, shop: Shop) -> None:
    shop.put("/elsewhere", FORM)
    with embedded.page.expect_event("framenavigated"):
        embedded.form.evaluate("address => { location.href = address }", f"{shop.origin}/elsewhere")
    embedded.form.wait_for_load_state()
    embedded.say(RESULT)
    assert embedded.told() == []


def test_who_takes_the_form_away_hears_no_more_of_it(embedded: Embedded, other_shop: Shop) -> None:
    """Not even what was on its way then: the window that it comes from is gone, and so is the frame's."""
    embedded.page.evaluate("takeAway()")
    expect(embedded.frame).to_have_count(0)
    embedded.page.evaluate(
        "([origin, data]) => { dispatchEvent(new MessageEvent('message', { origin, data, source: null })) }",
        [other_shop.origin, RESULT],
    )
    assert embedded.told() == []
