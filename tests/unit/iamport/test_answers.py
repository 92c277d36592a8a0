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
from billing.model.billing_key import BillingKey, FoundPayment, PaidPayment
from billing.model.card import Card
from billing.model.customer import Customer, Payment
from billing.model.deadline import Deadline
from billing.model.errors import Answered, BillingError, Declined, GatewayRefused, Unavailable
from billing.model.sensitive import Sensitive
from tests.unit.fakes import SETTINGS

URL = SETTINGS.iamport_base_url
IN_TIME = Deadline.after(3600)
CARD = Card(Sensitive("0000-1111-2222-3333"), Sensitive("2099-12"), Sensitive("900101"), Sensitive("73"))
PAYMENT = Payment("order-1", 99_000, "first month", ())
CUSTOMER = Customer("mine", vouched_for=True, may_replace=False, payment=PAYMENT, details=())


def envelope(code: int, response: object = None, message: str | None = None) -> str:
    return json.dumps({"code": code, "message": message, "response": response})


def listed(*payments: object) -> str:
    """As /payments/findAll gives them."""
    return envelope(0, {"total": len(payments), "previous": 0, "next": 0, "list": payments})


KEY = {
    "customer_uid": "mine",
    "card_name": "국민KB카드",
    "card_number": "00001111****3333",
    "card_type": 1,
    "updated": 1595843453,
}
PAID = {
    "status": "paid",
    "merchant_uid": "order-1",
    "imp_uid": "imp_1",
    "customer_uid": "mine",
    "amount": 99000,
    "card_number": "00001111****3333",
    "receipt_url": None,
    "fail_reason": None,
}
FAILED = {**PAID, "status": "failed", "imp_uid": "imp_2", "fail_reason": "한도초과"}

NAN, INFINITE = float("nan"), float("inf")
"""Python writes them into JSON, and reads them from it."""
NESTED: object = []
for _ in range(300):
    NESTED = [NESTED]

ISSUED = BillingKey("mine", "국민KB카드", "000011******3333", "debit", 1595843453)
TAKEN = PaidPayment("order-1", "imp_1", 99_000, None)
FOUND = FoundPayment("order-1", "imp_1", "paid", "mine", 99_000, "000011******3333", None, None)
REFUSED_BEFORE = replace(FOUND, imp_uid="imp_2", status="failed", fail_reason="한도초과")

Meaning = BillingKey | PaidPayment | tuple[FoundPayment, ...] | str | None
"""What the gateway gives, or the code of what it raises."""


@pytest.fixture
def iamport() -> Iamport:
    iamport = Iamport(SETTINGS, CredentialsStore(SETTINGS, AwsClients()))
    iamport._tokens._kept = Token(Sensitive("made-up-token"), good_until=1e12)
    return iamport


def issue(iamport: Iamport) -> BillingKey:
    return iamport.issue(CUSTOMER, CARD, IN_TIME)


def pay(iamport: Iamport) -> PaidPayment:
    return iamport.issue_and_pay(CUSTOMER, CARD, PAYMENT, IN_TIME)


def charge(iamport: Iamport) -> PaidPayment:
    return iamport.charge(CUSTOMER, PAYMENT, IN_TIME)


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
    pytest.param(500, envelope(-1), id="an error of theirs, in an envelope"),
    pytest.param(502, "<html></html>", id="an error of a proxy's"),
    pytest.param(400, "<html></html>", id="a refusal by a proxy"),
    pytest.param(200, requests.ConnectionError(), id="a line that was cut"),
    pytest.param(200, requests.ReadTimeout(), id="a time-out"),
    pytest.param(200, ValueError(), id="an exception of anything below"),
]
"""Whatever was asked."""

NOT_PROCESSED = [
    pytest.param(302, "", id="a redirect"),
    pytest.param(307, envelope(0, KEY), id="a redirect with an envelope"),
    pytest.param(429, envelope(-1), id="too many requests, in an envelope"),
    pytest.param(429, "<html></html>", id="too many requests, by a proxy"),
]
"""Certainly."""

