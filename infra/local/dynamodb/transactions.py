"""DynamoDB's transactions as they are: all writes or none, with nobody in between.

moto's own copies the whole table for every transaction, so that each takes longer than the one before, and puts that
copy back when a condition fails, which undoes what others have written meanwhile. It knows no conflict and no
ClientRequestToken. Here all writes are tried first, and the server answers one request at a time
(`infra.local.aws_server`). Source: DynamoDB developer guide, "Amazon DynamoDB Transactions: How it works".
"""

from collections.abc import Mapping
from typing import Any

from moto.core.responses import ActionResult
from moto.dynamodb.comparisons import get_filter_expression
from moto.dynamodb.exceptions import (
    DuplicateUpdateExpression,
    EmptyKeyAttributeException,
    InvalidUpdateExpression,
    MockValidationException,
    TooManyClauses,
    TransactionCanceledException,
    UpdateHashRangeKeyException,
)
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.responses import DynamoHandler

from infra.local.dynamodb.conflicts import ONGOING, Conflicts
from infra.local.dynamodb.tokens import Tokens
from infra.local.dynamodb.validation import OTHER_KEY, other_key, refuse_misstated_transaction
from infra.local.dynamodb.writes import key_in, outcome, settle, whole_of

Reason = tuple[str, str, dict[str, Any] | None] | tuple[None, None, None]
"""Why a write cancels its transaction: code, message, and the item as it is, where that was asked for."""

NO_REASON: Reason = (None, None, None)

WRONG_IN_ITSELF = (
    DuplicateUpdateExpression,
    EmptyKeyAttributeException,
    InvalidUpdateExpression,
    TooManyClauses,
    UpdateHashRangeKeyException,
)
"""Refused without a word of a transaction; what else is not allowed depends on the item, and cancels it."""


def install(conflicts: Conflicts, tokens: Tokens) -> None:
    moto_answer = DynamoHandler.transact_write_items

    def answer(handler: DynamoHandler) -> ActionResult:
        refuse_misstated_transaction(handler.dynamodb_backend, handler.body)
        if tokens.has_written(handler.body):
            return ActionResult({})
        result = moto_answer(handler)
        tokens.remember(handler.body)
        return result

    def write_all_or_none(backend: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
        writes = [next(iter(item.items())) for item in transact_items]
        conflicting = conflicts.met_by("TransactWriteItems", len(writes))
        if conflicting is not None:
            reasons = [NO_REASON] * len(writes)
            reasons[conflicting] = ("TransactionConflict", ONGOING, None)
            raise TransactionCanceledException(reasons)
        _write(backend, writes)

    DynamoHandler.transact_write_items = answer  # type: ignore[assignment,method-assign]
    DynamoDBBackend.transact_write_items = write_all_or_none  # type: ignore[assignment,method-assign]


def _write(backend: DynamoDBBackend, writes: list[tuple[str, dict[str, Any]]]) -> None:
    reasons, items = [], []
    for kind, write in writes:
        reason, item = _tried(backend, kind, write)
        reasons.append(reason)
        items.append(item)
    if any(reason != NO_REASON for reason in reasons):
        raise TransactionCanceledException(reasons)
    for (_, write), item in zip(writes, items, strict=True):
        table = backend.get_table(write["TableName"])
        settle(table, key_in(table, whole_of(write)), item)


def _tried(backend: DynamoDBBackend, kind: str, write: dict[str, Any]) -> tuple[Reason, Item | None]:
    """What speaks against the write, and what becomes of its item where nothing does."""
    table = backend.get_table(write["TableName"])
    if "Key" in write and other_key(table, write["Key"]):
        return ("ValidationError", OTHER_KEY, None), None
    try:
        current = table.get_item(*key_in(table, whole_of(write)))
        if not _holds(write, current):
            told = current.to_json()["Attributes"] if current is not None and _wants_to_know(write) else None
            return ("ConditionalCheckFailed", "The conditional request failed", told), None
        return NO_REASON, outcome(backend, kind, write)
    except WRONG_IN_ITSELF:
        raise
    except MockValidationException as refused:
        return ("ValidationError", refused.message, None), None


def _holds(write: Mapping[str, Any], current: Item | None) -> bool:
    condition = get_filter_expression(
        write.get("ConditionExpression"), write.get("ExpressionAttributeNames"), write.get("ExpressionAttributeValues")
    )
    return bool(condition.expr(current))


def _wants_to_know(write: Mapping[str, Any]) -> bool:
    return write.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
