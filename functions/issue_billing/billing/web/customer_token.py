"""The customer token: a JWT (HS256) by which the merchant's server says whose card it is.

    {"sub": customer_uid, "exp": at most an hour away, "replace": true?, "new": true?, "payment": {...}?}

Imported only where CUSTOMER_IDENTITY is `signed`: PyJWT costs time at every cold start.
"""

import re
import time
from typing import Any

import jwt

from billing.model.customer import Claim, Payment, parse_customer_uid
from billing.model.errors import InvalidCustomerToken
from billing.model.refusal import Refusal
from billing.model.sensitive import Sensitive

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
    """Raises InvalidCustomerToken: missing, expired, forged, or not as documented."""
    claims = _verified(token, keys)
    uid, payment = claims["sub"], claims.get("payment")
    replace, new = claims.get("replace", False), claims.get("new", False)
    try:
        parse_customer_uid(uid)
    except Refusal:
        uid = ""
    if not uid:
        raise InvalidCustomerToken("sub_not_a_customer_uid")
    if claims["exp"] > time.time() + LONGEST_LIFE_SECONDS + LEEWAY_SECONDS:
        raise InvalidCustomerToken("exp_too_far_away")
    if not isinstance(replace, bool):
        raise InvalidCustomerToken("replace_not_a_boolean")
    if not isinstance(new, bool):
        raise InvalidCustomerToken("new_not_a_boolean")
    return Claim(uid, replace, None if payment is None else _payment(payment), is_new=new)


def _verified(token: str, keys: tuple[Sensitive, ...]) -> dict[str, Any]:
    if not token or len(token) > LONGEST_TOKEN:
        raise InvalidCustomerToken("missing_or_too_long")
    reason = "no_key_in_the_secret"
    for key in keys:
        if len(key.reveal().encode()) < SHORTEST_KEY_BYTES:
            reason = "key_in_the_secret_too_short"
            continue
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key.reveal(),
                algorithms=["HS256"],
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "sub"], "verify_aud": False},
            )
        except (jwt.InvalidTokenError, ValueError, OverflowError, RecursionError) as failure:
            reason = type(failure).__name__
            continue
        return claims
    raise InvalidCustomerToken(reason)


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
