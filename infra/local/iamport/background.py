"""What Iamport goes on with after everybody has hung up."""

import threading
from collections.abc import Callable


class Background:
    """Work put off, each in a thread of its own. `changed` is told whenever some of it is over."""

    def __init__(self, changed: threading.Condition) -> None:
        self._changed = changed
        self._dropped = threading.Event()
        self._under_way = 0

    def do_later(self, seconds: float, work: Callable[[], object]) -> None:
        """`work` is under way from this moment on, and begins after `seconds`."""
        with self._changed:
            self._under_way += 1
        threading.Thread(target=self._do, args=(seconds, work, self._dropped), daemon=True).start()

    @property
    def is_idle(self) -> bool:
        return self._under_way == 0

    def drop(self) -> None:
        """Whatever has not begun stays undone, and so does what is put off from now on."""
        self._dropped.set()

    def start_anew(self) -> None:
        """Whatever has not begun stays undone."""
        self.drop()
        self._dropped = threading.Event()

    def _do(self, seconds: float, work: Callable[[], object], dropped: threading.Event) -> None:
        try:
            if not dropped.wait(seconds):
                work()
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()
