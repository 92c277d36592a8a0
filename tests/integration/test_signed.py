"""In `signed` identity only the merchant's server says whose card it is."""

import time

import jwt
import pytest

from infra.local.aws import Aws
from infra.local.iamport import Simulator
from infra.local.iamport.cards import number_of
from infra.local.service import IMP_KEY, IMP_SECRET
from infra.local.token import CUSTOMER_TOKEN_KEY, new_token
from tests.attempts_table import empty_ledger
from tests.integration.door import Door, form_fields, signed_fields


def test_the_tokens_customer_counts_and_the_bodys_is_ignored(signed_door: Door, iamport: Simulator) -> None:
    answer = signed_door.post_json({**signed_fields("mine"), "customer_uid": "somebody-else"})
    assert answer.body["customer_uid"] == "mine"
    assert list(iamport.customers) == ["mine"]


@pytest.mark.parametrize("token", [None, "", "garbage", 5, new_token("mine", exp=1)])
def test_without_a_good_token_nothing_is_sent(signed_door: Door, iamport: Simulator, token: object) -> None:
    answer = signed_door.post_json({**form_fields(), "customer_token": token})
    assert answer.outcome == (401, "invalid_customer_token")
    assert iamport.calls == []


@pytest.mark.usefixtures("signed_door")
def test_the_key_can_be_rotated_without_an_outage(aws: Aws) -> None:
    old_fields = signed_fields("mine")
    aws.put_keys(IMP_KEY, IMP_SECRET, customer_token_key="n" * 32, customer_token_key_previous=CUSTOMER_TOKEN_KEY)
    assert Door().post_json(old_fields).outcome == (200, "issued")


def test_a_running_container_learns_of_a_new_key(monkeypatch: pytest.MonkeyPatch, signed_door: Door, aws: Aws) -> None:
    assert signed_door.post_json(signed_fields("mine")).outcome == (200, "issued")
    aws.put_keys(IMP_KEY, IMP_SECRET, customer_token_key="n" * 32)
    fields = form_fields(
        customer_uid=None, customer_token=jwt.encode({"sub": "new", "exp": time.time() + 60}, "n" * 32)
    )
    assert signed_door.post_json(fields).outcome == (401, "invalid_customer_token")
    real_monotonic = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: real_monotonic() + 61)
    assert signed_door.post_json(fields).outcome == (200, "issued")


def test_a_new_customer_costs_one_call_to_iamport(signed_door: Door, iamport: Simulator) -> None:
    signed_door.post_json(signed_fields("first", new=True))
    signed_door.post_json(signed_fields("second", new=True))
    assert iamport.endpoints == ["token", "issue", "issue"]


def test_a_registered_card_is_replaced_only_where_the_token_allows_it(signed_door: Door, iamport: Simulator) -> None:
    other_card = "0000-9999-9999-9999"
    assert signed_door.post_json(signed_fields("mine")).outcome == (200, "issued")
    assert signed_door.post_json(signed_fields("mine", other_card)).outcome == (409, "already_registered")
    assert iamport.customers["mine"].card_number.endswith("3333")
    assert signed_door.post_json(signed_fields("mine", other_card, replace=True)).outcome == (200, "issued")
    assert iamport.customers["mine"].card_number.endswith("9999")


PAYMENT = {"merchant_uid": "order-1", "amount": 9900, "name": "구독", "buyer_name": "홍길동"}


def test_the_first_payment_is_taken_in_the_same_call(signed_door: Door, iamport: Simulator) -> None:
    fields = signed_fields("mine", payment=PAYMENT)
    answer = signed_door.post_json({**fields, "amount": "1"})
    [payment] = iamport.payments
    assert answer.body["payment"] == {
        "merchant_uid": "order-1",
        "imp_uid": payment.imp_uid,
        "amount": 9900,
        "receipt_url": payment.receipt_url,
    }
    assert (payment.amount, payment.buyer_name, payment.customer_uid) == (9900, "홍길동", "mine")
    assert answer.body["card"]["number"] == "000011******3333"


