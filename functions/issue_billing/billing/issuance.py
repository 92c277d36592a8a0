"""The use case: one attempt to issue a billing key, from the guard to its outcome."""

import time

from billing.card import Card
from billing.customer import Customer
from billing.deadline import Deadline
from billing.errors import AlreadyRegistered, GatewayError, OutcomeUnknown, Unavailable
from billing.iamport import LOOK_UP_SECONDS, BillingKey, Iamport

ANSWER_SECONDS = 1.5
"""Kept for everything after Iamport's last word: writing it down, answering, API Gateway's own way back."""
PAUSE_BEFORE_SECOND_LOOK = 1.0


def issue_billing_key(customer: Customer, card: Card, iamport: Iamport, deadline: Deadline) -> BillingKey:
    """Raises AlreadyRegistered, Declined, GatewayError, Unavailable, OutcomeUnknown."""
    deadline = deadline.earlier_by(ANSWER_SECONDS)
    refuse_to_overwrite(customer, iamport, deadline)
    started = iamport.now()
    try:
        return iamport.issue(customer, card, deadline.earlier_by(LOOK_UP_SECONDS))
    except OutcomeUnknown as unknown:
        return find_out(customer, iamport, started, unknown, deadline)


def refuse_to_overwrite(customer: Customer, iamport: Iamport, deadline: Deadline) -> None:
    """Iamport replaces a registered card without asking; who may not do that must not get that far."""
    if not customer.may_replace and iamport.look_up(customer.uid, deadline) is not None:
        raise AlreadyRegistered


def find_out(
    customer: Customer, iamport: Iamport, started: int, unknown: OutcomeUnknown, deadline: Deadline
) -> BillingKey:
    """Asks Iamport what became of a request whose answer was lost.

        we      ── issue ──▶             ── look up ──▶       ── look up ──▶
        Iamport       ▲ started    ✗ answer        │ key newer than `started`: issued
                      └───────── PG at work ───────┘ none, twice: nothing was issued, unless it is still at work

    Iamport goes on working after the caller has hung up, so after a time-out "not found" is not "not issued".
    """
    for pause in (0.0, PAUSE_BEFORE_SECOND_LOOK):
        time.sleep(min(pause, deadline.left()))
        try:
            billing_key = iamport.look_up(customer.uid, deadline)
        except Unavailable:
            raise unknown from None
        if billing_key is not None and billing_key.updated >= started:
            return billing_key
    if unknown.still_working:
        raise unknown
    raise GatewayError from unknown
