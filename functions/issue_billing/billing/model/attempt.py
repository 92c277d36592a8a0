"""The values of an attempt: what it is begun with, what is known of it under way, how it can end.

begin(NewAttempt) ──▶ Attempt ──▶ note_seen(Seen) ──▶ finish(Ending)
                  ──▶ Repeated, LeftOpen
known(attempt_id) ──▶ Attempt (still open), Closed
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from billing.model.billing_key import BillingKey, FoundPayment, PaidPayment
from billing.model.digits import digits_agree

Item = Mapping[str, Any]
"""An entry of the ledger, as plain Python values."""


@dataclass(frozen=True)
class Order:
    """The first payment that an attempt asks for."""

    merchant_uid: str
    amount: int
    """Won; 0 of an attempt that version 1 began, which did not write it down."""


@dataclass(frozen=True)
class NewAttempt:
    """What `begin` is asked for."""

    attempt_id: str
    customer_uid: str
    card_fingerprint: str
    """Of the number."""
    request_fingerprint: str
    """Of all that the card's holder typed: the same number with another expiry, birth date or password is no repeat."""
    masked_card: str
    order: Order | None
    ends_at: float
    """UNIX seconds: when the invocation can last no longer."""
    is_new_customer: bool
    """Whether the merchant's server has just made the customer_uid, so that nothing can be registered under it."""
    request_id: str
    """What the caller was told, and names in a complaint."""
    consents: tuple[tuple[str, str], ...] = ()
    """To what, each with the version of the text."""


@dataclass(frozen=True)
class Seen:
    """What stood at Iamport before the attempt's card was sent: none of it is the attempt's."""

    billing_key: BillingKey | None = None
    imp_uids: tuple[str, ...] = ()
    """The payments under the order."""


@dataclass(frozen=True)
class Leftover:
    """A key that an attempt left behind which ended in a no: the next attempts under the uid may replace it."""

    billing_key: BillingKey | None
    """None where it could not be seen; then it is what came after `before` and shows the card that was sent."""
    before: BillingKey | None = None
    before_was_left: bool = False
    """Whether `before` was left behind too, so that it may be replaced as long as it stands."""
    masked_card: str = ""

    def is_what_stands(self, found: BillingKey) -> bool:
        if self.billing_key is not None:
            return found.is_same_as(self.billing_key)
        if found.is_same_as(self.before):
            return self.before_was_left
        return digits_agree(found.card_number, self.masked_card)


@dataclass(frozen=True)
class Attempt:
    """An attempt under way, or one that was left open; enough to find out how it ended."""

    customer_uid: str
    attempt_id: str
    ends_at: float
    masked_card: str
    order: Order | None
    order_is_paid: bool
    """By an earlier attempt of the same customer, as far as the ledger knows."""
    is_first: bool
    """Whether the ledger had never seen the uid before."""
    seen: Seen | None
    """None: nothing was sent."""
    leftover: Leftover | None
    """What earlier attempts under the uid left behind."""
    item: Item
    """The ledger's own entry, to which it adds what becomes of the attempt."""

    def is_asked_for_by(self, new: NewAttempt) -> bool:
        """Whether it is the very same request: the same uid, card data and order.

        Who sends another one, and merely knows the uid or the order, is not told which attempt is in the way.
        """
        return (
            self.customer_uid == new.customer_uid
            and self.item.get("request_fingerprint") == new.request_fingerprint
            and self.order == new.order
        )

    def id_for(self, new: NewAttempt) -> str:
        """The attempt's id for who sends the same request; empty for any other."""
        return self.attempt_id if self.is_asked_for_by(new) else ""

    def own_key(self, found: BillingKey | None) -> BillingKey | None:
        """What is found under the uid, if this attempt put it there.

            before: A ──▶ look: A ──▶ attempt sends B, answer lost ──▶ found: A? not its own. B? its own.

        The lock keeps other attempts out, so it is this attempt's unless it stood there before, or shows another card.
        """
        if found is None or self.seen is None or stood_before(found, self.seen.billing_key):
            return None
        return found if digits_agree(found.card_number, self.masked_card) else None

    def own_payment(self, payments: tuple[FoundPayment, ...]) -> PaidPayment | None:
        """What this customer has paid for the order; a payment of another amount or customer is never taken for it.

        One that was cancelled since counts where no other was paid.
        """
        own = [payment for payment in payments if self._is_own(payment) and payment.was_paid()]
        own.sort(key=lambda payment: payment.status != "paid")
        return _paid(own[0]) if own else None

    def own_failure(self, payments: tuple[FoundPayment, ...]) -> FoundPayment | None:
        """The payment that this very attempt tried and that was refused."""
        if self.seen is None:
            return None
        for payment in payments:
            is_later = payment.imp_uid not in self.seen.imp_uids
            same_card = digits_agree(payment.card_number, self.masked_card)
            if payment.status == "failed" and is_later and same_card and self._is_own(payment):
                return payment
        return None

    def left_behind(self, found: BillingKey | None) -> Leftover | None:
        """What there is to replace after a no, where `found` is what stands under the uid then."""
        if (own := self.own_key(found)) is not None:
            return Leftover(own)
        return self.leftover if self.seen is None or found is not None else None

    def left_unseen(self) -> Leftover:
        """The same, where the uid could not be looked up, or shows nothing of a key that Iamport has just issued."""
        before = self.seen.billing_key if self.seen is not None else None
        was_left = before is not None and self.leftover is not None and self.leftover.is_what_stands(before)
        return Leftover(None, before, was_left, self.masked_card)

    def nameless_payment(self, payments: tuple[FoundPayment, ...]) -> PaidPayment | None:
        """A payment that names no customer, and is this card's all the same.

        A PG that keeps no key may keep no customer_uid either, and money that was taken must not count as nothing.
        """
        return next((_paid(payment) for payment in payments if self._is_nameless_own(payment)), None)

    def _is_own(self, payment: FoundPayment) -> bool:
        return payment.customer_uid == self.customer_uid and self._has_amount(payment)

    def _is_nameless_own(self, payment: FoundPayment) -> bool:
        return (
            payment.was_paid()
            and payment.customer_uid is None
            and payment.card_number is not None
            and digits_agree(payment.card_number, self.masked_card)
            and self._has_amount(payment)
            and self.seen is not None
            and payment.imp_uid not in self.seen.imp_uids
        )

    def _has_amount(self, payment: FoundPayment) -> bool:
        return self.order is not None and self.order.amount in (payment.amount, 0)


