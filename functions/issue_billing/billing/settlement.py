"""What became of an attempt, asked of Iamport after the fact: by the attempt itself when its answer was lost, by the
next attempt under the same customer_uid, and by the settler.
"""

from billing.iamport.client import Iamport
from billing.ledger.ledger import Ledger
from billing.model.attempt import Attempt, Ending
from billing.model.billing_key import BillingKey, FailedPayment, PaidPayment
from billing.model.deadline import Deadline

CLOCK_TOLERANCE_SECONDS = 5
"""Iamport tells times in whole seconds, and its clock is known to us by the answer to a token request."""


def settle(attempt: Attempt, iamport: Iamport, ledger: Ledger, deadline: Deadline) -> Ending:
    """Closes an attempt that was left open. Raises Unavailable when Iamport or the ledger can't be asked."""
    ending = find_ending(attempt, iamport, deadline)
    ledger.finish(attempt, ending, deadline)
    return ending


def find_ending(attempt: Attempt, iamport: Iamport, deadline: Deadline) -> Ending:
    """How the attempt stands at Iamport now; `not_issued` says only that nothing is there yet. Raises Unavailable."""
    paid = _paid_payment(attempt, iamport, deadline)
    found = iamport.look_up(attempt.customer_uid, deadline)
    registered = found if found is not None and is_of(attempt, found) else None
    if attempt.merchant_uid is None:
        return Ending("not_issued" if registered is None else "issued", registered=registered)
    if paid is not None:
        return Ending("issued", registered=found, payment=paid)
    match iamport.find_payment(attempt.merchant_uid, deadline):
        case FailedPayment(message=message):
            return Ending("declined", message=message, registered=registered)
    return Ending("not_issued", registered=registered)


def is_of(attempt: Attempt, found: BillingKey) -> bool:
    """Whether what is found under the uid was put there by this attempt.

        before the attempt: A registered ──▶ attempt with card B, answer lost ──▶ found: A? not issued. B? issued.

    The lock keeps other attempts out, so it is this attempt's unless it stood there before.
    """
    before = attempt.registered
    if before is not None and (before.updated, before.card_number) == (found.updated, found.card_number):
        return False
    return found.updated is None or found.updated >= attempt.iamport_time - CLOCK_TOLERANCE_SECONDS


def _paid_payment(attempt: Attempt, iamport: Iamport, deadline: Deadline) -> PaidPayment | None:
    if attempt.merchant_uid is None:
        return None
    payment = iamport.find_payment(attempt.merchant_uid, deadline, "paid")
    return payment if isinstance(payment, PaidPayment) else None
