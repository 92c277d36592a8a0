"""What Iamport has of a customer: the billing key, and the payments under an order."""

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

    def is_same_as(self, other: "BillingKey | None") -> bool:
        """Whether both are one registration: every further one has another time or shows another card."""
        return other is not None and (self.updated, self.card_number) == (other.updated, other.card_number)


@dataclass(frozen=True)
class PaidPayment:
    merchant_uid: str
    imp_uid: str
    amount: int
    """Won."""
    receipt_url: str | None


@dataclass(frozen=True)
class FoundPayment:
    """One of the payments under an order, whoever made it."""

    merchant_uid: str
    imp_uid: str
    status: str
    """`ready`, `paid`, `cancelled` (was paid before), `failed`."""
    customer_uid: str | None
    amount: int | None
    """Won."""
    card_number: str | None
    """Masked."""
    receipt_url: str | None
    fail_reason: str | None

    def was_paid(self) -> bool:
        return self.status in ("paid", "cancelled")


@dataclass(frozen=True)
class Issued:
    """What a success tells of."""

    billing_key: BillingKey
    payment: PaidPayment | None = None
    attempt_id: str = ""
    """Of the attempt that is told of."""
