"""The attempts table in memory: what a call of boto3's client does to it, and what botocore then gives or raises.

A call takes effect at one moment, as DynamoDB's do. Who is in whose way, what is lost, and what is refused without a
reason of the table's own, is not its business. Source: DynamoDB API reference.
"""

from collections.abc import Callable, Hashable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from tests.simulation.expressions import Condition, Item, Step, Unknown, Value, condition, placeholders, update

HASH_KEY = "pk"
INDEXES = {"due": ("due_shard", "due_at")}
"""As in template.yaml."""
WRITES = frozenset({"transact_write_items", "put_item", "update_item"})
_EXPRESSION = frozenset({"TableName", "ExpressionAttributeNames", "ExpressionAttributeValues"})
_WRITE = _EXPRESSION | {"ConditionExpression", "ReturnValuesOnConditionCheckFailure"}
PARAMETERS = {
    "put_item": _WRITE | {"Item"},
    "update_item": _WRITE | {"Key", "UpdateExpression"},
    "get_item": {"TableName", "Key", "ConsistentRead"},
    "query": _EXPRESSION | {"IndexName", "KeyConditionExpression", "Limit", "ScanIndexForward"},
    "transact_write_items": {"TransactItems", "ClientRequestToken"},
}
IN_TRANSACTION = {"Put": "put_item", "Update": "update_item"}
FAILED = "The conditional request failed"

Result = tuple[dict[str, Any] | ClientError, Hashable]
"""What the caller gets; and a digest of it, which tells it from other answers to the same call."""
Changed = Callable[[Item | None, Item], None]


class Write:
    """One write, or look at an item: read once, done as often as wanted."""

    def __init__(self, operation: str, parameters: Mapping[str, Any]) -> None:
        refuse_unknown(operation, parameters)
        self.operation = operation
        whole = parameters["Item"] if "Item" in parameters else parameters["Key"]
        self.key: str = whole[HASH_KEY]["S"]
        self._whole: Item = whole
        self._digest = digest_of(whole)
        self._names = parameters.get("ExpressionAttributeNames", {})
        self._values = parameters.get("ExpressionAttributeValues", {})
        expression = parameters.get("ConditionExpression")
        self._condition: Condition | None = None if expression is None else condition(expression)
        self._steps: tuple[Step, ...] = (
            update(parameters["UpdateExpression"]) if "UpdateExpression" in parameters else ()
        )
        self.tells_item = parameters.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"

    def holds(self, item: Item | None) -> bool:
        return self._condition is None or self._condition(item or {}, self._names, self._values)

    def outcome(self, item: Item | None) -> tuple[Item, int]:
        """What becomes of the item, and its digest."""
        if not self._steps:
            return self._whole, self._digest
        new: dict[str, Value] = {**(item or {}), **self._whole}
        for step in self._steps:
            step(new, self._names, self._values)
        return new, digest_of(new)


class Request:
    """A call of the client, read once."""

    def __init__(self, operation: str, parameters: Mapping[str, Any]) -> None:
        refuse_unknown(operation, parameters)
        self.operation, self.parameters = operation, parameters
        self.writes: tuple[Write, ...] = ()
        if operation == "transact_write_items":
            inner = [each for item in parameters["TransactItems"] for each in item.items()]
            self.writes = tuple(Write(IN_TRANSACTION[kind], write) for kind, write in inner)
            if len({write.key for write in self.writes}) < len(self.writes):
                raise Unknown("DynamoDB refuses two writes to one item in a transaction")
        elif operation != "query":
            self.writes = (Write(operation, parameters),)