REFUSED = [
    pytest.param(200, envelope(-1, message="no"), id="code -1"),
    pytest.param(200, envelope(2, message="no"), id="code 2"),
    pytest.param(200, envelope(-1, KEY), id="code -1 with a response"),
]
"""Nothing was issued or charged; whose fault that is, nobody tells."""

NOT_ACCEPTED = [
    pytest.param(200, envelope(1, message="no channel"), id="code 1"),
    pytest.param(400, envelope(-1, message="a parameter is missing"), id="400 in an envelope"),
    pytest.param(400, envelope(1), id="400 with code 1"),
    pytest.param(403, envelope(-1, message="this address may not ask"), id="403 in an envelope"),
    pytest.param(403, envelope(0, KEY), id="403, whatever its envelope says"),
    pytest.param(404, envelope(-1, message="no such thing"), id="404 in an envelope"),
]
"""The request, whosever card it is."""

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
        pytest.param({**KEY, "customer_uid": None}, ISSUED, id="null contradicts nothing"),
        pytest.param({**KEY, "card_type": [1]}, replace(ISSUED, card_type=None), id="a list for a type"),
        pytest.param({**KEY, "card_type": {"code": 1}}, replace(ISSUED, card_type=None), id="an object for a type"),
        pytest.param({**KEY, "card_type": True}, replace(ISSUED, card_type=None), id="a truth for a type"),
        pytest.param({**KEY, "card_type": 1.0}, ISSUED, id="a type with a point"),
        pytest.param({**KEY, "updated": NAN}, replace(ISSUED, updated=None), id="a time that is no number"),
        pytest.param({**KEY, "updated": INFINITE}, replace(ISSUED, updated=None), id="a time that never comes"),
        pytest.param({**KEY, "updated": 1e308}, replace(ISSUED, updated=None), id="a time that no table takes"),
        pytest.param({**KEY, "updated": 10**50}, replace(ISSUED, updated=None), id="nor this one"),
        pytest.param({**KEY, "updated": 1.5}, replace(ISSUED, updated=None), id="a broken second"),
        pytest.param({**KEY, "card_name": NESTED}, replace(ISSUED, card_name=None), id="nested deeply"),
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
    came_back("POST", "/subscribe/payments/again", status, body)
    assert meaning(lambda: issue(iamport)) == "outcome_unknown"
    assert meaning(lambda: pay(iamport)) == "outcome_unknown"
    assert meaning(lambda: charge(iamport)) == "outcome_unknown"
    assert len(responses.calls) == 3, "sent once each"


@responses.activate
@pytest.mark.parametrize(("status", "body"), NOT_PROCESSED)
def test_what_was_not_processed_is_a_gateways_error(iamport: Iamport, status: int, body: str) -> None:
    came_back("POST", "/subscribe/customers/mine", status, body)
    came_back("POST", "/subscribe/payments/onetime", status, body)
    came_back("POST", "/subscribe/payments/again", status, body)
    assert meaning(lambda: issue(iamport)) == "gateway_error"
    assert meaning(lambda: pay(iamport)) == "gateway_error"
    assert meaning(lambda: charge(iamport)) == "gateway_error"
    assert len(responses.calls) == 3, "sent once each"


ELSES = [
    pytest.param({"customer_uid": "somebody-else"}, id="another customer"),
    pytest.param({"customer_uid": "MINE"}, id="a customer_uid that differs in its letters"),
    pytest.param({"customer_uid": ["mine"]}, id="a list of customers"),
    pytest.param({"customer_uid": 1}, id="a number"),
]


@responses.activate
@pytest.mark.parametrize("elses", ELSES)
def test_an_answer_about_another_customer_is_none(iamport: Iamport, elses: dict[str, object]) -> None:
    """A proxy out of step gives one caller another's answer."""
    for method in ("GET", "POST"):
        came_back(method, "/subscribe/customers/mine", 200, envelope(0, {**KEY, **elses}))
    came_back("POST", "/subscribe/payments/onetime", 200, envelope(0, {**PAID, **elses}))
    came_back("POST", "/subscribe/payments/again", 200, envelope(0, {**PAID, **elses}))
    assert meaning(lambda: issue(iamport)) == "outcome_unknown"
    assert meaning(lambda: pay(iamport)) == "outcome_unknown"
    assert meaning(lambda: charge(iamport)) == "outcome_unknown"
    assert meaning(lambda: iamport.look_up("mine", IN_TIME)) == "unavailable"


