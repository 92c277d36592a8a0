"""One container: takes requests as lines of JSON, answers with their codes, and dies where it is told to.

{"fields": {...}, "dies_before_send": 3}   the process kills itself (SIGKILL) before its third send on any
                                           connection, that is between two steps of the attempt
"""

import json
import os
import signal
import sys

from tests.integration.door import Door

SECONDS_LEFT = 11.0


class DeathBeforeSend:
    """Python tells its audit hooks of every send of `http.client`, which urllib3's and botocore's connections are."""

    def __init__(self) -> None:
        self.sends_left: int | None = None
        sys.addaudithook(self._heard)

    def _heard(self, event: str, _arguments: tuple[object, ...]) -> None:
        if event != "http.client.send" or self.sends_left is None:
            return
        self.sends_left -= 1
        if self.sends_left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    answers = sys.stdout
    sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 (the function's own log)
    death, door = DeathBeforeSend(), Door()
    for line in sys.stdin:
        task = json.loads(line)
        death.sends_left = task["dies_before_send"]
        answer = door.post_json(task["fields"], seconds_left=SECONDS_LEFT)
        death.sends_left = None
        print(answer.code, file=answers, flush=True)


if __name__ == "__main__":
    main()
