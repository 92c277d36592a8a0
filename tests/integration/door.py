"""The real handler in a fresh container, asked the way API Gateway asks it."""

import base64
import importlib
import json
import sys
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from infra.local.intrinsics import ACCOUNT_ID
from infra.local.runtime import Context, new_context
from infra.local.token import new_token
from tests.contract.answers import check

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"

SINGULAR = "/subscription/issue-billing"
PLURAL = "/subscriptions/issue-billing"

CARD_NUMBER = "0000-1111-2222-3333"


def form_fields(**changes: str | None) -> dict[str, str]:
    """The body that the published guide's form posts. A field changed to None is left out."""
    fields: dict[str, str | None] = {
        "customer_uid": f"customer_{uuid.uuid4().hex[:12]}",
        "card_number": CARD_NUMBER,
        "expiry": "2099-12",
        "birth": "900101",
        "pwd_2digit": "07",
        **changes,
    }
    return {name: value for name, value in fields.items() if value is not None}


def signed_fields(customer_uid: str, card_number: str | None = CARD_NUMBER, **claims: Any) -> dict[str, str]:
    """The same where a token says whose card it is. `claims`: of the token, as `replace` and `payment`."""
    return form_fields(customer_uid=None, card_number=card_number, customer_token=new_token(customer_uid, **claims))


@dataclass(frozen=True)
class JsonAnswer:
    status: int
    body: dict[str, Any]
    headers: dict[str, str]

    @property
    def code(self) -> str:
        """The contract's; `issued` where there is none."""
        return str(self.body.get("code", "issued"))

    @property
    def outcome(self) -> tuple[int, str]:
        return self.status, self.code


class Door:
    """One container: what is cached in it lives as long as this object does."""

    def __init__(self) -> None:
        sys.modules.pop("app", None)
        self._handler = importlib.import_module("app").handler
        for handler in importlib.import_module("billing.observability").logger.handlers:
            handler.stream = sys.stdout  # where the running test looks; the one before may be closed

    def post_json(self, fields: object, **request: Any) -> JsonAnswer:
        return self.post(json.dumps(fields), content_type=JSON, **request)

    def post_form(self, fields: Mapping[str, str], **request: Any) -> JsonAnswer:
        return self.post(urlencode(fields), content_type=FORM, **request)

    def post(
        self,
        body: str | bytes | None,
        *,
        content_type: str = JSON,
        path: str = SINGULAR,
        headers: Mapping[str, str] | None = None,
        method: str = "POST",
        seconds_left: float = 28,
        came_seconds_ago: float | None = None,
        request_id: str | None = None,
    ) -> JsonAnswer:
        """Every answer is held against docs/openapi.yaml. `came_seconds_ago`: to API Gateway, where it tells that.
        `request_id`: API Gateway's own, one of its kind by default.
        """
        all_headers = {"Content-Type": content_type, **(headers or {})}
        answer = self.handle(event_of(method, path, all_headers, body, came_seconds_ago, request_id), seconds_left)
        if answer["statusCode"] != 404:
            check(method, path, answer["statusCode"], told(answer).headers, answer["body"])
        return told(answer)

    def get(
        self, query: Mapping[str, str], headers: Mapping[str, str] | None = None, path: str = SINGULAR
    ) -> JsonAnswer:
        """What became of an attempt, as JSON, held against docs/openapi.yaml."""
        answer = self.handle(event_of("GET", path, headers or {}, None, query=query))
        check("GET", path, answer["statusCode"], told(answer).headers, answer["body"])
        return told(answer)

    def show_card_form(self, query: Mapping[str, str] | None = None) -> dict[str, Any]:
        """What the handler gives a browser that opens the page."""
        return self.handle(event_of("GET", SINGULAR, {"Accept": "text/html,*/*;q=0.8"}, None, query=query or {}))

    def handle(self, event: Any, seconds_left: float = 28, invocation_id: str = "") -> dict[str, Any]:
        """What the handler gives for whatever it is invoked with; `told` is its JSON."""
        answer: dict[str, Any] = self._handler(event, context(seconds_left, invocation_id))
        return answer


def told(answer: Mapping[str, Any]) -> JsonAnswer:
    """What a caller gets of what the handler gave."""
    headers = {name.lower(): values[0] for name, values in answer["multiValueHeaders"].items()}
    return JsonAnswer(answer["statusCode"], json.loads(answer["body"]), headers)


def event_of(
    method: str,
    path: str,
    headers: Mapping[str, str],
    body: str | bytes | None,
    came_seconds_ago: float | None = None,
    request_id: str | None = None,
    query: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """As API Gateway makes it of a request."""
    came = {} if came_seconds_ago is None else {"requestTimeEpoch": int((time.time() - came_seconds_ago) * 1000)}
    ids = {"requestId": str(uuid.uuid4()), "extendedRequestId": request_id or uuid.uuid4().hex[:15] + "="}
    return {
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": query,
        "multiValueQueryStringParameters": query and {name: [value] for name, value in query.items()},
        "requestContext": {**ids, "stage": "v1", "identity": {"sourceIp": "127.0.0.1"}, **came},
        "body": base64.b64encode(body).decode() if isinstance(body, bytes) else body,
        "isBase64Encoded": isinstance(body, bytes),
    }


def settle() -> None:
    """One run of the settler, in a fresh container."""
    sys.modules.pop("settle", None)
    importlib.import_module("settle").handler({}, context(seconds_left=55))


def context(seconds_left: float, invocation_id: str = "") -> Context:
    return new_context(invocation_id or str(uuid.uuid4()), ACCOUNT_ID, time.time() + seconds_left)
