"""What Iamport has of a customer: the billing key, and the payments taken with it."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class BillingKey:
    """What is registered under a customer_uid."""

    customer_uid: str
    card_name: str | None
    card_number: str | None
    """Masked."""
    card_type: Literal["credit", "debit"] | None
    updated: int | None
    """UNIX seconds by Iamport's clock: when this card was put under the uid; None where that wasn't told."""


@dataclass(frozen=True)
class PaidPayment:
    merchant_uid: str
    imp_uid: str
    amount: int
    """Won."""
    receipt_url: str | None


@dataclass(frozen=True)
class FailedPayment:
    message: str | None