def test_the_merchants_server_names_customer_and_channel_and_the_browser_does_not(
    monkeypatch: pytest.MonkeyPatch, signed_door: Door, iamport: Simulator
) -> None:
    del signed_door  # it was made before the settings below
    monkeypatch.setenv("IAMPORT_PG", "nice.MID1")
    monkeypatch.setenv("IAMPORT_CHANNEL_KEY", "channel-key-1")
    of_the_browser = {"customer_name": "임꺽정", "customer_tel": "010-0000-0000", "pg": "evil", "channel_key": "evil"}
    customer = {"id": "member-1", "name": "홍길동"}
    door = Door()
    assert door.post_json(signed_fields("one", customer=customer, pg="kcp.MID2") | of_the_browser).status == 200
    paying = signed_fields("two", customer=customer, pg="kcp.MID2", payment={**PAYMENT, "buyer_name": ""})
    assert door.post_json(paying | of_the_browser).status == 200
    issue, onetime = (call.parameters for call in iamport.calls if call.endpoint in ("issue", "pay_onetime"))
    assert (issue["customer_id"], issue["customer_name"], issue["customer_tel"]) == (
        "member-1",
        "홍길동",
        "010-0000-0000",
    )
    assert (onetime["buyer_name"], onetime["buyer_tel"]) == ("홍길동", "010-0000-0000")
    assert {issue["pg"], onetime["pg"]} == {"kcp.MID2"}
    assert "channel_key" not in issue.keys() | onetime.keys()


def test_a_payment_asked_for_again_is_not_taken_again(signed_door: Door, iamport: Simulator) -> None:
    fields = signed_fields("mine", payment=PAYMENT)
    first = signed_door.post_json(fields)
    again = signed_door.post_json(fields)
    assert first.body["payment"] == again.body["payment"]
    assert len(iamport.payments) == 1


def test_a_payment_that_is_known_to_iamport_alone_is_not_taken_again(
    signed_door: Door, iamport: Simulator, aws: Aws
) -> None:
    fields = signed_fields("mine", payment=PAYMENT)
    signed_door.post_json(fields)
    empty_ledger(aws)
    assert signed_door.post_json(fields).outcome == (200, "issued")
    assert len(iamport.payments) == 1


def test_nobody_else_may_pay_the_same_order(signed_door: Door, iamport: Simulator) -> None:
    signed_door.post_json(signed_fields("mine", payment=PAYMENT))
    assert signed_door.post_json(signed_fields("other", payment=PAYMENT)).outcome == (409, "already_paid")
    assert len(iamport.payments) == 1


@pytest.mark.parametrize("scenario", ["payment_refused_without_key", "payment_refused_with_key"])
def test_a_refused_payment_is_declined_and_another_card_may_pay(
    signed_door: Door, iamport: Simulator, scenario: str
) -> None:
    declined = signed_door.post_json(signed_fields("mine", number_of(scenario), payment=PAYMENT))
    assert declined.outcome == (200, "declined")
    assert signed_door.post_json(signed_fields("mine", payment=PAYMENT)).outcome == (200, "issued")
    assert iamport.customers["mine"].card_number.endswith("3333")


def test_a_payment_that_ends_as_failed_is_declined(signed_door: Door, iamport: Simulator) -> None:
    answer = signed_door.post_json(signed_fields("mine", number_of("payment_failed"), payment=PAYMENT))
    assert answer.outcome == (200, "declined")
    assert [payment.status for payment in iamport.payments] == ["failed"]


def test_a_payment_whose_answer_was_lost_is_found_and_not_repeated(signed_door: Door, iamport: Simulator) -> None:
    answer = signed_door.post_json(signed_fields("mine", number_of("payment_answer_lost"), payment=PAYMENT))
    assert answer.outcome == (200, "issued")
    assert [payment.status for payment in iamport.payments] == ["paid"]


def test_a_token_that_works_opens_the_form_and_says_what_is_paid(signed_door: Door) -> None:
    token = new_token("customer-1", payment={"merchant_uid": "order-1", "amount": 9900, "name": "상자"}, display="길동")
    page = signed_door.show_card_form({"customer_token": token})
    assert page["statusCode"] == 200
    for told in ("<form", "길동", "상자", "9,900원 결제하고 카드 등록"):
        assert told in page["body"]


@pytest.mark.parametrize(
    "query",
    [
        {"customer_token": new_token("customer-1", exp=int(time.time()) - 60)},
        {"customer_token": new_token("customer-1")[:-2]},
        {"customer_uid": "customer-1"},
        {},
    ],
    ids=["expired", "forged", "a customer_uid", "nothing"],
)
def test_a_token_that_can_not_work_is_told_at_once_and_opens_no_form(signed_door: Door, query: dict[str, str]) -> None:
    page = signed_door.show_card_form(query)
    assert page["statusCode"] == 401
    assert "카드 등록 시간이 지났거나" in page["body"]
    assert "<form" not in page["body"]


def test_keys_that_can_not_be_read_open_no_form(signed_door: Door, aws: Aws) -> None:
    aws.put_secret("{")
    page = signed_door.show_card_form({"customer_token": new_token("customer-1")})
    assert page["statusCode"] == 503
    assert "<form" not in page["body"]
