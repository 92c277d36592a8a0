"""The use case: one attempt to issue a billing key, from its lock to its outcome.

Every step may be the last: a function that dies leaves the attempt open in the ledger, and the settler closes it.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from uuid import uuid4

from billing.iamport.client import LEAST_ISSUE_SECONDS, LOOK_UP_SECONDS, Iamport
from billing.model.attempt import Attempt, Ending, LeftOpen, Leftover, NewAttempt, Order, Repeated, Seen
from billing.model.billing_key import BillingKey, FoundPayment, PaidPayment
from billing.model.card import Card
from billing.model.customer import Channel, Customer, Payment
from billing.model.deadline import Deadline
from billing.model.digits import masked
from billing.model.errors import (
    AlreadyPaid,
    AlreadyRegistered,
    BillingError,
    Declined,
    GatewayError,
    GatewayRefused,
    InProgress,
    InternalError,
    OutcomeUnknown,
    PaidWithoutKey,
    Unavailable,
)
from billing.observability import note_attempt, note_ledger_behind
from billing.services import Services
from billing.settings import FirstPayment
from billing.settlement import find_ending, settle

ANSWER_SECONDS = 1.5
"""Kept for everything after Iamport's last word: writing it down, answering, API Gateway's own way back."""
LOOKING_SECONDS = 10.0
"""A card holder who waited for the PG already waits no longer than that for us, however long the looks take."""
PAUSES_BETWEEN_LOOKS = (0.0, 0.5, 1.0, 1.5, 2.5, 3.5)
"""The last look has a second left."""
PAUSE_BEFORE_SECOND_LOOK = 1.0
"""A key may lag behind its payment."""
MOST_HOLDERS = 2
"""Attempts that may be in the way of a new one: the one of its customer_uid, and the one of its order."""


@dataclass(frozen=True)
class Issued:
    billing_key: BillingKey
    payment: PaidPayment | None = None
    attempt_id: str = ""
    """Of the attempt that is told of."""


@dataclass(frozen=True)
class Outcome:
    """What is answered, and what is written down; without an ending the attempt is left open for who looks later."""

    told: Issued | BillingError
    ending: Ending | None = None


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


def nothing_sent(attempt: Attempt, told: BillingError, registered: BillingKey | None = None) -> Outcome:
    return Outcome(told, Ending("not_issued", told.code, registered, leftover=attempt.leftover))


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


def goes_by_again(channel: Channel, first_payment: FirstPayment) -> bool:
    """Whether a first payment is issued and then charged by `again`, or both by one request, `onetime`.

    channel_key alone       `again`: `onetime` knows none, and would take the default channel without a word
    with pg, or neither     as FIRST_PAYMENT says
    """
    if channel.channel_key and not channel.pg:
        return True
    return first_payment == "again"


def send(attempt: Attempt, customer: Customer, card: Card, services: Services, deadline: Deadline) -> Outcome:
    """The one request that registers the card; by way of `again`, the two."""
    iamport, send_deadline = services.iamport, deadline.earlier_by(LOOK_UP_SECONDS)
    if customer.payment is not None and goes_by_again(iamport.channel_of(customer), services.settings.first_payment):
        return issue_and_charge(attempt, customer, customer.payment, card, iamport, deadline)
    try:
        if customer.payment is None:
            billing_key = iamport.issue(customer, card, send_deadline)
            return Outcome(Issued(billing_key), Ending("issued", registered=billing_key))
        paid = iamport.issue_and_pay(customer, card, customer.payment, send_deadline)
    except (Declined, GatewayRefused) as no:
        return refused(attempt, no, iamport, deadline)
    except (GatewayError, Unavailable) as not_processed:
        return nothing_sent(attempt, not_processed)
    except OutcomeUnknown as unknown:
        return find_out(attempt, unknown, iamport, deadline)
    return key_of_payment(attempt, paid, iamport, deadline)


def issue_and_charge(
    attempt: Attempt, customer: Customer, payment: Payment, card: Card, iamport: Iamport, deadline: Deadline
) -> Outcome:
    """By way of `again`: the key first, and then the payment with it, each asked for once.

        we       ── issue ──▶        ── charge ──▶          ── look ──▶  success
        Iamport              │ no                 │ no, or not processed: `refused`; the key stays, a leftover
                             │ ✗ answer lost      │ ✗ answer lost: `find_out`; key and payment together are a success
                             └ key                └ paid

        issue: ✗ answer lost     nothing is charged on a guess: where the key is not there yet, the card from before
                                 would pay. outcome_unknown at once: only key and payment together are a success, and
                                 nobody pays
        key, ✝ dead              nothing is charged; the settler finds the key alone at due_at and calls it a leftover
        charge: code 1           no such key, says Iamport, which has just issued it: order and key are looked at; what
                                 is not there may come, so it is a leftover unseen, and the lock stays
        key over another card    (`replace`) that one is gone, whatever becomes of the charge: `key_stays` tells it

    Time is kept for both before the first: a key whose answer comes in time can be charged.
    """
    send_deadline = deadline.earlier_by(LOOK_UP_SECONDS)
    try:
        issued = iamport.issue(customer, card, send_deadline.earlier_by(LEAST_ISSUE_SECONDS))
    except (Declined, GatewayRefused) as no:
        return refused(attempt, no, iamport, deadline)
    except (GatewayError, Unavailable) as not_processed:
        return nothing_sent(attempt, not_processed)
    except OutcomeUnknown as unknown:
        return Outcome(unknown)
    try:
        paid = iamport.charge(customer, payment, send_deadline)
    except (Declined, GatewayError, Unavailable) as no:
        return refused(attempt, no, iamport, deadline, was_issued=True)
    except OutcomeUnknown as unknown:
        return find_out(attempt, unknown, iamport, deadline)
    return key_of_payment(attempt, paid, iamport, deadline, issued=issued)


def refused(
    attempt: Attempt,
    no: Declined | GatewayError | Unavailable,
    iamport: Iamport,
    deadline: Deadline,
    *,
    was_issued: bool = False,
) -> Outcome:
    """A payment that is found wins over a refusal, and a refused payment may leave a key behind.

    `was_issued`: a key was left, by Iamport's answer to the request before.
    """
    if attempt.order is None:
        return Outcome(no, ending_of(no, None, attempt.leftover))
    try:
        payments = iamport.find_payments(attempt.order.merchant_uid, deadline)
    except Unavailable:
        return key_unseen(attempt, no, None, may_still_land=was_issued)
    paid = attempt.own_payment(tuple(payment for payment in payments if payment.status == "paid"))
    if paid is not None:
        return key_of_payment(attempt, paid, iamport, deadline, was_refused=True)
    told = AlreadyPaid() if any(payment.was_paid() for payment in payments) else no
    try:
        found = iamport.look_up(attempt.customer_uid, deadline)
    except Unavailable:
        return key_unseen(attempt, told, None, may_still_land=was_issued)
    if was_issued and attempt.own_key(found) is None:
        return key_unseen(attempt, told, found, may_still_land=True)
    return Outcome(told, ending_of(told, found, attempt.left_behind(found)))


def key_unseen(attempt: Attempt, told: BillingError, found: BillingKey | None, *, may_still_land: bool) -> Outcome:
    """Which key is a leftover is inferred later; one that Iamport told of, and does not show, may come."""
    return Outcome(told, replace(ending_of(told, found, attempt.left_unseen()), may_still_land=may_still_land))


def ending_of(no: BillingError, found: BillingKey | None, leftover: Leftover | None) -> Ending:
    """Only a card is declined."""
    if isinstance(no, Declined):
        return Ending("declined", no.message, found, leftover=leftover)
    return Ending("not_issued", no.code, found, leftover=leftover)


def find_out(attempt: Attempt, unknown: OutcomeUnknown, iamport: Iamport, deadline: Deadline) -> Outcome:
    """Asks Iamport what became of a request whose answer was lost.

        we      ── issue ──▶                ── look ──▶     ── look ──▶        …    outcome_unknown
        Iamport             ✗ answer lost           │ the attempt's key: issued
                  └──── PG at work ────┘            └ none: it may be at work still

    Iamport goes on working after the caller has hung up, so "not found" is never "not issued".
    """
    deadline = deadline.at_most(LOOKING_SECONDS)
    for pause in PAUSES_BETWEEN_LOOKS:
        if deadline.left() <= pause:
            break
        time.sleep(pause)
        try:
            ending = find_ending(attempt, iamport, deadline)
        except Unavailable:
            continue
        if ending is not None and ending.state == "issued" and ending.registered is not None:
            return Outcome(Issued(ending.registered, ending.payment), ending)
    return Outcome(unknown)


def key_of_payment(
    attempt: Attempt,
    paid: PaidPayment,
    iamport: Iamport,
    deadline: Deadline,
    *,
    issued: BillingKey | None = None,
    was_refused: bool = False,
) -> Outcome:
    """The answer to a payment does not describe the key, which some PGs never keep and others keep a moment later.

    `issued`: the key that was told before the payment. Iamport's times are of whole seconds, so by them alone a card
    that stood there before, and was put there again within its second, would not be this attempt's.
    `was_refused`: what is paid was asked for by an earlier request, so the key is that one's.
    """
    for pause in (0.0, PAUSE_BEFORE_SECOND_LOOK):
        time.sleep(min(pause, deadline.left()))
        try:
            found = iamport.look_up(attempt.customer_uid, deadline)
        except Unavailable as failure:
            return Outcome(OutcomeUnknown(failure.reason, failure.answered))
        is_it = found is not None and (was_refused or found.is_same_as(issued))
        key = found if is_it else attempt.own_key(found)
        if key is not None:
            ending = Ending("issued", registered=key, payment=paid, may_still_land=was_refused)
            return Outcome(Issued(key, paid), ending)
    return Outcome(PaidWithoutKey(paid))
