"""Who is answered by a page: a browser that posted a form by itself. Every other answer is JSON."""

import json
from urllib.parse import urlencode

import pytest

from billing.model.billing_key import Issued
from billing.model.errors import Declined
from tests.integration.door import FORM, JSON, SINGULAR, Door, event_of, form_fields
from tests.unit.fakes import OWN, gives

OF_JAVA = "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"
OF_CHROME = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
OF_SAFARI = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
OF_AXIOS = "application/json, text/plain, */*"

BODIES = {JSON: json.dumps(form_fields()), FORM: urlencode(form_fields())}


def media_type_of_answer(door: Door, content_type: str, accept: str | None) -> str:
    headers = {"Content-Type": content_type} | ({} if accept is None else {"Accept": accept})
    body = BODIES.get(content_type.split(";")[0].lower(), "x")
    answer = door.handle(event_of("POST", SINGULAR, headers, body))
    return str(answer["multiValueHeaders"]["Content-Type"][0].split(";")[0])


@pytest.mark.parametrize("outcome", [Issued(OWN), Declined("한도초과")], ids=["issued", "declined"])
@pytest.mark.parametrize("accept", [None, "*/*", OF_AXIOS, OF_JAVA, OF_CHROME, "text/html"])
@pytest.mark.parametrize("content_type", [JSON, "Application/JSON; charset=utf-8"])
def test_json_is_answered_in_json_whatever_it_accepts(
    door: Door, monkeypatch: pytest.MonkeyPatch, content_type: str, accept: str | None, outcome: Exception | Issued
) -> None:
    gives(monkeypatch, outcome)
    assert media_type_of_answer(door, content_type, accept) == JSON


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (OF_CHROME, "text/html"),
        (OF_SAFARI, "text/html"),
        (OF_JAVA, "text/html"),
        ("TEXT/HTML", "text/html"),
        ("application/json;q=0.5, text/html", "text/html"),
        ("text/html;level=1", "text/html"),
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        ("text/*", JSON),
        ("application/json;q=0.1, */*", JSON),
        (OF_AXIOS, JSON),
        ("text/html;q=0", JSON),
        ("text/html;q=0, */*", JSON),
        ("application/json, text/html;q=0.5", JSON),
    ],
)
def test_a_form_is_answered_by_a_page_where_its_accept_names_html(
    door: Door, monkeypatch: pytest.MonkeyPatch, accept: str | None, media_type: str
) -> None:
    gives(monkeypatch, Issued(OWN))
    assert media_type_of_answer(door, FORM, accept) == media_type
    assert media_type_of_answer(door, f"{FORM.upper()}; charset=UTF-8", accept) == media_type


@pytest.mark.parametrize(
    ("content_type", "media_type"),
    [("multipart/form-data; boundary=x", "text/html"), ("text/plain", "text/html"), ("", JSON), ("text/xml", JSON)],
)
def test_a_form_that_is_posted_in_another_way_is_refused_by_a_page_too(
    door: Door, content_type: str, media_type: str
) -> None:
    """The three ways in which a browser posts a form (HTML, "form submission")."""
    assert media_type_of_answer(door, content_type, OF_CHROME) == media_type
