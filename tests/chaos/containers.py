"""Containers, each a process of its own that can be killed.

They are forks of one process that has imported the code, which takes most of a start; that one makes no connection and
runs no thread. What a container has, it makes after the fork: services, clients, connections, its token.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from infra.local.program import ProgramEnded
from infra.local.template import PROJECT


class Container:
    """Talked to line by line."""

    def __init__(self, line: socket.socket) -> None:
        self._text = line.makefile("rw", encoding="utf-8")
        line.close()
        self.process_id = int(self._next_line())

    def ask(self, line: str) -> str:
        """Raises ProgramEnded."""
        try:
            self._text.write(f"{line}\n")
            self._text.flush()
        except (BrokenPipeError, ConnectionResetError):
            raise ProgramEnded from None
        return self._next_line()

    def end(self) -> None:
        """Afterwards it is gone. Until then its process id is nobody else's: who forked it never asks for its end."""
        os.kill(self.process_id, signal.SIGKILL)
        with suppress(OSError):
            self._text.read()
            self._text.close()

    def _next_line(self) -> str:
        try:
            line = self._text.readline()
        except ConnectionResetError:  # killed before it read what it was asked
            line = ""
        if not line:
            raise ProgramEnded
        return line.rstrip("\n")


class Containers:
    """Where they are forked; `start` may be called by any thread."""

    def __init__(self, orders: socket.socket) -> None:
        self._orders, self._one_at_a_time = orders, threading.Lock()

    def start(self, settings: Mapping[str, str]) -> Container:
        """`settings`: what its environment has besides what all have. Raises ProgramEnded."""
        ours, theirs = socket.socketpair()
        with self._one_at_a_time:
            with theirs:
                socket.send_fds(self._orders, [json.dumps(dict(settings)).encode()], [theirs.fileno()])
            return Container(ours)


@contextmanager
def run_containers(environment: Mapping[str, str]) -> Iterator[Containers]:
    """`environment`: what all have. Afterwards none is left."""
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(  # noqa: S603 (our own program)
            [sys.executable, "-m", "tests.chaos.mortal_container", str(theirs.fileno())],
            cwd=PROJECT,
            env=environment,
            pass_fds=[theirs.fileno()],
            process_group=0,  # Ctrl-C in the terminal is for who started it, who then ends it
        )
    try:
        with ours:
            yield Containers(ours)
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # with all that it has forked
        process.wait()
