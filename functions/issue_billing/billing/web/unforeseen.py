"""What is true for the caller when an answer can't be shaped, or something else breaks that nobody foresaw.

A bug after something was sent comes as an OutcomeUnknown, from the steps that know it (`unknown_if_it_breaks`). Any
other bug came before; but where it came while an error was being told, that error says whether something was sent.
"""

from typing import Literal

from billing.model.errors import BillingError

NOTHING_SENT = frozenset(
    (
        *("forbidden", "invalid_request", "too_large", "unsupported_media_type", "invalid_customer_token"),
        *(
            "internal_error",
            "too_many_attempts",
            "already_registered",
            "already_paid",
            "gateway_error",
            "gateway_refused",
            "unavailable",
        ),
    )
)
"""Codes of the errors that say so. In no answer may that be wrong, as a card holder would use another card."""


def code_of(failure: Exception) -> Literal["outcome_unknown", "internal_error"]:
    told = _being_told(failure)
    if told is None or (told.code in NOTHING_SENT and not told.key_stays):
        return "internal_error"
    return "outcome_unknown"


def attempt_id_of(failure: Exception) -> str:
    """Of the attempt that was being told of; empty where there was none."""
    told = _being_told(failure)
    return "" if told is None else told.attempt_id


def bug_behind(error: BillingError) -> Exception | None:
    """What broke after something was sent, where it is that which is told."""
    return error.__cause__ if isinstance(error.__cause__, Exception) else None


def _being_told(failure: BaseException | None) -> BillingError | None:
    while failure is not None and not isinstance(failure, BillingError):
        failure = failure.__context__
    return failure
