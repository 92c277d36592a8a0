"""Whose card it is: the customer_uid that a billing key is filed under, and what its owner is called.

In `open` identity the browser names the customer_uid. Nobody vouches for it, so a card that is registered under it
may not be replaced: Iamport replaces a card silently when its customer_uid is used again.
In `signed` identity the merchant's server vouches for it by a token (`customer_token`).
"""

import re
from dataclasses import dataclass

from billing.model.refusal import Refusal
from billing.model.sensitive import Sensitive

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
class Payment:
    """The first payment, taken in the same call; named by the merchant's server alone."""

    merchant_uid: str
    amount: int
    name: str
    details: tuple[tuple[str, Sensitive | int], ...]
    """Iamport's optional parameters of a payment, only those given."""


@dataclass(frozen=True)
class Claim:
    """Who the customer is, as far as somebody vouches for it."""

    uid: str
    may_replace: bool
    """Whether a card that is registered under the uid may be replaced."""
    payment: Payment | None
    is_new: bool = False
    """Whether the merchant's server has just made this uid, so that no card can be registered under it."""

    def texts(self) -> tuple[Sensitive, ...]:
        """Every text that the merchant's server wrote."""
        if self.payment is None:
            return (Sensitive(self.uid),)
        details = (value for _, value in self.payment.details if isinstance(value, Sensitive))
        return (*map(Sensitive, (self.uid, self.payment.merchant_uid, self.payment.name)), *details)


@dataclass(frozen=True)
class Customer:
    uid: str
    vouched_for: bool
    """Whether the merchant's server signed the uid."""
    may_replace: bool
    payment: Payment | None
    details: tuple[tuple[str, Sensitive], ...]
    """Iamport's optional customer_* parameters, only those given."""
    is_new: bool = False
    """Whether the merchant's server signed that it has just made the uid."""


def parse_customer_uid(text: str) -> str:
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


def parse_detail(text: str, *, longest: int) -> str:
    if len(text) > longest:
        raise Refusal("too_long")
    if UNPRINTABLE.search(text):
        raise Refusal("unprintable")
    return text
