"""All payments of an order: listed, sorted, a page at a time."""

import pytest

from infra.local.iamport import Simulator
from infra.local.iamport.cards import number_of
from tests.integration.iamport_simulator.client import Client, StandingClock, envelope

EVERY = "/payments/findAll/order-1"


@pytest.fixture
def failed_twice_then_paid(client: Client, clock: StandingClock) -> list[str]:
    """The imp_uids, oldest first, a second apart."""
    made = []
    for scenario in ("payment_failed", "payment_failed", "issued_credit"):
        made.append(client.pay(card_number=number_of(scenario)).json()["response"]["imp_uid"])
        clock.now += 1
    client.pay(merchant_uid="order-2")
    return made


def test_all_payments_of_an_order_come_newest_first(client: Client, failed_twice_then_paid: list[str]) -> None:
    response = client.get(EVERY).json()["response"]

    assert [payment["imp_uid"] for payment in response.pop("list")] == failed_twice_then_paid[::-1]
    assert response == {"total": 3, "previous": 0, "next": 0}


def test_a_list_shows_what_each_payment_shows_alone(client: Client) -> None:
    paid = client.pay(customer_uid="member-1").json()["response"]

    assert client.get(EVERY).json()["response"]["list"] == [paid]
    assert client.get("/payments/find/order-1").json()["response"] == paid


def test_within_a_second_the_later_one_is_the_newer_one(client: Client) -> None:
    client.pay(card_number=number_of("payment_failed"))
    client.pay()

    assert [payment["status"] for payment in client.get(EVERY).json()["response"]["list"]] == ["paid", "failed"]


@pytest.mark.parametrize(("status", "found"), [("failed", 2), ("paid", 1)])
def test_a_status_leaves_the_others_out(
    client: Client, failed_twice_then_paid: list[str], status: str, found: int
) -> None:
    assert failed_twice_then_paid
    response = client.get(f"{EVERY}/{status}").json()["response"]

    assert [payment["status"] for payment in response["list"]] == [status] * found
    assert response["total"] == found


@pytest.mark.parametrize(
    ("query", "positions", "previous", "following"),
    [
        ("limit=2", [2, 1], 0, 2),
        ("limit=2&page=1", [2, 1], 0, 2),
        ("limit=2&page=2", [0], 1, 0),
        ("limit=1&page=2", [1], 1, 3),
        ("limit=3", [2, 1, 0], 0, 0),
        ("page=2", [], 1, 0),
        ("limit=1000", [2, 1, 0], 0, 0),
    ],
)
def test_a_long_list_comes_in_pages(
    client: Client,
    failed_twice_then_paid: list[str],
    query: str,
    positions: list[int],
    previous: int,
    following: int,
) -> None:
    response = client.get(f"{EVERY}?{query}").json()["response"]

    listed = [failed_twice_then_paid.index(payment["imp_uid"]) for payment in response["list"]]
    assert (listed, response["total"]) == (positions, 3)
    assert (response["previous"], response["next"]) == (previous, following)


def test_a_page_holds_20_unless_told_otherwise(client: Client) -> None:
    for _ in range(21):
        client.pay(card_number=number_of("payment_failed"))

    response = client.get(EVERY).json()["response"]

    assert (len(response["list"]), response["total"], response["next"]) == (20, 21, 2)
    assert len(client.get(f"{EVERY}?limit=1000").json()["response"]["list"]) == 21


@pytest.mark.parametrize(
    ("sorting", "positions"),
    [
        ("-started", [2, 1, 0]),
        ("started", [0, 1, 2]),
        ("-paid", [2, 1, 0]),
        ("paid", [0, 1, 2]),
        ("-updated", [2, 1, 0]),
        ("updated", [0, 1, 2]),
    ],
)
def test_a_list_is_sorted_as_asked_and_the_first_one_is_found(
    client: Client, failed_twice_then_paid: list[str], sorting: str, positions: list[int]
) -> None:
    listed = client.get(f"{EVERY}?sorting={sorting}").json()["response"]["list"]
    found = client.get(f"/payments/find/order-1?sorting={sorting}").json()["response"]

    assert [failed_twice_then_paid.index(payment["imp_uid"]) for payment in listed] == positions
    assert found == listed[0]


@pytest.mark.parametrize(
    "path",
    [
        f"{EVERY}/nonsense",
        f"{EVERY}?limit=0",
        f"{EVERY}?limit=1001",
        f"{EVERY}?limit=all",
        f"{EVERY}?page=0",
        f"{EVERY}?sorting=amount",
        "/payments/find/order-1?sorting=amount",
    ],
)
def test_a_list_that_cannot_be_is_a_400(client: Client, path: str) -> None:
    client.pay()

    assert client.get(path).status_code == 400


@pytest.mark.parametrize("path", [EVERY, f"{EVERY}/paid"])
def test_no_payments_are_a_404_by_the_schema(client: Client, path: str) -> None:
    answer = client.get(path)

    assert (answer.status_code, answer.json()) == (404, envelope(-1, "존재하지 않는 결제정보입니다."))


def test_no_payments_may_be_an_empty_list_instead() -> None:
    with Simulator(no_payments_as_empty_list=True) as simulator:
        client = Client(simulator)
        client.log_in()
        answer = client.get(EVERY)

    assert (answer.status_code, answer.json()["code"]) == (200, 0)
    assert answer.json()["response"] == {"total": 0, "previous": 0, "next": 0, "list": []}


def test_what_a_query_asks_is_noted_and_what_a_post_has_in_its_query_is_not_read(client: Client) -> None:
    client.get(f"{EVERY}?limit=1000&card_number=0000-7777-8888-1234")
    client.post("/subscribe/payments/onetime?merchant_uid=order-1", {})

    listed, refused = client.simulator.calls[1:]
    assert (listed.endpoint, listed.path) == ("find_payments", EVERY)
    assert listed.parameters == {"merchant_uid": "order-1", "limit": "1000"}
    assert refused.parameters == {}
