"""The HTTP shape of every answer: status, JSON body, headers. Errors become HTTP here and nowhere else."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response, content_types
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from billing.model.billing_key import Issued, PaidPayment
from billing.model.errors import (
    SECONDS_UNTIL_MORE_IS_KNOWN,
    BillingError,
    Declined,
    Forbidden,
    InvalidRequest,
    OutcomeUnknown,
    PaidWithoutKey,
)
from billing.web import messages
from billing.web.negotiation import prefers_page, wants_page
from billing.web.origin import is_allowed

ATTEMPT = "attempt"
"""In an address: the id of the attempt that is asked for."""

CONTENT_TYPE = f"{content_types.APPLICATION_JSON}; charset=utf-8"

ANY_PAGE = ("*",)
"""Who may read that a page is forbidden: the one that is, or its maker would see no more than a broken line."""

LINK = re.compile(r"https://[^/?#\s\x00-\x20\x7f\\\"'<>][^\s\x00-\x20\x7f\\\"'<>]*", re.IGNORECASE)

HTTP_STATUS = {
    "declined": HTTPStatus.OK,
    "paid_without_key": HTTPStatus.OK,
    "invalid_request": HTTPStatus.BAD_REQUEST,
    "invalid_customer_token": HTTPStatus.UNAUTHORIZED,
    "forbidden": HTTPStatus.FORBIDDEN,
    "not_found": HTTPStatus.NOT_FOUND,
    "already_registered": HTTPStatus.CONFLICT,
    "already_paid": HTTPStatus.CONFLICT,
    "in_progress": HTTPStatus.CONFLICT,
    "unknown_attempt": HTTPStatus.NOT_FOUND,
    "too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "unsupported_media_type": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "too_many_attempts": HTTPStatus.TOO_MANY_REQUESTS,
    "internal_error": HTTPStatus.INTERNAL_SERVER_ERROR,
    "gateway_error": HTTPStatus.BAD_GATEWAY,
    "gateway_refused": HTTPStatus.BAD_GATEWAY,
    "unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
    "outcome_unknown": HTTPStatus.GATEWAY_TIMEOUT,
}


@dataclass(frozen=True)
class Caller:
    """What of a request decides how its answer looks."""

    request_id: str
    language: messages.Language
    origin: str
    """The page's origin; empty where no browser asks from another one."""
    wants_page: bool
    """A browser that posts a form by itself, or opens the page, and will show what comes back."""


def read_caller(event: APIGatewayProxyEvent, request_id: str) -> Caller:
    return Caller(
        request_id=request_id,
        language=_language(event),
        origin=event.headers.get("origin", ""),
        wants_page=_wants_page(event),
    )


def _wants_page(event: APIGatewayProxyEvent) -> bool:
    accept = event.headers.get("accept", "")
    if event.get("httpMethod") == "GET":
        return prefers_page(accept)
    return wants_page(event.headers.get("content-type", ""), accept)


def _language(event: APIGatewayProxyEvent) -> messages.Language:
    """`?lang=` where the card form's address has it."""
    match event.query_string_parameters.get("lang"):
        case "ko" | "en" as language:
            return language
        case _:
            return messages.language_for(event.headers.get("accept-language", ""))


def describe_success(issued: Issued) -> dict[str, Any]:
    billing_key, payment = issued.billing_key, issued.payment
    body: dict[str, Any] = {
        "status": "success",
        "message": messages.SUCCESS,
        "customer_uid": billing_key.customer_uid,
        "card": {
            "name": billing_key.card_name,
            "number": billing_key.card_number,
            "type": billing_key.card_type,
        },
    }
    if payment is not None:
        body["payment"] = _describe_payment(payment)
    return body | _named(issued.attempt_id)


def _named(attempt_id: str) -> dict[str, str]:
    return {"attempt_id": attempt_id} if attempt_id else {}


def _describe_payment(payment: PaidPayment) -> dict[str, Any]:
    return {
        "merchant_uid": payment.merchant_uid,
        "imp_uid": payment.imp_uid,
        "amount": payment.amount,
        "receipt_url": _link(payment.receipt_url),
    }


def _link(url: str | None) -> str | None:
    """Pages make links of it, and with another scheme one can do anything: `javascript:`, `data:`."""
    return url if url is not None and LINK.fullmatch(url) else None


def describe_failure(code: str, language: messages.Language, attempt_id: str = "") -> dict[str, Any]:
    return {"status": "failed", "code": code, "message": messages.BY_CODE[code][language], **_named(attempt_id)}


def describe_error(error: BillingError, language: messages.Language) -> dict[str, Any]:
    body = describe_failure(error.code, language, error.attempt_id)
    if error.key_stays:
        body["key_stays"] = error.key_stays
    match error:
        case Declined(message=str(message)):
            body["message"] = message
        case PaidWithoutKey(payment=payment):
            body["payment"] = _describe_payment(payment)
        case InvalidRequest(errors=errors):
            body["errors"] = [
                {"field": wrong.field, "message": messages.BY_REASON[wrong.reason][language]} for wrong in errors
            ]
    return body


def retry_after_header(error: BillingError) -> dict[str, str]:
    return {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}


def when_to_ask_again(code: str) -> dict[str, str]:
    """The same for a failure that is no BillingError."""
    return {"Retry-After": str(SECONDS_UNTIL_MORE_IS_KNOWN)} if code == OutcomeUnknown.code else {}


def respond(
    body: Mapping[str, Any],
    caller: Caller,
    allowed_origins: tuple[str, ...],
    headers: Mapping[str, str] | None = None,
) -> Response[str]:
    """`body` with the request's id, under the HTTP status of its `code`."""
    return Response(
        status_code=HTTP_STATUS[body["code"]] if "code" in body else HTTPStatus.OK,
        content_type=CONTENT_TYPE,
        body=json.dumps({**body, "request_id": caller.request_id}, ensure_ascii=False),
        headers={
            **_cors_headers(caller.origin, ANY_PAGE if body.get("code") == Forbidden.code else allowed_origins),
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            **(headers or {}),
        },
    )


def respond_plainly(code: str, request_id: str, attempt_id: str = "") -> dict[str, Any]:
    """What the handler returns where there is no request, or it can't be answered as it should: nothing of it is used.

    Korean, and for any page to read, as what API Gateway answers by itself. REST APIs know both kinds of headers, HTTP
    APIs the single ones alone.
    """
    headers = {
        "Content-Type": CONTENT_TYPE,
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Expose-Headers": "Retry-After",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        **when_to_ask_again(code),
    }
    return {
        "statusCode": HTTP_STATUS[code].value,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "body": json.dumps({**describe_failure(code, "ko", attempt_id), "request_id": request_id}, ensure_ascii=False),
        "isBase64Encoded": False,
    }


def _cors_headers(origin: str, allowed_origins: tuple[str, ...]) -> dict[str, str]:
    """The page's own origin where it is allowed, else one that is: the browser then keeps the answer from the page."""
    if "*" in allowed_origins:
        allowed = "*"
    elif is_allowed(origin, allowed_origins):
        allowed = origin
    else:
        allowed = allowed_origins[0]
    return {
        "Access-Control-Allow-Origin": allowed,
        "Access-Control-Expose-Headers": "Retry-After",
        "Vary": "Origin",
    }
