"""What of an outcome gets into its answer: body, status, headers."""

import json
from typing import Any

import pytest
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from billing.model.billing_key import BillingKey, Issued, PaidPayment
from billing.model.errors import (
    AlreadyPaid,
    AlreadyRegistered,
    BillingError,
    Declined,
    FieldError,
    Forbidden,
    GatewayError,
    GatewayRefused,
    InProgress,
    InvalidCustomerToken,
    InvalidRequest,
    OutcomeUnknown,
    PaidWithoutKey,
    TooManyAttempts,
    Unavailable,
)
from billing.web.answers import (
    Caller,
    describe_error,
    describe_failure,
    describe_success,
    read_caller,
    respond,
    retry_after_header,
)
from billing.web.messages import BY_CODE, BY_REASON
from tests.unit.fakes import OWN, TAKEN

FORM = "application/x-www-form-urlencoded"
SHOP, OTHER_SHOP = "https://shop.example", "https://other.example"


def caller(origin: str = "") -> Caller:
    return Caller(request_id="request-1", language="ko", origin=origin, wants_page=False)


@pytest.mark.parametrize(
    ("origin", "allowed_origins", "allowed"),
    [
        pytest.param(SHOP, ("*",), "*", id="any"),
        pytest.param("", ("*",), "*", id="any, and no browser asks"),
        pytest.param(SHOP, (SHOP, "*"), "*", id="any, beside a named one"),
        pytest.param(SHOP, (SHOP,), SHOP, id="the one"),
        pytest.param(OTHER_SHOP, (SHOP, OTHER_SHOP), OTHER_SHOP, id="one of two"),
        pytest.param("https://evil.example", (SHOP, OTHER_SHOP), SHOP, id="another one"),
        pytest.param("https://shop.example.evil.example", (SHOP,), SHOP, id="one that begins alike"),
        pytest.param("null", (SHOP,), SHOP, id="a page without an origin"),
        pytest.param("", (SHOP,), SHOP, id="no browser asks"),
    ],
)
def test_only_an_allowed_origin_may_read_the_answer(
    origin: str, allowed_origins: tuple[str, ...], allowed: str
) -> None:
    headers = respond({"status": "success"}, caller(origin), allowed_origins).headers
    assert headers["Access-Control-Allow-Origin"] == allowed
    assert headers["Vary"] == "Origin", "or a cache would give one page's answer to another"


@pytest.mark.parametrize("origin", [SHOP, "https://evil.example", "null"])
def test_that_it_is_forbidden_any_page_may_read(origin: str) -> None:
    answer = respond(describe_error(Forbidden("origin_not_allowed"), "ko"), caller(origin), (SHOP,))
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (403, "*")


def test_no_answer_is_kept_or_taken_for_something_else() -> None:
    answer = respond({"status": "success"}, caller(), ("*",))
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"


def test_a_page_may_read_when_to_try_again() -> None:
    headers = retry_after_header(TooManyAttempts(1800, "attempts_per_card"))
    answer = respond(describe_failure("too_many_attempts", "ko"), caller(), ("*",), headers)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1800")
    assert answer.headers["Access-Control-Expose-Headers"] == "Retry-After"


@pytest.mark.parametrize("error", [InProgress(), OutcomeUnknown("time_out")])
def test_who_has_to_wait_is_told_when_to_ask_for_the_outcome(error: BillingError) -> None:
    assert retry_after_header(error) == {"Retry-After": "5"}


@pytest.mark.parametrize(
    "error",
    [
        AlreadyPaid(),
        AlreadyRegistered(OWN),
        Declined(None),
        GatewayError("http_429"),
        GatewayRefused("code_1"),
        PaidWithoutKey(TAKEN),
        Unavailable("down"),
    ],
)
def test_nothing_else_says_when_to_try_again(error: BillingError) -> None:
    assert retry_after_header(error) == {}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"status": "success"}, 200),
        (describe_failure("declined", "ko"), 200),
        (describe_failure("paid_without_key", "ko"), 200),
        (describe_failure("already_registered", "ko"), 409),
        (describe_failure("already_paid", "ko"), 409),
        (describe_failure("in_progress", "ko"), 409),
        (describe_failure("gateway_refused", "ko"), 502),
        (describe_failure("unavailable", "ko"), 503),
        (describe_failure("outcome_unknown", "ko"), 504),
    ],
)
def test_an_answer_has_its_status_and_its_requests_id(body: dict[str, Any], status: int) -> None:
    answer = respond(body, caller(), ("*",))
    assert answer.status_code == status
    assert json.loads(answer.body or "") == {**body, "request_id": "request-1"}
    assert "\\u" not in (answer.body or ""), "Korean is readable in a log of answers"


def test_a_success_tells_the_card() -> None:
    assert describe_success(Issued(OWN)) == {
        "status": "success",
        "message": "Billing has successfully issued",
        "customer_uid": "mine",
        "card": {"name": "국민KB카드", "number": "000011******3333", "type": "debit"},
    }


def test_a_success_tells_what_is_not_known_as_null() -> None:
    unknown = BillingKey("mine", None, None, None, None)
    assert describe_success(Issued(unknown))["card"] == {"name": None, "number": None, "type": None}


