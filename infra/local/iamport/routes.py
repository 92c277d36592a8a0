"""The endpoints, and which one a request is for."""

from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import unquote


class Endpoint(StrEnum):
    TOKEN = "token"
    ISSUE = "issue"
    LOOK_UP = "look_up"
    REVOKE = "revoke"
    PAY_ONETIME = "pay_onetime"
    PAY_AGAIN = "pay_again"
    FIND_PAYMENT = "find_payment"
    FIND_PAYMENTS = "find_payments"
    SCHEDULE = "schedule"
    SHOW_SCHEDULE = "show_schedule"
    UNSCHEDULE = "unschedule"
    CANCEL = "cancel"
    CHANNELS = "channels"
    UNKNOWN = "unknown"


ROUTES = (
    ("POST", "/users/getToken", Endpoint.TOKEN),
    ("POST", "/subscribe/customers/{customer_uid}", Endpoint.ISSUE),
    ("GET", "/subscribe/customers/{customer_uid}", Endpoint.LOOK_UP),
    ("DELETE", "/subscribe/customers/{customer_uid}", Endpoint.REVOKE),
    ("POST", "/subscribe/payments/onetime", Endpoint.PAY_ONETIME),
    ("POST", "/subscribe/payments/again", Endpoint.PAY_AGAIN),
    ("GET", "/payments/find/{merchant_uid}", Endpoint.FIND_PAYMENT),
    ("GET", "/payments/find/{merchant_uid}/{status}", Endpoint.FIND_PAYMENT),
    ("GET", "/payments/findAll/{merchant_uid}", Endpoint.FIND_PAYMENTS),
    ("GET", "/payments/findAll/{merchant_uid}/{status}", Endpoint.FIND_PAYMENTS),
    ("POST", "/subscribe/payments/schedule", Endpoint.SCHEDULE),
    ("GET", "/subscribe/payments/schedule/{merchant_uid}", Endpoint.SHOW_SCHEDULE),
    ("POST", "/subscribe/payments/unschedule", Endpoint.UNSCHEDULE),
    ("POST", "/payments/cancel", Endpoint.CANCEL),
    ("GET", "/users/pg", Endpoint.CHANNELS),
)


@dataclass(frozen=True)
class Route:
    """An endpoint and the values that stand in its path, percent-decoded."""

    endpoint: Endpoint
    values: dict[str, str] = field(default_factory=dict)


def find_route(method: str, path: str) -> Route:
    """The route of a path as it came over the wire, without its query. Nothing matches: `Endpoint.UNKNOWN`."""
    segments = path.split("/")
    for route_method, pattern, endpoint in ROUTES:
        values = _match(pattern.split("/"), segments)
        if route_method == method and values is not None:
            return Route(endpoint, values)
    return Route(Endpoint.UNKNOWN)


def _match(pattern: list[str], segments: list[str]) -> dict[str, str] | None:
    if len(pattern) != len(segments):
        return None
    values = {}
    for expected, segment in zip(pattern, segments, strict=True):
        if not expected.startswith("{"):
            if expected != segment:
                return None
            continue
        value = _decode(segment)
        if value is None:
            return None
        values[expected.strip("{}")] = value
    return values


def _decode(segment: str) -> str | None:
    """Decoded after the split, so that an encoded slash stays inside its value.

    A whole segment of dots, encoded or not, means another path to most clients and proxies: here it is unknown.
    """
    try:
        value = unquote(segment, errors="strict")
    except UnicodeDecodeError:
        return None
    return None if value in ("", ".", "..") else value
