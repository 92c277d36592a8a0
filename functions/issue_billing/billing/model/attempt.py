"""The values of an attempt: what it is begun with, what is known of it under way, how it can end.

begin(NewAttempt) ──▶ Attempt ──▶ finish(Ending)
                  ──▶ Repeated, LeftOpen
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from billing.model.billing_key import BillingKey, PaidPayment

Item = Mapping[str, Any]
"""An entry of the ledger, as plain Python values."""


@dataclass(frozen=True)
class NewAttempt:
    """What `begin` is asked for. Times are UNIX seconds."""

    customer_uid: str
    card_fingerprint: str
    masked_card: str
    merchant_uid: str | None
    """Of the first payment, where one is asked for."""
    iamport_time: int
    ends_at: float
    """When the invocation can last no longer."""


@dataclass(frozen=True)
class Attempt:
    """An attempt under way, or one that was left open; enough to find out how it ended."""

    customer_uid: str
    attempt_id: str
    iamport_time: int
    """When it began, by Iamport's clock."""
    ends_at: float
    card_fingerprint: str
    masked_card: str
    merchant_uid: str | None
    registered: BillingKey | None
    """What was registered under the uid before, as far as the ledger knows."""
    item: Item
    """The ledger's own entry, to which it adds the ending."""


@dataclass(frozen=True)
class Repeated:
    """The same uid and card succeeded a moment ago: the answer that was given then."""

    billing_key: BillingKey
    payment: PaidPayment | None


@dataclass(frozen=True)
class LeftOpen:
    """An earlier attempt whose function died or could not find out: it has to be settled first."""

    attempt: Attempt


@dataclass(frozen=True)
class Ending:
    """How an attempt ended. `registered`: what Iamport has under the uid now; None: as before, as far as is known."""

    state: Literal["issued", "declined", "not_issued", "unknown"]
    message: str | None = None
    registered: BillingKey | None = None
    payment: PaidPayment | None = None

    def event(self, attempt: Attempt) -> str:
        """The name under which the ending leaves through the table's stream."""
        if attempt.merchant_uid and self.state == "issued":
            return "payment.paid"
        if attempt.merchant_uid and self.state == "declined":
            return "payment.failed"
        return f"billing_key.{self.state}"
