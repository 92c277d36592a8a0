"""What Lambda's runtime does inside one execution environment: import the handler once, run one event at a time.

Started by `execution_environments` as a program of its own, in the function's environment:
`python runtime.py SOCKET CODE HANDLER`.
It imports nothing of this project, so that the handler sees only what it will see in the cloud. One JSON document
per line in each direction. It ends when the other side closes the socket.
"""

import importlib
import json
import os
import socket
import sys
import time
import traceback
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Context:
    """The handler's second argument. Source: AWS Lambda developer guide, "Lambda context object in Python"."""

    aws_request_id: str
    function_name: str
    memory_limit_in_mb: str
    invoked_function_arn: str
    deadline: float
    """In seconds since 1970."""
    function_version: str = "$LATEST"
    log_group_name: str = ""
    log_stream_name: str = ""
    identity: None = None
    client_context: None = None

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self.deadline - time.time()) * 1000))


def main(descriptor: str, code: str, handler_name: str) -> None:
    with socket.socket(fileno=int(descriptor)) as connection, connection.makefile("rwb") as stream:

        def send(message: dict[str, Any]) -> None:
            stream.write(json.dumps(message).encode() + b"\n")
            stream.flush()

        sys.path.insert(0, code)
        module_name, _, function_name = handler_name.rpartition(".")
        handler = getattr(importlib.import_module(module_name.replace("/", ".")), function_name)
        send({"ready": True})
        for line in stream:
            send(answer(handler, json.loads(line)))


def new_context(request_id: str, account_id: str, deadline: float) -> Context:
    """Of the function that this process runs. `deadline` in seconds since 1970."""
    name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
    return Context(
        aws_request_id=request_id,
        function_name=name,
        memory_limit_in_mb=os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"],
        invoked_function_arn=f"arn:aws:lambda:{os.environ['AWS_REGION']}:{account_id}:function:{name}",
        deadline=deadline,
    )


def answer(handler: Any, invocation: dict[str, Any]) -> dict[str, Any]:
    """{"result": ...}, or {"error": the exception's type}; the traceback goes to the log, as in Lambda."""
    context = new_context(invocation["request_id"], invocation["account_id"], invocation["deadline"])
    try:
        result = handler(invocation["event"], context)
        json.dumps(result)
    except Exception as failure:  # noqa: BLE001 (whatever a handler raises ends the invocation, not the runtime)
        traceback.print_exc()
        return {"error": type(failure).__name__}
    return {"result": result}


if __name__ == "__main__":
    main(*sys.argv[1:])
