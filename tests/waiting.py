"""For what comes about in another thread or process."""

import time
from collections.abc import Callable


def eventually(condition: Callable[[], bool], seconds: float = 3.0) -> bool:
    """Whether it holds within that time; returns as soon as it does."""
    give_up = time.monotonic() + seconds
    while not condition() and time.monotonic() < give_up:
        time.sleep(0.01)
    return condition()
