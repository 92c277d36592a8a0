"""What a role of the templates may do: IAM's evaluation, as far as the templates use it.

Source: IAM user guide, "Policy evaluation logic" and "IAM JSON policy elements: Condition operators".
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tests.infrastructure.stacks import Deployment, Resource

AWS_MANAGED = "arn:aws:iam::aws:policy/"


@dataclass(frozen=True)
class Statement:
    effect: Literal["Allow", "Deny"]
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Request:
    action: str
    """As `dynamodb:PutItem`."""
    resource: str
    """An ARN."""
    context: Mapping[str, str]
    """Condition keys, as `kms:ViaService`."""


def statements_of(role: Resource, deployed: Deployment) -> list[Statement]:
    """The role's own policies and those of its stack; of AWS's managed ones nothing is known here."""
    documents = [policy["PolicyDocument"] for policy in role.properties.get("Policies", [])]
    for arn in role.properties.get("ManagedPolicyArns", []):
        if not arn.startswith(AWS_MANAGED):
            [policy] = [one for one in deployed.of_type("AWS::IAM::ManagedPolicy") if one.returned["Ref"] == arn]
            documents.append(policy.properties["PolicyDocument"])
    return [statement for document in documents for statement in read_statements(document)]


def read_statements(document: Mapping[str, Any]) -> Iterator[Statement]:
    for statement in document["Statement"]:
        known = {"Sid", "Effect", "Action", "Resource", "Condition"}
        if not statement.keys() <= known:
            raise NotImplementedError(statement.keys() - known)
        yield Statement(
            statement["Effect"],
            several(statement["Action"]),
            several(statement["Resource"]),
            statement.get("Condition", {}),
        )


def allows(statements: list[Statement], request: Request) -> bool:
    effects = {statement.effect for statement in statements if _applies(statement, request)}
    return effects == {"Allow"}


def matches(pattern: str, text: str) -> bool:
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, text) is not None


def _applies(statement: Statement, request: Request) -> bool:
    return (
        any(matches(action.lower(), request.action.lower()) for action in statement.actions)
        and any(matches(resource, request.resource) for resource in statement.resources)
        and all(
            _holds(operator, request.context.get(key), expected)
            for operator, keys in statement.conditions.items()
            for key, expected in keys.items()
        )
    )


def _holds(operator: str, value: str | None, expected: Any) -> bool:
    match operator:
        case "StringEquals":
            return value in several(expected)
        case "StringLike":
            return value is not None and any(matches(pattern, value) for pattern in several(expected))
        case "Null":
            return (value is None) is (expected == "true")
    raise NotImplementedError(operator)


def several(value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)
