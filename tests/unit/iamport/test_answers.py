"""What came back from Iamport, and what it means. What only a socket can show stands in tests/integration."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import requests
import responses

from billing.aws_clients import AwsClients
from billing.credentials import CredentialsStore
from billing.iamport.client import Iamport
from billing.iamport.token import Token
from billing.model.billing_key import BillingKey, FailedPayment, PaidPayment
from billing.model.card import Card
from billing.model.customer import Customer, Payment
from billing.model.deadline import Deadline
from billing.model.errors import BillingError, Declined
from billing.model.sensitive import Sensitive
from billing.settings import read_settings

URL = "https://api.iamport.kr"
IN_TIME = Deadline.after(3600)
CARD = Card(Sensitive("0000-1111-2222-3333"), Sensitive("2099-12"), Sensitive("900101"), Sensitive("73"))
PAYMENT = Payment("order-1", 99_000, "first month", ())
CUSTOMER = Customer("mine", vouched_for=True, may_replace=False, payment=PAYMENT, details=())


def envelope(code: int, response: object = None, message: str | None = None) -> str:
    return json.dumps({"code": code, "message": message, "response": response})


KEY = {
    "customer_uid": "mine",
    "card_name": "국민KB카드",
    "card_number": "00001111****3333",
    "card_type": 1,
    "updated": 1595843453,
}
PAID = {"status": "paid", "merchant_uid": "order-1", "imp_uid": "imp_1", "amount": 99000, "receipt_url": None}
FAILED = {"status": "failed", "fail_reason": "한도초과"}

ISSUED = BillingKey("mine", "국민KB카드", "00001111****3333", "debit", 1595843453)
TAKEN = PaidPayment("order-1", "imp_1", 99_000, None)

Meaning = BillingKey | PaidPayment | FailedPayment | str | None
"""What the gateway gives, or the code of what it raises."""


@pytest.fixture
def iamport() -> Iamport:
    settings = read_settings({"IAMPORT_SECRET_ID": "unused", "ATTEMPTS_TABLE": "unused"})
    iamport = Iamport(settings, CredentialsStore(settings, AwsClients()))
    iamport._tokens._kept = Token(Sensitive("made-up-token"), good_until=1e12)
    return iamport


def issue(iamport: Iamport) -> BillingKey:
    return iamport.issue(CUSTOMER, CARD, IN_TIME)


def pay(iamport: Iamport) -> PaidPayment:
    return iamport.issue_and_pay(CUSTOMER, CARD, PAYMENT, IN_TIME)


def meaning(ask: Callable[[], Any]) -> Meaning:
    try:
        found: Meaning = ask()
    except BillingError as failure:
        return failure.code
    return found


def came_back(method: str, path: str, status: int, body: str | Exception) -> None:
    responses.add(method, URL + path, body=body, status=status)


NO_ANSWER = [
    pytest.param(200, "", id="nothing"),
    pytest.param(200, "<html></html>", id="a page"),
    pytest.param(200, '{"code":0,"mess', id="half of an envelope"),
    pytest.param(200, "[]", id="a list"),
    pytest.param(200, "null", id="null"),
    pytest.param(200, '{"code":"0","response":{}}', id="a code that is a text"),
    pytest.param(200, '{"code":true,"response":{}}', id="a code that is a truth"),
    pytest.param(200, '{"code":0.0,"response":{}}', id="a code that is no whole number"),
    pytest.param(200, envelope(0), id="a success without a response"),
    pytest.param(200, envelope(0, []), id="a success with a list"),
    pytest.param(302, "", id="a redirect"),
    pytest.param(429, envelope(-1), id="too many requests, in an envelope"),
    pytest.param(500, envelope(-1), id="an error of theirs, in an envelope"),
    pytest.param(502, "<html></html>", id="an error of a proxy's"),
    pytest.param(400, "<html></html>", id="a refusal by a proxy"),
    pytest.param(200, requests.ConnectionError(), id="a line that was cut"),
    pytest.param(200, requests.ReadTimeout(), id="a time-out"),
    pytest.param(200, ValueError(), id="an exception of anything below"),
]
"""Whatever was asked."""

REFUSED = [
    pytest.param(200, envelope(-1, message="no"), id="code -1"),
    pytest.param(200, envelope(1, message="no"), id="code 1"),
    pytest.param(200, envelope(-1, KEY), id="code -1 with a response"),
    pytest.param(400, envelope(-1, message="no"), id="400 in an envelope"),
    pytest.param(404, envelope(-1, message="no"), id="404 in an envelope"),
]

NO_KEY = [
    pytest.param(200, envelope(1), id="code 1, as captured"),
    pytest.param(404, envelope(-1), id="404, as the schema has it"),
]


@responses.activate
@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (KEY, ISSUED),
        ({**KEY, "card_type": 0}, replace(ISSUED, card_type="credit")),
        ({**KEY, "card_type": None}, replace(ISSUED, card_type=None)),
        ({**KEY, "card_number": "0000111122223333"}, replace(ISSUED, card_number="000011******3333")),
        ({"customer_uid": "mine"}, BillingKey("mine", None, None, None, None)),
        (
            {**KEY, "card_name": 1, "card_number": [], "card_type": "1", "updated": "x"},
            BillingKey("mine", None, None, None, None),
        ),
    ],
)
def test_a_key_is_told_as_far_as_it_can_be_read(iamport: Iamport, response: object, expected: BillingKey) -> None:
    for method in ("GET", "POST"):
        came_back(method, "/subscribe/customers/mine", 200, envelope(0, response))
    assert meaning(lambda: issue(iamport)) == expected
    assert meaning(lambda: iamport.look_up("mine", IN_TIME)) == expected


@responses.activate
@pytest.mark.parametrize(("status", "body"), NO_ANSWER)
def test_what_is_no_answer_to_issuing_leaves_the_outcome_unknown(
    iamport: Iamport, status: int, body: str | Exception
) -> None:
    came_back("POST", "/subscribe/customers/mine", status, body)
    came_back("POST", "/subscribe/payments/onetime", status, body)
    assert meaning(lambda: issue(iamport)) == "outcome_unknown"
    assert meaning(lambda: pay(iamport)) == "outcome_unknown"
    assert len(responses.calls) == 2, "sent once each"


@responses.activate
@pytest.mark.parametrize(("status", "body"), NO_ANSWER)
def test_what_is_no_answer_to_a_look_up_is_asked_for_twice(
    iamport: Iamport, status: int, body: str | Exception
) -> None:
    came_back("GET", "/subscribe/customers/mine", status, body)
    came_back("GET", "/payments/find/order-1", status, body)
    assert meaning(lambda: iamport.look_up("mine", IN_TIME)) == "unavailable"
    assert meaning(lambda: iamport.find_payment("order-1", IN_TIME)) == "unavailable"


@responses.activate
@pytest.mark.parametrize(("status", "body"), REFUSED)
def test_a_refusal_is_iamports_in_its_own_words(iamport: Iamport, status: int, body: str) -> None:
    came_back("POST", "/subscribe/customers/mine", status, body)
    came_back("POST", "/subscribe/payments/onetime", status, body)
    for refused in (issue, pay):
        with pytest.raises(Declined) as declined:
            refused(iamport)
        assert declined.value.message == json.loads(body)["message"]


@responses.activate
@pytest.mark.parametrize("number", ["0000111122223333", "0000-1111-2222-3333", "0000 1111.2222-3333"])
def test_a_card_that_a_refusal_quotes_is_masked(iamport: Iamport, number: str) -> None:
    came_back("POST", "/subscribe/customers/mine", 200, envelope(-1, message=f"{number} is wrong"))
    with pytest.raises(Declined) as declined:
        issue(iamport)
    assert declined.value.message == "000011******3333 is wrong"


@responses.activate
@pytest.mark.parametrize(("status", "body"), NO_KEY)
def test_nothing_registered_is_none(iamport: Iamport, status: int, body: str) -> None:
    came_back("GET", "/subscribe/customers/mine", status, body)
    assert meaning(lambda: iamport.look_up("mine", IN_TIME)) is None


@responses.activate
@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (PAID, TAKEN),
        ({**PAID, "amount": 99000.0}, TAKEN),
        (
            {**PAID, "receipt_url": "https://receipts.invalid/1"},
            replace(TAKEN, receipt_url="https://receipts.invalid/1"),
        ),
        ({**PAID, "receipt_url": 1}, TAKEN),
        (FAILED, "declined"),
        ({**FAILED, "fail_reason": None}, "declined"),
        ({**PAID, "status": "ready"}, "outcome_unknown"),
        ({**PAID, "status": None}, "outcome_unknown"),
        ({**PAID, "imp_uid": None}, "outcome_unknown"),
        ({**PAID, "amount": "99000"}, "outcome_unknown"),
        ({}, "outcome_unknown"),
    ],
)
def test_an_answer_to_a_first_payment(iamport: Iamport, response: object, expected: Meaning) -> None:
    came_back("POST", "/subscribe/payments/onetime", 200, envelope(0, response))
    assert meaning(lambda: pay(iamport)) == expected


@responses.activate
@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, envelope(0, PAID), TAKEN),
        (200, envelope(0, {**PAID, "status": "cancelled"}), TAKEN),
        (200, envelope(0, FAILED), FailedPayment("한도초과")),
        (200, envelope(0, {**PAID, "status": "ready"}), "unavailable"),
        (404, envelope(-1), None),
        (200, envelope(-1), "unavailable"),
    ],
)
def test_a_payment_that_is_looked_for(iamport: Iamport, status: int, body: str, expected: Meaning) -> None:
    came_back("GET", "/payments/find/order-1", status, body)
    assert meaning(lambda: iamport.find_payment("order-1", IN_TIME)) == expected
