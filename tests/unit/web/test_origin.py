"""Which pages may use the API: those that are allowed, its own, and who is no page at all."""

import json
from urllib.parse import urlencode

import pytest

from billing.model.billing_key import Issued
from tests.integration.door import FORM, JSON, PLURAL, SINGULAR, Door, event_of, form_fields, told
from tests.unit.conftest import Counted, Lines
from tests.unit.fakes import ENVIRONMENT, OWN, gives

SHOP, MOBILE_SHOP = "https://shop.example", "https://m.shop.example"
API = "cards.example"


@pytest.fixture
def shops_door(monkeypatch: pytest.MonkeyPatch) -> Door:
    """A container that two shops may use, of which one was written otherwise than browsers write it."""
    for name, value in {**ENVIRONMENT, "ALLOWED_ORIGINS": f"{SHOP},https://M.Shop.example:443/"}.items():
        monkeypatch.setenv(name, value)
    return Door()


PASS = [
    pytest.param({}, id="no page: a server, curl"),
    pytest.param({"Origin": SHOP}, id="the shop"),
    pytest.param({"oRIGIN": SHOP}, id="a header in any case"),
    pytest.param({"Origin": MOBILE_SHOP}, id="the other shop, as its operator did not write it"),
    pytest.param({"Origin": f"https://{API}"}, id="the hosted form"),
    pytest.param({"Origin": "null", "Sec-Fetch-Site": "same-origin"}, id="the hosted form that says no origin"),
]
FOREIGN = [
    pytest.param({"Origin": "https://evil.example"}, id="another page"),
    pytest.param({"Origin": "http://shop.example"}, id="the shop without TLS"),
    pytest.param({"Origin": f"{SHOP}:8443"}, id="another port"),
    pytest.param({"Origin": f"{SHOP}.evil.example"}, id="one that begins alike"),
    pytest.param({"Origin": "https://evil-shop.example"}, id="one that ends alike"),
    pytest.param({"Origin": f"{SHOP}, https://evil.example"}, id="two of them"),
    pytest.param({"Origin": f"http://{API}"}, id="the API's host without TLS"),
    pytest.param({"Origin": f"https://{API}.evil.example"}, id="one that begins like the API"),
    pytest.param({"Origin": "https://"}, id="no host"),
    pytest.param({"Origin": "null"}, id="a sandboxed frame in an old browser"),
    pytest.param({"Origin": "null", "Sec-Fetch-Site": "cross-site"}, id="a sandboxed frame"),
    pytest.param({"Origin": "null", "Sec-Fetch-Site": "same-site"}, id="a page beside the API"),
    pytest.param({"Origin": "null", "Sec-Fetch-Site": "none"}, id="a file"),
    pytest.param({"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"}, id="one that calls itself ours"),
    pytest.param({"Origin": "*"}, id="a star"),
    pytest.param({"Origin": "HTTPS://EVIL.EXAMPLE"}, id="capitals"),
    pytest.param({"Origin": "https://\u017fhop.example"}, id="a letter that only looks like the shop's"),
]
AT_THE_API = {"Host": API, "X-Forwarded-Proto": "https"}
KINDS_OF_BODY = [
    pytest.param(JSON, json.dumps(form_fields()), id="JSON"),
    pytest.param(FORM, urlencode(form_fields()), id="form"),
]


@pytest.mark.parametrize(("content_type", "body"), KINDS_OF_BODY)
@pytest.mark.parametrize("headers", PASS)
def test_an_allowed_page_passes(
    shops_door: Door, monkeypatch: pytest.MonkeyPatch, headers: dict[str, str], content_type: str, body: str
) -> None:
    asked_for = gives(monkeypatch, Issued(OWN))
    answer = shops_door.post(body, content_type=content_type, headers={**AT_THE_API, **headers})
    assert (answer.outcome, len(asked_for)) == ((200, "issued"), 1)


@pytest.mark.parametrize(
    ("path", "content_type", "body"),
    [
        pytest.param(SINGULAR, JSON, json.dumps(form_fields()), id="JSON"),
        pytest.param(PLURAL, FORM, urlencode(form_fields()), id="form"),
        pytest.param(SINGULAR, JSON, "{", id="no JSON"),
    ],
)
@pytest.mark.parametrize("headers", FOREIGN)
def test_any_other_page_is_forbidden_before_anything_else(
    shops_door: Door,
    monkeypatch: pytest.MonkeyPatch,
    logged: Lines,
    counted: Counted,
    headers: dict[str, str],
    path: str,
    content_type: str,
    body: str,
) -> None:
    asked_for = gives(monkeypatch, Issued(OWN))
    answer = shops_door.post(body, path=path, content_type=content_type, headers={**AT_THE_API, **headers})
    assert answer.outcome == (403, "forbidden")
    assert asked_for == []
    assert answer.headers["access-control-allow-origin"] == "*", "who forgot to allow a page sees why it fails"
    (line,) = logged()
    assert (line["level"], line["outcome"], line["reason"]) == ("INFO", "forbidden", "origin_not_allowed")
    assert counted() == {"InvalidRequest": 1}
    assert "evil" not in json.dumps([answer.body, line])


@pytest.mark.parametrize("headers", [*PASS, *FOREIGN])
def test_where_any_page_may_ask_none_is_forbidden(
    door: Door, monkeypatch: pytest.MonkeyPatch, headers: dict[str, str]
) -> None:
    gives(monkeypatch, Issued(OWN))
    assert door.post_json(form_fields(), headers={**AT_THE_API, **headers}).outcome == (200, "issued")


def test_the_form_too_is_shown_to_no_foreign_page(shops_door: Door) -> None:
    """A page that fetches it; a link, and a frame, bring no Origin with a GET."""
    event = event_of("GET", SINGULAR, {"Origin": "https://evil.example", **AT_THE_API}, None)
    assert told(shops_door.handle(event)).outcome == (403, "forbidden")


def test_on_a_laptop_the_apis_own_page_needs_no_tls(shops_door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    gives(monkeypatch, Issued(OWN))
    own = {"Origin": "http://127.0.0.1:3000", "Host": "127.0.0.1:3000", "X-Forwarded-Proto": "http"}
    assert shops_door.post_json(form_fields(), headers=own).outcome == (200, "issued")


def test_without_a_host_no_origin_is_the_apis_own(shops_door: Door) -> None:
    assert shops_door.post_json({}, headers={"Origin": "https://"}).outcome == (403, "forbidden")


def test_an_allowed_page_may_read_the_answer_as_it_wrote_its_origin(shops_door: Door) -> None:
    answer = shops_door.post_json({}, headers={"Origin": MOBILE_SHOP})
    assert answer.headers["access-control-allow-origin"] == MOBILE_SHOP


def test_no_answer_lets_a_page_bring_cookies(shops_door: Door) -> None:
    for origin in (SHOP, "https://evil.example"):
        headers = shops_door.post_json({}, headers={"Origin": origin}).headers
        assert "access-control-allow-credentials" not in headers
