"""The use case: one attempt to issue a billing key, from its lock to its outcome.

Every step may be the last: a function that dies leaves the attempt open in the ledger, and the settler closes it. What
becomes of the card that is sent stands in `sending`.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from uuid import uuid4

from billing.iamport.client import Iamport
from billing.model.attempt import Attempt, Ending, LeftOpen, NewAttempt, Order, Repeated, Seen
from billing.model.billing_key import BillingKey, FoundPayment, Issued
from billing.model.card import Card
from billing.model.customer import Customer
from billing.model.deadline import Deadline
from billing.model.digits import masked
from billing.model.errors import (
    AlreadyPaid,
    AlreadyRegistered,
    BillingError,
    InProgress,
    InternalError,
    OutcomeUnknown,
    PaidWithoutKey,
    Unavailable,
)
from billing.observability import note_attempt, note_ledger_behind
from billing.sending import Outcome, nothing_sent, send
from billing.services import Services
from billing.settlement import settle

ANSWER_SECONDS = 1.5
"""Kept for everything after Iamport's last word: writing it down, answering, API Gateway's own way back."""
MOST_HOLDERS = 2
"""Attempts that may be in the way of a new one: the one of its customer_uid, and the one of its order."""


def issue_billing_key(
    customer: Customer, card: Card, services: Services, deadline: Deadline, request_id: str
) -> Issued:
    """`deadline`: the invocation's end. Raises the errors that stand in `errors`, but those of a request alone."""
    services = replace(services, iamport=services.iamport.hiding(card))
    with in_progress_while_open(customer.uid, services):
        new = new_attempt(customer, card, services, deadline, request_id)
    prepare(new, services, deadline)
    begun = begin(new, services, deadline)
    if isinstance(begun, Issued):
        return begun
    with named(begun.attempt_id):
        attempt, outcome = carry_out(begun, customer, card, services, deadline)
        with unknown_if_it_breaks():
            write_down(attempt, outcome, services, deadline)
        if isinstance(outcome.told, BillingError):
            outcome.told.key_stays = "" if outcome.ending is None else outcome.ending.key_stays(attempt)
            raise outcome.told
        return replace(outcome.told, attempt_id=begun.attempt_id)


@contextmanager
def in_progress_while_open(customer_uid: str, services: Services) -> Iterator[None]:
    """Without the fingerprints' key nobody can tell a repeat; what it would repeat may be under way all the same."""
    try:
        yield
    except Unavailable as failure:
        if services.ledger.read(customer_uid) is not None:
            raise InProgress(failure.reason, failure.answered) from None
        raise


def prepare(new: NewAttempt, services: Services, deadline: Deadline) -> None:
    """Without a token nothing is begun, and so nothing counted. Raises Unavailable, InProgress."""
    try:
        services.iamport.prepare(deadline.earlier_by(ANSWER_SECONDS))
    except Unavailable as failure:
        known = services.ledger.in_the_way_of(new)
        if known is not None:
            raise InProgress(failure.reason, failure.answered, attempt_id=known.id_for(new)) from None
        raise


def begin(new: NewAttempt, services: Services, deadline: Deadline) -> Attempt | Issued:
    """Takes the lock; gives what the same request has come to a moment ago, as long as it stands."""
    iamport, ledger, answer_by = services.iamport, services.ledger, deadline.earlier_by(ANSWER_SECONDS)
    begun = ledger.begin(new, deadline)
    for _ in range(MOST_HOLDERS):
        if isinstance(begun, LeftOpen):
            tells = begun.attempt.id_for(new)
            look_again(begun.attempt, services, answer_by, tells=tells)
            with in_progress_where_unseen(tells), unknown_if_it_breaks():
                begun = ledger.begin(new, deadline)
    if isinstance(begun, Repeated):
        note_attempt(begun.attempt.attempt_id)
        with named(begun.attempt.attempt_id), in_progress_where_unseen(), unknown_if_it_breaks():
            found = iamport.look_up(new.customer_uid, answer_by)
            if found is not None and found.is_same_as(begun.billing_key):
                return Issued(found, begun.payment, begun.attempt.attempt_id)
        begun = ledger.begin(new, deadline, no_repeat_of=begun.attempt.attempt_id)
    if not isinstance(begun, Attempt):
        raise InProgress(attempt_id=begun.attempt.id_for(new))
    note_attempt(begun.attempt_id)
    return begun


def new_attempt(customer: Customer, card: Card, services: Services, deadline: Deadline, request_id: str) -> NewAttempt:
    payment, fingerprints = customer.payment, services.fingerprints
    return NewAttempt(
        attempt_id=uuid4().hex,
        customer_uid=customer.uid,
        card_fingerprint=fingerprints.of(card.digits()),
        request_fingerprint=fingerprints.of(card.all_data()),
        masked_card=masked(card.digits()),
        order=None if payment is None else Order(payment.merchant_uid, payment.amount),
        ends_at=time.time() + deadline.left(),
        is_new_customer=customer.is_new,
        request_id=request_id,
        consents=customer.consents,
    )


