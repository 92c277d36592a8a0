"""What API Gateway decides: which request reaches the function, and what is answered without it.

All of it is read from the template. Source: API Gateway developer guide, "Gateway response types" (each type's own
status and message) and "Amazon API Gateway quotas" (sizes, times).
"""

import json
import logging
import re
import uuid
from collections.abc import Mapping
from typing import Any, Protocol

from infra.local.execution_environments import FunctionError, NoAnswerInTime
from infra.local.proxy_event import (
    HttpRequest,
    HttpResponse,
    MalformedResult,
    RequestIds,
    http_response,
    new_ids,
    proxy_event,
)
from infra.local.template import Api, GatewayResponse

logger = logging.getLogger(__name__)

LARGEST_EVENT = 6 * 1024 * 1024
"""Bytes of JSON that Lambda takes from a caller that waits for the answer; API Gateway itself would take 10 MB."""

LONGEST_WAIT = 29.0
"""Seconds that API Gateway waits for a function."""

ERRORS = {
    "MISSING_AUTHENTICATION_TOKEN": (403, "Missing Authentication Token"),
    "REQUEST_TOO_LARGE": (413, "Request Too Long"),
    "INTEGRATION_TIMEOUT": (504, "Endpoint request timed out"),
    "DEFAULT_4XX": (400, "Bad Request"),
    "DEFAULT_5XX": (502, "Internal server error"),
}
"""Response type to the status and message that it has where the template says nothing."""

NOTHING_SAID = GatewayResponse(None, {}, '{"message":$context.error.messageString}')

CONTEXT_VARIABLE = re.compile(r"\$context\.([A-Za-z]+(?:\.[A-Za-z]+)*)")

INDEX = """Card door, on this machine.

{routes}

GET / is this page; everything else is answered as API Gateway answers it in the cloud.
"""


class Invoke(Protocol):
    """Runs the function. `patience` in seconds. Raises FunctionError, NoAnswerInTime."""

    def __call__(self, event: Mapping[str, Any], request_id: str, patience: float) -> Any: ...


class ApiGateway:
    def __init__(self, api: Api, invoke: Invoke) -> None:
        self._api = api
        self._invoke = invoke

    def answer(self, request: HttpRequest) -> HttpResponse:
        """The body of a request may be cut off after LARGEST_EVENT + 1 bytes."""
        ids = new_ids(request)
        response = self._route(request, ids)
        own_headers = (("x-amzn-RequestId", ids.request), ("x-amz-apigw-id", ids.extended))
        return HttpResponse(response.status_code, (*response.headers, *own_headers), response.body)

    def refuse_malformed(self, status_code: int) -> HttpResponse:
        """Answers what is not HTTP enough to be read."""
        nothing = HttpRequest("", "/", (), b"", "")
        return self._refuse("DEFAULT_4XX", nothing, new_ids(nothing), status_code)

    def _route(self, request: HttpRequest, ids: RequestIds) -> HttpResponse:
        methods = self._api.routes.get(request.path, ())
        if request.method in methods or "ANY" in methods:
            return self._integrate(request, ids)
        if request.method == "OPTIONS" and methods and self._api.preflight_headers:
            headers = (*self._api.preflight_headers.items(), ("Content-Type", "application/json"))
            return HttpResponse(200, headers, b"{}\n")
        if (request.method, request.path) == ("GET", "/"):
            return self._index()
        return self._refuse("MISSING_AUTHENTICATION_TOKEN", request, ids)

    def _integrate(self, request: HttpRequest, ids: RequestIds) -> HttpResponse:
        event = proxy_event(request, self._api, ids)
        if len(json.dumps(event, ensure_ascii=False).encode("utf-8", "surrogatepass")) > LARGEST_EVENT:
            return self._refuse("REQUEST_TOO_LARGE", request, ids)
        try:
            return http_response(self._invoke(event, str(uuid.uuid4()), LONGEST_WAIT), request, self._api)
        except NoAnswerInTime:
            return self._refuse("INTEGRATION_TIMEOUT", request, ids)
        except (FunctionError, MalformedResult) as failure:
            logger.error("%s %s", ids.extended, failure)  # noqa: TRY400 (the traceback would be that of this stand-in)
            return self._refuse("DEFAULT_5XX", request, ids)

    def _index(self) -> HttpResponse:
        routes = "\n".join(f"{', '.join(methods):8}{path}" for path, methods in self._api.routes.items())
        return HttpResponse(200, (("Content-Type", "text/plain; charset=utf-8"),), INDEX.format(routes=routes).encode())

    def _refuse(
        self, response_type: str, request: HttpRequest, ids: RequestIds, status_code: int | None = None
    ) -> HttpResponse:
        own_status, message = ERRORS[response_type]
        status = status_code or own_status
        responses = self._api.gateway_responses
        default = responses.get(f"DEFAULT_{status // 100}XX", NOTHING_SAID)
        response = responses.get(response_type, default)
        context = {
            "error.message": message,
            "error.messageString": json.dumps(message),
            "error.responseType": response_type,
            "requestId": ids.request,
            "extendedRequestId": ids.extended,
            "stage": self._api.stage,
            "httpMethod": request.method,
        }
        body = CONTEXT_VARIABLE.sub(lambda match: context.get(match[1], ""), response.template)
        headers = {"Content-Type": "application/json"} | _headers(response, request, context)
        return HttpResponse(response.status_code or status, tuple(headers.items()), body.encode())


def _headers(response: GatewayResponse, request: HttpRequest, context: Mapping[str, str]) -> dict[str, str]:
    headers = {}
    for name, source in response.headers.items():
        if source.startswith("'"):
            headers[name] = source.strip("'")
        elif source.startswith("context."):
            headers[name] = context.get(source.removeprefix("context."), "")
        else:
            headers[name] = request.header(source.removeprefix("method.request.header."))
    return {name: value for name, value in headers.items() if value}
