"""One write that may meet another transaction at its items, tried again for as long as that is worth it."""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from billing.aws_clients import AwsClients, as_unavailable, error_code
from billing.model.deadline import Deadline
from billing.model.errors import Unavailable

FIRST_PAUSE_SECONDS = 0.02
LONGEST_PAUSE_SECONDS = 0.3
WORTH_ANOTHER_TRY = {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
"""Why a transaction is refused that may pass a moment later. Source: DynamoDB API reference, TransactWriteItems."""


def write_or_refusal(
    aws: AwsClients, operation: str, parameters: Mapping[str, Any], deadline: Deadline
) -> ClientError | None:
    """None where it was written; the refusal, where a condition was not met. Raises Unavailable.

    Tried again while another transaction has one of the items, which botocore's own retries leave to us:

        A   ── begin ──────▶ written
        B        ── finish ──▶ conflict   ── pause ──   ── finish ──▶ written
    """
    with as_unavailable("ledger"):
        write: Callable[..., Any] = getattr(aws.dynamodb, operation)
        for pause in _growing_pauses():
            try:
                write(**parameters)
            except ClientError as refused:
                if _is_by_condition(refused):
                    return refused
                if not _is_conflict(refused):
                    raise
            else:
                return None
            if deadline.left() < pause:
                break
            time.sleep(pause)
    raise Unavailable("ledger_busy")


def reasons_of(refused: ClientError) -> list[Any]:
    """Of a cancelled transaction: for each of its writes {"Code", "Item"}; the code `None`, in quotes, is none."""
    return refused.response.get("CancellationReasons", [])


def is_unmet(reason: Any) -> bool:
    return reason is not None and reason["Code"] == "ConditionalCheckFailed"


def _is_by_condition(refused: ClientError) -> bool:
    return error_code(refused) == "ConditionalCheckFailedException" or any(map(is_unmet, reasons_of(refused)))


def _is_conflict(refused: ClientError) -> bool:
    return error_code(refused) == "TransactionConflictException" or any(
        reason["Code"] in WORTH_ANOTHER_TRY for reason in reasons_of(refused)
    )


def _growing_pauses() -> Iterator[float]:
    """Seconds; random, so that those who met do not meet again."""
    longest = FIRST_PAUSE_SECONDS
    while True:
        yield random.uniform(longest / 2, longest)  # noqa: S311 (only spreads the tries)
        longest = min(2 * longest, LONGEST_PAUSE_SECONDS)
