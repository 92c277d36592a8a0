"""The customer token: a JWT (HS256) by which the merchant's server says whose card it is.

    {"sub": customer_uid, "exp": at most an hour away, "replace": true?, "new": true?,
     "customer": {...}?, "payment": {...}?, "channel_key" or "pg": ...?, "display": ...?}

Imported only where CUSTOMER_IDENTITY is `signed`: PyJWT costs time at every cold start.
"""

import re
import time
from collections.abc import Mapping
from contextlib import suppress
from math import isfinite
from typing import TYPE_CHECKING, Any

import jwt

from billing.model.customer import Channel, Claim, Details, Payment, parse_customer_uid
from billing.model.errors import InvalidCustomerToken
from billing.model.parameters import CHANNEL, CUSTOMER, DISPLAY, PAYMENT, REQUIRED_OF_A_PAYMENT, Parameter
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


def read_claim(token: str, keys: tuple[Sensitive, ...], *, good_for_longer: int = 0) -> Claim:
    """`good_for_longer`: seconds after its time in which a token is still taken.

    Raises InvalidCustomerToken, whose reason names the claim: missing, expired, forged, or not as documented.
    """
    claims = _verified(token, keys)
    _check_times(claims, good_for_longer)
    return Claim(
        uid=_customer_uid(claims.get("sub")),
        may_replace=_boolean(claims, "replace"),
        payment=_payment(claims),
        is_new=_boolean(claims, "new"),
        details=_customer(claims),
        channel=_channel(claims),
        display=_display(claims),
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


def _check_times(claims: Mapping[str, Any], good_for_longer: int) -> None:
    """RFC 7519, 4.1.4 to 4.1.6: numbers, which may have a fraction."""
    now = time.time()
    if "exp" not in claims:
        raise InvalidCustomerToken("exp_missing")
    times = {name: claims[name] for name in ("exp", "nbf", "iat") if name in claims}
    for name, value in times.items():
        if not _is_a_number(value):
            raise InvalidCustomerToken(f"{name}_not_a_number")
    if times["exp"] <= now - LEEWAY_SECONDS - good_for_longer:
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


def _customer(claims: Mapping[str, Any]) -> Details:
    members = {name.removeprefix("customer_"): parameter for name, parameter in CUSTOMER.items()}
    given = _members(claims, "customer", members)
    return tuple((f"customer_{name}", Sensitive(str(value))) for name, value in given.items())


def _channel(claims: Mapping[str, Any]) -> Channel | None:
    named = {name: claims[name] for name in CHANNEL if name in claims}
    if len(named) > 1:
        raise InvalidCustomerToken("channel_key_and_pg")
    for name, value in named.items():
        if not CHANNEL[name].takes(value):
            raise InvalidCustomerToken(f"{name}_not_as_documented")
    return Channel(**named) if named else None


def _display(claims: Mapping[str, Any]) -> str:
    value = claims.get("display", "")
    if not DISPLAY.takes(value):
        raise InvalidCustomerToken("display_not_as_documented")
    return str(value)


def _payment(claims: Mapping[str, Any]) -> Payment | None:
    given = _members(claims, "payment", PAYMENT)
    if claims.get("payment") is None:
        return None
    for name in REQUIRED_OF_A_PAYMENT:
        # "." and ".." can't be asked for in a path: GET /payments/findAll/{merchant_uid}.
        if given.get(name) in (None, ".", ".."):
            raise InvalidCustomerToken(f"payment_{name}")
    return Payment(
        merchant_uid=str(given.pop("merchant_uid")),
        amount=int(given.pop("amount")),
        name=str(given.pop("name")),
        details=tuple((name, Sensitive(value) if isinstance(value, str) else value) for name, value in given.items()),
    )


def _members(claims: Mapping[str, Any], name: str, parameters: Mapping[str, Parameter]) -> dict[str, str | int]:
    """What a claim names, in the parameters' order; an empty text names nothing, 0 and false do."""
    claim = claims.get(name)
    if claim is None:
        return {}
    if not isinstance(claim, dict):
        raise InvalidCustomerToken(f"{name}_not_an_object")
    for member, value in claim.items():
        if member not in parameters:
            raise InvalidCustomerToken(f"{name}_unknown: {_for_log(member)}")
        if not parameters[member].takes(value):
            raise InvalidCustomerToken(f"{name}_{member}")
    return {member: claim[member] for member in parameters if claim.get(member, "") != ""}


def _for_log(member: str) -> str:
    """A name as a programmer gives one; anything else may be data in the wrong place."""
    return member if re.fullmatch(r"[A-Za-z_]{1,40}([0-9][A-Za-z_]{1,20})?", member) else "not a name"
