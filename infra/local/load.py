"""`python -m infra.local.load`: attempts at a rate, through the service of `make run`, and what they met.

An attempt begins when it is due, whatever became of those before it: what has to wait for its turn is counted as having
waited. Iamport's simulator answers after the seconds that a PG is said to take.
"""

import argparse
import math
import os
import secrets
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import requests

from infra.local.iamport import faults
from infra.local.iamport.routes import Endpoint
from infra.local.iamport.simulator import ChooseFault
from infra.local.processor_time import seconds_by_process
from infra.local.service import API, LocalService, run_service
from infra.local.template import Template
from infra.local.token import new_token

OUR_SECONDS = 0.5
"""What an attempt takes beside the PG, at most, on a machine that is not overrun: so many containers are started."""

LONGEST_ANSWER = 60.0
"""Seconds; API Gateway gives up at 29."""

MOST_AT_ONCE = 1000
"""Attempts that are under way or due next, each on a thread."""

HELD = 0.95
"""Of the rate: what ends a little after the last attempt was due is no sign of a limit."""

NEARLY_ALL = 0.8
"""Of what there is of processors: more is hardly to be had."""


@dataclass(frozen=True)
class Wanted:
    rate: float
    """Attempts a second."""
    seconds: float
    pg_seconds: float

    @property
    def attempts(self) -> int:
        return max(1, round(self.rate * self.seconds))

    @property
    def containers(self) -> int:
        return math.ceil(self.rate * (self.pg_seconds + OUR_SECONDS)) + 1


@dataclass(frozen=True)
class Attempt:
    seconds: float
    """From when it was due to its answer."""
    succeeded: bool


@dataclass(frozen=True)
class Met:
    attempts: Sequence[Attempt]
    seconds: float
    """From the first one's beginning to the last one's answer, without the PG's share of that one; as long as they were
    due, at least."""
    of_the_stand_in: float
    """Seconds of a processor that AWS's stand-in had."""
    of_all: float
    """The same of everything that was started: containers, API, simulator, the stand-in, the load itself."""

    @property
    def rate(self) -> float:
        return len(self.attempts) / self.seconds

    @property
    def errors(self) -> int:
        return sum(not attempt.succeeded for attempt in self.attempts)


def drive(wanted: Wanted) -> Met:
    with _service(wanted) as service:
        url = service.url + next(iter(Template().api(API).routes))
        _start_containers(service, url, wanted)
        service.backends.simulator.choose_fault = _taking(wanted.pg_seconds)
        before, began = seconds_by_process(), time.monotonic()
        with ThreadPoolExecutor(max_workers=MOST_AT_ONCE) as threads:
            due = [began + number / wanted.rate for number in range(wanted.attempts)]
            attempts = list(threads.map(lambda at: _attempt(url, at), due))
        seconds, after = max(wanted.seconds, time.monotonic() - began - wanted.pg_seconds), seconds_by_process()
    used = {process: spent - before.get(process, 0.0) for process, spent in after.items()}
    return Met(attempts, seconds, used[service.backends.aws.process_id], sum(used.values()))


@contextmanager
def _service(wanted: Wanted) -> Iterator[LocalService]:
    parameters = {"CustomerIdentity": "signed"}
    with (
        Path(os.devnull).open("wb") as log,
        run_service(parameters=parameters, largest_pool=wanted.containers, log=log) as service,
    ):
        yield service


def _start_containers(service: LocalService, url: str, wanted: Wanted) -> None:
    """One attempt each, at once, so that none of them is done before the others have begun."""
    service.backends.simulator.choose_fault = _taking(max(wanted.pg_seconds, OUR_SECONDS))
    with ThreadPoolExecutor(max_workers=wanted.containers) as threads:
        list(threads.map(lambda _: _attempt(url, time.monotonic()), range(wanted.containers)))


def _taking(pg_seconds: float) -> ChooseFault:
    slow = faults.slow(pg_seconds)
    return lambda call: slow if call.endpoint is Endpoint.ISSUE else None


def _attempt(url: str, due: float) -> Attempt:
    """Of a customer whom nobody has seen, with a card of his own."""
    time.sleep(max(0.0, due - time.monotonic()))
    card = {
        "card_number": f"00009{secrets.randbelow(10**11):011}",
        "expiry": f"{datetime.now(UTC).year + 3}-12",
        "birth": "900101",
        "pwd_2digit": "12",
    }
    body = card | {"customer_token": new_token(f"load-{secrets.token_hex(8)}", new=True)}
    try:
        answer = requests.post(url, json=body, timeout=LONGEST_ANSWER).json()
        succeeded = answer["status"] == "success"
    except (requests.RequestException, KeyError):
        succeeded = False
    return Attempt(time.monotonic() - due, succeeded)


def what_limits(wanted: Wanted, met: Met, processors: int) -> str:
    if met.rate >= HELD * wanted.rate:
        return "nothing at this rate"
    if met.of_the_stand_in >= NEARLY_ALL * met.seconds:
        return "AWS's stand-in: one process that takes one request at a time"
    if met.of_all >= NEARLY_ALL * met.seconds * processors:
        return "this machine's processors"
    return f"{wanted.containers} containers, each of which waits for the PG"


def report(wanted: Wanted, met: Met, processors: int) -> str:
    own = sorted(attempt.seconds - wanted.pg_seconds for attempt in met.attempts)
    everything, stand_in = met.of_all / met.seconds, met.of_the_stand_in / met.seconds
    lines = {
        "attempts a second": f"{met.rate:.1f} of {wanted.rate:g} for {wanted.seconds:g} s, PG {wanted.pg_seconds:g} s",
        "our own part, p50": f"{1000 * quantile(own, 0.5):.0f} ms",
        "our own part, p99": f"{1000 * quantile(own, 0.99):.0f} ms",
        "errors": f"{met.errors}",
        "containers": f"{wanted.containers}",
        "processors": f"{everything:.2f} of {processors}, AWS's stand-in {stand_in:.2f} of them",
        "what limits": what_limits(wanted, met, processors),
    }
    return "\n".join(f"{name:18} {value}" for name, value in lines.items())


def quantile(in_order: Sequence[float], share: float) -> float:
    """The smallest that at least this share of them doesn't exceed."""
    return in_order[math.ceil(share * len(in_order)) - 1]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m infra.local.load", description="Attempts at a rate.")
    parser.add_argument("--rate", type=_positive, required=True, help="attempts a second")
    parser.add_argument("--seconds", type=_positive, required=True)
    parser.add_argument("--pg-seconds", type=_positive, required=True, help="how long the PG takes for each")
    options = parser.parse_args()
    wanted = Wanted(options.rate, options.seconds, options.pg_seconds)
    met = drive(wanted)
    print(report(wanted, met, os.cpu_count() or 1))
    if met.errors:
        raise SystemExit(1)


def _positive(text: str) -> float:
    with suppress(ValueError):
        if 0 < (value := float(text)) < math.inf:
            return value
    raise argparse.ArgumentTypeError("a number above 0")


if __name__ == "__main__":
    main()
