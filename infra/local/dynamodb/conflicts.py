"""Writes that meet another transaction at their item, and are refused for it.

The stand-in answers one request at a time, so that no two ever meet: a test asks for it. Source: DynamoDB developer
guide, "Amazon DynamoDB Transactions: How it works", Transaction conflict handling. An AWS SDK repeats none of them.
"""

import random
from collections.abc import Callable

from moto.core.responses import ActionResult
from moto.dynamodb.exceptions import ERROR_TYPE_PREFIX, DynamodbException
from moto.dynamodb.responses import DynamoHandler

ONGOING = "Transaction is ongoing for the item"
"""Source: DynamoDB's API reference, `TransactWriteItems`, Errors."""

SINGLE_WRITES = {"PutItem": "put_item", "UpdateItem": "update_item", "DeleteItem": "delete_item"}
"""Operation to moto's method. A transaction is refused in its own words, in `transactions`."""


class TransactionConflict(DynamodbException):
    def __init__(self) -> None:
        super().__init__(f"{ERROR_TYPE_PREFIX}TransactionConflictException", ONGOING)


class Conflicts:
    def __init__(self) -> None:
        self._next: list[tuple[str, int]] = []
        self._share = 0.0
        self._random = random.Random()  # noqa: S311 (decides which writes of a test are refused)

    def install(self) -> None:
        for operation, method in SINGLE_WRITES.items():
            setattr(DynamoHandler, method, self._or_refused(operation, getattr(DynamoHandler, method)))

    def refuse_next(self, *, operation: str, times: int, index: int) -> None:
        """The next calls of the operation; `index`: which write of a transaction meets another one."""
        self._next += [(operation, index)] * times

    def refuse_share(self, *, share: float, seed: int) -> None:
        """From now on each call that writes, with this probability; in a transaction any of its writes."""
        self._share = share
        self._random.seed(seed)

    def forget(self) -> None:
        self._next.clear()
        self._share = 0.0

    def met_by(self, operation: str, writes: int = 1) -> int | None:
        """Which of the call's writes meets another transaction. None: the call goes on."""
        for position, (expected, index) in enumerate(self._next):
            if expected == operation:
                del self._next[position]
                return index
        return self._random.randrange(writes) if self._random.random() < self._share else None

    def _or_refused(
        self, operation: str, answer: Callable[[DynamoHandler], ActionResult]
    ) -> Callable[[DynamoHandler], ActionResult]:
        def answer_or_refuse(handler: DynamoHandler) -> ActionResult:
            if self.met_by(operation) is not None:
                raise TransactionConflict
            return answer(handler)

        return answer_or_refuse
