"""A global secondary index that lags behind its table, as DynamoDB's do.

Source: DynamoDB developer guide, "Using Global Secondary Indexes in DynamoDB", Data synchronization. moto's know of a
write at once.
"""

import copy
from collections.abc import Callable
from typing import Any

from moto.core.responses import ActionResult
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoHandler

from infra.local.dynamodb.writes import holding


class LaggingIndex:
    def __init__(self) -> None:
        self._held: dict[str, Any] | None = None
        """A table's ARN to its items as the indexes know them. None: as they are."""

    def install(self) -> None:
        for method in ("query", "scan"):
            setattr(DynamoHandler, method, self._reading_held_items(getattr(DynamoHandler, method)))

    def hold_back(self) -> None:
        """From now on the indexes show what the tables hold now."""
        tables = [
            table for regions in dynamodb_backends.values() for one in regions.values() for table in one.tables.values()
        ]
        self._held = {table.table_arn: copy.deepcopy(table.items) for table in tables}

    def let_go(self) -> None:
        self._held = None

    def _reading_held_items(
        self, answer: Callable[[DynamoHandler], ActionResult]
    ) -> Callable[[DynamoHandler], ActionResult]:
        def answer_as_held(handler: DynamoHandler) -> ActionResult:
            table = handler.dynamodb_backend.get_table(handler.body["TableName"])
            if self._held is None or not _is_global(handler.body.get("IndexName"), table):
                return answer(handler)
            with holding(table, self._held.get(table.table_arn, {})):
                return answer(handler)

        return answer_as_held


def _is_global(index: str | None, table: Table) -> bool:
    return index in [one.name for one in table.global_indexes]
