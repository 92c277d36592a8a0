"""The stand-in's time, which a test can put forward: it is another process, so that patching `time` is not enough."""

import time


class AwsClock:
    def __init__(self) -> None:
        self._ahead = 0.0

    def now(self) -> float:
        """UNIX seconds."""
        return time.time() + self._ahead

    def advance(self, seconds: float) -> None:
        self._ahead += seconds
