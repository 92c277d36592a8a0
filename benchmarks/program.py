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
    def __init__(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdin is not None  # noqa: S101 (a pipe was asked for)
        assert process.stdout is not None  # noqa: S101 (a pipe was asked for)
        self._input, self._output = process.stdin, process.stdout

    def ask(self, line: str = "") -> str:
        """Raises ProgramEnded."""
        self._input.write(f"{line}\n")
        self._input.flush()
        return self.next_line()

    def next_line(self) -> str:
        """Raises ProgramEnded."""
        line = self._output.readline()
        if not line:
            raise ProgramEnded
        return line


@contextmanager
def run_program(*arguments: str | Path, environment: Mapping[str, str] | None = None) -> Iterator[Program]:
    """`arguments` are Python's own. When the block ends, the process is gone."""
    process = subprocess.Popen(  # noqa: S603 (our own program)
        [sys.executable, *arguments],
        cwd=PROJECT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Program(process)
    finally:
        process.kill()
        process.communicate()
