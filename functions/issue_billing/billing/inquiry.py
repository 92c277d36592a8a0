"""What became of an attempt, told to who knows its id and its customer_uid, without a card.

    open, its function may be at work     in_progress, by the ledger alone
    open, left by its function            looked at as a repeat looks at it, once in a few seconds however many ask
    closed                                what was known then, by the ledger alone

The ledger has the newest attempt of each uid. An older one is not known any more.
"""

import re
import time

from billing.issuance import ANSWER_SECONDS, look_again
from billing.model.attempt import Attempt, Closed
from billing.model.billing_key import Issued
from billing.model.deadline import Deadline
from billing.model.errors import (
    AlreadyPaid,
    AlreadyRegistered,
    BillingError,
    Declined,
    GatewayError,
    GatewayRefused,
    InProgress,
    OutcomeUnknown,
    PaidWithoutKey,
    Unavailable,
    UnknownAttempt,
)
from billing.observability import note_attempt
from billing.services import Services

ATTEMPT_ID = re.compile(r"[0-9a-f]{32}")

TOKEN_GOOD_FOR_LONGER = 600
"""Seconds. A card that was sent in a token's last minute is waited for longer than the token lasts."""


def ask_after(customer_uid: str, attempt_id: str, services: Services, deadline: Deadline) -> Issued | BillingError:
    """What a repeat of the attempt's request is answered, or was. `deadline`: the invocation's end.

    Raises UnknownAttempt; OutcomeUnknown where the ledger can't be asked, as any other word would be taken for the
    attempt's own.
    """
    try:
        known = services.ledger.known(customer_uid, attempt_id) if ATTEMPT_ID.fullmatch(attempt_id) else None
        if known is None:
            raise UnknownAttempt
        note_attempt(attempt_id)
        return told_of(known) if isinstance(known, Closed) else look_at(known, services, deadline)
    except Unavailable as failure:
        raise OutcomeUnknown(failure.reason, failure.answered) from None


def look_at(attempt: Attempt, services: Services, deadline: Deadline) -> Issued | BillingError:
    """An attempt that is open. Raises OutcomeUnknown, Unavailable."""
    under_way = InProgress(attempt_id=attempt.attempt_id)
    answer_by = deadline.earlier_by(ANSWER_SECONDS)
    if attempt.ends_at > time.time() or not services.ledger.take_turn_to_look(attempt, answer_by):
        return under_way
    try:
        ending = look_again(attempt, services, answer_by, tells=attempt.attempt_id)
    except InProgress as unseen:
        return unseen
    return under_way if ending is None else told_of(Closed(attempt, ending, ending.key_stays(attempt)))


def told_of(closed: Closed) -> Issued | BillingError:
    """The answer that the attempt's own request got, or would have got."""
    attempt, ending = closed.attempt, closed.ending
    if ending.state == "issued" and ending.registered is not None:
        return Issued(ending.registered, ending.payment, attempt.attempt_id)
    failure = failure_of(closed)
    failure.attempt_id, failure.key_stays = attempt.attempt_id, closed.key_stays
    return failure


def failure_of(closed: Closed) -> BillingError:
    """Of one that issued nothing, `message` is the code of what was answered; none where the settler found nothing."""
    ending = closed.ending
    match ending.state, ending.message:
        case "declined", message:
            return Declined(message)
        case "paid_without_key", _ if ending.payment is not None:
            return PaidWithoutKey(ending.payment)
        case "not_issued", AlreadyRegistered.code if ending.registered is not None:
            return AlreadyRegistered(ending.registered)
        case "not_issued", AlreadyPaid.code:
            return AlreadyPaid()
        case "not_issued", GatewayRefused.code:
            return GatewayRefused("told_before")
        case "not_issued", Unavailable.code:
            return Unavailable("told_before")
        case "not_issued", None if closed.attempt.seen is None:
            return Unavailable("told_before")
        case "not_issued", _:
            return GatewayError("told_before")
        case _:
            return OutcomeUnknown("given_up")
