"""What is true for the caller when something breaks that nobody foresaw: was anything sent by then?

Only the way that the failure came tells it. Where that leaves it open, it was sent: "nothing was sent" may be wrong
in no answer, as a card holder would use another card.
"""

from collections.abc import Callable, Iterator
from traceback import walk_tb
from typing import Literal, ParamSpec, TypeVar

from billing.issuance import send, write_down
from billing.model.errors import BillingError
from billing.settlement import settle

P = ParamSpec("P")
R = TypeVar("R")

SENT_BY_THEN = {step.__code__ for step in (send, write_down, settle)}
"""Steps of an attempt. What `settle` looks at was sent by an earlier one, perhaps by the same request."""

NOTHING_SENT = frozenset(
    (
        *("forbidden", "invalid_request", "too_large", "unsupported_media_type", "invalid_customer_token"),
        *("too_many_attempts", "already_registered", "already_paid", "gateway_error", "gateway_refused", "unavailable"),
    )
)
"""Codes of the errors that say so, for where they themselves can't be told."""


def after_sending(step: Callable[P, R]) -> Callable[P, R]:
    """Marks what is done once a key was issued."""

    def marked(*args: P.args, **kwargs: P.kwargs) -> R:
        return step(*args, **kwargs)

    SENT_BY_THEN.add(marked.__code__)
    return marked


def code_of(failure: BaseException) -> Literal["outcome_unknown", "internal_error"]:
    return "outcome_unknown" if any(map(_came_after_sending, _way_of(failure))) else "internal_error"


def _came_after_sending(failure: BaseException) -> bool:
    if isinstance(failure, BillingError):
        return failure.code not in NOTHING_SENT or failure.key_stays != ""
    return any(frame.f_code in SENT_BY_THEN for frame, _ in walk_tb(failure.__traceback__))


def _way_of(failure: BaseException | None) -> Iterator[BaseException]:
    """It, and what was being told or handled when it came, as far as the error that was to be told."""
    while failure is not None:
        yield failure
        failure = None if isinstance(failure, BillingError) else failure.__context__
