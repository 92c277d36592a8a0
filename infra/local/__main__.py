"""`python -m infra.local`: the service on this machine until Ctrl-C. What `make run` and `make backends` start."""

import argparse
import json
import logging
import os
import secrets
import signal
import sys
import threading
from contextlib import ExitStack
from datetime import UTC, datetime

from infra.local.examples import ExamplesServer, running
from infra.local.execution_environments import FunctionError
from infra.local.iamport.__main__ import add_contract
from infra.local.iamport.cards import ANY_OTHER
from infra.local.iamport.contracts import BY_NAME
from infra.local.intrinsics import TemplateError
from infra.local.service import API, LocalService, run_backends, run_service
from infra.local.template import Template
from infra.local.token import new_token

BACKENDS_HOST = "0.0.0.0"  # noqa: S104 (containers reach this machine by an address of their own network)
IAMPORT_PORT = 4010
AWS_PORT = 4011
"""Where env.json and samconfig.toml send the containers of `sam local`."""

VITE_ORIGIN = "http://localhost:5173"
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
                _start_backends(stack, options.contract)
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
        help="the frontends get the next one; 0 takes any that are free (default: %(default)s)",
    )
    parser.add_argument(
        "--backends-only",
        action="store_true",
        help=f"only what the function talks to, for containers: Iamport on {IAMPORT_PORT}, AWS on {AWS_PORT}",
    )
    add_contract(parser)
    parser.add_argument(
        "--parameters",
        nargs="*",
        default=[],
        type=_parameter,
        metavar="NAME=VALUE",
        help="of template.yaml, instead of their defaults",
    )
    return parser.parse_args()


def _parameter(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    if name not in Template().parameter_names:
        raise argparse.ArgumentTypeError(f"template.yaml has no parameter {name}")
    return name, value


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) < 65536):
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return int(text)


def _start_backends(stack: ExitStack, contract: str) -> None:
    backends = run_backends(
        Template(), host=BACKENDS_HOST, iamport_port=IAMPORT_PORT, aws_port=AWS_PORT, contract=contract
    )
    stack.enter_context(backends)
    print(f"Iamport's simulator  port {IAMPORT_PORT}")
    print(f"AWS's stand-in       port {AWS_PORT}")
    print("Ready for `sam local invoke` and `sam local start-api`. Ctrl-C stops both.", flush=True)


def _start_service(stack: ExitStack, options: argparse.Namespace) -> None:
    host, port = options.host, options.port
    examples = stack.enter_context(ExamplesServer(host, port + 1 if port else 0))
    parameters = {
        "CustomerIdentity": os.environ.get("CUSTOMER_IDENTITY", "open"),
        "AllowedOrigins": ",".join((*examples.origins, VITE_ORIGIN)),
        **dict(options.parameters),
    }
    identity = parameters["CustomerIdentity"]
    running_service = run_service(host=host, port=port, parameters=parameters, contract=options.contract)
    service = stack.enter_context(running_service)
    examples.api_url = service.url
    stack.enter_context(running(examples))
    print(f"API                  {service.url}")
    print(f"Frontends, contract  {examples.origin}")
    print(f"Iamport's simulator  {service.backends.simulator.url}")
    print(f"AWS's stand-in       {service.backends.aws.url}")
    print(f"Whose card it is     {identity}")
    print(f"Contract             {options.contract}: {BY_NAME[options.contract].what}")
    print(f"\nIssue a billing key:\n\n{_curl(service, identity)}\n\nTest cards:\n")
    for card in (*service.backends.simulator.cards, ANY_OTHER):
        print(f"  {card.number:19}  {card.what_happens}")
    print(f"\nReady: {service.url} (Ctrl-C stops everything)", flush=True)


def _curl(service: LocalService, identity: str) -> str:
    path = next(iter(Template().api(API).routes))
    body = {
        "card_number": "0000-1000-0000-0001",
        "expiry": f"{datetime.now(UTC).year + 3}-12",
        "birth": "900101",
        "pwd_2digit": "12",
    }
    customer_uid = f"customer-{secrets.token_hex(4)}"
    if identity == "signed":
        body["customer_token"] = new_token(customer_uid)
    else:
        body["customer_uid"] = customer_uid
    return f"curl -sS {service.url}{path} -H 'Content-Type: application/json' -d '{json.dumps(body)}'"


if __name__ == "__main__":
    main()
