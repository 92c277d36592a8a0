"""The attempts table in memory: what a call of boto3's client does to it, and what botocore then gives or raises.

A call takes effect at one moment, as DynamoDB's do. Who is in whose way, what is lost and what is refused without a
reason of the table's own is the scheduler's to say. Source: DynamoDB API reference.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from tests.simulation.expressions import Item, Unknown, Value, condition, placeholders, update

HASH_KEY = "pk"
INDEXES = {"due": ("due_shard", "due_at")}
"""As in template.yaml."""
WRITES = frozenset({"transact_write_items", "put_item", "update_item", "delete_item"})
EXPRESSION = frozenset({"ConditionExpression", "ExpressionAttributeNames", "ExpressionAttributeValues"})
WRITE = EXPRESSION | {"TableName", "ReturnValuesOnConditionCheckFailure"}
PARAMETERS = {
    "put_item": WRITE | {"Item"},
    "update_item": WRITE | {"Key", "UpdateExpression", "ReturnValues"},
    "delete_item": WRITE | {"Key"},
    "condition_check": WRITE | {"Key"},
    "get_item": {"TableName", "Key", "ConsistentRead"},
    "query": {"TableName", "IndexName", "KeyConditionExpression", "Limit", "ScanIndexForward"} | EXPRESSION,
    "transact_write_items": {"TransactItems", "ClientRequestToken"},
}
OPERATIONS = {
    "Put": "put_item", "Update": "update_item", "Delete": "delete_item", "ConditionCheck": "condition_check"
}  # fmt: skip

Result = tuple[dict[str, Any] | ClientError, Hashable]
"""What the caller gets, and the same in short, to tell two histories apart."""
Changes = dict[str, Item | None]


class Table:
    def __init__(self, changed: Callable[[Item | None, Item | None], None]) -> None:
        """`changed` is the stream: it is told the item before and after."""
        self.items: dict[str, Item] = {}
        self._digests: dict[str, int] = {}
        self._changed = changed

    def copy(self, changed: Callable[[Item | None, Item | None], None]) -> "Table":
        copied = Table(changed)
        copied.items, copied._digests = self.items.copy(), self._digests.copy()
        return copied

    def digest(self) -> Hashable:
        return frozenset(self._digests.items())

    def call(self, operation: str, parameters: Mapping[str, Any]) -> Result:
        _refuse_unknown(operation, parameters)
        match operation:
            case "transact_write_items":
                return self._transact(parameters["TransactItems"])
            case "put_item" | "update_item" | "delete_item":
                return self._write(operation, parameters)
            case "get_item":
                key = parameters["Key"][HASH_KEY]["S"]
                item = self.items.get(key)
                return ({} if item is None else {"Item": dict(item)}), self._digests.get(key)
            case "query":
                found = list(self._found(parameters))
                return {"Items": [dict(self.items[key]) for key in found]}, tuple(self._digests[key] for key in found)
        raise Unknown(operation)

    def accepts(self, operation: str, parameters: Mapping[str, Any]) -> bool:
        """Whether a write would be done, if it came now."""
        writes = _writes(parameters["TransactItems"]) if "TransactItems" in parameters else [(operation, parameters)]
        return all(self._holds(write) for _, write in writes)

    def _write(self, operation: str, write: Mapping[str, Any]) -> Result:
        if not self._holds(write):
            failed = {"Error": {"Code": "ConditionalCheckFailedException", "Message": "The conditional request failed"}}
            item = self._told(write)
            return refusal(operation, failed | item), ("condition", self._digests.get(_key(write)) if item else None)
        key, item_now = _key(write), self._outcome(operation, write)
        before = self.items.get(key)
        self._put({key: item_now})
        match write.get("ReturnValues", "NONE"):
            case "NONE":
                return {}, None
            case "ALL_NEW":
                return {"Attributes": dict(item_now or {})}, self._digests.get(key)
            case "ALL_OLD":
                return {"Attributes": dict(before or {})}, str(before)
        raise Unknown(str(write["ReturnValues"]))

    def _transact(self, transact_items: list[dict[str, Any]]) -> Result:
        writes = _writes(transact_items)
        if len({_key(write) for _, write in writes}) < len(writes):
            raise Unknown("a transaction with two writes to one item is no transaction")
        for operation, write in writes:
            _refuse_unknown(operation, write)
        held = [self._holds(write) for _, write in writes]
        if not all(held):
            told = [{} if holds else self._told(write) for holds, (_, write) in zip(held, writes, strict=True)]
            items = tuple(self._digests.get(_key(write)) if item else None for item, (_, write) in zip(told, writes, strict=True))
            return cancelled(["None" if holds else "ConditionalCheckFailed" for holds in held], told), (*held, items)
        changes: Changes = {}
        for operation, write in writes:
            if operation != "condition_check":
                changes[_key(write)] = self._outcome(operation, write)
        self._put(changes)
        return {}, None

    def _holds(self, write: Mapping[str, Any]) -> bool:
        expression = write.get("ConditionExpression")
        if expression is None:
            return True
        item = self.items.get(_key(write), {})
        names, values = write.get("ExpressionAttributeNames", {}), write.get("ExpressionAttributeValues", {})
        return condition(expression)(item, names, values)

    def _told(self, write: Mapping[str, Any]) -> dict[str, Any]:
        item = self.items.get(_key(write))
        wanted = write.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
        return {"Item": dict(item)} if wanted and item is not None else {}

    def _outcome(self, operation: str, write: Mapping[str, Any]) -> Item | None:
        if operation == "delete_item":
            return None
        if operation == "put_item":
            return dict(write["Item"])
        old = self.items.get(_key(write), {})
        new: dict[str, Value] = {**old, **write["Key"]}
        names, values = write.get("ExpressionAttributeNames", {}), write.get("ExpressionAttributeValues", {})
        for step in update(write["UpdateExpression"]):
            step(new, old, names, values)
        return new

    def _put(self, changes: Changes) -> None:
        for key, item in changes.items():
            before = self.items.get(key)
            if item is None:
                self.items.pop(key, None)
                self._digests.pop(key, None)
            else:
                self.items[key] = item
                self._digests[key] = hash(frozenset((name, str(value)) for name, value in item.items()))
            if before != item:
                self._changed(before, item)

    def _found(self, query: Mapping[str, Any]) -> Iterator[str]:
        """Of an index, in its order."""
        names = INDEXES[query["IndexName"]]
        values = query["ExpressionAttributeValues"]
        holds = condition(query["KeyConditionExpression"])
        indexed = [(key, item) for key, item in self.items.items() if all(name in item for name in names)]
        indexed.sort(key=lambda each: int(each[1][names[1]]["N"]), reverse=not query.get("ScanIndexForward", True))
        found = [key for key, item in indexed if holds(item, query.get("ExpressionAttributeNames", {}), values)]
        return iter(found[: query.get("Limit")])


def refusal(operation: str, response: dict[str, Any], status: int = 400) -> ClientError:
    """As botocore makes it."""
    return ClientError(response | {"ResponseMetadata": {"HTTPStatusCode": status}}, operation)  # type: ignore[arg-type]


def cancelled(codes: list[str], told: list[dict[str, Any]] | None = None) -> ClientError:
    """`told`: for each write of the transaction {} or {"Item": …}."""
    message = f"Transaction cancelled, please refer cancellation reasons for specific reasons [{', '.join(codes)}]"
    reasons = [{"Code": code, **item} for code, item in zip(codes, told or [{}] * len(codes), strict=True)]
    error = {"Code": "TransactionCanceledException", "Message": message}
    return refusal("TransactWriteItems", {"Error": error, "CancellationReasons": reasons})


def conflict(operation: str, parameters: Mapping[str, Any]) -> ClientError:
    """What meets another transaction at its (first) item is told."""
    if operation == "transact_write_items":
        return cancelled(["TransactionConflict"] + ["None"] * (len(parameters["TransactItems"]) - 1))
    message = "Transaction is ongoing for the item"
    return refusal(operation, {"Error": {"Code": "TransactionConflictException", "Message": message}})


def keys_of(operation: str, parameters: Mapping[str, Any]) -> frozenset[str]:
    """The items that a call reads or writes; of a query, its index."""
    if operation == "query":
        return frozenset({f"index {parameters['IndexName']}"})
    if operation == "transact_write_items":
        return frozenset(_key(write) for _, write in _writes(parameters["TransactItems"]))
    return frozenset({_key(parameters)})


def _writes(transact_items: list[dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    return [(OPERATIONS[kind], write) for item in transact_items for kind, write in item.items()]


def _key(write: Mapping[str, Any]) -> str:
    whole = write["Item"] if "Item" in write else write["Key"]
    key: str = whole[HASH_KEY]["S"]
    return key


def _refuse_unknown(operation: str, parameters: Mapping[str, Any]) -> None:
    if operation not in PARAMETERS or not parameters.keys() <= PARAMETERS[operation]:
        raise Unknown(f"{operation}({', '.join(parameters)})")
    used = frozenset[str]()
    for name in ("ConditionExpression", "UpdateExpression", "KeyConditionExpression"):
        if name in parameters:
            used |= placeholders(parameters[name])
    given = {*parameters.get("ExpressionAttributeNames", ()), *parameters.get("ExpressionAttributeValues", ())}
    if used != given:
        raise Unknown(f"{operation}: DynamoDB refuses what is not used or not given: {sorted(used ^ given)}")
