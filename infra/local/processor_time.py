"""How much of the processors the processes of this program have had, as `ps` counts it."""

import os
import subprocess
from dataclasses import dataclass


@dataclass(frozen=True)
class Process:
    id: int
    parent: int
    seconds: float
    """Of a processor, so far."""


def seconds_by_process() -> dict[int, float]:
    """Of this process and all that it has started, by their ids."""
    processes = _all()
    own = {os.getpid()}
    while more := {one.id for one in processes if one.parent in own} - own:
        own |= more
    return {one.id: one.seconds for one in processes if one.id in own}


def _all() -> list[Process]:
    command = ["ps", "-A", "-o", "pid=,ppid=,time="]
    listing = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)  # noqa: S603
    columns = [line.split() for line in listing.stdout.splitlines()]
    return [Process(int(process_id), int(parent), seconds_in(time)) for process_id, parent, time in columns]


def seconds_in(text: str) -> float:
    """Of `[[days-]hours:]minutes:seconds`. Source: POSIX, `ps`, "time"; macOS adds hundredths."""
    days, _, clock = text.rpartition("-")
    seconds = 0.0
    for part in clock.split(":"):
        seconds = seconds * 60 + float(part)
    return seconds + int(days or 0) * 86400
