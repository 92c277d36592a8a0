"""A write to one item, tried before it is done: it is written wholly or not at all.

moto changes an item step by step and finds on the way that a step is not allowed. It allows what an index forbids, and
puts an item that an update makes into the stream twice, first without the update.
"""

import copy
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from moto.dynamodb.exceptions import EmptyKeyAttributeException, MockValidationException
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table

Key = tuple[DynamoType, DynamoType | None]

INVALID = "One or more parameter values were invalid: "

_moto_put = DynamoDBBackend.put_item
_moto_update = DynamoDBBackend.update_item


def install() -> None:
    DynamoDBBackend.put_item = _tried_first(_moto_put)  # type: ignore[method-assign]
    DynamoDBBackend.update_item = _tried_first(_moto_update)  # type: ignore[method-assign]


@contextmanager
def holding(table: Table, items: Any) -> Iterator[None]:
    """The table with other items, and without the stream that tells what becomes of them."""
    present = table.items, table.stream_shard
    table.items, table.stream_shard = items, None
    try:
        yield
    finally:
        table.items, table.stream_shard = present


def whole_of(write: Mapping[str, Any]) -> Mapping[str, Any]:
    """What names the item: itself, or its key."""
    whole: Mapping[str, Any] = write["Key"] if "Key" in write else write["Item"]
    return whole


def key_in(table: Table, whole: Mapping[str, Any]) -> Key:
    """Raises MockValidationException where there is none, or one of another type."""
    types = types_of(table)
    for name in table.table_key_attrs:
        if name not in whole:
            raise MockValidationException(f"{INVALID}Missing the key {name} in the item")
        [actual] = whole[name]
        if actual != types[name]:
            raise MockValidationException(
                f"{INVALID}Type mismatch for key {name} expected: {types[name]} actual: {actual}"
            )
    range_key = None if table.range_key_attr is None else DynamoType(whole[table.range_key_attr])
    return DynamoType(whole[table.hash_key_attr]), range_key


def types_of(table: Table) -> dict[str, str]:
    """The attributes of its key and of its indexes' keys, to S, N or B."""
    return {one["AttributeName"]: one["AttributeType"] for one in table.attr}


def outcome(backend: DynamoDBBackend, kind: str, write: Mapping[str, Any]) -> Item | None:
    """What a transaction's Put, Update, Delete or ConditionCheck makes of its item, which stays as it is.

    Its condition is not looked at. Raises MockValidationException where it is not allowed.
    """
    table = backend.get_table(write["TableName"])
    names, values = write.get("ExpressionAttributeNames", {}), write.get("ExpressionAttributeValues", {})
    match kind:
        case "Put":
            return _outcome(table, write["Item"], lambda: _moto_put(backend, table.name, write["Item"]))
        case "Update":
            return _outcome(
                table,
                write["Key"],
                lambda: _moto_update(backend, table.name, write["Key"], write["UpdateExpression"], names, values),
                # moto checks the update of an item that is not there twice, which takes long
                otherwise=Item(*key_in(table, write["Key"]), attrs=write["Key"]),
            )
        case "Delete":
            return None
        case "ConditionCheck":
            return table.get_item(*key_in(table, write["Key"]))
        case _:
            raise NotImplementedError(kind)


def settle(table: Table, key: Key, item: Item | None) -> None:
    """Has the item be so, in the table and in its stream; a write that changes nothing is in no stream.

    Source: DynamoDB developer guide, "Change data capture for DynamoDB Streams".
    """
    before = table.get_item(*key)
    hash_key, range_key = key
    items: Any
    items, last = (table.items, hash_key) if range_key is None else (table.items[hash_key], range_key)
    if item is None:
        items.pop(last, None)
    else:
        items[last] = item
    changed = before is not item if before is None or item is None else before != item
    if table.stream_shard is not None and changed:
        table.stream_shard.add(before, item)


def _tried_first(write: Callable[..., Item]) -> Callable[..., Item]:
    def try_and_settle(
        backend: DynamoDBBackend, table_name: str, whole: dict[str, Any], *arguments: Any, **named: Any
    ) -> Item:
        """`whole`: the item, or its key."""
        table = backend.get_table(table_name)
        item = _outcome(table, whole, lambda: write(backend, table_name, whole, *arguments, **named))
        settle(table, key_in(table, whole), item)
        return item

    return try_and_settle


def _outcome(
    table: Table, whole: Mapping[str, Any], write: Callable[[], Item], *, otherwise: Item | None = None
) -> Item:
    """`otherwise`: what is taken to be there where nothing is."""
    key = key_in(table, whole)
    hash_key, range_key = key
    items: Any = defaultdict(dict)
    if (present := table.get_item(*key) or otherwise) is not None:
        alone = copy.deepcopy(present)
        items[hash_key] = alone if range_key is None else {range_key: alone}
    with holding(table, items):
        item = write()
    _refuse_unfit_for_an_index(table, item)
    return item


def _refuse_unfit_for_an_index(table: Table, item: Item) -> None:
    """An item without an index's key is just not in the index, but one with a wrong key is no item.

    Source: github.com/paritysuite/dynamodb-conformance, tried on AWS.
    """
    types = types_of(table)
    for index in table.global_indexes:
        for name in index.schema_key_attrs:
            value: DynamoType | None = item.attrs.get(name)
            if value is None:
                continue
            if value.type != types[name]:
                raise MockValidationException(
                    f"{INVALID}Type mismatch for Index Key {name} "
                    f"Expected: {types[name]} Actual: {value.type} IndexName: {index.name}"
                )
            if value.value in ("", b""):
                raise EmptyKeyAttributeException(key_in_index=True)
