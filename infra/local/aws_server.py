"""moto's server as a program: `python -m infra.local.aws_server HOST PORT`.

It prints its port and serves until its standard input ends, and so never outlives whoever started it.
"""

import logging
import socket
import sys
import threading
from contextlib import suppress

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from waitress.server import create_server

from infra.local.control import controlled
from infra.local.dynamodb.installed import install
from infra.local.worked_out_once import work_out_once


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


if __name__ == "__main__":
    main(*sys.argv[1:])
