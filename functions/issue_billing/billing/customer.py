"""Whose card it is: the customer_uid that a billing key is filed under, and what its owner is called.

In `open` identity the browser names the customer_uid. Nobody vouches for it, so a card that is registered under it
may not be replaced (design: re-using a customer_uid silently replaces the card at Iamport).
"""

import re
from dataclasses import dataclass
from functools import partial

from billing.request import Fields, Refusal
from billing.sensitive import Sensitive

LONGEST_CUSTOMER_UID = 80

LONGEST_DETAIL = {
    "customer_name": 20,
    "customer_tel": 20,
    "customer_email": 200,
    "customer_addr": 200,
    "customer_postcode": 8,
}
"""Characters; PortOne's published V1 schema, POST /subscribe/customers/{customer_uid}."""

UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters and lone surrogates: neither a database nor a PG takes them."""


@dataclass(frozen=True)
class Customer:
    uid: str
    may_replace: bool
    """Whether a card that is registered under the uid may be replaced."""
    details: tuple[tuple[str, Sensitive], ...]
    """Iamport's optional customer_* parameters, only those given."""


def read_customer(fields: Fields) -> Customer:
    """Reads the customer's fields and refuses, through `fields`, what is wrong with them."""
    details = {
        name: fields.read(name, partial(detail, longest=longest), required=False)
        for name, longest in LONGEST_DETAIL.items()
    }
    return Customer(
        uid=fields.read("customer_uid", customer_uid),
        may_replace=False,
        details=tuple((name, Sensitive(text)) for name, text in details.items() if text),
    )


def customer_uid(text: str) -> str:
    """1 to 80 printable characters, no white space at the ends."""
    if len(text) > LONGEST_CUSTOMER_UID:
        raise Refusal("customer_uid_long")
    if text != text.strip() or not text.isprintable():
        raise Refusal("customer_uid_form")
    # As a path segment these two mean "here" and "above", however they are percent-encoded (RFC 3986, 5.2.4 and
    # 6.2.2.2): they can't be asked for at Iamport.
    if text in (".", ".."):
        raise Refusal("customer_uid_form")
    return text


def detail(text: str, *, longest: int) -> str:
    if len(text) > longest:
        raise Refusal("too_long")
    if UNPRINTABLE.search(text):
        raise Refusal("unprintable")
    return text
