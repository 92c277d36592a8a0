"""`make token`, which mints what a merchant's server would."""

import subprocess
import sys
from typing import Any

import jwt
import pytest

from infra.local.template import PROJECT
from infra.local.token import CUSTOMER_TOKEN_KEY


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "infra.local.token", *arguments]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=60)  # noqa: S603 (our program)


def claims(*arguments: str) -> dict[str, Any]:
    """As the Makefile passes them: each option is there, and empty where it was not given."""
    token = run(*arguments).stdout.strip()
    decoded: dict[str, Any] = jwt.decode(token, CUSTOMER_TOKEN_KEY, algorithms=["HS256"])
    del decoded["exp"]
    return decoded


def test_a_token_is_for_one_customer_and_says_no_more() -> None:
    assert claims("--new", "", "--replace", "", "--payment", "", "--claims", "", "--", "customer-1") == {
        "sub": "customer-1"
    }


def test_new_and_replace_are_said_by_1() -> None:
    assert claims("--new", "1", "--replace", "1", "customer-1") == {"sub": "customer-1", "new": True, "replace": True}


def test_a_payment_is_won_for_an_order_of_its_own_or_the_claim_as_it_stands() -> None:
    [one, other] = [claims("--payment", "9900", "customer-1")["payment"] for _ in range(2)]
    assert one["amount"] == other["amount"] == 9900
    assert one["merchant_uid"] != other["merchant_uid"]
    claim = {"merchant_uid": "order-1", "amount": 100, "name": "beans"}
    as_json = '{"merchant_uid": "order-1", "amount": 100, "name": "beans"}'
    assert claims("--payment", as_json, "customer-1")["payment"] == claim


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--", ""), "make token CUSTOMER_UID=customer-1"),
        (("--new", "true", "customer-1"), "1 for yes"),
        (("--payment", "9,900", "customer-1"), "not a JSON object: 9,900"),
        (("--claims", "[]", "customer-1"), "not a JSON object: []"),
    ],
)
def test_what_is_wrong_is_told_in_words(arguments: tuple[str, ...], told: str) -> None:
    result = run(*arguments)
    assert result.returncode == 2
    assert told in result.stderr
    assert "Traceback" not in result.stderr
