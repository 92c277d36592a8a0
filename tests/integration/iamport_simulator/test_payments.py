"""Payments: the first one, further ones, found and cancelled."""

import pytest
import requests

from infra.local.iamport.cards import number_of
from tests.integration.iamport_simulator.client import NOW, PAYMENT, Client, StandingClock, envelope


def test_a_first_payment_is_paid_and_keeps_the_key(client: Client) -> None:
    payment = client.pay(customer_uid="member-1").json()["response"]

    assert (payment["status"], payment["amount"], payment["merchant_uid"]) == ("paid", 1000, "order-1")
    assert (payment["card_name"], payment["card_number"]) == ("국민KB카드", "00007777****1234")
    assert payment["sandbox"] is True
    assert all(payment[name] for name in ("imp_uid", "apply_num", "receipt_url"))
    assert client.look_up().json()["code"] == 0


def test_a_payment_shows_when_it_was_and_what_came_of_it(client: Client, clock: StandingClock) -> None:
    first = client.pay(customer_uid="member-1", card_number=number_of("payment_failed")).json()["response"]
    clock.now += 5
    client.pay(customer_uid="member-1")
    shown = client.get("/payments/find/order-1").json()["response"]

    failed = {"customer_uid": "member-1", "status": "failed", "started_at": NOW, "paid_at": 0, "failed_at": NOW}
    paid = failed | {"status": "paid", "started_at": NOW + 5, "paid_at": NOW + 5, "failed_at": 0}
    assert first | failed | {"fail_reason": "[F113]거래거절 한도초과", "cancel_amount": 0} == first
    assert shown | paid | {"fail_reason": None, "cancel_amount": 0, "cancelled_at": 0} == shown


def test_a_payment_without_a_uid_shows_none(client: Client) -> None:
    payment = client.pay().json()["response"]

    assert (payment["customer_uid"], payment["customer_uid_usage"]) == (None, None)


def test_some_pgs_take_a_first_payment_and_keep_no_key(client: Client) -> None:
    card_number = number_of("paid_without_key")
    payment = client.pay(customer_uid="member-1", card_number=card_number).json()["response"]

    assert (payment["status"], payment["customer_uid"]) == ("paid", "member-1")
    assert client.look_up().json()["code"] == 1
    assert client.simulator.issue_count("member-1") == 0


def test_what_such_a_pg_issues_without_a_payment_pays_afterwards(client: Client) -> None:
    client.issue(card_number=number_of("paid_without_key"))

    answer = client.post("/subscribe/payments/again", PAYMENT | {"customer_uid": "member-1"})
    assert answer.json()["response"]["status"] == "paid"


def test_a_first_payment_without_a_uid_keeps_no_key(client: Client) -> None:
    assert client.pay().json()["code"] == 0
    assert client.simulator.customers == {}


def test_a_first_payment_with_a_bad_card_is_refused(client: Client) -> None:
    answer = client.pay(card_number=number_of("wrong_number"))

    assert (answer.status_code, answer.json()) == (
        200,
        envelope(-1, "카드정보 인증에 실패하였습니다. [F113]거래거절 카드번호틀림"),
    )


@pytest.mark.parametrize(
    ("scenario", "code", "key_is_kept", "found"),
    [
        ("payment_refused_without_key", -1, False, None),
        ("payment_refused_with_key", -1, True, "failed"),
        ("payment_failed", 0, False, "failed"),
    ],
)
def test_a_refused_payment_may_keep_the_key_or_not(
    client: Client, scenario: str, code: int, key_is_kept: bool, found: str | None
) -> None:
    assert client.pay(customer_uid="member-1", card_number=number_of(scenario)).json()["code"] == code

    assert ("member-1" in client.simulator.customers) is key_is_kept
    response = client.get("/payments/find/order-1").json()["response"]
    assert (response and response["status"]) == found


def test_a_lost_answer_may_hide_a_payment(client: Client) -> None:
    with pytest.raises(requests.ConnectionError):
        client.pay(customer_uid="member-1", card_number=number_of("payment_answer_lost"))

    assert client.get("/payments/find/order-1").json()["response"]["status"] == "paid"
    assert client.look_up().json()["code"] == 0


USED_UP = "이미 주문이 이루어진 건입니다. (동일한 merchant_uid로 결제 또는 취소된 기록이 있습니다)"