@responses.activate
@pytest.mark.parametrize("status", ["paid", "failed"])
@pytest.mark.parametrize("merchant_uid", ["order-2", "ORDER-1", ["order-1"], 1])
def test_an_answer_about_another_order_is_none(iamport: Iamport, status: str, merchant_uid: object) -> None:
    other = {**PAID, "status": status, "merchant_uid": merchant_uid}
    came_back("POST", "/subscribe/payments/onetime", 200, envelope(0, other))
    came_back("POST", "/subscribe/payments/again", 200, envelope(0, other))
    came_back("GET", "/payments/findAll/order-1", 200, listed(PAID, other))
    assert meaning(lambda: pay(iamport)) == "outcome_unknown"
    assert meaning(lambda: charge(iamport)) == "outcome_unknown"
    assert meaning(lambda: iamport.find_payments("order-1", IN_TIME)) == "unavailable"


@responses.activate
@pytest.mark.parametrize(("status", "body"), [*NO_ANSWER, *NOT_PROCESSED])
def test_what_is_no_answer_to_a_look_up_is_asked_for_twice(
    iamport: Iamport, status: int, body: str | Exception
) -> None:
    came_back("GET", "/subscribe/customers/mine", status, body)
    came_back("GET", "/payments/findAll/order-1", status, body)
    assert meaning(lambda: iamport.look_up("mine", IN_TIME)) == "unavailable"
    assert meaning(lambda: iamport.find_payments("order-1", IN_TIME)) == "unavailable"


@responses.activate
@pytest.mark.parametrize(("status", "body"), REFUSED)
def test_a_refusal_is_iamports_in_its_own_words(iamport: Iamport, status: int, body: str) -> None:
    came_back("POST", "/subscribe/customers/mine", status, body)
    came_back("POST", "/subscribe/payments/onetime", status, body)
    came_back("POST", "/subscribe/payments/again", status, body)
    for refused in (issue, pay, charge):
        with pytest.raises(Declined) as declined:
            refused(iamport)
        assert declined.value.message == json.loads(body)["message"]


@responses.activate
@pytest.mark.parametrize(("status", "body"), NOT_ACCEPTED)
def test_a_request_that_is_not_accepted_is_no_declined_card(iamport: Iamport, status: int, body: str) -> None:
    came_back("POST", "/subscribe/customers/mine", status, body)
    came_back("POST", "/subscribe/payments/onetime", status, body)
    came_back("POST", "/subscribe/payments/again", status, body)
    said = json.loads(body)
    for refused in (issue, pay, charge):
        with pytest.raises(GatewayRefused) as not_accepted:
            refused(iamport)
        assert not_accepted.value.answered == Answered(status, said["code"], said["message"])


@responses.activate
@pytest.mark.parametrize("code", [-1, 0, 1])
@pytest.mark.parametrize("status", [402, 405, 408, 409, 422])
def test_what_no_document_tells_of_decides_nothing(iamport: Iamport, status: int, code: int) -> None:
    came_back("POST", "/subscribe/customers/mine", status, envelope(code, KEY))
    came_back("POST", "/subscribe/payments/onetime", status, envelope(code, PAID))
    came_back("POST", "/subscribe/payments/again", status, envelope(code, PAID))
    assert meaning(lambda: issue(iamport)) == "outcome_unknown"
    assert meaning(lambda: pay(iamport)) == "outcome_unknown"
    assert meaning(lambda: charge(iamport)) == "outcome_unknown"


