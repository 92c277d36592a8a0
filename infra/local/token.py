"""`python -m infra.local.token CUSTOMER_UID`: a customer token for the local service, as a merchant mints it."""

import argparse
import json
import secrets
import time
from typing import Any

import jwt

CUSTOMER_TOKEN_KEY = "local-customer-token-key-of-32-bytes"


def new_token(customer_uid: str, **claims: Any) -> str:
    """Good for half an hour. `claims`: `new`, `replace`, `payment`, or any that stands for the usual one."""
    return jwt.encode({"sub": customer_uid, "exp": int(time.time()) + 1800, **claims}, CUSTOMER_TOKEN_KEY, "HS256")


def first_payment(won: int) -> dict[str, Any]:
    """The claim, for an order that nobody has made yet."""
    return {"merchant_uid": f"order-{secrets.token_hex(4)}", "amount": won, "name": "First month"}


def main() -> None:
    options = _options()
    claims: dict[str, Any] = {}
    if options.new:
        claims["new"] = True
    if options.replace:
        claims["replace"] = True
    if options.payment:
        claims["payment"] = options.payment
    print(new_token(options.customer_uid, **claims, **options.claims))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.local.token", description="A token for the local service.")
    parser.add_argument("customer_uid", type=_customer_uid)
    parser.add_argument("--new", default=False, type=_yes, help="1: the customer_uid has just been made")
    parser.add_argument("--replace", default=False, type=_yes, help="1: a card that is registered may be replaced")
    parser.add_argument("--payment", type=_payment, help="won, for an order of its own; or the claim as a JSON object")
    parser.add_argument("--claims", default={}, type=_object, help="more claims, as a JSON object")
    return parser.parse_args()


def _customer_uid(text: str) -> str:
    if not text:
        raise argparse.ArgumentTypeError("which customer? make token CUSTOMER_UID=customer-1")
    return text


def _yes(text: str) -> bool:
    if text not in ("", "0", "1"):
        raise argparse.ArgumentTypeError("1 for yes, or nothing")
    return text == "1"


def _payment(text: str) -> dict[str, Any]:
    if text.isascii() and text.isdecimal():
        return first_payment(int(text))
    return _object(text)


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text or "{}")
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError(f"not a JSON object: {text}")
    return value


if __name__ == "__main__":
    main()
