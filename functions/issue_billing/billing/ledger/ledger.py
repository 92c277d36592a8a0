"""The attempts table: lock, limits and journal of every attempt, in one DynamoDB table.

An attempt is `open` from `begin` until `finish` or the settler closes it. Open attempts stand in the sparse index
`due`, spread over shards. No item is written by all attempts, so nothing gets hot. What the items hold stands in
`ledger_items`.
"""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from billing.aws_clients import AwsClients, as_unavailable, error_code
from billing.ledger.items import (
    HOUR,
    KEPT_SECONDS,
    SHARDS,
    attempt_in,
    attempts_this_hour,
    card_key,
    customer_key,
    due_at,
    ended_item,
    new_item,
    payment_in,
    payment_key,
    plain,
    registered_in,
    typed,
)
from billing.model.attempt import Attempt, Ending, Item, LeftOpen, NewAttempt, Repeated
from billing.model.deadline import Deadline
from billing.model.errors import InProgress, InvalidCustomerToken, TooManyAttempts, Unavailable
from billing.settings import Settings

REPEAT_SECONDS = 600
"""A double click or a client's own retry gets the first answer again for so long."""
BEGIN_SECONDS = 2.0
"""The longest that a new attempt waits for others that write the same items: nothing has happened yet."""
ANSWER_SECONDS = 0.5
"""Kept of an invocation where an outcome can't be written down for others that write."""
FIRST_PAUSE_SECONDS = 0.02
LONGEST_PAUSE_SECONDS = 0.3
WORTH_ANOTHER_TRY = {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
"""Why a transaction is refused that may pass a moment later. Source: DynamoDB API reference, TransactWriteItems."""


class Ledger:
    def __init__(self, settings: Settings, aws: AwsClients) -> None:
        self._table = settings.attempts_table
        self._customer_limit = settings.attempts_per_customer
        self._card_limit = settings.attempts_per_card
        self._aws = aws

    def begin(self, new: NewAttempt, deadline: Deadline) -> Attempt | Repeated | LeftOpen:
        """One write that is lock, counter and journal; two where the uid was seen before.

            A  begin: nothing under the uid ──▶ written, open ────────────▶ finish: issued
            B      begin: refused, gets A's item ──▶ InProgress                │
            C                                             begin: gets A's item ─▶ Repeated, or a second
                                                          write on the condition that A's item is unchanged

        Raises InProgress, TooManyAttempts, InvalidCustomerToken, Unavailable (nothing was written).
        """
        deadline = deadline.at_most(BEGIN_SECONDS)
        seen: Item | None = None
        while True:
            now = time.time()
            if (begun := self._begun_before(seen, new, now)) is not None:
                return begun
            if not deadline.left():
                raise Unavailable("ledger_busy")
            item = new_item(seen, new, now)
            refused = self._written_or_refused(
                "transact_write_items", {"TransactItems": self._writes(item, seen, new, now)}, deadline
            )
            if refused is None:
                return attempt_in(item)
            of_customer, of_card, *_ = _reasons(refused)
            if of_customer["Code"] == "ConditionalCheckFailed":
                seen = plain(of_customer["Item"]) if "Item" in of_customer else None
            elif of_card["Code"] == "ConditionalCheckFailed":
                raise TooManyAttempts(_seconds_to_next_hour(now), "attempts_per_card")
            else:
                raise InvalidCustomerToken("payment_of_another_customer")

    def finish(self, attempt: Attempt, ending: Ending, deadline: Deadline) -> bool:
        """Closes the attempt, if it is still open; False: it is closed already. Raises Unavailable."""
        item = {"Item": typed(ended_item(attempt, ending, time.time()))}
        return self._done_if_open(attempt, "put_item", item, deadline)

    def leave_open(self, attempt: Attempt, deadline: Deadline, *, locked: bool) -> None:
        """Ends the invocation's part and leaves the outcome to be found out later.

        `locked`: until then no other attempt may begin, as this one may still come to something.
        Raises Unavailable.
        """
        until = due_at(attempt.ends_at) if locked else int(time.time())
        self._set_if_open(attempt, "locked_until", until, deadline)

    def postpone(self, attempt: Attempt, seconds: int, deadline: Deadline) -> None:
        """Has the settler look again later. Raises Unavailable."""
        self._set_if_open(attempt, "due_at", int(time.time()) + seconds, deadline)

    def due(self) -> Iterator[Attempt]:
        """The open attempts whose invocation is over, those due first of each shard first. Raises Unavailable."""
        for shard in range(SHARDS):
            with as_unavailable("ledger"):
                pages = self._aws.dynamodb.get_paginator("query").paginate(
                    TableName=self._table,
                    IndexName="due",
                    KeyConditionExpression="due_shard = :shard AND due_at <= :now",
                    ExpressionAttributeValues=typed({":shard": str(shard), ":now": int(time.time())}),
                )
                for page in pages:
                    yield from (attempt_in(plain(item)) for item in page["Items"])

    def _begun_before(self, seen: Item | None, new: NewAttempt, now: float) -> Repeated | LeftOpen | None:
        """What an earlier attempt under the uid means for a new one. Raises InProgress, TooManyAttempts."""
        if seen is None:
            return None
        if seen["state"] == "open":
            if seen["locked_until"] > now:
                raise InProgress
            return LeftOpen(attempt_in(seen))
        if (repeated := _repeated(seen, new, now)) is not None:
            return repeated
        if attempts_this_hour(seen, now) >= self._customer_limit:
            raise TooManyAttempts(_seconds_to_next_hour(now), "attempts_per_customer")
        return None

    def _writes(self, item: Item, seen: Item | None, new: NewAttempt, now: float) -> list[dict[str, Any]]:
        writes: list[dict[str, Any]] = [
            {
                "Put": {
                    "TableName": self._table,
                    "Item": typed(item),
                    **_unchanged_since(seen),
                    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                }
            },
            {
                "Update": {
                    "TableName": self._table,
                    "Key": typed({"pk": card_key(new.card_fingerprint, now)}),
                    "UpdateExpression": "ADD attempts :one SET expires_at = :expires_at",
                    "ConditionExpression": "attribute_not_exists(attempts) OR attempts < :limit",
                    "ExpressionAttributeValues": typed(
                        {":one": 1, ":limit": self._card_limit, ":expires_at": int(now) + 2 * HOUR}
                    ),
                }
            },
        ]
        if new.merchant_uid is not None:
            writes.append(
                {
                    "Update": {
                        "TableName": self._table,
                        "Key": typed({"pk": payment_key(new.merchant_uid)}),
                        "UpdateExpression": "SET customer_uid = :customer_uid, expires_at = :expires_at",
                        "ConditionExpression": "attribute_not_exists(pk) OR customer_uid = :customer_uid",
                        "ExpressionAttributeValues": typed(
                            {":customer_uid": new.customer_uid, ":expires_at": int(now) + KEPT_SECONDS}
                        ),
                    }
                }
            )
        return writes

    def _set_if_open(self, attempt: Attempt, name: str, value: int, deadline: Deadline) -> None:
        update = {
            "Key": typed({"pk": customer_key(attempt.customer_uid)}),
            "UpdateExpression": f"SET {name} = :value",
        }
        self._done_if_open(attempt, "update_item", update, deadline, {":value": value})

    def _done_if_open(
        self,
        attempt: Attempt,
        operation: str,
        parameters: Mapping[str, Any],
        deadline: Deadline,
        values: Mapping[str, int] | None = None,
    ) -> bool:
        """Writes on the condition that the attempt is open; False: it is not. Raises Unavailable."""
        last_moment = deadline.earlier_by(ANSWER_SECONDS)
        write = {
            "TableName": self._table,
            "ConditionExpression": "attempt_id = :attempt_id AND #state = :open",
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": typed({":attempt_id": attempt.attempt_id, ":open": "open", **(values or {})}),
            **parameters,
        }
        return self._written_or_refused(operation, write, last_moment) is None

    def _written_or_refused(
        self, operation: str, parameters: Mapping[str, Any], deadline: Deadline
    ) -> ClientError | None:
        """None where it was written; the refusal, where a condition was not met. Raises Unavailable.

        Tried again while another transaction has one of the items, which botocore's own retries leave to us:

            A   ── begin ──────▶ written
            B        ── finish ──▶ conflict   ── pause ──   ── finish ──▶ written
        """
        with as_unavailable("ledger"):
            write: Callable[..., Any] = getattr(self._aws.dynamodb, operation)
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


def _reasons(refused: ClientError) -> list[Any]:
    """Of a cancelled transaction: for each of its writes {"Code", "Item"}; the code `None`, in quotes, is none."""
    return refused.response.get("CancellationReasons", [])


def _is_by_condition(refused: ClientError) -> bool:
    return error_code(refused) == "ConditionalCheckFailedException" or any(
        reason["Code"] == "ConditionalCheckFailed" for reason in _reasons(refused)
    )


def _is_conflict(refused: ClientError) -> bool:
    return error_code(refused) == "TransactionConflictException" or any(
        reason["Code"] in WORTH_ANOTHER_TRY for reason in _reasons(refused)
    )


def _growing_pauses() -> Iterator[float]:
    """Seconds; random, so that those who met do not meet again."""
    longest = FIRST_PAUSE_SECONDS
    while True:
        yield random.uniform(longest / 2, longest)  # noqa: S311 (only spreads the tries)
        longest = min(2 * longest, LONGEST_PAUSE_SECONDS)


def _seconds_to_next_hour(now: float) -> int:
    return HOUR - int(now) % HOUR


def _unchanged_since(seen: Item | None) -> dict[str, Any]:
    if seen is None:
        return {"ConditionExpression": "attribute_not_exists(pk)"}
    return {
        "ConditionExpression": "attempt_id = :attempt_id AND #state = :state",
        "ExpressionAttributeNames": {"#state": "state"},
        "ExpressionAttributeValues": typed({":attempt_id": seen["attempt_id"], ":state": seen["state"]}),
    }


def _repeated(seen: Item, new: NewAttempt, now: float) -> Repeated | None:
    same_request = (
        seen["state"] == "issued"
        and seen["card_fingerprint"] == new.card_fingerprint
        and seen["merchant_uid"] == (new.merchant_uid or "")
    )
    if not same_request or now - seen["ended_at"] > REPEAT_SECONDS:
        return None
    billing_key = registered_in(seen)
    return None if billing_key is None else Repeated(billing_key, payment_in(seen))