class Table:
    def __init__(self, changed: Changed) -> None:
        """`changed` is the stream: it is told each item before and after."""
        self.items: dict[str, Item] = {}
        self._digests: dict[str, int] = {}
        self._changed = changed

    def copy(self, changed: Changed) -> "Table":
        copied = Table(changed)
        copied.items, copied._digests = self.items.copy(), self._digests.copy()
        return copied

    def digest(self) -> Hashable:
        return frozenset(self._digests.items())

    def accepts(self, request: Request) -> bool:
        """Whether a write would be done, if it came now."""
        return all(write.holds(self.items.get(write.key)) for write in request.writes)

    def do(self, request: Request) -> Result:
        match request.operation:
            case "transact_write_items":
                return self._transact(request.writes)
            case "get_item":
                key = request.writes[0].key
                item = self.items.get(key)
                return ({} if item is None else {"Item": dict(item)}), self._digests.get(key)
            case "query":
                found = self._found(request.parameters)
                return {"Items": [dict(self.items[key]) for key in found]}, tuple(self._digests[key] for key in found)
        return self._write(request.writes[0])

    def _write(self, write: Write) -> Result:
        before = self.items.get(write.key)
        if not write.holds(before):
            told = {"Item": dict(before)} if write.tells_item and before is not None else {}
            failed = {"Error": {"Code": "ConditionalCheckFailedException", "Message": FAILED}}
            return refusal(write.operation, failed | told), ("refused", self._digests.get(write.key) if told else None)
        self._put({write.key: write.outcome(before)})
        return {}, None

    def _transact(self, writes: tuple[Write, ...]) -> Result:
        present = [self.items.get(write.key) for write in writes]
        held = [write.holds(item) for write, item in zip(writes, present, strict=True)]
        if all(held):
            self._put({write.key: write.outcome(item) for write, item in zip(writes, present, strict=True)})
            return {}, None
        told = [
            {"Item": dict(item)} if not holds and write.tells_item and item is not None else {}
            for write, item, holds in zip(writes, present, held, strict=True)
        ]
        digest = tuple(self._digests[write.key] if item else None for write, item in zip(writes, told, strict=True))
        return cancelled(["None" if holds else "ConditionalCheckFailed" for holds in held], told), (*held, digest)

    def _put(self, outcomes: Mapping[str, tuple[Item, int]]) -> None:
        for key, (item, digest) in outcomes.items():
            before, digest_before = self.items.get(key), self._digests.get(key)
            self.items[key], self._digests[key] = item, digest
            if digest != digest_before:
                self._changed(before, item)

    def _found(self, query: Mapping[str, Any]) -> list[str]:
        """The keys of an index's items, in its order."""
        names, holds = INDEXES[query["IndexName"]], condition(query["KeyConditionExpression"])
        given = query.get("ExpressionAttributeNames", {}), query["ExpressionAttributeValues"]
        found = [
            (int(item[names[1]]["N"]), key)
            for key, item in self.items.items()
            if names[0] in item and names[1] in item and holds(item, *given)
        ]
        found.sort(reverse=not query.get("ScanIndexForward", True))
        return [key for _, key in found[: query.get("Limit")]]


def digest_of(item: Item) -> int:
    return hash(frozenset((name, str(value)) for name, value in item.items()))


def refusal(operation: str, response: dict[str, Any]) -> ClientError:
    """As botocore makes it."""
    return ClientError(response | {"ResponseMetadata": {"HTTPStatusCode": 400}}, operation)  # type: ignore[arg-type]


def cancelled(codes: list[str], told: list[dict[str, Any]]) -> ClientError:
    """`told`: for each write of the transaction {} or {"Item": …}."""
    message = f"Transaction cancelled, please refer cancellation reasons for specific reasons [{', '.join(codes)}]"
    reasons = [{"Code": code, **item} for code, item in zip(codes, told, strict=True)]
    error = {"Code": "TransactionCanceledException", "Message": message}
    return refusal("TransactWriteItems", {"Error": error, "CancellationReasons": reasons})


def conflict(request: Request) -> ClientError:
    """Of a write that meets another transaction at its first item."""
    if request.operation == "transact_write_items":
        others = len(request.writes) - 1
        return cancelled(["TransactionConflict", *["None"] * others], [{}] * (others + 1))
    message = "Transaction is ongoing for the item"
    return refusal(request.operation, {"Error": {"Code": "TransactionConflictException", "Message": message}})


def refuse_unknown(operation: str, parameters: Mapping[str, Any]) -> None:
    if operation not in PARAMETERS or not parameters.keys() <= PARAMETERS[operation]:
        raise Unknown(f"{operation}({', '.join(parameters)})")
    used = frozenset[str]()
    for name in ("ConditionExpression", "UpdateExpression", "KeyConditionExpression"):
        if name in parameters:
            used |= placeholders(parameters[name])
    given = {*parameters.get("ExpressionAttributeNames", ()), *parameters.get("ExpressionAttributeValues", ())}
    if used != given:
        raise Unknown(f"{operation}: DynamoDB refuses what is not used or not given: {sorted(used ^ given)}")
