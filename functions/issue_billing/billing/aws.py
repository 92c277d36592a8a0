"""Signed calls to AWS's JSON services: DynamoDB and Secrets Manager.

boto3 makes the same calls. It costs 0.2 s more of every cold start and twice the processor time of each call
(docs/benchmarks.md), and what it adds for three operations is nothing that is missed here. Of it we use what has to be
right: its signature, and its search for credentials where Lambda's environment holds none.
"""

import json
import os
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError
from requests.exceptions import RequestException

from billing.connection import KeptConnections, NeverConnected
from billing.settings import Settings

if TYPE_CHECKING:
    from botocore.credentials import ReadOnlyCredentials

CONNECT_SECONDS = 1.0
ANSWER_SECONDS = 2.0
"""Both services answer within tens of milliseconds."""
PAUSES_BETWEEN_TRIES = (0.05, 0.2, 0.0)
"""The longest in seconds; a random part of it, so that many containers do not come back at once."""

BUSY = (
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingException",
    "TransactionInProgressException",
)
"""Errors of the status 400 after which the same request may succeed. Sources: "Error handling with DynamoDB", "Common
errors" of Secrets Manager's API reference."""


@dataclass(frozen=True)
class Service:
    """How a service names itself on the line; from botocore's own description of it."""

    name: str
    target_prefix: str
    content_type: str


DYNAMODB = Service("dynamodb", "DynamoDB_20120810", "application/x-amz-json-1.0")
SECRETS_MANAGER = Service("secretsmanager", "secretsmanager", "application/x-amz-json-1.1")


class AwsRefused(Exception):
    """AWS has decided: no. `code` is its error's name; `document` is its whole answer."""

    def __init__(self, code: str, document: Mapping[str, Any]) -> None:
        super().__init__(code)
        self.code = code
        self.document = document


class AwsNotAnswering(Exception):
    """Not reached, no answer, or busy, time after time. The last request may have been carried out."""


class _TryAgain(Exception):
    pass


class CredentialsSource(Protocol):
    """What botocore's kinds of credentials share; some fetch new ones before the old expire."""

    def get_frozen_credentials(self) -> "ReadOnlyCredentials": ...


class Client:
    """One service in the function's region, over connections that are kept alive."""

    def __init__(self, service: Service, settings: Settings) -> None:
        self._service = service
        self._region = settings.aws_region
        self._url = settings.aws_endpoint_url or f"https://{service.name}.{settings.aws_region}.amazonaws.com"
        self._connections = KeptConnections(self._url)
        self._credentials: CredentialsSource | None = None

    def call(self, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to one operation, both in the form of AWS's API reference. Raises AwsRefused, AwsNotAnswering.

        Sent again where the answer was lost or AWS was busy, so the operation must bear to be carried out twice.
        """
        body = json.dumps(parameters).encode()
        reason = ""
        for pause in PAUSES_BETWEEN_TRIES:
            try:
                return self._sent_once(operation, body)
            except _TryAgain as failure:
                reason = str(failure)
            time.sleep(random.uniform(0.0, pause))  # noqa: S311 (only spreads the tries)
        raise AwsNotAnswering(reason)

    def _sent_once(self, operation: str, body: bytes) -> dict[str, Any]:
        try:
            status, answer = self._connections.exchange(
                "POST",
                "/",
                body,
                self._signed_headers(operation, body),
                connect_seconds=CONNECT_SECONDS,
                answer_seconds=ANSWER_SECONDS,
            )
        except (NeverConnected, RequestException, BotoCoreError) as failure:
            raise _TryAgain(type(failure).__name__) from None
        document = _document(answer)
        if status == 200 and document is not None:
            return document
        code = str((document or {}).get("__type", "")).rpartition("#")[2]
        if document is None or status >= 500 or code in BUSY:
            raise _TryAgain(f"http_{status}")
        raise AwsRefused(code, document)

    def _signed_headers(self, operation: str, body: bytes) -> dict[str, str]:
        if self._credentials is None:
            self._credentials = find_credentials()
        request = AWSRequest(
            "POST",
            f"{self._url}/",
            data=body,
            headers={
                "Content-Type": self._service.content_type,
                "X-Amz-Target": f"{self._service.target_prefix}.{operation}",
            },
        )
        SigV4Auth(self._credentials.get_frozen_credentials(), self._service.name, self._region).add_auth(request)
        return dict(request.headers.items())


def find_credentials() -> CredentialsSource:
    """Lambda's own come by environment and last as long as the container; SnapStart's and a laptop's are looked for."""
    from botocore.credentials import Credentials

    key, secret = os.environ.get("AWS_ACCESS_KEY_ID"), os.environ.get("AWS_SECRET_ACCESS_KEY")
    if key and secret:
        return Credentials(key, secret, os.environ.get("AWS_SESSION_TOKEN"))
    # Here and not above: it costs time at every cold start.
    import boto3

    credentials = boto3.Session().get_credentials()
    if credentials is None:
        raise AwsNotAnswering("no_aws_credentials")
    return credentials


def _document(data: bytes) -> dict[str, Any] | None:
    try:
        document = json.loads(data)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None