@responses.activate
@pytest.mark.parametrize("code", [-1, 0, 1])
@pytest.mark.parametrize("status", [400, 403])
def test_a_look_that_is_not_accepted_says_nothing_of_what_is_there(iamport: Iamport, status: int, code: int) -> None:
    for path in ("/subscribe/customers/mine", "/payments/findAll/order-1"):
        came_back("GET", path, status, envelope(code, message="not from 0000-1111-2222-3333"))
    for look in (lambda: iamport.look_up("mine", IN_TIME), lambda: iamport.find_payments("order-1", IN_TIME)):
        with pytest.raises(Unavailable) as not_accepted:
            look()
        assert not_accepted.value.code == "gateway_refused"
        assert not_accepted.value.answered == Answered(status, code, "not from 000011******3333")


@responses.activate
@pytest.mark.parametrize(
    ("status", "body", "answered"),
    [
        (200, envelope(-1, message="no 0000-1111-2222-3333"), Answered(200, -1, "no 000011******3333")),
        (200, envelope(-1), Answered(200, -1)),
        (200, envelope(0), Answered(200, 0)),
        (200, envelope(0, {**KEY, "customer_uid": "other"}), Answered(200, 0)),
        (429, "<html></html>", Answered(429)),
        (502, "<html></html>", Answered(502)),
        (409, envelope(-1), Answered(409, -1)),
        (400, "<html></html>", Answered(400)),
        (200, requests.ConnectionError(), None),
    ],
)
def test_how_iamport_answered_is_kept_for_the_log(
    iamport: Iamport, status: int, body: str | Exception, answered: Answered | None
) -> None:
    came_back("POST", "/subscribe/customers/mine", status, body)
    with pytest.raises(BillingError) as failure:
        issue(iamport)
    assert failure.value.answered == answered


@responses.activate
def test_why_a_payment_failed_is_kept_for_the_log(iamport: Iamport) -> None:
    came_back("POST", "/subscribe/payments/onetime", 200, envelope(0, FAILED))
    with pytest.raises(Declined) as declined:
        pay(iamport)
    assert declined.value.answered == Answered(200, 0, "한도초과")


@responses.activate
@pytest.mark.parametrize("number", ["0000111122223333", "0000-1111-2222-3333", "0000 1111.2222-3333"])
def test_a_card_that_a_refusal_quotes_is_masked(iamport: Iamport, number: str) -> None:
    came_back("POST", "/subscribe/customers/mine", 200, envelope(-1, message=f"{number} is wrong"))
    with pytest.raises(Declined) as declined:
        issue(iamport)
    assert declined.value.message == "000011******3333 is wrong"


@responses.activate
def test_a_card_that_the_refusal_of_its_charge_quotes_is_masked(iamport: Iamport) -> None:
    """The request has sent no card; whose it was, the attempt knows."""
    came_back("POST", "/subscribe/payments/again", 200, envelope(-1, message="password 73 of 0000-1111-2222-3333"))
    with pytest.raises(Declined) as declined:
        charge(iamport.hiding(CARD))
    assert declined.value.message == "password ** of 000011******3333"


@responses.activate
@pytest.mark.parametrize(("status", "body"), NO_KEY)
def test_nothing_registered_is_none(iamport: Iamport, status: int, body: str) -> None:
    came_back("GET", "/subscribe/customers/mine", status, body)
    assert iamport.look_up("mine", IN_TIME) is None


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
        pytest.param({**PAID, "customer_uid": None, "merchant_uid": None}, TAKEN, id="null contradicts nothing"),
        pytest.param({**PAID, "amount": None}, TAKEN, id="the amount that was asked for, where none is told"),
        pytest.param({**PAID, "amount": "99000"}, TAKEN, id="or where it can't be read"),
        pytest.param({**PAID, "amount": NAN}, TAKEN, id="or is no number"),
        pytest.param({**PAID, "amount": 1e308}, TAKEN, id="or is none that a table takes"),
        pytest.param({**PAID, "status": "cancelled"}, "outcome_unknown", id="paid and taken back in one moment"),
        ({**PAID, "status": "ready"}, "outcome_unknown"),
        ({**PAID, "status": None}, "outcome_unknown"),
        ({**PAID, "imp_uid": None}, "outcome_unknown"),
        ({**FAILED, "imp_uid": None}, "outcome_unknown"),
        ({}, "outcome_unknown"),
    ],
)
def test_an_answer_to_a_first_payment(iamport: Iamport, response: object, expected: Meaning) -> None:
    came_back("POST", "/subscribe/payments/onetime", 200, envelope(0, response))
    came_back("POST", "/subscribe/payments/again", 200, envelope(0, response))
    assert meaning(lambda: pay(iamport)) == expected
    assert meaning(lambda: charge(iamport)) == expected


