"""Lambda entry: closes the attempts that were left open, every minute. Safe to run twice at once."""

import os
import time
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from billing.ledger.items import DAY
from billing.model.attempt import Attempt, Ending
from billing.model.deadline import Deadline
from billing.model.errors import Unavailable
from billing.observability import logger, metrics, note_settled
from billing.services import open_services
from billing.settings import read_settings
from billing.settlement import settle

SECONDS_FOR_ONE = 15.0
"""The longest that one attempt takes: a token and three look-ups."""
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
    for attempt in ledger.due():
        oldest = min(oldest, attempt.ends_at)
        if deadline.left() < SECONDS_FOR_ONE:
            break
        close(attempt, deadline)
    metrics.add_metric("OldestOpenAttempt", MetricUnit.Seconds, round(time.time() - oldest))


def close(attempt: Attempt, deadline: Deadline) -> None:
    try:
        ending = settle(attempt, iamport, ledger, deadline)
    except Unavailable as failure:
        give_up_or_postpone(attempt, failure, deadline)
        return
    metrics.add_metric("AttemptSettled", MetricUnit.Count, 1)
    note_settled(attempt.attempt_id, ending.state)


def give_up_or_postpone(attempt: Attempt, failure: Unavailable, deadline: Deadline) -> None:
    if time.time() - attempt.ends_at > DAY:
        ledger.finish(attempt, Ending("unknown", failure.reason), deadline)
        metrics.add_metric("AttemptGivenUp", MetricUnit.Count, 1)
        logger.error("attempt given up", extra={"attempt_id": attempt.attempt_id, "reason": failure.reason})
        return
    ledger.postpone(attempt, POSTPONED_SECONDS, deadline)
    metrics.add_metric("AttemptPostponed", MetricUnit.Count, 1)
    logger.warning("attempt not settled yet", extra={"attempt_id": attempt.attempt_id, "reason": failure.reason})
