"""The whole service on one machine, for `make run` and for tests: Iamport's simulator, AWS's stand-in and the API."""

import socket
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from infra.local.api import ApiGateway
from infra.local.aws import Aws, run_aws
from infra.local.execution_environments import ExecutionEnvironments, FunctionError, NoAnswerInTime
from infra.local.http_server import serve
from infra.local.iamport import Simulator
from infra.local.iamport.contracts import LENIENT, with_all_others
from infra.local.template import TEMPLATE, Api, Function, Template
from infra.local.token import CUSTOMER_TOKEN_KEY

API = "BillingApi"
"""The API's name in the template."""

IAMPORT_BASE_URL = "IamportBaseUrl"
"""The parameter's name in the template."""

IMP_KEY = "local-imp-key"
IMP_SECRET = "local-imp-secret"

LOCAL_PARAMETERS = {
    "AttemptsPerCustomer": "1000",
    "AttemptsPerCard": "1000000",
    "AttemptsPerCardPerDay": "1000000",
}
"""Who tries the test cards out is not to be taken for somebody who tries stolen ones."""
LARGEST_POOL = 8
"""Containers of one function."""
SETTLE_FUNCTION = "SettleFunction"
SETTLE_EVERY_SECONDS = 60.0
"""As in the template; tests that wait for it ask for less."""


@dataclass(frozen=True)
class Backends:
    """What the functions talk to."""

    simulator: Simulator
    aws: Aws


@dataclass(frozen=True)
class LocalService:
    url: str
    backends: Backends


@contextmanager
def run_backends(
    template: Template,
    *,
    host: str = "127.0.0.1",
    iamport_port: int = 0,
    aws_port: int = 0,
    contract: str = LENIENT.name,
) -> Iterator[Backends]:
    """`contract`: of Iamport's default channel. Raises OSError where a port is taken."""
    require_free_port(host, iamport_port)
    require_free_port(host, aws_port)
    with (
        Simulator(IMP_KEY, IMP_SECRET, host=host, port=iamport_port, contracts=with_all_others(contract)) as simulator,
        run_aws(template, host, aws_port) as aws,
    ):
        put_local_keys(aws)
        yield Backends(simulator, aws)


def put_local_keys(aws: Aws) -> None:
    """The secret holds what the simulator and `new_token` go by."""
    aws.put_keys(IMP_KEY, IMP_SECRET, customer_token_key=CUSTOMER_TOKEN_KEY)


@contextmanager
def run_service(
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    template_path: Path = TEMPLATE,
    parameters: Mapping[str, str] | None = None,
    settle_every: float = SETTLE_EVERY_SECONDS,
    contract: str = LENIENT.name,
    largest_pool: int = LARGEST_POOL,
    log: IO[bytes] | None = None,
) -> Iterator[LocalService]:
    """Serves until the block ends; then no process is left.

    `parameters` stand for the template's defaults. `largest_pool`: invocations at once; more requests wait. What the
    function writes goes to `log`, or to the terminal.
    Raises OSError where the port is taken, FunctionError where the handler cannot be imported.
    """
    require_free_port(host, port)
    parameters = parameters or {}
    template = local_template(parameters, template_path)
    with (
        run_backends(template, contract=contract) as backends,
        run_door(backends, template, parameters, host, port, log, largest_pool=largest_pool) as url,
    ):
        if not template.has(SETTLE_FUNCTION):
            yield LocalService(url, backends)
            return
        settling = template.function(SETTLE_FUNCTION, backends.aws.physical_ids)
        with run_on_schedule(talking_to(backends, settling, parameters.get(IAMPORT_BASE_URL)), settle_every, log=log):
            yield LocalService(url, backends)


@contextmanager
def run_second_door(
    backends: Backends, parameters: Mapping[str, str], *, host: str = "127.0.0.1", log: IO[bytes] | None = None
) -> Iterator[str]:
    """The API once more, on a free port, for other parameters. It takes a process only when it is first asked."""
    with run_door(backends, local_template(parameters), parameters, host, 0, log, warm=False) as url:
        yield url


@contextmanager
def run_door(
    backends: Backends,
    template: Template,
    parameters: Mapping[str, str],
    host: str,
    port: int,
    log: IO[bytes] | None,
    *,
    largest_pool: int = LARGEST_POOL,
    warm: bool = True,
) -> Iterator[str]:
    """As `run_api`, before the function that the template puts there. `parameters`: what the template was given."""
    function = template.function(template.function_behind_api(), backends.aws.physical_ids)
    issuing = talking_to(backends, function, parameters.get(IAMPORT_BASE_URL))
    with run_api(
        template.api(API), issuing, host=host, port=port, largest_pool=largest_pool, log=log, warm=warm
    ) as url:
        yield url


def local_template(parameters: Mapping[str, str], path: Path = TEMPLATE) -> Template:
    return Template(path, {**LOCAL_PARAMETERS, **parameters})


def talking_to(backends: Backends, function: Function, iamport_url: str | None = None) -> Function:
    """As in the cloud but for whom it talks to: the simulator, where no other Iamport is named, and AWS's stand-in."""
    urls = {"IAMPORT_BASE_URL": iamport_url or backends.simulator.url, "AWS_ENDPOINT_URL": backends.aws.url}
    return replace(function, environment={**function.environment, **urls})


@contextmanager
def run_on_schedule(function: Function, seconds: float, *, log: IO[bytes] | None = None) -> Iterator[None]:
    """Invokes the function again and again, as EventBridge's schedule does."""
    pool = ExecutionEnvironments(function, largest=1, log=log)
    over = threading.Event()

    def invoke_until_over() -> None:
        while not over.wait(seconds):
            event = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}
            with suppress(FunctionError, NoAnswerInTime):  # the function has logged why, and is invoked again
                pool.invoke(event, str(uuid.uuid4()), function.timeout_seconds)

    thread = threading.Thread(target=invoke_until_over, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        pool.stop()
        thread.join()


@contextmanager
def run_api(
    api: Api,
    function: Function,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    largest_pool: int = LARGEST_POOL,
    log: IO[bytes] | None = None,
    warm: bool = True,
) -> Iterator[str]:
    """API Gateway and Lambda alone. Gives the URL. `largest_pool`: invocations at once; more requests wait.

    `warm`: the handler is imported before the block begins.

    Raises OSError where the port is taken, FunctionError where the handler cannot be imported.
    """
    pool = ExecutionEnvironments(function, largest=largest_pool, log=log)
    try:
        with serve(ApiGateway(api, pool.invoke), host, port) as url:
            if warm:
                pool.warm_up()
            yield url
    finally:
        pool.stop()


def require_free_port(host: str, port: int) -> None:
    """Raises OSError that says so before anything is started; moto's server would wait for a taken one for ever."""
    try:
        socket.create_server((host, port)).close()
    except OSError as failure:
        raise OSError(f"{host} port {port}: {failure.strerror}") from failure
