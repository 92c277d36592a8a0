"""Lambda's side of the local service: execution environments of one function, as many as requests come at once.

Each is a process of its own that runs one invocation at a time, is kept for the next one, and is replaced when it dies
or overruns, as in Lambda.
"""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from infra.local.intrinsics import ACCOUNT_ID
from infra.local.lambda_environment import lambda_environment
from infra.local.template import Function

PROGRAM = Path(__file__).with_name("runtime.py")

LONGEST_START = 60.0
"""Seconds to import the handler. Lambda allows 10; a machine without compiled bytecode may need longer."""

LONGEST_EXIT = 5.0
"""Seconds to write why it ends and to end."""


class FunctionError(Exception):
    """The handler raised, died, could not be imported, or overran the function's timeout."""


class NoAnswerInTime(Exception):
    """The caller's patience ended before the function did, or before an execution environment was free."""


class ExecutionEnvironments:
    """Those of one function, started on demand up to `largest`; more requests wait."""

    def __init__(self, function: Function, *, largest: int, log: IO[bytes] | None) -> None:
        self._function = function
        self._largest = largest
        self._log = log
        self._changed = threading.Condition()
        self._all: set[ExecutionEnvironment] = set()
        self._idle: list[ExecutionEnvironment] = []
        self._starting = 0
        self._stopped = False

    def invoke(self, event: Mapping[str, Any], request_id: str, patience: float) -> Any:
        """What the handler returned. `patience` in seconds. Raises FunctionError, NoAnswerInTime."""
        give_up = time.monotonic() + patience
        environment = self._acquire(give_up)
        try:
            return environment.invoke(event, request_id, give_up - time.monotonic())
        finally:
            self._release(environment)

    def warm_up(self) -> None:
        """Starts the first execution environment. Raises FunctionError where the handler cannot be imported."""
        self._release(self._acquire(time.monotonic()))

    def stop(self) -> None:
        """Ends every process, whatever it is doing."""
        with self._changed:
            self._stopped = True
            running = list(self._all)
            self._changed.notify_all()
        for environment in running:
            environment.end()

    def _acquire(self, give_up: float) -> "ExecutionEnvironment":
        with self._changed:
            self._forget_the_dead()
            while not (self._idle or self._stopped or len(self._all) + self._starting < self._largest):
                if not self._changed.wait(give_up - time.monotonic()):
                    raise NoAnswerInTime
            if self._stopped:
                raise FunctionError("the service is stopping")
            if self._idle:
                return self._idle.pop()
            self._starting += 1
        return self._start()

    def _start(self) -> "ExecutionEnvironment":
        environment = None
        try:
            environment = ExecutionEnvironment(self._function, self._log)
        finally:
            with self._changed:
                self._starting -= 1
                if environment is not None:
                    self._all.add(environment)
                self._changed.notify()
                stopped = self._stopped
            if environment is not None and stopped:
                environment.end()
        return environment

    def _release(self, environment: "ExecutionEnvironment") -> None:
        with self._changed:
            if environment.is_usable():
                self._idle.append(environment)
            else:
                self._all.discard(environment)
            self._changed.notify()

    def _forget_the_dead(self) -> None:
        for environment in [environment for environment in self._idle if not environment.is_usable()]:
            self._idle.remove(environment)
            self._all.discard(environment)
            environment.end()


class ExecutionEnvironment:
    """One process, which runs one invocation at a time."""

    def __init__(self, function: Function, log: IO[bytes] | None) -> None:
        """Raises FunctionError where the handler cannot be imported; why is in the log."""
        self._function = function
        self._connection, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-P", str(PROGRAM), str(theirs.fileno()), str(function.code), function.handler]
            # A process group of its own: Ctrl-C in the terminal is for the service, which then ends these.
            self._process = subprocess.Popen(  # noqa: S603 (our own program)
                command,
                cwd=function.code,
                env=_environment(function),
                pass_fds=[theirs.fileno()],
                process_group=0,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._answers = self._connection.makefile("rb")
        try:
            self._receive(LONGEST_START)
        except (TimeoutError, EOFError) as failure:
            self.end()
            raise FunctionError(f"{function.handler} cannot be imported in {function.code}") from failure

    def invoke(self, event: Mapping[str, Any], request_id: str, patience: float) -> Any:
        """Raises FunctionError, NoAnswerInTime; after either, ask `is_usable`."""
        timeout = self._function.timeout_seconds
        invocation = {
            "event": event,
            "request_id": request_id,
            "account_id": ACCOUNT_ID,
            "deadline": time.time() + timeout,
        }
        try:
            self._connection.settimeout(LONGEST_START)
            self._connection.sendall(json.dumps(invocation).encode() + b"\n")
            answer = self._receive(min(timeout, patience))
        except TimeoutError as failure:
            self.end()
            # Whichever limit is reached first decides: API Gateway's is a 504, the function's own is a failure.
            if patience <= timeout:
                raise NoAnswerInTime from failure
            raise FunctionError(f"Task timed out after {timeout:.2f} seconds") from failure
        except (EOFError, OSError) as failure:
            self.end()
            raise FunctionError(f"the runtime exited, status {self._process.returncode}") from failure
        if "error" in answer:
            raise FunctionError(f"the handler raised {answer['error']}")
        return answer["result"]

    def is_usable(self) -> bool:
        return self._process.poll() is None

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        self._connection.close()

    def _receive(self, seconds: float) -> dict[str, Any]:
        self._connection.settimeout(max(seconds, 0.001))
        line = self._answers.readline()
        if not line.endswith(b"\n"):
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(LONGEST_EXIT)
            raise EOFError
        message: dict[str, Any] = json.loads(line)
        return message


def _environment(function: Function) -> dict[str, str]:
    """What is printed is in the log at once, as in Lambda, and who wants no bytecode written gets none."""
    inherited = {name: os.environ[name] for name in ("PYTHONDONTWRITEBYTECODE",) if name in os.environ}
    return {**inherited, "PYTHONUNBUFFERED": "1", **lambda_environment(function)}
