"""A key that is charged: everything that can go wrong at issuing can go wrong there too."""

import time
from dataclasses import replace
from typing import Any

import pytest
import requests

from infra.local.iamport import Fault, faults
from infra.local.iamport.cards import number_of
from tests.integration.iamport_simulator.client import HTTP_FAULTS, PAYMENT, Client, envelope
from tests.waiting import eventually

AGAIN = PAYMENT | {"customer_uid": "member-1"}
SOON = 0.3


def charge(client: Client, timeout: float = 3, **changes: object) -> requests.Response:
    return client.post("/subscribe/payments/again", AGAIN | changes, timeout)


def statuses(client: Client) -> list[str]:
    return [payment.status for payment in client.simulator.payments]


def test_a_key_is_charged_with_what_was_asked(client: Client) -> None:
    client.issue()

    payment = charge(client, buyer_name="홍길동", custom_data="{}", card_quota=3).json()["response"]
    assert (payment["status"], payment["amount"], payment["name"]) == ("paid", 1000, "구독 1개월")
    assert (payment["customer_uid"], payment["customer_uid_usage"]) == ("member-1", "payment")
    assert (payment["buyer_name"], payment["custom_data"], payment["card_quota"]) == ("홍길동", "{}", 3)
    assert client.get("/payments/find/order-1").json()["response"] == payment


@pytest.mark.parametrize(("fault", "status"), HTTP_FAULTS)
def test_a_fault_answers_instead_and_the_key_is_charged_or_not(client: Client, fault: Fault, status: int) -> None:
    client.issue()
    client.simulator.fail_next("pay_again", fault)

    assert charge(client).status_code == status
    assert statuses(client) == (["paid"] if fault.processed else [])


@pytest.mark.parametrize("fault", [faults.ANSWER_LOST, faults.LINE_CUT, faults.TRUNCATED])
def test_the_line_is_cut_after_the_charge_or_before_it(client: Client, fault: Fault) -> None:
    client.issue()
    client.simulator.fail_next("pay_again", fault)

    with pytest.raises(requests.RequestException):
        charge(client)
    assert statuses(client) == (["paid"] if fault.processed else [])


@pytest.mark.parametrize(("fault", "status"), HTTP_FAULTS)
def test_a_charge_lands_after_the_failure_was_answered(client: Client, fault: Fault, status: int) -> None:
    client.issue()
    client.simulator.fail_next("pay_again", faults.landing(fault, SOON))
    started = time.monotonic()

    assert charge(client).status_code == status
    assert statuses(client) == []
    assert eventually(lambda: statuses(client) == ["paid"])
    assert time.monotonic() - started >= SOON


def test_a_charge_that_landed_is_not_taken_twice(client: Client) -> None:
    client.issue()
    client.simulator.fail_next("pay_again", replace(faults.SERVER_ERROR, processed=True))
    charge(client)

    assert charge(client).json()["code"] == -1
    assert statuses(client) == ["paid"]


def test_a_slow_pg_charges_all_the_same(client: Client) -> None:
    client.issue()
    client.simulator.fail_next("pay_again", faults.slow(SOON))

    with pytest.raises(requests.ReadTimeout):
        charge(client, timeout=SOON / 3)
    assert eventually(lambda: statuses(client) == ["paid"])


def test_the_card_behind_the_key_may_lose_the_answer(client: Client) -> None:
    client.issue(card_number=number_of("payment_answer_lost"))

    with pytest.raises(requests.ConnectionError):
        charge(client)
    assert statuses(client) == ["paid"]


@pytest.mark.parametrize(
    ("scenario", "recorded"), [("payment_refused_without_key", []), ("payment_refused_with_key", ["failed"])]
)
def test_a_refused_charge_leaves_the_key(client: Client, scenario: str, recorded: list[str]) -> None:
    client.issue(card_number=number_of(scenario))

    assert charge(client).json() == envelope(-1, "결제에 실패하였습니다. [F113]거래거절 한도초과")
    assert statuses(client) == recorded
    assert client.look_up().json()["code"] == 0


def test_a_key_that_is_revoked_just_before_is_not_charged(client: Client) -> None:
    client.issue()
    client.simulator.before("pay_again", lambda: client.simulator.revoke("member-1"))

    assert charge(client).json() == envelope(1, "등록되지 않은 구매자입니다.")
    assert statuses(client) == []


def test_an_order_that_is_paid_just_before_is_not_charged(client: Client) -> None:
    client.issue()
    client.simulator.before("pay_again", lambda: client.simulator.pay("order-1", 1000))

    assert charge(client).json()["code"] == -1
    assert statuses(client) == ["paid"]


def test_the_history_tells_that_this_api_charged(client: Client) -> None:
    client.issue()
    imp_uid = charge(client).json()["response"]["imp_uid"]

    told = [(one.what, one.by, one.customer_uid, one.imp_uid) for one in client.simulator.history]
    assert told == [("registered", "api", "member-1", None), ("paid", "api", "member-1", imp_uid)]


def test_what_was_charged_is_shown_oddly_too(client: Client) -> None:
    client.issue()
    client.simulator.show_payments_oddly("order-1", amount="1000")
    charge(client)

    assert client.get("/payments/find/order-1").json()["response"]["amount"] == "1000"


@pytest.mark.parametrize("missing", ["customer_uid", "merchant_uid", "amount", "name"])
def test_a_charge_needs_its_parameters(client: Client, missing: str) -> None:
    client.issue()

    without: dict[str, Any] = {missing: None}
    assert charge(client, **without).json() == envelope(-1, f"{missing} 파라메터가 누락되었습니다.")
    assert statuses(client) == []


def test_no_and_nought_are_something_that_was_sent(client: Client) -> None:
    client.issue()
    sent = {"tax_free": 0, "vat_amount": 0, "use_card_point": False, "interest_free_by_merchant": True}
    charge(client, **sent, notice_url=None)

    expected = {"tax_free": "0", "vat_amount": "0", "use_card_point": "false", "interest_free_by_merchant": "true"}
    parameters = client.simulator.calls[-1].parameters
    assert {name: parameters.get(name) for name in (*sent, "notice_url")} == expected | {"notice_url": None}