@dataclass(frozen=True)
class Repeated:
    """The same request succeeded a moment ago: what was registered then, if it still is."""

    attempt: Attempt
    billing_key: BillingKey
    payment: PaidPayment | None


@dataclass(frozen=True)
class LeftOpen:
    """An earlier attempt whose function died or could not find out: it has to be settled first."""

    attempt: Attempt


State = Literal["issued", "declined", "not_issued", "paid_without_key", "unknown"]


KeyStays = Literal["", "no", "this_card", "another_card", "unknown"]


@dataclass(frozen=True)
class Ending:
    """How an attempt ended."""

    state: State
    message: str | None = None
    """Why: Iamport's words where it declined; of what issued nothing, the code that was answered."""
    registered: BillingKey | None = None
    """What Iamport has under the uid now; None: nothing, or it wasn't looked at."""
    payment: PaidPayment | None = None
    leftover: Leftover | None = None
    may_still_land: bool = False
    """Whether Iamport may be at work for the attempt: then the lock stays as long as a PG may take."""
    words: str | None = None
    """Iamport's, where it did not accept the request: its event tells them in the place of the code."""

    def event(self, attempt: Attempt) -> str:
        """The name under which the ending leaves through the table's stream."""
        match self.state:
            case "issued" if self.payment is not None:
                return "payment.paid"
            case "paid_without_key":
                return "payment.paid_without_key"
            case "declined" if attempt.order is not None:
                return "payment.failed"
            case "not_issued" if attempt.order is not None and self._leaves_a_key(attempt):
                return "payment.failed"
            case state:
                return f"billing_key.{state}"

    def key_stays(self, attempt: Attempt) -> KeyStays:
        """Of a first payment that was not taken: what is registered under the customer_uid all the same."""
        if self.event(attempt) != "payment.failed":
            return ""
        if attempt.own_key(self.registered) is not None:
            return "this_card"
        is_unseen = self.leftover is not None and self.leftover.billing_key is None
        if is_unseen and (self.registered is None or self._leaves_a_key(attempt)):
            return "unknown"
        if self.registered is None:
            return "no"
        # An earlier attempt's key of the same card, which was put there within the same second, is its own again.
        shown = self.registered.card_number
        return "this_card" if shown is not None and digits_agree(shown, attempt.masked_card) else "another_card"

    def _leaves_a_key(self, attempt: Attempt) -> bool:
        """Whether the attempt's own key stays, or may: an earlier one's leftover is carried over as it is."""
        return self.leftover is not None and self.leftover != attempt.leftover


@dataclass(frozen=True)
class Closed:
    """An attempt that has ended, as the ledger tells it afterwards."""

    attempt: Attempt
    ending: Ending
    """`registered`: of an issued one, what was registered then. A leftover is the next attempt's business."""
    key_stays: KeyStays


def stood_before(found: BillingKey, before: BillingKey | None) -> bool:
    """By Iamport's own times alone: its clock and ours differ, and ours may step."""
    if before is None:
        return False
    is_older = found.updated is not None and before.updated is not None and found.updated < before.updated
    return is_older or found.is_same_as(before)


def _paid(payment: FoundPayment) -> PaidPayment:
    return PaidPayment(payment.merchant_uid, payment.imp_uid, payment.amount or 0, payment.receipt_url)
