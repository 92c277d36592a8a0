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
    ) -> JsonAnswer:
        """Every answer is held against docs/openapi.yaml. `came_seconds_ago`: to API Gateway, where it tells that."""
        all_headers = {"Content-Type": content_type, **(headers or {})}
        answer = self._ask(method, path, all_headers, body, seconds_left, came_seconds_ago)
        headers_out = {name.lower(): values[0] for name, values in answer["multiValueHeaders"].items()}
        if answer["statusCode"] != 404:
            check(method, path, answer["statusCode"], headers_out, answer["body"])
        return JsonAnswer(answer["statusCode"], json.loads(answer["body"]), headers_out)

    def show_card_form(self) -> str:
        page: str = self._ask("GET", SINGULAR, {}, None, seconds_left=28)["body"]
        return page

    def _ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: str | bytes | None,
        seconds_left: float,
        came_seconds_ago: float | None = None,
    ) -> dict[str, Any]:
        came = {} if came_seconds_ago is None else {"requestTimeEpoch": int((time.time() - came_seconds_ago) * 1000)}
        identity = {"sourceIp": "127.0.0.1"}
        event = {
            "resource": path,
            "path": path,
            "httpMethod": method,
            "headers": headers,
            "multiValueHeaders": {name: [value] for name, value in headers.items()},
            "queryStringParameters": None,
            "multiValueQueryStringParameters": None,
            "requestContext": {"requestId": str(uuid.uuid4()), "stage": "v1", "identity": identity, **came},
            "body": base64.b64encode(body).decode() if isinstance(body, bytes) else body,
            "isBase64Encoded": isinstance(body, bytes),
        }
        answer: dict[str, Any] = self._handler(event, context(seconds_left))
        return answer


def settle() -> None:
    """One run of the settler, in a fresh container."""
    sys.modules.pop("settle", None)
    importlib.import_module("settle").handler({}, context(seconds_left=55))


def context(seconds_left: float) -> Context:
    return new_context(str(uuid.uuid4()), ACCOUNT_ID, time.time() + seconds_left)
