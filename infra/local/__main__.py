"""`python -m infra.local`: the service on this machine until Ctrl-C. What `make run` and `make backends` start."""

import argparse
import logging
import os
import signal
import sys
import threading
from contextlib import ExitStack

from infra.local.event_pipe import EVENT_PIPE, Event, run_pipe
from infra.local.execution_environments import FunctionError
from infra.local.iamport.__main__ import add_contract
from infra.local.intrinsics import TemplateError
from infra.local.service import require_free_port, run_backends, run_second_door, run_service
from infra.local.settings import parameters_from
from infra.local.shop.server import ShopServer, running
from infra.local.shop.visits import Identity
from infra.local.template import Template
from infra.local.webhook import run_webhook, webhook_url_from
from infra.local.welcome import print_webhook, print_what_to_try, print_where

BACKENDS_HOST = "0.0.0.0"  # noqa: S104 (containers reach this machine by an address of their own network)
IAMPORT_PORT = 4010
AWS_PORT = 4011
"""Where env.json and samconfig.toml send the containers of `sam local`."""

LAST_PORT = 65535

ANY_PAGE = "*"
VITE_ORIGINS = ("http://localhost:5173", "http://127.0.0.1:5173")
"""Where `npm run dev` of examples/react serves."""


def main() -> None:
    options = _options()
    logging.basicConfig(format="%(message)s")
    logging.getLogger("infra.local").setLevel(logging.INFO)
    # Both, as a shell that starts this in the background has SIGINT ignored.
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, signal.default_int_handler)
    try:
        with ExitStack() as stack:
            if options.backends_only:
                _start_backends(stack, options)
            else:
                _start_service(stack, options)
            threading.Event().wait()
    except KeyboardInterrupt:
        print("Stopped.", flush=True)
    except (OSError, FunctionError, TemplateError) as failure:
        sys.exit(f"Not started: {failure}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.local", description="The service on this machine.")
    parser.add_argument("--host", default="127.0.0.1", help="address to serve on (default: %(default)s)")
    parser.add_argument(
        "--port",
        default=3000,
        type=_port,
        help="the shop gets the next one; 0 takes any that are free (default: %(default)s)",
    )
    parser.add_argument("--backends-only", action="store_true", help="only what the function talks to, for containers")
    parser.add_argument("--iamport-port", default=IAMPORT_PORT, type=_port, help="with --backends-only: %(default)s")
    parser.add_argument("--aws-port", default=AWS_PORT, type=_port, help="with --backends-only: %(default)s")
    add_contract(parser)
    options = parser.parse_args()
    if not options.backends_only and options.port == LAST_PORT:
        parser.error(f"argument --port: the shop takes the next port, and after {LAST_PORT} there is none")
    if options.backends_only and options.iamport_port == options.aws_port != 0:
        parser.error("Iamport's simulator and AWS's stand-in want a port each")
    return options


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) <= LAST_PORT):
        raise argparse.ArgumentTypeError(f"a port is a number from 0 to {LAST_PORT}")
    return int(text)


def _start_backends(stack: ExitStack, options: argparse.Namespace) -> None:
    iamport_port, aws_port = options.iamport_port, options.aws_port
    running_backends = run_backends(
        Template(), host=BACKENDS_HOST, iamport_port=iamport_port, aws_port=aws_port, contract=options.contract
    )
    backends = stack.enter_context(running_backends)
    print(f"Iamport's simulator  {backends.simulator.url}")
    print(f"AWS's stand-in       {backends.aws.url}")
    if (iamport_port, aws_port) != (IAMPORT_PORT, AWS_PORT):
        print(f"infra/local/env.json sends containers to {IAMPORT_PORT} and {AWS_PORT}: write these ports into it.")
    print("Ready for `sam local invoke` and `sam local start-api`. Ctrl-C stops both.", flush=True)


def _start_service(stack: ExitStack, options: argparse.Namespace) -> None:
    host, port, contract = options.host, options.port, options.contract
    chosen, webhook_url = parameters_from(os.environ, Template()), webhook_url_from(os.environ, Template())
    identity: Identity = "signed" if chosen.get("CustomerIdentity") == "signed" else "open"
    shop = stack.enter_context(_shop(host, port + 1 if port else 0))
    # Any page may call, and those that are named may also show the form in a frame.
    allowed = {"AllowedOrigins": ",".join((ANY_PAGE, *shop.origins, *VITE_ORIGINS))}
    parameters = {**allowed, **chosen, "CustomerIdentity": identity}
    service = stack.enter_context(run_service(host=host, port=port, parameters=parameters, contract=contract))
    other: Identity = "open" if identity == "signed" else "signed"
    second_door = run_second_door(service.backends, {**parameters, "CustomerIdentity": other}, host=host)
    shop.doors = {identity: service.url, other: stack.enter_context(second_door)}
    shop.cards = service.backends.simulator.cards
    receivers = [shop.receive, *([stack.enter_context(run_webhook(webhook_url))] if webhook_url else [])]

    def receive(event: Event) -> None:
        for one in receivers:
            one(event)

    stack.enter_context(run_pipe(Template().pipe(EVENT_PIPE), service.backends.aws, receive))
    stack.enter_context(running(shop))
    print_where(service, shop, parameters, identity, contract)
    if webhook_url:
        print_webhook(webhook_url)
    print_what_to_try(service, shop, identity)
    print(f"\nReady: {service.url} (Ctrl-C stops everything)", flush=True)


def _shop(host: str, port: int) -> ShopServer:
    """Raises OSError, whose text names the port."""
    try:
        require_free_port(host, port)
    except OSError as failure:
        raise OSError(f"{failure} (the shop takes the port after the API's: PORT=… chooses both)") from failure
    return ShopServer(host, port)


if __name__ == "__main__":
    main()