@responses.activate
@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        pytest.param(200, listed(PAID), (FOUND,), id="one"),
        pytest.param(200, listed(FAILED, PAID), (REFUSED_BEFORE, FOUND), id="several, in their order"),
        pytest.param(200, listed(*[PAID] * 1000), (FOUND,) * 1000, id="as many as one answer may have"),
        pytest.param(200, listed(), (), id="an empty list"),
        pytest.param(404, envelope(-1), (), id="404, as the schema has it"),
        pytest.param(404, envelope(1), (), id="404 with another code"),
        pytest.param(200, envelope(0, {"list": [PAID]}), (FOUND,), id="no pages are told"),
        pytest.param(
            200, listed({**PAID, "status": "ready"}), (replace(FOUND, status="ready"),), id="a window that was left"
        ),
        pytest.param(
            200, listed({**PAID, "status": "cancelled"}), (replace(FOUND, status="cancelled"),), id="cancelled since"
        ),
        pytest.param(
            200,
            listed({"imp_uid": "imp_1", "status": "paid", "merchant_uid": "order-1"}),
            (FoundPayment("order-1", "imp_1", "paid", None, None, None, None, None),),
            id="as little as can be told",
        ),
        pytest.param(200, listed({**PAID, "merchant_uid": None}), (FOUND,), id="null contradicts nothing"),
        pytest.param(
            200,
            listed({**PAID, "customer_uid": "other", "amount": 100}),
            (replace(FOUND, customer_uid="other", amount=100),),
            id="somebody else's, of another amount: it is told as it is",
        ),
        pytest.param(
            200,
            listed(
                {**PAID, "customer_uid": 1, "amount": [], "card_number": {}, "receipt_url": 1, "fail_reason": NESTED}
            ),
            (replace(FOUND, customer_uid=None, amount=None, card_number=None),),
            id="fields of other types",
        ),
        pytest.param(200, listed({**PAID, "amount": NAN}), (replace(FOUND, amount=None),), id="an amount that is none"),
        pytest.param(200, listed({**PAID, "amount": 99000.0}), (FOUND,), id="an amount with a point"),
        pytest.param(
            200,
            listed({**PAID, "card_number": "0000111122223333"}),
            (replace(FOUND, card_number="000011******3333"),),
            id="a number in full is masked",
        ),
        pytest.param(200, listed(PAID, None), "unavailable", id="an entry that is null"),
        pytest.param(200, listed(PAID, "imp_1"), "unavailable", id="an entry that is a text"),
        pytest.param(200, listed(PAID, [PAID]), "unavailable", id="an entry that is a list"),
        pytest.param(200, listed(PAID, {}), "unavailable", id="an entry that tells nothing"),
        pytest.param(200, listed(PAID, {**PAID, "imp_uid": None}), "unavailable", id="a payment without a name"),
        pytest.param(200, listed(PAID, {**PAID, "status": 1}), "unavailable", id="a status that can't be read"),
        pytest.param(200, envelope(0, {"list": None}), "unavailable", id="no list"),
        pytest.param(200, envelope(0, {"total": 0}), "unavailable", id="no list at all"),
        pytest.param(200, envelope(0, PAID), "unavailable", id="one payment, as the other address gives it"),
        pytest.param(200, envelope(-1), "unavailable", id="code -1"),
        pytest.param(200, envelope(1), "unavailable", id="code 1: that means none of a key only"),
        pytest.param(404, "<html></html>", "unavailable", id="404 by a proxy"),
    ],
)
def test_the_payments_under_an_order(iamport: Iamport, status: int, body: str, expected: Meaning) -> None:
    """One that can't be read may be the one that was paid: so then it is not known what is paid."""
    came_back("GET", "/payments/findAll/order-1", status, body)
    assert meaning(lambda: iamport.find_payments("order-1", IN_TIME)) == expected
