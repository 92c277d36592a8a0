"""The ClientRequestToken of a transaction: by it, one that is sent again is written once.

Source: DynamoDB's API reference, `TransactWriteItems`.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from moto.dynamodb.exceptions import ERROR_TYPE_PREFIX, DynamodbException

KEPT_SECONDS = 600
"""From the end of the first request that had the token."""


class IdempotentParameterMismatch(DynamodbException):
    """The error's name is AWS's, its message is not: that is documented nowhere."""

    def __init__(self) -> None:
        error_type = f"{ERROR_TYPE_PREFIX}IdempotentParameterMismatchException"
        super().__init__(error_type, "The token was already used with other parameters")
        # With a capital, unlike other errors. Source: botocore's service-2.json.
        self.description = json.dumps({"__type": error_type, "Message": self.message})


class Tokens:
    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._written: dict[str, tuple[str, float]] = {}

    def has_written(self, request: Mapping[str, Any]) -> bool:
        """Whether this very transaction was written. Raises IdempotentParameterMismatch where it was another one."""
        parameters, until = self._written.get(request.get("ClientRequestToken", ""), ("", 0.0))
        if until <= self._now():
            return False
        if parameters != _parameters(request):
            raise IdempotentParameterMismatch
        return True

    def remember(self, request: Mapping[str, Any]) -> None:
        """For a transaction that was written: a refused one leaves no token behind."""
        if "ClientRequestToken" in request:
            self._written[request["ClientRequestToken"]] = (_parameters(request), self._now() + KEPT_SECONDS)

    def forget(self) -> None:
        self._written.clear()


def _parameters(request: Mapping[str, Any]) -> str:
    """Equal for equal ones, in whatever order. Source: github.com/localstack/localstack/issues/6529, tried on AWS."""
    return json.dumps(request, sort_keys=True, default=repr)
