"""The local shop's server: what it says of who visits, which files it gives, and what it has heard."""

import json
from collections.abc import Iterator
from typing import Any

import jwt
import pytest

from infra.local.event_pipe import Event
from infra.local.shop.server import Answer, ShopServer
from infra.local.shop.visits import Visit
from infra.local.token import CUSTOMER_TOKEN_KEY

API, SIGNED_API = "http://api.invalid", "http://signed.invalid"


@pytest.fixture
def shop() -> Iterator[ShopServer]:
    with ShopServer() as shop:
        shop.doors = {"open": API, "signed": SIGNED_API}
        yield shop


@pytest.fixture
def visit(shop: ShopServer) -> Visit:
    return shop.visits.begin()


def asked(shop: ShopServer, visit: Visit, path: str, **query: str) -> Answer:
    return shop.page(path, query, visit)


def claims(answer: Answer) -> dict[str, Any]:
    token = json.loads(answer.content)["customer_token"]
    decoded: dict[str, Any] = jwt.decode(token, CUSTOMER_TOKEN_KEY, algorithms=["HS256"])
    del decoded["exp"]
    return decoded


def test_open_the_pages_get_the_visits_uid(shop: ShopServer, visit: Visit) -> None:
    answer = asked(shop, visit, "/open/customer", replace="1")
    assert json.loads(answer.content) == {"customer_uid": visit.customer_uid}


def test_signed_they_get_a_token_that_says_what_was_wished_for(shop: ShopServer, visit: Visit) -> None:
    assert claims(asked(shop, visit, "/signed/customer")) == {"sub": visit.customer_uid}
    everything = claims(asked(shop, visit, "/signed/customer", new="1", replace="1", payment="1"))
    assert everything == {"sub": visit.customer_uid, "new": True, "replace": True, "payment": visit.payment}


def test_the_server_writes_whose_card_it_is_into_the_form_and_where_it_is_posted(
    shop: ShopServer, visit: Visit
) -> None:
    opened = asked(shop, visit, "/open/html/").content.decode()
    assert f'name="customer_uid" value="{visit.customer_uid}"' in opened
    assert f'action="{API}/subscription/issue-billing"' in opened
    signed = asked(shop, visit, "/signed/html/").content.decode()
    assert 'type="hidden" name="customer_token"' in signed
    assert f'action="{SIGNED_API}/subscription/issue-billing"' in signed


@pytest.mark.parametrize(
    "path",
    [
        "/nowhere",
        "/elsewhere/html/",
        "/open/",
        "/open/html/nothing.html",
        "/open/html/../react/package.json",
        "/open/html/%2e%2e/react/package.json",
        "/open/html//etc/passwd",
        "/open/embed.d.ts",
    ],
)
def test_nothing_else_is_given(shop: ShopServer, visit: Visit, path: str) -> None:
    assert asked(shop, visit, path).status == 404


def test_what_it_has_heard_is_told_once_to_who_says_how_much_he_knows(shop: ShopServer, visit: Visit) -> None:
    events = [Event("card-door", "billing_key.issued", {"customer_uid": uid}) for uid in ("one", "two")]
    for event in events:
        shop.receive(event)

    def news(after: str) -> Any:
        return json.loads(asked(shop, visit, "/events", after=after).content)

    assert [event["detail"]["customer_uid"] for event in news("0")["events"]] == ["one", "two"]
    assert [event["detail"]["customer_uid"] for event in news("1")["events"]] == ["two"]
    assert news("2") == {"events": [], "after": 2}
    assert len(news("all of them")["events"]) == 2
