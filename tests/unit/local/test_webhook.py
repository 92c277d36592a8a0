"""What `make run` posts to WEBHOOK_URL, and what it says of the answer."""

import json
import logging
import re

import pytest

from infra.local.event_pipe import Event
from infra.local.intrinsics import TemplateError, read_yaml
from infra.local.template import PROJECT, Template
from infra.local.webhook import KEY_HEADER, LOCAL_KEY, post, run_webhook, webhook_url_from
from tests.serving import HttpAnswer, answering, nobody_listening, serving

EVENT = Event("card-door", "billing_key.issued", {"customer_uid": "customer-1"})


def test_an_event_is_posted_as_eventbridge_posts_it_with_the_key() -> None:
    with serving(answering(lambda _: HttpAnswer(204))) as server:
        with run_webhook(f"{server.url}/webhooks") as receive:
            receive(EVENT)
        [request] = server.requests
    assert (request.method, request.path, request.headers["content-type"]) == ("POST", "/webhooks", "application/json")
    assert request.headers[KEY_HEADER.lower()] == LOCAL_KEY
    posted = json.loads(request.body)
    assert (posted["source"], posted["detail-type"], posted["detail"]) == (
        *("card-door", "billing_key.issued"),
        EVENT.detail,
    )


def test_its_key_has_the_header_of_the_cloud() -> None:
    resources = read_yaml((PROJECT / "infra/webhook.yaml").read_text("utf-8"))["Resources"]
    given = resources["Connection"]["Properties"]["AuthParameters"]["ApiKeyAuthParameters"]
    assert given["ApiKeyName"] == KEY_HEADER


@pytest.mark.parametrize(
    ("status", "follows"),
    [
        *((status, "") for status in (200, 204)),
        *((status, "try again") for status in (401, 407, 409, 429, 500, 503)),
        *((status, "give it up at once") for status in (301, 400, 403, 404, 422)),
    ],
)
def test_it_says_what_eventbridge_would_do_after_an_answer(
    status: int, follows: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "infra.local")
    headers = {"Location": "http://127.0.0.1:9/"} if status == 301 else {}
    with serving(answering(lambda _: HttpAnswer(status, headers=headers))) as server:
        post(server.url, EVENT)
    [said] = caplog.messages
    assert re.fullmatch(rf"webhook: billing_key.issued, {status}(: EventBridge would {follows})?", said)
    assert said.endswith(follows)


def test_it_says_so_where_nobody_answers(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "infra.local")
    with nobody_listening() as url:
        post(url, EVENT)
    assert caplog.messages == ["webhook: billing_key.issued, ConnectionError: EventBridge would try again"]


@pytest.mark.parametrize(
    ("url", "taken"),
    [
        ("", True),
        ("https://shop.example/webhooks", True),
        ("http://127.0.0.1:8000", True),
        ("http://localhost:8000/webhooks", True),
        ("http://[::1]:8000/", True),
        ("http://shop.example/webhooks", False),
        ("http://127.0.0.1.shop.example/", False),
        ("shop.example", False),
    ],
)
def test_it_takes_what_the_template_takes_and_http_of_this_machine(url: str, taken: bool) -> None:
    try:
        assert webhook_url_from({"WEBHOOK_URL": url}, Template()) == url
    except TemplateError:
        assert not taken
    else:
        assert taken
