"""One container: takes requests as lines of JSON, answers with their codes and bodies, and dies where it is told to.

The program imports the code and forks a container for each order that it gets; `containers` starts it.

{"settle_seconds_from_now": 600}           the settler runs in it, once
{"fields": {...}, "request_id": "…",
 "dies_before_send": 3}                    the process kills itself (SIGKILL) before its third send on any
                                           connection, that is between two steps of the attempt
"""

import importlib
import json
import os
import random
import signal
import socket
import sys
import time
from collections.abc import Callable

from infra.local.contract_page import read_contract
from tests import botocore_data
from tests.integration.door import Door, settle

SECONDS_LEFT = 15.0
SECONDS_LEFT_TO_CHARGE = 19.0
"""Where a first payment takes two requests: as long for each."""
PG_SECONDS = 4
"""That a PG may be at work after everybody has hung up; what lands late here lands earlier."""


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


def shorten_waiting(set_value: Callable[[str, object], None]) -> None:
    """A PG's minute becomes seconds, and so does the looking for what became of a card."""
    set_value("billing.ledger.items.PG_SECONDS", PG_SECONDS)
    set_value("billing.sending.PAUSES_BETWEEN_LOOKS", (0.0, 0.2, 0.4))
    set_value("billing.sending.PAUSE_BEFORE_SECOND_LOOK", 0.2)


def settle_later(seconds: float) -> None:
    """One run of the settler, as if these seconds had passed."""
    real_time = time.time
    time.time = lambda: real_time() + seconds
    settle()
    time.time = real_time


def _set(path: str, value: object) -> None:
    module, _, name = path.rpartition(".")
    setattr(importlib.import_module(module), name, value)


def import_all() -> None:
    """What was opened on the way has asked for nothing yet, and no container uses it."""
    shorten_waiting(_set)
    botocore_data.read_once()
    Door()
    services = importlib.import_module("settle").services
    assert services.aws.dynamodb, "made, and with it all is read"
    assert services.aws.secrets_manager, "made, and with it all is read"
    read_contract()


def live(line: socket.socket) -> None:
    """Until there are no more tasks."""
    random.seed()  # or all would wait for equally long
    tasks = line.makefile("rw", encoding="utf-8")
    print(os.getpid(), file=tasks, flush=True)
    death, door = DeathBeforeSend(), Door()
    seconds_left = SECONDS_LEFT_TO_CHARGE if os.environ.get("FIRST_PAYMENT") == "again" else SECONDS_LEFT
    while text := tasks.readline():
        task = json.loads(text)
        if "settle_seconds_from_now" in task:
            settle_later(task["settle_seconds_from_now"])
            print(file=tasks, flush=True)
            continue
        death.sends_left = task["dies_before_send"]
        answer = door.post_json(task["fields"], seconds_left=seconds_left, request_id=task["request_id"])
        death.sends_left = None
        print(json.dumps({"code": answer.code, "body": answer.body}), file=tasks, flush=True)


def main() -> None:
    orders = socket.socket(fileno=int(sys.argv[1]))
    sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 (the function's own log)
    import_all()
    while True:
        settings, lines, *_ = socket.recv_fds(orders, 65_536, 1)
        if not settings:
            return
        if os.fork() == 0:
            break
        os.close(lines[0])
    orders.close()
    os.environ |= json.loads(settings)
    live(socket.socket(fileno=lines[0]))


if __name__ == "__main__":
    main()
