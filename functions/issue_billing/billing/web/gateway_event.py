"""The event that API Gateway's REST API makes of a request (Lambda proxy integration), and what else may come.

    {"resource": "/subscription/issue-billing",         the route, as the template has it
     "path": "/cards/subscription/issue-billing",       as the caller wrote it, a custom domain's base path included
     "httpMethod": "POST", "headers": {...}, "requestContext": {"extendedRequestId": ..., "requestId": ...}, ...}

Source: API Gateway developer guide, "Input format of a Lambda function for proxy integration".
"""

from collections.abc import Mapping
from typing import Any, TypeGuard


def is_request(event: object) -> TypeGuard[dict[str, Any]]:
    """False for a warm-up, a schedule, a load balancer and an HTTP API (v2): all of them lack the route."""
    return isinstance(event, dict) and all(isinstance(event.get(name), str) for name in ("httpMethod", "resource"))


def by_its_route(event: Mapping[str, Any]) -> dict[str, Any]:
    """The event for Powertools, which routes by `path`."""
    return {**event, "path": event["resource"]}


def request_id(event: object, of_lambda: str) -> str:
    """API Gateway's own id. A caller may choose the other one, `requestId`, by sending x-amzn-RequestId.

    `of_lambda` is the invocation's id, for an event without one: `sam local` has null there.
    """
    context = event.get("requestContext") if isinstance(event, Mapping) else None
    given = context.get("extendedRequestId") if isinstance(context, Mapping) else None
    return given if isinstance(given, str) and given else of_lambda
