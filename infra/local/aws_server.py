"""moto's server as a program: `python -m infra.local.aws_server HOST PORT`.

It prints its port and serves until its standard input ends, and so never outlives whoever started it.
"""

import logging
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any

from moto import backends
from moto.core import responses
from moto.core.utils import method_names_from_class
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.parsing.ast_nodes import DepthFirstTraverser  # type: ignore[attr-defined]
from moto.dynamodb.parsing.expressions import UpdateExpressionParser  # type: ignore[attr-defined]
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from waitress.server import create_server

from infra.local.control import controlled
from infra.local.dynamodb.installed import install


def main(host: str, port: str) -> None:
    commands = install()
    work_out_once()
    # That others wait for the one thread is as it should be, and nothing to warn of.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    # One thread, so one request at a time, as `infra.local.dynamodb` needs it. moto's own server hangs up after every
    # answer, which AWS does not.
    application = DomainDispatcherApplication(create_backend_app)
    listening = socket.create_server((host, int(port)))
    server = create_server(controlled(application, commands), sockets=[listening], threads=1, connection_limit=1000)
    threading.Thread(target=server.run, daemon=True).start()
    print(listening.getsockname()[1], flush=True)
    with suppress(KeyboardInterrupt):
        sys.stdin.read()


def work_out_once() -> None:
    """Has moto remember what it works out anew at every request, a sixth of its time for a write."""
    services = list(backends.list_of_moto_modules())  # read from its disk
    backends.list_of_moto_modules = lambda: services
    responses.method_names_from_class = cache(method_names_from_class)  # type: ignore[attr-defined]
    # Who evaluates an expression copies it first.
    UpdateExpressionParser.make = cache(UpdateExpressionParser.make)
    DepthFirstTraverser.nodes_to_be_processed = _once_a_class(DepthFirstTraverser.nodes_to_be_processed)
    DynamoType.size = _once_a_value(DynamoType.size)  # type: ignore[assignment,method-assign]


def _once_a_class(method: Callable[[Any], Any]) -> Callable[[Any], Any]:
    answers: dict[type, Any] = {}

    def remembered(instance: Any) -> Any:
        if type(instance) not in answers:
            answers[type(instance)] = method(instance)
        return answers[type(instance)]

    return remembered


def _once_a_value(size: Callable[[Any], int]) -> Callable[[Any], int]:
    """moto adds the sizes of all attributes up anew for each that is added. A text or a number stays as it is."""

    def remembered(value: Any) -> int:
        if value.type not in ("S", "N"):
            return size(value)
        known: int | None = value.__dict__.get("known_size")
        if known is None:
            known = value.known_size = size(value)
        return known

    return remembered


if __name__ == "__main__":
    main(*sys.argv[1:])
