"""Requests that DynamoDB refuses for what they say, whatever the table holds, and that moto lets through.

Source: github.com/paritysuite/dynamodb-conformance, whose tests were tried on AWS; the rules are spread over the
DynamoDB developer guide, as in "Supported data types and naming rules" and "Using expressions in DynamoDB".
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from moto.core.responses import ActionResult
from moto.dynamodb.exceptions import (
    MockValidationException,
    MultipleTransactionsException,
    TransactWriteSingleOpException,
)
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.table import Table
from moto.dynamodb.parsing.key_condition_expression import parse_expression
from moto.dynamodb.responses import DynamoHandler

from infra.local.dynamodb.writes import INVALID, types_of, whole_of

EXPRESSIONS = (
    "ConditionExpression",
    "FilterExpression",
    "KeyConditionExpression",
    "ProjectionExpression",
    "UpdateExpression",
)
PLACEHOLDERS = (
    ("ExpressionAttributeNames", r"#\w+", "name", "the document path"),
    ("ExpressionAttributeValues", r":\w+", "value", "expression"),
)
"""Where they are explained, what they look like, and two words of AWS's message."""
OTHER_KEY = "The provided key element does not match the schema"
MOST_WRITES = 100
LONGEST_TOKEN = 36


def install() -> None:
    # Another part of AWS finds these, and signs them with its own name, as seen in its answers.
    MockValidationException.error_type = "com.amazon.coral.validate#ValidationException"
    for method in ("put_item", "update_item", "delete_item", "get_item", "query", "scan"):
        setattr(DynamoHandler, method, _unless_misstated(getattr(DynamoHandler, method)))


def refuse_misstated_transaction(backend: DynamoDBBackend, request: Mapping[str, Any]) -> None:
    """Raises MockValidationException, ResourceNotFoundException."""
    items = request["TransactItems"]
    if len(items) > MOST_WRITES:
        raise _too_long("TransactItems", MOST_WRITES)
    if len(request.get("ClientRequestToken", "")) > LONGEST_TOKEN:
        raise _too_long("ClientRequestToken", LONGEST_TOKEN)
    if any(len(item) != 1 for item in items):
        raise TransactWriteSingleOpException
    writes = [write for item in items for write in item.values()]
    for write in writes:
        _refuse_misused_placeholders(write)
    tables = [backend.get_table(write["TableName"]) for write in writes]
    wholes = [whole_of(write) for write in writes]
    for table, whole in zip(tables, wholes, strict=True):
        _refuse_empty_key(table, whole)
    _refuse_one_item_twice(tables, wholes)


def other_key(table: Table, key: Mapping[str, Any]) -> bool:
    """Whether a key has other attributes than the table's, or other types."""
    types = types_of(table)
    return {name: next(iter(value)) for name, value in key.items()} != {
        name: types[name] for name in table.table_key_attrs
    }


def _unless_misstated(answer: Callable[[DynamoHandler], ActionResult]) -> Callable[[DynamoHandler], ActionResult]:
    def refuse_or_answer(handler: DynamoHandler) -> ActionResult:
        request = handler.body
        _refuse_misused_placeholders(request)
        table = handler.dynamodb_backend.get_table(request["TableName"])
        if "Key" in request or "Item" in request:
            _refuse_empty_key(table, whole_of(request))
        if "Key" in request and other_key(table, request["Key"]):
            raise MockValidationException(OTHER_KEY)
        if "KeyConditionExpression" in request:
            _refuse_other_types_in_key_condition(handler, table)
        return answer(handler)

    return refuse_or_answer


def _refuse_misused_placeholders(request: Mapping[str, Any]) -> None:
    for parameter, pattern, what, where in PLACEHOLDERS:
        given, used = set(request.get(parameter, {})), set()
        for expression in EXPRESSIONS:
            in_expression = set(re.findall(pattern, request.get(expression, "")))
            if undefined := sorted(in_expression - given):
                raise MockValidationException(
                    f"Invalid {expression}: An expression attribute {what} used in {where} is not defined; "
                    f"attribute {what}: {undefined[0]}"
                )
            used |= in_expression
        if unused := sorted(given - used):
            raise MockValidationException(
                f"Value provided in {parameter} unused in expressions: keys: {{{', '.join(unused)}}}"
            )


def _refuse_empty_key(table: Table, attributes: Mapping[str, Any]) -> None:
    for name in table.table_key_attrs:
        if attributes.get(name) in ({"S": ""}, {"B": ""}, {"B": b""}):
            raise MockValidationException(
                "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an "
                f"empty string value. Key: {name}"
            )


def _refuse_one_item_twice(tables: list[Table], wholes: list[Mapping[str, Any]]) -> None:
    keys = [
        (table.name, repr([whole.get(name) for name in table.table_key_attrs]))
        for table, whole in zip(tables, wholes, strict=True)
    ]
    if len(set(keys)) < len(keys):
        raise MultipleTransactionsException


def _refuse_other_types_in_key_condition(handler: DynamoHandler, table: Table) -> None:
    request = handler.body
    hash_conditions, range_conditions, _ = parse_expression(
        key_condition_expression=request["KeyConditionExpression"],
        expression_attribute_names=request.get("ExpressionAttributeNames", {}),
        expression_attribute_values=request.get("ExpressionAttributeValues", {}),
        schema=handler.dynamodb_backend.get_schema(request["TableName"], request.get("IndexName")),
    )
    types = types_of(table)
    conditions = [(name, [value]) for name, value in hash_conditions]
    conditions += [(name, values) for name, _, values in range_conditions]
    for name, values in conditions:
        if any(next(iter(value)) != types[name] for value in values):
            raise MockValidationException(f"{INVALID}Condition parameter type does not match schema type")


def _too_long(parameter: str, longest: int) -> MockValidationException:
    return MockValidationException(
        f"1 validation error detected: Value at '{parameter}' failed to satisfy constraint: "
        f"Member must have length less than or equal to {longest}"
    )
