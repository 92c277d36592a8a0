"""Lambda entry: closes the attempts that were left open, every minute, and has the ended ones forget what tells a
repeat. Safe to run twice at once.
"""

import os
import time
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from billing.ledger.items import DAY
from billing.ledger.ledger import Due
from billing.model.attempt import Attempt, Ending
from billing.model.deadline import Deadline
from billing.model.errors import Unavailable
from billing.observability import logger, metrics, note_settled
from billing.services import open_services
from billing.settings import read_settings
from billing.settlement import settle

SECONDS_FOR_ONE = 15.0
"""The longest that one attempt takes: a token and two look-ups."""
SECONDS_TO_FORGET_ONE = 3.0
POSTPONED_SECONDS = 120
"""An attempt that can't be settled now makes room for the others."""

settings = read_settings(os.environ)
services = open_services(settings)
iamport, ledger = services.iamport, services.ledger


@logger.inject_lambda_context(log_event=False)
@metrics.log_metrics
def handler(_event: dict[str, Any], context: LambdaContext) -> None:
    deadline = Deadline.after(context.get_remaining_time_in_millis() / 1000)
    oldest = time.time()
    for due in ledger.due():
        oldest = min(oldest, due.ends_at)
        if deadline.left() < SECONDS_FOR_ONE:
            break
        close(due, deadline)
    metrics.add_metric("OldestOpenAttempt", MetricUnit.Seconds, round(time.time() - oldest))
    forget_requests(deadline)


def close(due: Due, deadline: Deadline) -> None:
    """One attempt's trouble is its own, whatever it is: the others have their turn."""
    try:
        attempt = read_open(due)
        if attempt is None:
            return
        ending = settle(attempt, iamport, ledger, deadline)
    except Unavailable as failure:
        give_up_or_postpone(due, failure.reason, deadline)
    except Exception as failure:  # noqa: BLE001 (an odd answer or item, and its message may hold anything)
        give_up_or_postpone(due, type(failure).__name__, deadline)
    else:
        if ending is not None:
            metrics.add_metric("AttemptSettled", MetricUnit.Count, 1)
            note_settled(due.attempt_id, ending.state)


def forget_requests(deadline: Deadline) -> None:
    """In the time that the open attempts have left; the others have their turn in a minute."""
    for ended in ledger.past_repeats():
        if deadline.left() < SECONDS_TO_FORGET_ONE:
            break
        try:
            ledger.forget_request(ended, deadline.at_most(SECONDS_TO_FORGET_ONE))
        except Exception as failure:  # noqa: BLE001 (it comes back in a minute)
            reason = failure.reason if isinstance(failure, Unavailable) else type(failure).__name__
            logger.warning("request not forgotten yet", extra={"attempt_id": ended.attempt_id, "reason": reason})


def give_up_or_postpone(due: Due, reason: str, deadline: Deadline) -> None:
    try:
        if time.time() - due.ends_at > DAY and give_up(due, reason, deadline):
            metrics.add_metric("AttemptGivenUp", MetricUnit.Count, 1)
            logger.error("attempt given up", extra={"attempt_id": due.attempt_id, "reason": reason})
            return
        ledger.postpone(due.customer_uid, due.attempt_id, POSTPONED_SECONDS, deadline)
    except Exception as failure:  # noqa: BLE001 (it comes back in a minute)
        reason = type(failure).__name__
    metrics.add_metric("AttemptPostponed", MetricUnit.Count, 1)
    logger.warning("attempt not settled yet", extra={"attempt_id": due.attempt_id, "reason": reason})


def give_up(due: Due, reason: str, deadline: Deadline) -> bool:
    attempt = read_open(due)
    return attempt is not None and ledger.finish(
        attempt, Ending("unknown", reason, leftover=attempt.leftover), deadline
    )


def read_open(due: Due) -> Attempt | None:
    """None where it has been closed since the index heard of it; another may be under way under its uid."""
    attempt = ledger.read(due.customer_uid)
    return attempt if attempt is not None and attempt.attempt_id == due.attempt_id else None
