"""The use case: one attempt to issue a billing key, from its lock to its outcome.

Every step may be the last: a function that dies leaves the attempt open in the ledger, and the settler closes it.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from billing.iamport.client import LOOK_UP_SECONDS, Iamport
from billing.model.attempt import Attempt, Ending, LeftOpen, NewAttempt, Repeated
from billing.model.billing_key import BillingKey, PaidPayment
from billing.model.card import Card, masked
from billing.model.customer import Customer
from billing.model.deadline import Deadline
from billing.model.errors import AlreadyRegistered, Declined, GatewayError, InProgress, OutcomeUnknown, Unavailable
from billing.observability import note_ledger_behind
from billing.services import Services
from billing.settlement import find_ending, settle

ANSWER_SECONDS = 1.5
"""Kept for everything after Iamport's last word: writing it down, answering, API Gateway's own way back."""
PAUSE_BEFORE_SECOND_LOOK = 1.0


@dataclass(frozen=True)
class Issued:
    billing_key: BillingKey
    payment: PaidPayment | None = None
    looked_up: bool = True
    """False: the key could not be looked at, and `billing_key` tells only what was sent."""


def issue_billing_key(customer: Customer, card: Card, services: Services, deadline: Deadline) -> Issued:
    """`deadline`: the invocation's end. Raises the errors that stand in `errors`, but those of a request alone."""
    services.iamport.prepare(deadline.earlier_by(ANSWER_SECONDS))
    begun = begin(customer, card, services, deadline)
    if isinstance(begun, Repeated):
        return Issued(begun.billing_key, begun.payment)
    return carry_out(begun, customer, card, services, deadline)


def begin(customer: Customer, card: Card, services: Services, deadline: Deadline) -> Attempt | Repeated:
    """Takes the lock. An earlier attempt that was left open is settled first: its card may be registered by now."""
    new = NewAttempt(
        customer_uid=customer.uid,
        card_fingerprint=services.credentials.read().fingerprint(card.digits()),
        masked_card=masked(card.digits()),
        merchant_uid=customer.payment.merchant_uid if customer.payment else None,
        iamport_time=services.iamport.now(),
        ends_at=time.time() + deadline.left(),
    )
    begun = services.ledger.begin(new, deadline)
    if isinstance(begun, LeftOpen):
        settle(begun.attempt, services.iamport, services.ledger, deadline.earlier_by(ANSWER_SECONDS))
        begun = services.ledger.begin(new, deadline)
    if isinstance(begun, LeftOpen):
        raise InProgress
    return begun


def carry_out(attempt: Attempt, customer: Customer, card: Card, services: Services, deadline: Deadline) -> Issued:
    """The guard, the request, and how it ended, written down."""
    iamport, ledger, answer_by = services.iamport, services.ledger, deadline.earlier_by(ANSWER_SECONDS)
    try:
        issued = already_paid(attempt, iamport, answer_by)
        if issued is None:
            attempt = refuse_to_overwrite(attempt, customer, iamport, answer_by)
            issued = send(attempt, customer, card, iamport, answer_by)
    except AlreadyRegistered as refused:
        with writing_down():
            ledger.finish(attempt, Ending("not_issued", refused.code, refused.billing_key), deadline)
        raise
    except Unavailable as never_sent:
        with writing_down():
            if attempt.merchant_uid is None:
                ledger.finish(attempt, Ending("not_issued", never_sent.code), deadline)
            else:
                # Nothing was sent now, but the same payment may have been taken before.
                ledger.leave_open(attempt, deadline, locked=False)
        raise
    except Declined as declined:
        with writing_down():
            finish_declined(attempt, declined, services, deadline)
        raise
    except GatewayError:
        with writing_down():
            ledger.leave_open(attempt, deadline, locked=False)
        raise
    except OutcomeUnknown:
        with writing_down():
            ledger.leave_open(attempt, deadline, locked=True)
        raise
    with writing_down():
        if issued.looked_up:
            ledger.finish(attempt, Ending("issued", None, issued.billing_key, issued.payment), deadline)
        else:
            ledger.leave_open(attempt, deadline, locked=False)
    return issued


