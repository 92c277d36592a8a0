"""Iamport's parameters that a merchant or a card holder may name beside the card: what each of them takes.

They are passed on as they are given; what they mean is between the merchant, PortOne and the PG. From where each one
comes, and which are left out, stands in docs/contracts.md.
Source of names, types and limits: PortOne's published V1 schema (edition of 2026-07-27), POST
/subscribe/customers/{customer_uid}, /subscribe/payments/onetime and /subscribe/payments/again.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

LARGEST_NUMBER = 10**12

UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters and lone surrogates: neither a database nor a PG takes them."""


def is_text(text: str) -> bool:
    return not UNPRINTABLE.search(text)


def is_line(text: str) -> bool:
    return text.isprintable() and text == text.strip()


def is_word(text: str) -> bool:
    return bool(re.fullmatch(r"\S+", text)) and text.isprintable()


def is_anything(text: str) -> bool:  # noqa: ARG001 (a text as any other)
    return True


def is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


@dataclass(frozen=True)
class Parameter:
    type: Literal["string", "number", "integer", "boolean"]
    """The schema's. What it calls a number is a whole one here: won have no smaller unit."""
    longest: int | None = None
    """Characters; None where the schema has no limit: then the token's own is one."""
    form: Callable[[str], bool] = is_line
    one_of: tuple[str, ...] = ()
    smallest: int = 0

    def takes(self, value: object) -> bool:
        match self.type:
            case "string":
                return isinstance(value, str) and self._takes_text(value)
            case "number" | "integer":
                return isinstance(value, int) and not isinstance(value, bool) and self._takes_number(value)
            case "boolean":
                return isinstance(value, bool)

    def has_room_for(self, text: str) -> bool:
        return self.longest is None or len(text) <= self.longest

    def _takes_number(self, number: int) -> bool:
        return self.smallest <= number <= LARGEST_NUMBER

    def _takes_text(self, text: str) -> bool:
        return self.has_room_for(text) and self.form(text) and (not self.one_of or text in self.one_of)


LONGEST_CUSTOMER_UID = 80

LONGEST_CUSTOMER_ID = LONGEST_CUSTOMER_UID
"""Ours: the schema has no limit, and an id of a shop's customer is no longer than that of a customer's card."""

CUSTOMER: Mapping[str, Parameter] = {
    "customer_id": Parameter("string", LONGEST_CUSTOMER_ID, is_text),
    "customer_name": Parameter("string", 20, is_text),
    "customer_tel": Parameter("string", 20, is_text),
    "customer_email": Parameter("string", 200, is_text),
    "customer_addr": Parameter("string", 200, is_text),
    "customer_postcode": Parameter("string", 8, is_text),
}

DISPLAY = Parameter("string", 80)
"""Ours: the account's name on the card form."""

CHANNEL: Mapping[str, Parameter] = {
    "channel_key": Parameter("string", 55, is_word),
    "pg": Parameter("string", 80, is_word),
}

PAYMENT: Mapping[str, Parameter] = {
    "merchant_uid": Parameter("string", 40),
    "amount": Parameter("number", smallest=1),
    "name": Parameter("string", 40),
    "buyer_name": Parameter("string", 16),
    "buyer_email": Parameter("string", 64),
    "buyer_tel": Parameter("string", 16),
    "buyer_addr": Parameter("string", 128),
    "buyer_postcode": Parameter("string", 8),
    "tax_free": Parameter("number"),
    "vat_amount": Parameter("number"),
    "card_quota": Parameter("integer"),
    "interest_free_by_merchant": Parameter("boolean"),
    "use_card_point": Parameter("boolean"),
    "product_type": Parameter("string", one_of=("real", "digital")),
    "custom_data": Parameter("string", form=is_anything),
    "notice_url": Parameter("string"),
    "currency": Parameter("string"),
    "promotion_id": Parameter("string"),
    "bypass": Parameter("string", form=is_json),
}
"""Of the first payment; the same at both endpoints."""

REQUIRED_OF_A_PAYMENT = ("merchant_uid", "amount", "name")
"""`again` wants all three; `onetime` does without a name at most PGs, where a receipt would have none."""
