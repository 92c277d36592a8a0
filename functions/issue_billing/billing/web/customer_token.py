"""The customer token: a JWT (HS256) by which the merchant's server says whose card it is.

    {"sub": customer_uid, "exp": at most an hour away, "replace": true?, "new": true?, "payment": {...}?}

Imported only where CUSTOMER_IDENTITY is `signed`: PyJWT costs time at every cold start.
"""

import re
import time
from collections.abc import Mapping
from contextlib import suppress
from math import isfinite
from typing import TYPE_CHECKING, Any

import jwt

from billing.model.customer import Claim, Payment, parse_customer_uid
from billing.model.errors import InvalidCustomerToken
from billing.model.refusal import Refusal
from billing.model.sensitive import Sensitive

if TYPE_CHECKING:
    from jwt.types import Options

LONGEST_TOKEN = 4096
LONGEST_LIFE_SECONDS = 3600
LEEWAY_SECONDS = 30
"""Between the merchant's clock and ours."""
SHORTEST_KEY_BYTES = 32
"""RFC 7518, 3.2: a key for HS256 is at least as long as the hash."""

LONGEST_MERCHANT_UID = 40
LONGEST_NAME = 40
LONGEST_BUYER_DETAIL = {
    "buyer_name": 16,
    "buyer_email": 64,
    "buyer_tel": 16,
    "buyer_addr": 128,
    "buyer_postcode": 8,
}
"""Characters; PortOne's published V1 schema, POST /subscribe/payments/onetime."""
LARGEST_NUMBER = 10**12


def read_claim(token: str, keys: tuple[Sensitive, ...]) -> Claim:
    """Raises InvalidCustomerToken, whose reason names the claim: missing, expired, forged, or not as documented."""
    claims = _verified(token, keys)
    _check_times(claims)
    payment = claims.get("payment")
    return Claim(
        uid=_customer_uid(claims.get("sub")),
        may_replace=_boolean(claims, "replace"),
        payment=None if payment is None else _payment(payment),
        is_new=_boolean(claims, "new"),
    )


def _verified(token: str, keys: tuple[Sensitive, ...]) -> dict[str, Any]:
    """The claims of a token that one of the keys signed, whatever they are: PyJWT's refusals name none of them."""
    if not token or len(token) > LONGEST_TOKEN:
        raise InvalidCustomerToken("missing_or_too_long")
    reason = "no_key_in_the_secret"
    for key in keys:
        if len(key.reveal().encode()) < SHORTEST_KEY_BYTES:
            reason = "key_in_the_secret_too_short"
            continue
        try:
            claims: dict[str, Any] = jwt.decode(token, key.reveal(), algorithms=["HS256"], options=SIGNATURE_ALONE)
        except (jwt.InvalidTokenError, ValueError, OverflowError, RecursionError) as failure:
            reason = type(failure).__name__
            continue
        return claims
    raise InvalidCustomerToken(reason)


SIGNATURE_ALONE: "Options" = {
    "verify_signature": True,
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_sub": False,
    "verify_aud": False,
    "verify_iss": False,
    "verify_jti": False,
}


def _check_times(claims: Mapping[str, Any]) -> None:
    """RFC 7519, 4.1.4 to 4.1.6: numbers, which may have a fraction."""
    now = time.time()
    if "exp" not in claims:
        raise InvalidCustomerToken("exp_missing")
    times = {name: claims[name] for name in ("exp", "nbf", "iat") if name in claims}
    for name, value in times.items():
        if not _is_a_number(value):
            raise InvalidCustomerToken(f"{name}_not_a_number")
    if times["exp"] <= now - LEEWAY_SECONDS:
        raise InvalidCustomerToken("exp_past")
    if times["exp"] > now + LONGEST_LIFE_SECONDS + LEEWAY_SECONDS:
        raise InvalidCustomerToken("exp_too_far_away")
    for name in ("nbf", "iat"):
        if times.get(name, 0) > now + LEEWAY_SECONDS:
            raise InvalidCustomerToken(f"{name}_in_the_future")


def _is_a_number(value: object) -> bool:
    """JSON as Python reads it has two that are none; math.isfinite takes no integer of 400 digits."""
    if isinstance(value, float):
        return isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


def _customer_uid(claim: object) -> str:
    uid = ""
    if isinstance(claim, str):
        with suppress(Refusal):
            uid = parse_customer_uid(claim)
    if not uid:
        raise InvalidCustomerToken("sub_not_a_customer_uid")
    return uid


def _boolean(claims: Mapping[str, Any], name: str) -> bool:
    value = claims.get(name, False)
    if not isinstance(value, bool):
        raise InvalidCustomerToken(f"{name}_not_a_boolean")
    return value


def _payment(claim: object) -> Payment:
    if not isinstance(claim, dict) or not claim.keys() <= KNOWN_PAYMENT_CLAIMS:
        raise InvalidCustomerToken("payment_not_as_documented")
    buyer = {name: longest for name, longest in LONGEST_BUYER_DETAIL.items() if name in claim}
    numbers = [name for name in ("tax_free", "card_quota") if name in claim]
    return Payment(
        merchant_uid=_text(claim, "merchant_uid", LONGEST_MERCHANT_UID, required=True),
        amount=_number(claim, "amount", smallest=1),
        name=_text(claim, "name", LONGEST_NAME, required=True),
        details=(
            *((name, Sensitive(_text(claim, name, longest))) for name, longest in buyer.items()),
            *((name, _number(claim, name, smallest=0)) for name in numbers),
        ),
    )


KNOWN_PAYMENT_CLAIMS = {"merchant_uid", "amount", "name", "tax_free", "card_quota", *LONGEST_BUYER_DETAIL}


def _text(claim: dict[str, Any], name: str, longest: int, *, required: bool = False) -> str:
    value = claim.get(name, "")
    well_formed = isinstance(value, str) and value.isprintable() and len(value) <= longest and value == value.strip()
    # "." and ".." can't be asked for in a path: GET /payments/find/{merchant_uid}.
    if not well_formed or (required and re.fullmatch(r"\.{0,2}", value)):
        raise InvalidCustomerToken(f"payment_{name}")
    return str(value)


def _number(claim: dict[str, Any], name: str, *, smallest: int) -> int:
    value = claim.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not smallest <= value <= LARGEST_NUMBER:
        raise InvalidCustomerToken(f"payment_{name}")
    return value
