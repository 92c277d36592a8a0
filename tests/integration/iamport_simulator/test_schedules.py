"""Payments put off: asked for, looked at, called off, and charged when their time has come."""

from typing import Any

import pytest

from infra.local.iamport.cards import number_of
from tests.integration.iamport_simulator.client import NOW, Client, StandingClock, customer_path, envelope

TOMORROW = NOW + 86_400


def schedule(client: Client, *orders: str, uid: str = "member-1", **changes: object) -> Any:
    schedules = [{"merchant_uid": order, "schedule_at": TOMORROW, "amount": 9900, "name": "구독"} for order in orders]
    body = {"customer_uid": uid, "schedules": [one | changes for one in schedules]}
    return client.post("/subscribe/payments/schedule", body).json()


def shown(client: Client, order: str) -> dict[str, Any]:
    response: dict[str, Any] = client.get(f"/subscribe/payments/schedule/{order}").json()["response"]
    return response


def statuses(client: Client) -> dict[str, str]:
    return {one.merchant_uid: one.schedule_status for one in client.simulator.schedules}


def test_a_payment_is_put_off_and_then_charged_once(client: Client, clock: StandingClock) -> None:
    client.issue(customer_name="홍길동")
    assert schedule(client, "order-1")["response"][0]["schedule_status"] == "scheduled"
    assert client.get("/payments/find/order-1").status_code == 404

    clock.now = TOMORROW
    client.log_in()
    payment = client.get("/payments/find/order-1").json()["response"]
    assert (payment["status"], payment["amount"], payment["customer_uid"]) == ("paid", 9900, "member-1")
    assert (payment["buyer_name"], payment["paid_at"]) == ("홍길동", TOMORROW)
    one = shown(client, "order-1")
    assert (one["schedule_status"], one["payment_status"]) == ("executed", "paid")
    assert (one["imp_uid"], one["executed_at"]) == (payment["imp_uid"], TOMORROW)
    clock.now += 86_400
    client.log_in()
    client.look_up()
    assert len(client.simulator.payments) == 1


@pytest.mark.parametrize(
    ("scenario", "reason"),
    [
        ("payment_failed", "[F113]거래거절 한도초과"),
        ("payment_refused_without_key", "결제에 실패하였습니다. [F113]거래거절 한도초과"),
    ],
)
def test_a_charge_that_fails_is_told(client: Client, clock: StandingClock, scenario: str, reason: str) -> None:
    client.issue(card_number=number_of(scenario))
    schedule(client, "order-1")

    clock.now = TOMORROW
    client.log_in()
    one = shown(client, "order-1")
    assert (one["schedule_status"], one["payment_status"], one["fail_reason"]) == ("executed", "failed", reason)


def test_a_key_that_was_deleted_meanwhile_is_not_charged(client: Client, clock: StandingClock) -> None:
    client.issue()
    schedule(client, "order-1")
    client.session.delete(client.simulator.url + customer_path("member-1"), timeout=3)

    clock.now = TOMORROW
    client.log_in()
    assert shown(client, "order-1")["payment_status"] == "failed"
    assert client.simulator.payments == []


def test_an_unknown_uid_is_refused_as_captured(client: Client) -> None:
    assert schedule(client, "order-1") == envelope(1, "등록된 고객정보가 없습니다.")


def test_an_order_is_scheduled_once_and_in_the_future(client: Client) -> None:
    client.issue()
    client.pay(merchant_uid="paid")
    schedule(client, "order-1")

    assert schedule(client, "order-1")["code"] == 1
    assert schedule(client, "paid")["code"] == 1
    assert schedule(client, "order-2", schedule_at=NOW)["code"] == 1
    assert statuses(client) == {"order-1": "scheduled"}


@pytest.mark.parametrize("schedules", [None, [], "soon", [{"merchant_uid": "order-1"}], ["order-1"]])
def test_schedules_are_a_list_of_complete_ones(client: Client, schedules: object) -> None:
    client.issue()
    body = {"customer_uid": "member-1", "schedules": schedules}

    assert client.post("/subscribe/payments/schedule", body).status_code == 400
    assert client.simulator.schedules == []


@pytest.mark.parametrize(
    ("body", "revoked"),
    [
        ({"customer_uid": "member-1"}, {"order-1", "order-2"}),
        ({"customer_uid": "member-1", "merchant_uid": ["order-2"]}, {"order-2"}),
        ({"merchant_uid": ["order-2", "order-3"]}, {"order-2", "order-3"}),
        ({"merchant_uid": "order-3"}, {"order-3"}),
    ],
)
def test_schedules_are_called_off_by_customer_by_order_or_both(
    client: Client, clock: StandingClock, body: dict[str, object], revoked: set[str]
) -> None:
    client.issue("member-1")
    client.issue("member-2")
    schedule(client, "order-1", "order-2")
    schedule(client, "order-3", uid="member-2")

    answer = client.post("/subscribe/payments/unschedule", body).json()
    assert {one["merchant_uid"] for one in answer["response"]} == revoked
    clock.now = TOMORROW
    client.log_in()
    expected = {order: "revoked" if order in revoked else "executed" for order in ("order-1", "order-2", "order-3")}
    client.look_up()
    assert statuses(client) == expected


def test_what_is_not_scheduled_is_not_called_off(client: Client) -> None:
    assert client.post("/subscribe/payments/unschedule", {"merchant_uid": ["order-1"]}).json()["code"] == 1
    assert client.post("/subscribe/payments/unschedule", {}).status_code == 400
    assert client.get("/subscribe/payments/schedule/order-1").status_code == 404


def test_what_was_called_off_may_be_scheduled_anew(client: Client) -> None:
    client.issue()
    schedule(client, "order-1")
    client.post("/subscribe/payments/unschedule", {"customer_uid": "member-1"})

    assert schedule(client, "order-1")["code"] == 0
