"""Answers that are no such thing as the schema promises."""

import json
import math

import pytest

from infra.local.iamport import LEFT_OUT, Raw
from tests.integration.iamport_simulator.client import NOW, Client


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("card_type", [0]),
        ("card_type", {"a": [1, {"b": None}]}),
        ("updated", None),
        ("updated", "yesterday"),
        ("customer_uid", "somebody-else"),
        ("card_name", "국민\n\ud800"),
        ("brand_new", True),
    ],
)
def test_a_look_up_shows_what_it_was_told_to(client: Client, name: str, value: object) -> None:
    issued = client.issue().json()["response"]
    client.simulator.show_oddly("member-1", **{name: value})

    assert client.look_up().json()["response"] == issued | {name: value}


def test_a_look_up_shows_no_number(client: Client) -> None:
    client.issue()
    client.simulator.show_oddly("member-1", updated=math.nan, inserted=math.inf)

    assert b'"inserted":Infinity,' in client.look_up().content
    assert b'"updated":NaN}' in client.look_up().content


@pytest.mark.parametrize("text", ["1e999", "[" * 100_000 + "]" * 100_000, "-", "9" * 5000])
def test_a_look_up_shows_what_no_encoder_writes(client: Client, text: str) -> None:
    client.issue()
    client.simulator.show_oddly("member-1", card_type=Raw(text))

    assert f'"card_type":{text},"customer_addr"'.encode() in client.look_up().content


def test_a_look_up_leaves_a_field_out(client: Client) -> None:
    issued = client.issue().json()["response"]
    client.simulator.show_oddly("member-1", updated=LEFT_OUT)

    assert issued.pop("updated") == NOW
    assert client.look_up().json()["response"] == issued


def test_what_is_shown_oddly_is_not_so_and_comes_to_an_end(client: Client) -> None:
    client.simulator.show_oddly("member-1", updated=None)
    issued = client.issue().json()["response"]

    assert issued["updated"] == client.simulator.customers["member-1"].updated == NOW
    assert client.look_up().json()["response"]["updated"] is None
    client.simulator.show_oddly("member-1")
    assert client.look_up().json()["response"] == issued


def test_nobody_else_is_shown_oddly(client: Client) -> None:
    client.simulator.show_oddly("member-1", updated=None)

    assert client.look_up().json()["code"] == 1
    client.issue("member-2")
    assert client.look_up("member-2").json()["response"]["updated"] == NOW


def test_the_payments_of_an_order_are_shown_oddly_one_by_one_and_in_a_list(client: Client) -> None:
    client.simulator.show_payments_oddly("order-1", merchant_uid="order-2", status=["paid"], amount=Raw("1e3"))
    paid = client.pay().json()["response"]
    odd = paid | {"merchant_uid": "order-2", "status": ["paid"], "amount": 1000.0}

    assert paid["status"] == "paid"
    assert client.get("/payments/find/order-1").json()["response"] == odd
    listed = client.get("/payments/findAll/order-1")
    assert listed.json()["response"]["list"] == [odd]
    assert b'"amount":1e3,' in listed.content


def test_a_reset_ends_oddities(client: Client) -> None:
    client.simulator.show_oddly("member-1", updated=None)
    client.simulator.reset()
    client.log_in()

    assert json.loads(client.issue().content) == client.look_up().json()