@pytest.mark.parametrize("cancelled", [False, True])
def test_an_order_that_was_paid_or_cancelled_is_never_paid_again(client: Client, cancelled: bool) -> None:
    client.pay()
    if cancelled:
        client.post("/payments/cancel", {"merchant_uid": "order-1"})

    again = client.post("/subscribe/payments/again", PAYMENT | {"customer_uid": "nobody"})
    for answer in (client.pay(), client.pay(card_number=number_of("wrong_number"), customer_uid="member-1"), again):
        assert (answer.status_code, answer.json()) == (200, envelope(-1, USED_UP))
    assert len(client.simulator.payments) == 1
    assert client.simulator.customers == {}


def test_an_expired_card_pays_nothing(client: Client) -> None:
    answer = client.pay(customer_uid="member-1", expiry="2020-06")

    assert answer.json() == envelope(-1, "카드정보 인증에 실패하였습니다. [F113]거래거절 유효기간오류")
    assert (client.simulator.payments, client.simulator.customers) == ([], {})


def test_who_buys_is_whom_the_key_is_of(client: Client) -> None:
    client.pay(customer_uid="member-1", buyer_name="홍길동", buyer_tel="010-0000-0000", customer_email="ignored")

    customer = client.look_up().json()["response"]
    assert (customer["customer_name"], customer["customer_tel"]) == ("홍길동", "010-0000-0000")
    assert customer["customer_email"] is None


def test_an_order_whose_payment_failed_may_be_paid(client: Client) -> None:
    client.pay(card_number=number_of("payment_failed"))

    assert client.pay().json()["response"]["status"] == "paid"


def test_a_kept_key_pays_again(client: Client) -> None:
    client.issue()
    again = PAYMENT | {"customer_uid": "member-1"}

    assert client.post("/subscribe/payments/again", again).json()["response"]["status"] == "paid"


def test_what_does_not_exist_is_neither_charged_nor_cancelled(client: Client) -> None:
    charged = client.post("/subscribe/payments/again", PAYMENT | {"customer_uid": "nobody"})
    cancelled = client.post("/payments/cancel", {"merchant_uid": "order-1"})

    assert (charged.status_code, charged.json()) == (200, envelope(1, "등록되지 않은 구매자입니다."))
    assert (cancelled.status_code, cancelled.json()) == (200, envelope(1, "취소할 결제건이 존재하지 않습니다."))


def test_payments_are_found_newest_first_and_by_status(client: Client) -> None:
    client.pay(card_number=number_of("payment_failed"))
    client.pay()

    assert client.get("/payments/find/order-1").json()["response"]["status"] == "paid"
    assert client.get("/payments/find/order-1/failed").json()["response"]["status"] == "failed"
    assert client.get("/payments/find/order-1/cancelled").status_code == 404
    assert client.get("/payments/find/order-1/nonsense").status_code == 400


def test_an_unknown_payment_is_a_404(client: Client) -> None:
    answer = client.get("/payments/find/order-1")

    assert (answer.status_code, answer.json()) == (404, envelope(-1, "존재하지 않는 결제정보입니다."))


def test_a_payment_is_cancelled_in_part_and_then_whole(client: Client) -> None:
    imp_uid = client.pay().json()["response"]["imp_uid"]

    part = client.post("/payments/cancel", {"merchant_uid": "order-1", "amount": 400}).json()["response"]
    assert (part["cancel_amount"], part["status"]) == (400, "paid")
    assert client.post("/payments/cancel", {"imp_uid": imp_uid, "amount": 601}).json()["code"] == 1
    whole = client.post("/payments/cancel", {"imp_uid": imp_uid}).json()["response"]
    assert (whole["cancel_amount"], whole["status"]) == (1000, "cancelled")
    assert client.post("/payments/cancel", {"imp_uid": imp_uid}).json()["code"] == 1
    assert client.post("/payments/cancel", {}).status_code == 400


@pytest.mark.parametrize("missing", ["merchant_uid", "amount", "card_number", "expiry"])
def test_a_first_payment_needs_its_parameters(client: Client, missing: str) -> None:
    assert client.pay(**{missing: None}).json() == envelope(-1, f"{missing} 파라메터가 누락되었습니다.")
