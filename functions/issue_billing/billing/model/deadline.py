"""How long one invocation may still take: every time-out that leaves the process is worked out from it."""

import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Deadline:
    """A moment on the monotonic clock, in seconds."""

    moment: float

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        return cls(time.monotonic() + seconds)

    def left(self) -> float:
        """Seconds, never below zero."""
        return max(0.0, self.moment - time.monotonic())

    def earlier_by(self, seconds: float) -> "Deadline":
        """The deadline that keeps room for what comes after."""
        return Deadline(self.moment - seconds)

    def at_most(self, seconds: float) -> "Deadline":
        """The deadline for a part that may not take longer than `seconds`."""
        return Deadline(min(self.moment, Deadline.after(seconds).moment))
