"""How long the answer to one request is waited for."""

import time
from collections.abc import Mapping
from typing import Any

GATEWAY_WAITS = 29_000
"""Milliseconds from the request's arrival at API Gateway; a cold start is within them."""
LONGEST_LEFT = 28_500
"""Milliseconds. Where more is left, the invocation's own end comes first, or the clocks differ."""


def seconds_left(event: Mapping[str, Any], of_invocation: float) -> float:
    """`event`: API Gateway's. `of_invocation`: seconds until Lambda ends it.

        requestTimeEpoch ─── cold start ───▶ now ─── seconds_left ───▶ requestTimeEpoch + 29 s, or the invocation's end

    A time that is missing, no number, in the future or long ago (an event that is played back) says nothing.
    """
    context = event.get("requestContext")
    arrived = context.get("requestTimeEpoch") if isinstance(context, Mapping) else None
    if isinstance(arrived, bool) or not isinstance(arrived, int | float):
        return of_invocation
    left = GATEWAY_WAITS - (int(time.time() * 1000) - arrived)
    return min(of_invocation, left / 1000) if 0 < left <= LONGEST_LEFT else of_invocation
