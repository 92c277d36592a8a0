"""The package that `sam build` makes, run by AWS's own runtime, without Docker.

aws-sam-cli brings the runtime interface emulator along, the program that stands for Lambda inside AWS's images; it
starts `awslambdaric`, the runtime's own Python part, as Lambda does. Python sees the package and the standard library
here, and nothing of the environment that runs the tests.
"""

import json
import os
import platform
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import requests

from infra.local.lambda_environment import lambda_environment
from infra.local.template import PROJECT, TEMPLATE, Function

SAM = Path(sys.prefix) / "sam" / "bin" / "sam"

RUNTIME_PACKAGES = ("awslambdaric", "simplejson")
"""awslambdaric and what it imports: what Lambda's image holds beside Python."""

RUNTIME_MODULES = ("runtime_client", "snapshot_restore_py")
"""The same, as single files."""

SAM_SECONDS = 300
START_SECONDS = 20


class SamFailed(Exception):
    """The message is what it printed."""


def build(directory: Path) -> Path:
    """Runs `sam build` and gives the directory of the packages, one for each function. Raises SamFailed."""
    run_sam(
        *("build", "--template-file", str(TEMPLATE)),
        *("--build-dir", str(directory / "build"), "--cache-dir", str(directory / "cache")),
    )
    return directory / "build"


def run_sam(*arguments: str) -> str:
    """Gives what it prints. The Python that runs the tests is the first on its PATH. Raises SamFailed."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(  # noqa: S603 (our own command)
        [SAM, *arguments],
        cwd=PROJECT,
        env={**os.environ, "PATH": path, "SAM_CLI_TELEMETRY": "0"},
        capture_output=True,
        text=True,
        timeout=SAM_SECONDS,
        check=False,
    )
    if done.returncode:
        raise SamFailed(done.stdout + done.stderr)
    return done.stdout


@dataclass(frozen=True)
class Runtime:
    """One execution environment. It takes one invocation at a time: two at once crash the emulator."""

    url: str
    log_file: Path

    def invoke(self, event: Mapping[str, Any]) -> Any:
        response = requests.post(
            f"{self.url}/2015-03-31/functions/function/invocations", data=json.dumps(event), timeout=(2, 35)
        )
        response.raise_for_status()
        return response.json()

    def log(self) -> str:
        """What the function and the emulator have written so far."""
        return self.log_file.read_text("utf-8")


@contextmanager
def run_lambda(function: Function, package: Path, directory: Path) -> Iterator[Runtime]:
    """Runs the function's package; `directory` takes the log. When the block ends, no process is left."""
    api_port, runtime_port = _free_ports(2)
    log_file = directory / "lambda.log"
    command = [str(_emulator()), "--log-level", "error"]
    command += ["--runtime-interface-emulator-address", f"127.0.0.1:{api_port}"]
    command += ["--runtime-api-address", f"127.0.0.1:{runtime_port}"]
    # -S: no site-packages, neither those of the tests nor the machine's.
    command += [sys.executable, "-S", "-m", "awslambdaric", function.handler]
    with log_file.open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 (our own command)
            command,
            cwd=package,
            env=_environment(replace(function, code=package), _runtime_library(directory)),
            stdout=log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
    try:
        _wait_for(api_port, process)
        yield Runtime(f"http://127.0.0.1:{api_port}", log_file)
    finally:
        # Told to end, the emulator ends the runtime first, which has a process group of its own.
        process.terminate()
        process.wait(timeout=10)


def _emulator() -> Path:
    architecture = "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"
    name = f"samcli/local/rapid/aws-lambda-rie-{architecture}"
    return next((SAM.parents[1] / "lib").glob(f"python*/site-packages/{name}"))


def _runtime_library(directory: Path) -> Path:
    """A directory that holds links to the runtime's packages, and nothing else that is installed beside them."""
    library = directory / "runtime"
    library.mkdir()
    for name in RUNTIME_PACKAGES:
        (library / name).symlink_to(Path(_origin(name)).parent)
    for name in RUNTIME_MODULES:
        module = Path(_origin(name))
        (library / module.name).symlink_to(module)
    return library


def _origin(module: str) -> str:
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(module)
    return spec.origin


def _environment(function: Function, runtime_library: Path) -> dict[str, str]:
    """Without PYTHONDONTWRITEBYTECODE: what had to be compiled leaves a file."""
    return {
        "PYTHONPATH": str(runtime_library),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(int(function.timeout_seconds)),  # the emulator's, and not Lambda's
        **lambda_environment(function),
    }


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the emulator ended with {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError("the emulator does not answer")