def look_again(attempt: Attempt, services: Services, deadline: Deadline, *, tells: str) -> Ending | None:
    """What became of an attempt that was left open, and is written down then: for who meets its lock, and for who asks
    by its id. None: not known yet, or closed already.

    `tells`: its id, where who asks may know it. Raises InProgress, OutcomeUnknown.
    """
    with named(tells), in_progress_where_unseen(), unknown_if_it_breaks():
        return settle(attempt, services.iamport, services.ledger, deadline)


@contextmanager
def named(attempt_id: str) -> Iterator[None]:
    """Around what is done for an attempt: every answer has its id, that to a bug before anything was sent, too."""
    try:
        yield
    except BillingError as told:
        told.attempt_id = attempt_id
        raise
    except Exception as bug:
        ours = InternalError()
        ours.attempt_id = attempt_id
        raise ours from bug


@contextmanager
def in_progress_where_unseen(attempt_id: str = "") -> Iterator[None]:
    """An earlier attempt that can't be looked at, or was just settled, may have been a success, perhaps of the same
    request: that nothing was sent would not be true.
    """
    try:
        yield
    except Unavailable as failure:
        raise InProgress(failure.reason, failure.answered, attempt_id=attempt_id) from None


@contextmanager
def unknown_if_it_breaks() -> Iterator[None]:
    """Around what is done once something was sent, by this attempt or by an earlier one, perhaps of the same request: a
    bug there leaves the outcome open.

    Raises OutcomeUnknown from the bug, whose message may hold anything.
    """
    try:
        yield
    except BillingError:
        raise
    except Exception as bug:
        raise OutcomeUnknown(type(bug).__name__) from bug


def carry_out(
    attempt: Attempt, customer: Customer, card: Card, services: Services, deadline: Deadline
) -> tuple[Attempt, Outcome]:
    """Looks at what stands there, says so in the ledger, sends the card, and finds out what became of it.

    Gives the attempt as the ledger has it then.
    """
    iamport, answer_by = services.iamport, deadline.earlier_by(ANSWER_SECONDS)
    try:
        seen = look_before_sending(attempt, customer, iamport, answer_by)
        if isinstance(seen, Outcome):
            return attempt, seen
        noted = attempt if attempt.seen == seen else services.ledger.note_seen(attempt, seen, answer_by)
    except OutcomeUnknown as broken:
        return attempt, Outcome(broken)
    except Unavailable as never_sent:
        return attempt, nothing_sent(attempt, never_sent)
    if noted is None:
        return attempt, Outcome(Unavailable("closed_meanwhile"))
    try:
        with unknown_if_it_breaks():
            return noted, send(noted, customer, card, services, answer_by)
    except OutcomeUnknown as broken:
        return noted, Outcome(broken)


def write_down(attempt: Attempt, outcome: Outcome, services: Services, deadline: Deadline) -> None:
    """The outcome stands, written down or not: where the ledger can't be reached, the settler closes the attempt."""
    try:
        if outcome.ending is None:
            services.ledger.leave_open(attempt, deadline)
        else:
            services.ledger.finish(attempt, outcome.ending, deadline)
    except Unavailable as failure:
        note_ledger_behind(failure.reason)


def look_before_sending(attempt: Attempt, customer: Customer, iamport: Iamport, deadline: Deadline) -> Seen | Outcome:
    """An order is never charged twice, and a card never replaced without leave. Raises Unavailable, OutcomeUnknown."""
    payments: tuple[FoundPayment, ...] = ()
    if attempt.order is not None:
        payments = iamport.find_payments(attempt.order.merchant_uid, deadline)
        if attempt.order_is_paid or any(payment.was_paid() for payment in payments):
            with unknown_if_it_breaks():
                return paid_before(attempt, payments, iamport, deadline)
    is_new = customer.is_new and attempt.is_first
    found = None if is_new else iamport.look_up(customer.uid, deadline)
    if found is not None and not may_replace(found, attempt, customer):
        return nothing_sent(attempt, AlreadyRegistered(found), found)
    return Seen(found, tuple(payment.imp_uid for payment in payments))


def may_replace(found: BillingKey, attempt: Attempt, customer: Customer) -> bool:
    return customer.may_replace or (attempt.leftover is not None and attempt.leftover.is_what_stands(found))


def paid_before(attempt: Attempt, payments: tuple[FoundPayment, ...], iamport: Iamport, deadline: Deadline) -> Outcome:
    """The order is paid: by this customer, as a repeat finds out whose answer was lost, or by another way."""
    paid = attempt.own_payment(tuple(payment for payment in payments if payment.status == "paid"))
    if paid is None:
        return nothing_sent(attempt, AlreadyPaid())
    try:
        found = iamport.look_up(attempt.customer_uid, deadline)
    except Unavailable as failure:
        return Outcome(OutcomeUnknown(failure.reason, failure.answered))
    if found is None:
        return Outcome(PaidWithoutKey(paid), Ending("paid_without_key", payment=paid))
    return Outcome(Issued(found, paid), Ending("issued", registered=found, payment=paid))
