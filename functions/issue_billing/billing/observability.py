"""What the operator sees: one structured log line and one metric for each way a request can end.

Card data can't get here: no function takes a request, of an exception only its type and place are written, and
Iamport's words have passed its scrub.
"""

import traceback

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from billing.model.errors import Answered

logger = Logger()
metrics = Metrics()

METRIC_BY_OUTCOME = {
    "card_form_shown": "CardFormShown",
    "attempt_told": "AttemptTold",
    "issued": "BillingKeyIssued",
    "declined": "BillingKeyDeclined",
    "invalid_request": "InvalidRequest",
    "forbidden": "InvalidRequest",
    "not_found": "InvalidRequest",
    "unknown_attempt": "InvalidRequest",
    "too_large": "InvalidRequest",
    "unsupported_media_type": "InvalidRequest",
    "invalid_customer_token": "InvalidCustomerToken",
    "in_progress": "InProgress",
    "too_many_attempts": "TooManyAttempts",
    "already_registered": "AlreadyRegistered",
    "already_paid": "AlreadyPaid",
    "paid_without_key": "PaidWithoutKey",
    "gateway_error": "GatewayError",
    "gateway_refused": "GatewayRefused",
    "unavailable": "GatewayUnavailable",
    "outcome_unknown": "OutcomeUnknown",
    "internal_error": "InternalError",
}

SERIOUS_OUTCOMES = ("gateway_error", "gateway_refused", "unavailable", "outcome_unknown", "paid_without_key")


def note_attempt(attempt_id: str) -> None:
    """From here on every line of the request names the attempt that it has begun, or repeats."""
    logger.append_keys(attempt_id=attempt_id)


def note_outcome(
    outcome: str, *, reason: str | None = None, answered: Answered | None = None, gateway_seconds: float = 0.0
) -> None:
    """`outcome`: `issued` or the contract's code. `reason`: for the operator, made of our own words only."""
    metrics.add_metric(METRIC_BY_OUTCOME[outcome], MetricUnit.Count, 1)
    keys: dict[str, object] = {"outcome": outcome}
    if reason:
        keys["reason"] = reason
    if answered is not None:
        keys |= _of_answer(answered)
    if gateway_seconds:
        milliseconds = round(gateway_seconds * 1000)
        metrics.add_metric("GatewayLatency", MetricUnit.Milliseconds, milliseconds)
        keys["gateway_milliseconds"] = milliseconds
    log = logger.error if outcome in SERIOUS_OUTCOMES else logger.info
    log("request ended", extra=keys)


def note_told(told: str, *, reason: str | None, answered: Answered | None, gateway_seconds: float) -> None:
    """An attempt's outcome was told to who asked by its id; `told`: `issued` or the contract's code.

    It is no second outcome: neither the metric of that one nor the time of a card's way counts it.
    """
    metrics.add_metric(METRIC_BY_OUTCOME["attempt_told"], MetricUnit.Count, 1)
    keys: dict[str, object] = {"outcome": "attempt_told", "told": told}
    if reason:
        keys["reason"] = reason
    if answered is not None:
        keys |= _of_answer(answered)
    if gateway_seconds:
        keys["gateway_milliseconds"] = round(gateway_seconds * 1000)
    logger.info("request ended", extra=keys)


def _of_answer(answered: Answered) -> dict[str, object]:
    values = {
        "http_status": answered.http_status,
        "iamport_code": answered.code,
        "iamport_message": answered.message,
    }
    return {name: value for name, value in values.items() if value is not None}


def note_ended() -> None:
    """Of each attempt that was closed, whoever closed it: as many events are told."""
    metrics.add_metric("AttemptEnded", MetricUnit.Count, 1)


def note_settled(attempt_id: str, outcome: str) -> None:
    """`outcome`: an ending's state. Who was to be answered is gone: what is serious, the operator has to know."""
    if outcome == "paid_without_key":
        metrics.add_metric(METRIC_BY_OUTCOME[outcome], MetricUnit.Count, 1)
    log = logger.error if outcome in SERIOUS_OUTCOMES else logger.info
    log("attempt settled", extra={"attempt_id": attempt_id, "outcome": outcome})


def note_ledger_behind(reason: str | None) -> None:
    """The outcome is known and could not be written down; the settler finds the attempt open and closes it."""
    logger.warning("outcome not written down", extra={"reason": reason})


def note_no_request() -> None:
    """Something other than the REST API invoked the function. Whatever it sent, nothing of it is written."""
    logger.info("no request of the REST API")


def note_unforeseen(failure: Exception, outcome: str) -> None:
    """A bug, whatever `outcome` is answered for it. Its message may hold anything, so it is not written."""
    for metric in {METRIC_BY_OUTCOME["internal_error"], METRIC_BY_OUTCOME[outcome]}:
        metrics.add_metric(metric, MetricUnit.Count, 1)
    place = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(failure.__traceback__)]
    logger.error(
        "request ended",
        extra={"outcome": outcome, "exception_type": type(failure).__qualname__, "place": place[-8:]},
    )
