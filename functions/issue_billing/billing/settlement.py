"""What became of an attempt, asked of Iamport after the fact: by the attempt itself when its answer was lost, by who
meets its lock, and by the settler.
"""

from billing.iamport.client import Iamport
from billing.ledger.items import is_due
from billing.ledger.ledger import Ledger
from billing.model.attempt import Attempt, Ending
from billing.model.billing_key import BillingKey, FoundPayment, PaidPayment
from billing.model.deadline import Deadline


def settle(attempt: Attempt, iamport: Iamport, ledger: Ledger, deadline: Deadline) -> Ending | None:
    """Closes an attempt that was left open, if it can be told how it ended; None: not yet, or it is closed already.

    Raises Unavailable when Iamport or the ledger can't be asked.
    """
    ending = find_ending(attempt, iamport, deadline)
    if ending is None or not ledger.finish(attempt, ending, deadline):
        return None
    return ending


def find_ending(attempt: Attempt, iamport: Iamport, deadline: Deadline) -> Ending | None:
    """How the attempt ended by what Iamport shows now. Raises Unavailable.

        send ──▶ PG at work ─────────────────────▶ due_at: nothing is in flight any more
                     │ key and payment: issued         │ key and payment: issued
                     └ anything else: None             └ anything else counts as it is

    With a first payment only the key and the paid payment together are a success.
    """
    due = is_due(attempt)
    payments = () if attempt.order is None else iamport.find_payments(attempt.order.merchant_uid, deadline)
    found = iamport.look_up(attempt.customer_uid, deadline)
    paid = attempt.own_payment(payments) or attempt.nameless_payment(payments)
    registered = _key_of(attempt, found, paid, due=due)
    if registered is not None and (attempt.order is None or paid is not None):
        return Ending("issued", registered=registered, payment=paid, may_still_land=not due)
    return _without_success(attempt, found, payments, paid) if due else None


def _key_of(attempt: Attempt, found: BillingKey | None, paid: PaidPayment | None, *, due: bool) -> BillingKey | None:
    """What a payment was taken with is registered, whoever's attempt it was, where nothing else stood there before."""
    stood_there = attempt.seen is not None and attempt.seen.billing_key is not None
    if paid is not None and due and not stood_there:
        return found
    return attempt.own_key(found)


def _without_success(
    attempt: Attempt, found: BillingKey | None, payments: tuple[FoundPayment, ...], paid: PaidPayment | None
) -> Ending:
    if paid is not None:
        return Ending("paid_without_key", registered=found, payment=paid)
    leftover = attempt.left_behind(found)
    failure = attempt.own_failure(payments)
    if failure is not None:
        return Ending("declined", message=failure.fail_reason, registered=found, leftover=leftover)
    return Ending("not_issued", registered=found, leftover=leftover)
