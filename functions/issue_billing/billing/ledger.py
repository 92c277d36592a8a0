"""The attempts table: lock, limits and journal of every attempt, in one DynamoDB table.

An attempt is `open` from `begin` until `finish` or the settler closes it. Open attempts stand in the sparse index
`due`, spread over shards. No item is written by all attempts, so nothing gets hot. What the items hold stands in
`ledger_items`.
"""

import random
import time
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from billing.attempt import Attempt, Ending, Item, LeftOpen, NewAttempt, Repeated
from billing.aws import DYNAMODB, AwsNotAnswering, AwsRefused, Client
from billing.errors import InProgress, InvalidCustomerToken, TooManyAttempts, Unavailable
from billing.ledger_items import (
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
from billing.settings import Settings

REPEAT_SECONDS = 600
"""A double click or a client's own retry gets the first answer again for so long."""
PAUSES_ON_CONFLICT = (0.02, 0.05, 0.1, 0.2, 0.4, 0.0)


class Ledger:
    def __init__(self, settings: Settings) -> None:
        self._table = settings.attempts_table
        self._customer_limit = settings.attempts_per_customer
        self._card_limit = settings.attempts_per_card
        self._dynamodb = Client(DYNAMODB, settings)

    def begin(self, new: NewAttempt) -> Attempt | Repeated | LeftOpen:
        """One write that is lock, counter and journal; two where the uid was seen before.

            A  begin: nothing under the uid ──▶ written, open ────────────▶ finish: issued
            B      begin: refused, gets A's item ──▶ InProgress                │
            C                                             begin: gets A's item ─▶ Repeated, or a second
                                                          write on the condition that A's item is unchanged

        Raises InProgress, TooManyAttempts, InvalidCustomerToken, Unavailable (nothing was written).
        """
        seen: Item | None = None
        for pause in PAUSES_ON_CONFLICT:
            now = time.time()
            if (begun := self._begun_before(seen, new, now)) is not None:
                return begun
            item = new_item(seen, new, now)
            reasons = self._written_or_refused(self._writes(item, seen, new, now))
            if reasons is None:
                return attempt_in(item)
            of_customer, of_card, *of_payment = (reason.get("Code") for reason in reasons)
            if of_customer == "ConditionalCheckFailed":
                seen = plain(reasons[0]["Item"]) if "Item" in reasons[0] else None
            elif of_card == "ConditionalCheckFailed":
                raise TooManyAttempts(_seconds_to_next_hour(now), "attempts_per_card")
            elif "ConditionalCheckFailed" in of_payment:
                raise InvalidCustomerToken("payment_of_another_customer")
            else:
                # Somebody else writes one of the items at this very moment.
                time.sleep(random.uniform(0.0, pause))  # noqa: S311 (only spreads the retries)
        raise Unavailable("ledger_busy")

    def finish(self, attempt: Attempt, ending: Ending) -> bool:
        """Closes the attempt, if it is still open; False: it is closed already. Raises Unavailable."""
        return self._done_if_open(attempt, "PutItem", {"Item": typed(ended_item(attempt, ending, time.time()))})

    def leave_open(self, attempt: Attempt, *, locked: bool) -> None:
        """Ends the invocation's part and leaves the outcome to be found out later.

        `locked`: until then no other attempt may begin, as this one may still come to something.
        Raises Unavailable.
        """
        self._set_if_open(attempt, "locked_until", due_at(attempt.ends_at) if locked else int(time.time()))

    def postpone(self, attempt: Attempt, seconds: int) -> None:
        """Has the settler look again later. Raises Unavailable."""
        self._set_if_open(attempt, "due_at", int(time.time()) + seconds)

    def due(self) -> Iterator[Attempt]:
        """The open attempts whose invocation is over, those due first of each shard first. Raises Unavailable."""
        for shard in range(SHARDS):
            query = {
                "TableName": self._table,
                "IndexName": "due",
                "KeyConditionExpression": "due_shard = :shard AND due_at <= :now",
                "ExpressionAttributeValues": typed({":shard": str(shard), ":now": int(time.time())}),
            }
            for item in self._found(query):
                yield attempt_in(plain(item))

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

    def _written_or_refused(self, writes: list[dict[str, Any]]) -> list[dict[str, Any]] | None:
        """None where all was written; else, for each write, why nothing was. Raises Unavailable."""
        # By the token, a transaction whose answer was lost and that is sent again is still written once.
        transaction = {"TransactItems": writes, "ClientRequestToken": uuid.uuid4().hex}
        try:
            self._call("TransactWriteItems", transaction, may_refuse="TransactionCanceledException")
        except AwsRefused as refused:
            reasons: list[dict[str, Any]] = refused.document["CancellationReasons"]
            return reasons
        return None

    def _set_if_open(self, attempt: Attempt, name: str, value: int) -> None:
        update = {
            "Key": typed({"pk": customer_key(attempt.customer_uid)}),
            "UpdateExpression": f"SET {name} = :value",
        }
        self._done_if_open(attempt, "UpdateItem", update, {":value": value})

    def _done_if_open(
        self, attempt: Attempt, operation: str, parameters: Mapping[str, Any], values: Mapping[str, int] | None = None
    ) -> bool:
        """Writes on the condition that the attempt is open; False: it is not. Raises Unavailable."""
        condition = {
            "ConditionExpression": "attempt_id = :attempt_id AND #state = :open",
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": typed({":attempt_id": attempt.attempt_id, ":open": "open", **(values or {})}),
        }
        try:
            self._call(
                operation,
                {"TableName": self._table, **parameters, **condition},
                may_refuse="ConditionalCheckFailedException",
            )
        except AwsRefused:
            return False
        return True

    def _found(self, query: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        page = self._call("Query", query)
        yield from page["Items"]
        while "LastEvaluatedKey" in page:
            page = self._call("Query", {**query, "ExclusiveStartKey": page["LastEvaluatedKey"]})
            yield from page["Items"]

    def _call(self, operation: str, parameters: Mapping[str, Any], *, may_refuse: str = "") -> dict[str, Any]:
        """Raises AwsRefused with the code that the caller waits for, and Unavailable for all else."""
        try:
            return self._dynamodb.call(operation, parameters)
        except AwsNotAnswering as failure:
            raise Unavailable(f"ledger_unreachable: {failure}") from None
        except AwsRefused as refused:
            if refused.code == may_refuse:
                raise
            raise Unavailable(f"ledger_refused: {refused.code}") from None


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
