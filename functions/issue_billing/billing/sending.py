"""The one request that registers a card, or the two by way of `again`, and what became of it."""

import time
from dataclasses import dataclass, replace

from billing.iamport.client import LEAST_ISSUE_SECONDS, LOOK_UP_SECONDS, Iamport
from billing.model.attempt import Attempt, Ending, Leftover
from billing.model.billing_key import BillingKey, Issued, PaidPayment
from billing.model.card import Card
from billing.model.customer import Channel, Customer, Payment
from billing.model.deadline import Deadline
from billing.model.errors import (
    AlreadyPaid,
    BillingError,
    Declined,
    GatewayError,
    GatewayRefused,
    OutcomeUnknown,
    PaidWithoutKey,
    Unavailable,
)
from billing.services import Services
from billing.settings import FirstPayment
from billing.settlement import find_ending

LOOKING_SECONDS = 10.0
"""A card holder who waited for the PG already waits no longer than that for us, however long the looks take."""
PAUSES_BETWEEN_LOOKS = (0.0, 0.5, 1.0, 1.5, 2.5, 3.5)
"""The last look has a second left."""
PAUSE_BEFORE_SECOND_LOOK = 1.0
"""A key may lag behind its payment."""


@dataclass(frozen=True)
class Outcome:
    """What is answered, and what is written down; without an ending the attempt is left open for who looks later."""

    told: Issued | BillingError
    ending: Ending | None = None


def nothing_sent(attempt: Attempt, told: BillingError, registered: BillingKey | None = None) -> Outcome:
    return Outcome(told, ending_of(told, registered, attempt.leftover))


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
    words = None if no.answered is None else no.answered.message
    return Ending("not_issued", no.code, found, leftover=leftover, words=words)


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
