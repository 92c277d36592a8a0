"""What a test asks of AWS's stand-in, as `conflict_next`.

It comes over the socket that the AWS requests come over, so that the one thread which answers those carries it out
between two of them, and so that every process that knows the address may ask.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PATH = "/stand-in"
"""No AWS service of the stand-in has it."""


class NotUnderstood(Exception):
    """The stand-in could not do what it was asked; why is on its standard error."""


def ask(url: str, what: str, **arguments: Any) -> None:
    """Returns when it is done. Raises NotUnderstood, OSError."""
    connection = HTTPConnection(urlsplit(url).netloc, timeout=60)
    try:
        connection.request("POST", PATH, json.dumps({"what": what, "arguments": arguments}))
        if connection.getresponse().status != 204:
            raise NotUnderstood(what)
    finally:
        connection.close()


def controlled(application: "WSGIApplication", commands: Mapping[str, Callable[..., None]]) -> "WSGIApplication":
    """The same application, which also does what is asked."""

    def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if environ["PATH_INFO"] != PATH:
            return application(environ, start_response)
        asked = json.loads(environ["wsgi.input"].read())
        commands[asked["what"]](**asked["arguments"])
        start_response("204 No Content", [])
        return []

    return answer
