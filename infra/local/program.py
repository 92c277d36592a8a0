"""A Python program of this project in a process of its own, talked to line by line."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from infra.local.template import PROJECT


class ProgramEnded(Exception):
    """Before it said what it was asked for; why is on its standard error."""


class Program:
    def __init__(self, *arguments: str | Path, environment: Mapping[str, str] | None = None) -> None:
        """`arguments` are Python's own."""
        # A process group of its own: Ctrl-C in the terminal is for who started it, who then ends it.
        self._process = subprocess.Popen(  # noqa: S603 (our own program)
            [sys.executable, *arguments],
            cwd=PROJECT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            process_group=0,
        )
        assert self._process.stdin is not None  # noqa: S101 (a pipe was asked for)
        assert self._process.stdout is not None  # noqa: S101 (a pipe was asked for)
        self._input, self._output = self._process.stdin, self._process.stdout
        self.process_id = self._process.pid

    def ask(self, line: str = "") -> str:
        """Raises ProgramEnded."""
        try:
            self._input.write(f"{line}\n")
            self._input.flush()
        except BrokenPipeError:
            raise ProgramEnded from None
        return self.next_line()

    def next_line(self) -> str:
        """Raises ProgramEnded."""
        line = self._output.readline()
        if not line:
            raise ProgramEnded
        return line.rstrip("\n")

    def end(self) -> None:
        """Afterwards the process is gone."""
        self._process.kill()
        self._process.communicate()


@contextmanager
def run_program(*arguments: str | Path, environment: Mapping[str, str] | None = None) -> Iterator[Program]:
    program = Program(*arguments, environment=environment)
    try:
        yield program
    finally:
        program.end()
