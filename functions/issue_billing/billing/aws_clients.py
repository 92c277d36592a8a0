"""boto3's clients for the two services of AWS that are called, and what its errors mean here.

ClientError      AWS has answered: no               Unavailable("ledger_refused: AccessDeniedException")
BotoCoreError    not reached, no answer, nonsense   Unavailable("ledger_unreachable: ReadTimeoutError")
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from billing.model.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

TRIES = 2

CONFIG = Config(
    connect_timeout=1,
    read_timeout=1,
    retries={"mode": "standard", "total_max_attempts": TRIES},
    tcp_keepalive=True,
    proxies={},
    parameter_validation=False,
    user_agent="card-door",
)
"""Seconds. botocore's own are 60, and its standard mode tries three times: a silent DynamoDB would take an answer's
whole time, where it answers within tens of milliseconds. Proxy variables send nothing elsewhere. AWS checks parameters
itself, and checking them here too is 15 % of a call's computing; putting botocore's own User-Agent together, 20 %."""


class AwsClients:
    """One of each in a container, made when it is first used: no credentials and no connection get into a snapshot.

    boto3's own default session would be shared with whoever else uses boto3, and keep its credentials.
    """

    @cached_property
    def _session(self) -> boto3.Session:
        session = boto3.Session()
        session.events.register_last("needs-retry", refuse_what_is_no_json)  # type: ignore[arg-type]
        return session

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        return self._session.client("dynamodb", config=CONFIG)

    @cached_property
    def secrets_manager(self) -> "SecretsManagerClient":
        return self._session.client("secretsmanager", config=CONFIG)

    def read_secret(self, secret_id: str) -> str:
        """Empty where it is a binary one. Raises what botocore raises."""
        return self.secrets_manager.get_secret_value(SecretId=secret_id).get("SecretString", "")


def refuse_what_is_no_json(response: tuple[Any, Any] | None, attempts: int, **_: object) -> float | None:
    """botocore reads a 200 that is no JSON as an answer with no fields, which for a write means: done.

    Tried again at once, then HTTPClientError. A handler of botocore's event `needs-retry`: seconds to wait, or None.
    """
    if response is None or response[0].status_code != HTTPStatus.OK:
        return None
    try:
        json.loads(response[0].content)
    except ValueError:
        if attempts < TRIES:
            return 0.0
    else:
        return None
    raise HTTPClientError(error="a 200 that is no JSON")


@contextmanager
def as_unavailable(part: Literal["ledger", "secret", "fingerprint_key"]) -> Iterator[None]:
    """Around calls to AWS: raises Unavailable for all that botocore raises."""
    try:
        yield
    except ClientError as refused:
        if refused.response["ResponseMetadata"]["HTTPStatusCode"] >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise Unavailable(f"{part}_unreachable: {error_code(refused)}") from None
        raise Unavailable(f"{part}_refused: {error_code(refused)}") from None
    except BotoCoreError as failure:
        raise Unavailable(f"{part}_unreachable: {type(failure).__name__}") from None


def error_code(refused: ClientError) -> str:
    """AWS's name of the error, as `TransactionConflictException`."""
    return refused.response["Error"]["Code"]
