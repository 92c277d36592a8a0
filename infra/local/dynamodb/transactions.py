"""DynamoDB's transactions as they are: all writes or none, with nobody in between.

moto's own copies the whole table for every transaction, so that each takes longer than the one before, and puts that
copy back when a condition fails, which undoes what others have written meanwhile. Here the conditions are checked
first, and the server answers one request at a time (`infra.local.aws_server`).
"""

from typing import Any

from moto.dynamodb.comparisons import get_filter_expression
from moto.dynamodb.exceptions import TransactionCanceledException
from moto.dynamodb.models import DynamoDBBackend


def install() -> None:
    DynamoDBBackend.transact_write_items = _transact_write_items  # type: ignore[assignment,method-assign]


def _transact_write_items(backend: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
    writes = [next(iter(item.items())) for item in transact_items]
    failures = [_failed_condition(backend, kind, write) for kind, write in writes]
    if any(code is not None for code, _, _ in failures):
        raise TransactionCanceledException(failures)
    for kind, write in writes:
        expressions = {
            "expression_attribute_names": write.get("ExpressionAttributeNames"),
            "expression_attribute_values": write.get("ExpressionAttributeValues"),
        }
        match kind:
            case "Put":
                backend.put_item(write["TableName"], write["Item"], **expressions)
            case "Update":
                backend.update_item(
                    write["TableName"], write["Key"], update_expression=write["UpdateExpression"], **expressions
                )
            case _:
                raise NotImplementedError(kind)


def _failed_condition(
    backend: DynamoDBBackend, kind: str, write: dict[str, Any]
) -> tuple[str, str, dict[str, Any] | None] | tuple[None, None, None]:
    condition = write.get("ConditionExpression")
    table = backend.get_table(write["TableName"])
    whole = write["Item"] if kind == "Put" else write["Key"]
    current = backend.get_item(write["TableName"], {table.hash_key_attr: whole[table.hash_key_attr]})
    if condition is None:
        return None, None, None
    expression = get_filter_expression(
        condition, write.get("ExpressionAttributeNames"), write.get("ExpressionAttributeValues")
    )
    if expression.expr(current):
        return None, None, None
    told = current is not None and write.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
    return (
        "ConditionalCheckFailed",
        "The conditional request failed",
        (current.to_json()["Attributes"] if told and current is not None else None),
    )
