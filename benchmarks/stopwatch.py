"""One execution environment that measures itself: handler in, times and memory out.

Started by `measuring` as a program of its own: `python -S stopwatch.py PACKAGE HANDLER LOG [MODULE:CLASS.METHOD ...]`.
It sees the package, the standard library and one small module of this project. What the handler prints goes to LOG. One
JSON document per line in each direction: events in, their measurements out, in milliseconds and megabytes. The methods
named at the end are timed by themselves within each event.
"""

import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from infra.local.runtime import new_context

SECONDS = 28
"""Time for one event."""


class Watch:
    """Adds up what it is wrapped around."""

    def __init__(self) -> None:
        self._seconds = 0.0

    def wrap(self, path: str) -> None:
        module, _, names = path.partition(":")
        class_name, _, method_name = names.partition(".")
        owner = getattr(importlib.import_module(module), class_name)
        setattr(owner, method_name, self._timed(getattr(owner, method_name)))

    def take_seconds(self) -> float:
        seconds, self._seconds = self._seconds, 0.0
        return seconds

    def _timed(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any, **keywords: Any) -> Any:
            started = time.perf_counter()
            try:
                return method(*arguments, **keywords)
            finally:
                self._seconds += time.perf_counter() - started

        return timed


def main(package: str, handler_name: str, log: str, *watched: str) -> None:
    channel = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    with Path(log).open("ab") as log_file:
        os.dup2(log_file.fileno(), sys.stdout.fileno())
    sys.path.insert(0, package)
    module_name, _, function_name = handler_name.rpartition(".")
    handler = getattr(importlib.import_module(module_name), function_name)
    watch = Watch()
    for path in watched:
        watch.wrap(path)
    for line in sys.stdin:
        attempts = [attempt(handler, event, watch) for event in json.loads(line)]
        print(json.dumps({"attempts": attempts, **memory()}), file=channel, flush=True)


def attempt(handler: Any, event: dict[str, Any], watch: Watch) -> dict[str, Any]:
    request = event["requestContext"]
    context = new_context(request["requestId"], request["accountId"], time.time() + SECONDS)
    cpu_before, before = time.process_time(), time.perf_counter()
    answer = handler(event, context)
    seconds, cpu_seconds = time.perf_counter() - before, time.process_time() - cpu_before
    return {
        "answer": json.loads(answer["body"]),
        "wait": seconds * 1000,
        "cpu": cpu_seconds * 1000,
        "watched": watch.take_seconds() * 1000,
    }


def memory() -> dict[str, float]:
    """Megabytes. Not by getrusage: its peak begins with that of the process which started this one."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    peak, now = (int(status[field].split()[0]) * 1024 / 1_000_000 for field in ("VmHWM", "VmRSS"))
    return {"peak_memory": peak, "memory": now}


if __name__ == "__main__":
    main(*sys.argv[1:])
