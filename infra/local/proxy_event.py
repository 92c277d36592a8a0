"""HTTP to the event of API Gateway's Lambda proxy integration, and a handler's result back to HTTP.

Source: API Gateway developer guide, "Lambda proxy integrations" (input and output format, REST API) and
"Binary media types for REST APIs".
"""

import base64
import binascii
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from infra.local.intrinsics import ACCOUNT_ID
from infra.local.template import Api

API_ID = "local"

HOP_BY_HOP = (
    *("connection", "content-length", "expect", "keep-alive"),
    *("te", "trailer", "transfer-encoding", "upgrade"),
)
"""Headers of one connection; API Gateway passes none of them on, in either direction."""


@dataclass(frozen=True)
class HttpRequest:
    method: str
    target: str
    """Path and query as sent."""
    headers: tuple[tuple[str, str], ...]
    body: bytes
    source_ip: str

    @property
    def path(self) -> str:
        return unquote(urlsplit(self.target).path)

    def header(self, name: str) -> str:
        """The first value of that name; empty where there is none."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


@dataclass(frozen=True)
class HttpResponse:
    status_code: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""


@dataclass(frozen=True)
class RequestIds:
    request: str
    """A caller may choose it, by a header `x-amzn-RequestId`."""
    extended: str
    """API Gateway's own; it tells it as `x-amz-apigw-id` too."""


def new_ids(request: HttpRequest) -> RequestIds:
    chosen = request.header("x-amzn-RequestId")
    return RequestIds(chosen or str(uuid.uuid4()), base64.b64encode(uuid.uuid4().bytes[:11]).decode("ascii"))


class MalformedResult(Exception):
    """The handler returned what API Gateway cannot turn into an answer."""


def proxy_event(request: HttpRequest, api: Api, ids: RequestIds) -> dict[str, Any]:
    """A body whose media type is not binary becomes text, and what is not UTF-8 in it becomes U+FFFD for good:
    API Gateway treats it as UTF-8 text and has no other way.
    """
    query = parse_qsl(urlsplit(request.target).query, keep_blank_values=True)
    headers = [(name, value) for name, value in request.headers if name.lower() not in HOP_BY_HOP]
    headers += [("X-Forwarded-For", request.source_ip), ("X-Forwarded-Proto", "http")]
    is_binary = _matches(request.header("Content-Type"), api.binary_media_types)
    return {
        "resource": request.path,
        "path": request.path,
        "httpMethod": request.method,
        "headers": dict(headers),
        "multiValueHeaders": _grouped(headers),
        "queryStringParameters": dict(query) or None,
        "multiValueQueryStringParameters": _grouped(query) or None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": _request_context(request, api, ids),
        "body": _body_text(request.body, is_binary=is_binary),
        "isBase64Encoded": is_binary,
    }


def _request_context(request: HttpRequest, api: Api, ids: RequestIds) -> dict[str, Any]:
    now = time.time()
    return {
        "accountId": ACCOUNT_ID,
        "apiId": API_ID,
        "domainName": request.header("Host"),
        "domainPrefix": API_ID,
        "extendedRequestId": ids.extended,
        "httpMethod": request.method,
        "identity": {"sourceIp": request.source_ip, "userAgent": request.header("User-Agent") or None},
        "path": f"/{api.stage}{request.path}",
        "protocol": "HTTP/1.1",
        "requestId": ids.request,
        "requestTime": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
        "requestTimeEpoch": int(now * 1000),
        "resourceId": API_ID,
        "resourcePath": request.path,
        "stage": api.stage,
    }


def _body_text(body: bytes, *, is_binary: bool) -> str | None:
    if not body:
        return None
    return base64.b64encode(body).decode("ascii") if is_binary else body.decode("utf-8", "replace")


def http_response(result: Any, request: HttpRequest, api: Api) -> HttpResponse:
    """Raises MalformedResult.

    A base64 body is decoded only where the API lists the media type that the request's `Accept` names first, as binary.
    """
    match result:
        case {"statusCode": int(status_code)}:
            pass
        case _:
            raise MalformedResult("no statusCode")
    headers = _result_headers(result)
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers += (("Content-Type", "application/json"),)
    body = "" if result.get("body") is None else result["body"]
    if not isinstance(body, str):
        raise MalformedResult("the body is not a string")
    first_accepted = request.header("Accept").split(",")[0]
    if not (result.get("isBase64Encoded") and _matches(first_accepted, api.binary_media_types)):
        return HttpResponse(status_code, headers, body.encode())
    try:
        return HttpResponse(status_code, headers, base64.b64decode(body, validate=True))
    except binascii.Error as failure:
        raise MalformedResult("the body is not base64") from failure


def _result_headers(result: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Both kinds of headers; where both name one, the multi-value one counts."""
    multiple = result.get("multiValueHeaders") or {}
    single = {name: [value] for name, value in (result.get("headers") or {}).items()}
    return tuple(
        (name, str(value))
        for name, values in (single | multiple).items()
        for value in values
        if name.lower() not in HOP_BY_HOP
    )


def _matches(media_type: str, binary_media_types: Iterable[str]) -> bool:
    plain = media_type.split(";")[0].strip().lower()
    return any(listed in ("*/*", plain) for listed in binary_media_types)


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name, value in pairs:
        grouped.setdefault(name, []).append(value)
    return grouped