RECEIPT = "https://receipts.invalid/cm/receipt_head.jsp?noTid=a%20b&noMethod=1"


@pytest.mark.parametrize("payment_of", ["a success", "a payment without a key"])
@pytest.mark.parametrize(
    ("receipt_url", "told"),
    [
        (None, None),
        (RECEIPT, RECEIPT),
        ("HTTPS://receipts.invalid/1", "HTTPS://receipts.invalid/1"),
        ("http://receipts.invalid/1", None),
        ("javascript:alert(1)//https://receipts.invalid", None),
        ("data:text/html,<script>alert(1)</script>", None),
        ("//receipts.invalid/1", None),
        ("/1", None),
        ("https:receipts.invalid", None),
        ("https://", None),
        ("https:///1", None),
        (" https://receipts.invalid/1", None),
        ("https://receipts.invalid/1\n", None),
        ('https://receipts.invalid/"onclick="alert(1)', None),
        ("https://receipts.invalid/\\@evil.example", None),
        ("", None),
    ],
)
def test_a_receipt_is_a_link_by_https_or_none(payment_of: str, receipt_url: str | None, told: str | None) -> None:
    paid = PaidPayment(TAKEN.merchant_uid, TAKEN.imp_uid, TAKEN.amount, receipt_url)
    is_success = payment_of == "a success"
    body = describe_success(Issued(OWN, paid)) if is_success else describe_error(PaidWithoutKey(paid), "ko")
    assert body["payment"]["receipt_url"] == told


@pytest.mark.parametrize("receipt_url", [None, "https://receipts.invalid/1"])
def test_a_success_tells_the_payment_where_there_is_one(receipt_url: str | None) -> None:
    paid = PaidPayment(TAKEN.merchant_uid, TAKEN.imp_uid, TAKEN.amount, receipt_url)
    assert describe_success(Issued(OWN, paid))["payment"] == {
        "merchant_uid": "order-1",
        "imp_uid": "imp_1",
        "amount": 99_000,
        "receipt_url": receipt_url,
    }


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize(
    "error",
    [
        AlreadyPaid(),
        AlreadyRegistered(OWN),
        Declined(None),
        Forbidden("origin_not_allowed"),
        GatewayError("http_429"),
        GatewayRefused("code_1"),
        InProgress(),
        InvalidCustomerToken("ExpiredSignatureError"),
        OutcomeUnknown("time_out"),
        TooManyAttempts(1800, "attempts_per_card"),
        Unavailable("ledger_refused: AccessDeniedException"),
    ],
)
def test_an_error_is_told_in_the_callers_language_and_without_its_reason(error: BillingError, language: Any) -> None:
    expected = {"status": "failed", "code": error.code, "message": BY_CODE[error.code][language]}
    assert describe_error(error, language) == expected


@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_payment_without_a_key_is_told_as_a_failure_with_the_payment(language: Any) -> None:
    assert describe_error(PaidWithoutKey(TAKEN), language) == {
        "status": "failed",
        "code": "paid_without_key",
        "message": BY_CODE["paid_without_key"][language],
        "payment": describe_success(Issued(OWN, TAKEN))["payment"],
    }


@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_decline_is_told_in_iamports_words(language: Any) -> None:
    body = describe_error(Declined("한도초과"), language)
    assert (body["code"], body["message"]) == ("declined", "한도초과")


@pytest.mark.parametrize("language", ["ko", "en"])
def test_what_is_wrong_is_told_by_field_as_the_caller_spelled_it(language: Any) -> None:
    error = InvalidRequest(FieldError("cardNumber", "card_number_form"), FieldError("expiry", "required"))
    assert describe_error(error, language)["errors"] == [
        {"field": "cardNumber", "message": BY_REASON["card_number_form"][language]},
        {"field": "expiry", "message": BY_REASON["required"][language]},
    ]


def event(headers: dict[str, str], query: dict[str, str] | None = None) -> APIGatewayProxyEvent:
    return APIGatewayProxyEvent(
        {
            "headers": headers,
            "queryStringParameters": query,
        }
    )


@pytest.mark.parametrize(
    ("headers", "query", "language"),
    [
        ({}, None, "ko"),
        ({"Accept-Language": "en"}, None, "en"),
        ({"Accept-Language": "en"}, {"lang": "ko"}, "ko"),
        ({"Accept-Language": "ko"}, {"lang": "en"}, "en"),
        ({"Accept-Language": "en"}, {"lang": "fr"}, "en"),
        ({"Accept-Language": "en"}, {"lang": ""}, "en"),
    ],
)
def test_the_forms_address_decides_the_language_before_the_browser(
    headers: dict[str, str], query: dict[str, str] | None, language: str
) -> None:
    assert read_caller(event(headers, query), "request-1").language == language


def test_a_caller_is_read_from_its_request() -> None:
    asked_by = read_caller(event({"origin": SHOP, "accept": "text/html", "content-type": FORM}), "request-1")
    assert asked_by == Caller("request-1", "ko", SHOP, wants_page=True)
    assert read_caller(event({}), "request-1") == Caller("request-1", "ko", "", wants_page=False)
