"""The AWS services that the functions reach over the network, by moto's server, in a process of its own.

Of its own, because moto keeps its data in global variables: a unit test that uses moto in the same process would empty
them. The program is `infra.local.aws_server`; here is what starts it and what talks to it.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import boto3
from botocore.config import Config

from infra.local.control import ask
from infra.local.intrinsics import REGION, STACK_NAME
from infra.local.program import run_program
from infra.local.template import Template

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodbstreams import DynamoDBStreamsClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

IAMPORT_SECRET = "IamportSecret"
ATTEMPTS_TABLE = "AttemptsTable"
"""The secret's name in the template, and the table's."""

CLIENT_CONFIG = Config(connect_timeout=5, read_timeout=60, proxies={}, retries={"total_max_attempts": 2})
"""Seconds. The first request makes moto import half of itself."""


Write = Literal["PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"]


@dataclass(frozen=True)
class Aws:
    url: str
    physical_ids: Mapping[str, str]
    """What `!Ref` gives for each resource that was created."""
    process_id: int

    def dynamodb(self) -> "DynamoDBClient":
        """One for all who ask: what one hooks into it, all have."""
        return _dynamodb(self.url)

    def dynamodb_streams(self) -> "DynamoDBStreamsClient":
        return _dynamodb_streams(self.url)

    def conflict_next(self, operation: Write, times: int = 1, index: int = 0) -> None:
        """The next calls of the operation meet another transaction: they are refused, and nothing is written.

        `index`: which of a transaction's writes meets it. A call that DynamoDB would not take anyhow, or need not write
        again by its ClientRequestToken, is none of these.
        """
        ask(self.url, "conflict_next", operation=operation, times=times, index=index)

    def conflict_share(self, share: float, seed: int = 0) -> None:
        """From now on each write or transaction is refused so with this probability, from 0 to 1."""
        ask(self.url, "conflict_share", share=share, seed=seed)

    def advance(self, seconds: float) -> None:
        """Puts AWS's clock forward, by which a ClientRequestToken is forgotten."""
        ask(self.url, "advance", seconds=seconds)

    @contextmanager
    def index_held_back(self) -> Iterator[None]:
        """In the block the global indexes show what the tables held before it; the tables show what they hold."""
        ask(self.url, "hold_index_back")
        try:
            yield
        finally:
            ask(self.url, "let_index_go")

    def clear_faults(self) -> None:
        """No conflict, no index held back, and no ClientRequestToken known."""
        ask(self.url, "clear_faults")

    def put_keys(self, imp_key: str, imp_secret: str, **token_keys: str) -> None:
        """Fills the secret in, as the operator does after a first deployment.

        `token_keys`: customer_token_key, customer_token_key_previous.
        """
        self.put_secret(json.dumps({"imp_key": imp_key, "imp_secret": imp_secret, **token_keys}))

    def put_secret(self, text: str) -> None:
        _secrets(self.url).put_secret_value(SecretId=self.physical_ids[IAMPORT_SECRET], SecretString=text)

    def secret(self, name: str) -> str:
        """What the secret of this name in the template holds."""
        return _secrets(self.url).get_secret_value(SecretId=self.physical_ids[name])["SecretString"]


def name_of_table(aws: Aws) -> str:
    return aws.physical_ids[ATTEMPTS_TABLE]


@contextmanager
def run_aws(template: Template, host: str = "127.0.0.1", port: int = 0) -> Iterator[Aws]:
    """Serves, with the template's resources created. The port has to be free. Raises ProgramEnded."""
    with run_program("-m", "infra.local.aws_server", host, str(port)) as program:
        url = f"http://127.0.0.1:{program.next_line()}"
        yield Aws(url, _create_resources(template, url), program.process_id)


def _create_resources(template: Template, url: str) -> dict[str, str]:
    """The resources' physical ids by their names in the template.

    Not by moto's CloudFormation: it knows no secrets.
    """
    secrets = template.resources("AWS::SecretsManager::Secret").items()
    tables = template.resources("AWS::DynamoDB::Table").items()
    return {name: _create_secret(properties, url) for name, properties in secrets} | {
        name: _create_table(f"{STACK_NAME}-{name}", properties, url) for name, properties in tables
    }


def _create_secret(properties: Mapping[str, Any], url: str) -> str:
    secrets = _secrets(url)
    # As CloudFormation does it, whose properties have the names of the call's parameters.
    text = (
        secrets.get_random_password(**properties["GenerateSecretString"])["RandomPassword"]
        if "GenerateSecretString" in properties
        else properties["SecretString"]
    )
    return secrets.create_secret(Name=properties["Name"], SecretString=text)["ARN"]


def _create_table(generated_name: str, properties: Mapping[str, Any], url: str) -> str:
    same = ("AttributeDefinitions", "KeySchema", "BillingMode", "GlobalSecondaryIndexes")
    settings = {name: properties[name] for name in same if name in properties}
    if "StreamSpecification" in properties:
        settings["StreamSpecification"] = {"StreamEnabled": True, **properties["StreamSpecification"]}
    name: str = properties.get("TableName", generated_name)
    dynamodb = _dynamodb(url)
    dynamodb.create_table(TableName=name, **settings)
    if "TimeToLiveSpecification" in properties:
        dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=properties["TimeToLiveSpecification"])
    return name


# Making a client takes tens of milliseconds, and the tests ask for one hundreds of times.
@cache
def _dynamodb(url: str) -> "DynamoDBClient":
    return _session().client("dynamodb", endpoint_url=url, config=CLIENT_CONFIG)


@cache
def _dynamodb_streams(url: str) -> "DynamoDBStreamsClient":
    return _session().client("dynamodbstreams", endpoint_url=url, config=CLIENT_CONFIG)


@cache
def _secrets(url: str) -> "SecretsManagerClient":
    return _session().client("secretsmanager", endpoint_url=url, config=CLIENT_CONFIG)


def _session() -> boto3.Session:
    return boto3.Session(aws_access_key_id="local", aws_secret_access_key="local", region_name=REGION)