def already_paid(attempt: Attempt, iamport: Iamport, deadline: Deadline) -> Issued | None:
    """A charge is never sent twice: the payment is looked for before anything else. Raises Unavailable."""
    if attempt.merchant_uid is None:
        return None
    paid = iamport.find_payment(attempt.merchant_uid, deadline, "paid")
    return key_of_payment(paid, attempt, iamport, deadline) if isinstance(paid, PaidPayment) else None


def refuse_to_overwrite(attempt: Attempt, customer: Customer, iamport: Iamport, deadline: Deadline) -> Attempt:
    """Iamport replaces a registered card without asking; who may not do that must not get that far.

    Asks Iamport where nobody vouches for the uid, or where the ledger knows it as registered. Gives the attempt with
    what is registered. Raises AlreadyRegistered, Unavailable.
    """
    if customer.vouched_for and attempt.registered is None:
        return attempt
    registered = iamport.look_up(customer.uid, deadline)
    if registered is not None and not customer.may_replace:
        raise AlreadyRegistered(registered)
    return replace(attempt, registered=registered)


def send(attempt: Attempt, customer: Customer, card: Card, iamport: Iamport, deadline: Deadline) -> Issued:
    """The one request that registers the card. Raises Declined, Unavailable, GatewayError, OutcomeUnknown."""
    send_deadline = deadline.earlier_by(LOOK_UP_SECONDS)
    try:
        if customer.payment is None:
            return Issued(iamport.issue(customer, card, send_deadline))
        paid = iamport.issue_and_pay(customer, card, customer.payment, send_deadline)
    except OutcomeUnknown as unknown:
        return find_out(attempt, iamport, unknown, deadline)
    return key_of_payment(paid, attempt, iamport, deadline)


def find_out(attempt: Attempt, iamport: Iamport, unknown: OutcomeUnknown, deadline: Deadline) -> Issued:
    """Asks Iamport what became of a request whose answer was lost.

        we      ── issue ──▶                ── look up ──▶     ── look up ──▶
        Iamport             ✗ answer lost           │ the attempt's key: issued
                  └──── PG at work ────┘            └ none, twice: not issued, unless it is still at work

    Iamport goes on working after the caller has hung up, so after a time-out "not found" is not "not issued".
    A payment that isn't found is never called safe to try again.
    """
    for pause in (0.0, PAUSE_BEFORE_SECOND_LOOK):
        time.sleep(min(pause, deadline.left()))
        try:
            ending = find_ending(attempt, iamport, deadline)
        except Unavailable:
            break
        if ending.state == "issued":
            return _issued(ending.registered, attempt, ending.payment)
        if ending.state == "declined":
            raise Declined(ending.message)
    else:
        if not unknown.still_working and attempt.merchant_uid is None:
            raise GatewayError
    raise unknown


def key_of_payment(paid: PaidPayment, attempt: Attempt, iamport: Iamport, deadline: Deadline) -> Issued:
    """The answer to a payment doesn't describe the key. The payment stands, whether or not that can be looked up."""
    try:
        return _issued(iamport.look_up(attempt.customer_uid, deadline), attempt, paid)
    except Unavailable:
        return _issued(None, attempt, paid)


def finish_declined(attempt: Attempt, declined: Declined, services: Services, deadline: Deadline) -> None:
    """A refused payment may leave a key behind: that is looked up, not guessed. Else left to the settler."""
    registered = None
    if attempt.merchant_uid is not None:
        registered = find_ending(attempt, services.iamport, deadline.earlier_by(ANSWER_SECONDS)).registered
    services.ledger.finish(attempt, Ending("declined", declined.message, registered), deadline)


@contextmanager
def writing_down() -> Iterator[None]:
    """The outcome stands, written down or not: where the ledger can't be reached, the settler closes the attempt."""
    try:
        yield
    except Unavailable as failure:
        note_ledger_behind(failure.reason)


def _issued(found: BillingKey | None, attempt: Attempt, payment: PaidPayment | None) -> Issued:
    if found is not None:
        return Issued(found, payment)
    sent = BillingKey(attempt.customer_uid, None, attempt.masked_card, None, updated=None)
    return Issued(sent, payment, looked_up=False)
