"""What others do at Iamport: by payment window, by another server, by hand in the console."""

import pytest

from infra.local.iamport import Customer, Payment
from infra.local.iamport.cards import number_of
from tests.integration.iamport_simulator.client import NOW, PAYMENT, Client, StandingClock


def statuses(client: Client, sorting: str = "-started") -> list[str]:
    response = client.get(f"/payments/findAll/order-1?sorting={sorting}").json()["response"]
    return [payment["status"] for payment in response["list"]]


def test_somebody_registers_a_card_by_payment_window(client: Client) -> None:
    registered = client.simulator.register("member-1", number_of("issued_debit"))

    assert isinstance(registered, Customer)
    assert client.look_up().json()["response"] == registered.response()
    assert (registered.card_number, registered.card_type) == ("00001000****0002", 1)
    assert (registered.inserted, registered.updated) == (NOW, NOW)


def test_what_others_register_replaces_a_key_and_is_none_that_was_issued_here(
    client: Client, clock: StandingClock
) -> None:
    client.issue()
    clock.now += 1
    client.simulator.register("member-1", number_of("issued_credit"), updated=NOW + 9)

    customer = client.look_up().json()["response"]
    assert (customer["card_number"], customer["inserted"], customer["updated"]) == ("00001000****0001", NOW, NOW + 9)
    assert client.simulator.issue_count("member-1") == 1


def test_what_others_register_pays_as_its_card_does(client: Client) -> None:
    client.simulator.register("member-1", number_of("payment_failed"))

    answer = client.post("/subscribe/payments/again", PAYMENT | {"customer_uid": "member-1"})
    assert answer.json()["response"]["status"] == "failed"


def test_somebody_revokes_a_key(client: Client) -> None:
    client.issue()

    assert client.simulator.revoke("member-1").customer_uid == "member-1"
    assert client.look_up().json()["code"] == 1
    with pytest.raises(LookupError):
        client.simulator.revoke("member-1")


def test_somebody_pays_an_order(client: Client) -> None:
    payment = client.simulator.pay("order-1", 700)

    assert isinstance(payment, Payment)
    assert client.get("/payments/find/order-1").json()["response"] == payment.response()
    assert (payment.status, payment.amount, payment.customer_uid) == ("paid", 700, None)
    assert (payment.started_at, payment.paid_at, payment.failed_at) == (NOW, NOW, 0)
    assert client.pay().json()["code"] == -1


def test_somebody_pays_with_a_registered_card(client: Client) -> None:
    client.issue()

    payment = client.simulator.pay("order-1", 700, "member-1")
    assert (payment.customer_uid, payment.card_number) == ("member-1", "00007777****1234")
    assert client.simulator.pay("order-2", 700, "nobody").customer_uid == "nobody"


def test_somebody_fails_to_pay_an_order(client: Client) -> None:
    payment = client.simulator.pay("order-1", 700, status="failed")

    assert (payment.status, payment.paid_at, payment.failed_at) == ("failed", 0, NOW)
    assert payment.fail_reason
    assert client.pay().json()["code"] == 0


def test_somebody_has_only_opened_the_payment_window(client: Client) -> None:
    payment = client.simulator.pay("order-1", 700, status="ready", started_at=NOW - 60)

    assert (payment.status, payment.started_at, payment.paid_at, payment.failed_at) == ("ready", NOW - 60, 0, 0)
    assert (payment.apply_num, payment.card_number, payment.receipt_url) == (None, None, None)
    assert client.pay().json()["code"] == 0


def test_payments_of_others_stand_in_the_order_of_their_start(client: Client) -> None:
    client.pay()
    client.simulator.pay("order-1", 1000, status="failed", started_at=NOW - 1)
    client.simulator.pay("order-1", 1000, status="ready", started_at=NOW + 1)

    assert statuses(client) == ["ready", "paid", "failed"]


@pytest.mark.parametrize("by", ["imp_uid", "merchant_uid"])
def test_somebody_cancels_a_payment(client: Client, by: str) -> None:
    paid = client.pay().json()["response"]
    client.simulator.pay("order-1", 1000, status="failed")

    payment = client.simulator.cancel(paid[by])
    assert (payment.imp_uid, payment.status, payment.cancel_amount) == (paid["imp_uid"], "cancelled", 1000)
    with pytest.raises(LookupError):
        client.simulator.cancel(paid[by])


def test_what_is_cancelled_is_used_up(client: Client) -> None:
    client.simulator.pay("order-1", 1000)
    client.simulator.cancel("order-1")

    assert client.pay().json()["code"] == -1


def test_what_others_do_is_no_call(client: Client) -> None:
    client.simulator.register("member-1", number_of("issued_credit"))
    client.simulator.pay("order-1", 1000, "member-1")

    assert client.simulator.endpoints == ["token"]


def test_a_payment_that_is_cancelled_is_updated_and_not_started_anew(client: Client, clock: StandingClock) -> None:
    client.pay()
    clock.now += 1
    client.simulator.pay("order-1", 1000, status="failed")
    clock.now += 1
    client.simulator.cancel("order-1")

    assert statuses(client) == ["failed", "cancelled"]
    assert statuses(client, "-updated") == ["cancelled", "failed"]
