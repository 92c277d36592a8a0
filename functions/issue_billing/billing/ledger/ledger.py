"""The attempts table: lock, limits and journal of every attempt, in one DynamoDB table.

An attempt is `open` from `begin` until `finish` or the settler closes it. Open attempts stand in the sparse index
`due`, spread over shards, and so do issued ones as long as the same request is answered the same. No item is written
by all attempts, so nothing gets hot. What the items hold stands in `items`, who holds an order in `orders`, what a
write does that meets another one in `conflicts`.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import ClientError

from billing.aws_clients import AwsClients, as_unavailable
from billing.ledger.conflicts import is_unmet, reasons_of, write_or_refusal
from billing.ledger.items import (
    DAY,
    REPEAT_SECONDS,
    SHARDS,
    attempt_in,
    attempts_in_hour,
    attempts_this_hour,
    card_key,
    closed_in,
    customer_key,
    due_at,
    ended_item,
    ended_shard,
    new_item,
    order_key,
    payment_in,
    plain,
    registered_in,
    seconds_to_next_day,
    seconds_to_next_hour,
    seen_text,
    typed,
)
from billing.ledger.orders import hold, release
from billing.model.attempt import Attempt, Closed, Ending, Item, LeftOpen, NewAttempt, Order, Repeated, Seen
from billing.model.deadline import Deadline
from billing.model.errors import AlreadyPaid, InProgress, TooManyAttempts, Unavailable
from billing.observability import note_ended
from billing.settings import Settings

BEGIN_SECONDS = 2.0
"""The longest that a new attempt waits for others that write the same items: nothing has happened yet."""
ANSWER_SECONDS = 0.5
"""Kept of an invocation where an outcome can't be written down for others that write."""
SECONDS_BETWEEN_LOOKS = 4
"""Who asks again after Retry-After, five seconds, has a turn at each."""


@dataclass(frozen=True)
class Due:
    """An open attempt whose time is over, by the index: what it says is looked up in the table."""

    customer_uid: str
    attempt_id: str
    ends_at: int


@dataclass(frozen=True)
class Ended:
    """An issued attempt, by the index."""

    customer_uid: str
    attempt_id: str


class Ledger:
    def __init__(self, settings: Settings, aws: AwsClients) -> None:
        self._table = settings.attempts_table
        self._customer_limit = settings.attempts_per_customer
        self._card_limit = settings.attempts_per_card
        self._card_limit_a_day = settings.attempts_per_card_per_day
        self._aws = aws

    def begin(
        self, new: NewAttempt, deadline: Deadline, *, no_repeat_of: str | None = None
    ) -> Attempt | Repeated | LeftOpen:
        """One write that is lock, counter and journal; two where the uid was seen before.

            A  begin: nothing under the uid ──▶ written, open ────────────▶ finish: issued
            B      begin: refused, gets A's item ──▶ InProgress                │
            C                                             begin: gets A's item ─▶ Repeated, or a second
                                                          write on the condition that A's item is unchanged

        `no_repeat_of`: the attempt_id of one whose key is gone, so that its success is nothing to repeat.
        Raises InProgress, TooManyAttempts, AlreadyPaid, Unavailable (nothing was written).
        """
        deadline = deadline.at_most(BEGIN_SECONDS)
        earlier: Item | None = None
        order_is_paid = False
        while True:
            now = time.time()
            if (begun := self._begun_before(earlier, new, now, no_repeat_of)) is not None:
                return begun
            if not deadline.left():
                raise Unavailable("ledger_busy")
            item = new_item(earlier, new, now, order_is_paid=order_is_paid)
            writes = self._writes(item, earlier, new, now, order_is_paid=order_is_paid)
            try:
                refused = write_or_refusal(self._aws, "transact_write_items", {"TransactItems": writes}, deadline)
            except Unavailable as unheard:
                return self._begun_after_all(new, unheard)
            if refused is None:
                return attempt_in(item)
            of_customer, of_card, of_order = [*reasons_of(refused), None][:3]
            if is_unmet(of_customer):
                earlier = plain(of_customer["Item"]) if "Item" in of_customer else None
            elif is_unmet(of_order):
                order = plain(of_order["Item"])
                if order.get("state") != "paid":
                    return self._holder_of(order, new)
                if order["customer_uid"] != new.customer_uid:
                    raise AlreadyPaid
                order_is_paid = True
            else:
                raise self._card_tried_too_often(of_card, now)

    def note_seen(self, attempt: Attempt, seen: Seen, deadline: Deadline) -> Attempt | None:
        """Writes down what stood at Iamport before the card is sent: the attempt as it is now; None: it is closed.

            A  begin ──▶ look ─── frozen ────────────────▶ note: refused ──▶ sends nothing
            B                    finish: A sent nothing ──▶ begin ──▶ …

        Raises Unavailable.
        """
        text = seen_text(seen)
        if not self._set_if_open(attempt.customer_uid, attempt.attempt_id, {"seen": text}, deadline):
            return None
        return replace(attempt, seen=seen, item={**attempt.item, "seen": text})

    def finish(self, attempt: Attempt, ending: Ending, deadline: Deadline) -> bool:
        """Closes the attempt, if it is still open; False: it is closed already. Raises Unavailable.

        With the attempt goes its hold on the order. One payment leaves as one event, whoever finds it:

            A  paid, answer lost ──▶ open ──────────────────────▶ finish: imp_1 is told already, another event
            B                          finds imp_1 ──▶ finish: payment.paid

        An order that version 1 wrote may be another attempt's by now: that one's hold stays.
        """
        is_closed = self._close(attempt, ending, deadline)
        if is_closed:
            note_ended()
        return is_closed

    def _close(self, attempt: Attempt, ending: Ending, deadline: Deadline) -> bool:
        if attempt.order is None:
            return self._put_if_open(attempt, ending, ending.event(attempt), deadline)
        refused = self._finish_both(attempt, attempt.order, ending, deadline)
        if refused is None:
            return True
        of_customer, of_order = reasons_of(refused)
        if is_unmet(of_customer):
            return False
        order = plain(of_order["Item"])
        is_held = order.get("attempt_id", attempt.attempt_id) == attempt.attempt_id
        is_told = ending.payment is not None and order.get("told_imp_uid") == ending.payment.imp_uid
        if not is_held and (is_told or ending.payment is None):
            event = _event_of_told(ending) if is_told else ending.event(attempt)
            return self._put_if_open(attempt, ending, event, deadline)
        again = self._finish_both(attempt, attempt.order, ending, deadline, is_held=is_held, is_told=is_told)
        return again is None

    def leave_open(self, attempt: Attempt, deadline: Deadline) -> None:
        """Ends the invocation's part; what became of the attempt is found out later. The lock stays.

        Raises Unavailable.
        """
        now = int(time.time())
        self._set_if_open(attempt.customer_uid, attempt.attempt_id, {"ends_at": now, "due_at": due_at(now)}, deadline)

    def postpone(self, customer_uid: str, attempt_id: str, seconds: int, deadline: Deadline) -> None:
        """Has the settler look again later. Raises Unavailable."""
        self._set_if_open(customer_uid, attempt_id, {"due_at": int(time.time()) + seconds}, deadline)

    def due(self) -> Iterator[Due]:
        """The open attempts whose time is over, those due first of each shard first. Raises Unavailable."""
        for shard in range(SHARDS):
            yield from map(_due, self._due_in(str(shard)))

    def past_repeats(self) -> Iterator[Ended]:
        """The issued attempts whose request is not repeated any more, in the same order. Raises Unavailable."""
        for shard in range(SHARDS):
            yield from map(_ended, self._due_in(ended_shard(str(shard))))

    def forget_request(self, ended: Ended, deadline: Deadline) -> None:
        """Takes the request's fingerprint out; not where another attempt has begun. Raises Unavailable."""
        write = {
            "TableName": self._table,
            "Key": typed({"pk": customer_key(ended.customer_uid)}),
            "UpdateExpression": "REMOVE request_fingerprint, due_at, due_shard",
            "ConditionExpression": "attempt_id = :attempt_id AND #state = :issued",
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": typed({":attempt_id": ended.attempt_id, ":issued": "issued"}),
        }
        write_or_refusal(self._aws, "update_item", write, deadline)

    def read(self, customer_uid: str) -> Attempt | None:
        """The attempt that is open under the uid, by the table itself: an index lags. Raises Unavailable."""
        item = self._item(customer_uid)
        return attempt_in(item) if item is not None and item["state"] == "open" else None

    def known(self, customer_uid: str, attempt_id: str) -> Attempt | Closed | None:
        """The attempt of this id, as long as it is the newest under its uid. Raises Unavailable."""
        item = self._item(customer_uid)
        if item is None or item["attempt_id"] != attempt_id:
            return None
        return attempt_in(item) if item["state"] == "open" else closed_in(item)

    def in_the_way_of(self, new: NewAttempt) -> Attempt | None:
        """The newest attempt under the uid where it is open, or has just succeeded by this very request.

        Raises Unavailable.
        """
        item = self._item(new.customer_uid)
        if item is None or not (item["state"] == "open" or _repeated(item, new, time.time()) is not None):
            return None
        return attempt_in(item)

    def take_turn_to_look(self, attempt: Attempt, deadline: Deadline) -> bool:
        """Whether Iamport may be asked about an open attempt on behalf of who asks by its id.

        However many ask, and however often: that is once in SECONDS_BETWEEN_LOOKS. Raises Unavailable.
        """
        now = int(time.time())
        values: dict[str, str | int] = {":attempt_id": attempt.attempt_id, ":open": "open", ":now": now}
        write = {
            "TableName": self._table,
            "Key": typed({"pk": customer_key(attempt.customer_uid)}),
            "UpdateExpression": "SET looked_at = :now",
            "ConditionExpression": "attempt_id = :attempt_id AND #state = :open "
            "AND (attribute_not_exists(looked_at) OR looked_at <= :long_enough_ago)",
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": typed(values | {":long_enough_ago": now - SECONDS_BETWEEN_LOOKS}),
        }
        return write_or_refusal(self._aws, "update_item", write, deadline) is None

    def _due_in(self, shard: str) -> Iterator[Mapping[str, Any]]:
        with as_unavailable("ledger"):
            pages = self._aws.dynamodb.get_paginator("query").paginate(
                TableName=self._table,
                IndexName="due",
                KeyConditionExpression="due_shard = :shard AND due_at <= :now",
                ExpressionAttributeValues=typed({":shard": shard, ":now": int(time.time())}),
            )
            for page in pages:
                yield from page["Items"]

    def _item(self, customer_uid: str) -> Item | None:
        with as_unavailable("ledger"):
            found = self._aws.dynamodb.get_item(
                TableName=self._table, Key=typed({"pk": customer_key(customer_uid)}), ConsistentRead=True
            ).get("Item")
        return None if found is None else plain(found)

    def _begun_before(
        self, earlier: Item | None, new: NewAttempt, now: float, no_repeat_of: str | None
    ) -> Attempt | Repeated | LeftOpen | None:
        """What the newest attempt under the uid means for a new one. Raises InProgress, TooManyAttempts."""
        if earlier is None:
            return None
        if earlier["state"] == "open":
            return _left_open(attempt_in(earlier), new, now)
        if earlier["attempt_id"] != no_repeat_of and (repeated := _repeated(earlier, new, now)) is not None:
            return repeated
        if earlier.get("locked_until", 0) > now:
            raise InProgress(attempt_id=attempt_in(earlier).id_for(new))
        if attempts_this_hour(earlier, now) >= self._customer_limit:
            raise TooManyAttempts(seconds_to_next_hour(now), "attempts_per_customer")
        return None

    def _begun_after_all(self, new: NewAttempt, unheard: Unavailable) -> Attempt:
        """The attempt, where only the answer to its write was lost. Raises Unavailable."""
        attempt = self.read(new.customer_uid)
        if attempt is None or attempt.attempt_id != new.attempt_id:
            raise unheard
        return attempt

    def _holder_of(self, order: Item, new: NewAttempt) -> LeftOpen:
        """The attempt that holds an order. Raises InProgress, Unavailable."""
        attempt = self.read(order["customer_uid"])
        if attempt is None or attempt.order is None or order_key(attempt.order.merchant_uid) != order["pk"]:
            raise InProgress
        return _left_open(attempt, new, time.time())

    def _writes(
        self, item: Item, earlier: Item | None, new: NewAttempt, now: float, *, order_is_paid: bool
    ) -> list[dict[str, Any]]:
        writes: list[dict[str, Any]] = [
            {
                "Put": {
                    "TableName": self._table,
                    "Item": typed(item),
                    **_unchanged_since(earlier),
                    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                }
            },
            {
                "Update": {
                    "TableName": self._table,
                    "Key": typed({"pk": card_key(new.card_fingerprint, now)}),
                    "UpdateExpression": "ADD attempts :one, #hour :one SET expires_at = :expires_at",
                    "ConditionExpression": "(attribute_not_exists(attempts) OR attempts < :a_day) AND "
                    "(attribute_not_exists(#hour) OR #hour < :an_hour)",
                    "ExpressionAttributeNames": {"#hour": attempts_in_hour(now)},
                    "ExpressionAttributeValues": typed(
                        {
                            ":one": 1,
                            ":a_day": self._card_limit_a_day,
                            ":an_hour": self._card_limit,
                            ":expires_at": int(now) + 2 * DAY,
                        }
                    ),
                    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                }
            },
        ]
        if new.order is not None:
            writes.append(
                {"Update": {"TableName": self._table, **hold(new.order, new, now, order_is_paid=order_is_paid)}}
            )
        return writes

    def _card_tried_too_often(self, of_card: Any, now: float) -> TooManyAttempts:
        tried_today = plain(of_card["Item"])["attempts"] if "Item" in of_card else 0
        if tried_today >= self._card_limit_a_day:
            return TooManyAttempts(seconds_to_next_day(now), "attempts_per_card_per_day")
        return TooManyAttempts(seconds_to_next_hour(now), "attempts_per_card")

    def _finish_both(
        self,
        attempt: Attempt,
        order: Order,
        ending: Ending,
        deadline: Deadline,
        *,
        is_held: bool = True,
        is_told: bool = False,
    ) -> ClientError | None:
        """Writes both items as long as they are so: the order held by this attempt, its payment told by an event.

        The refusal, if it is refused.
        """
        event = _event_of_told(ending) if is_told else ending.event(attempt)
        writes = [
            {
                "Put": {
                    "Item": typed(ended_item(attempt, ending, time.time(), event=event)),
                    **self._while_open(attempt),
                }
            },
            {"Update": {"TableName": self._table, **release(attempt, order, ending, is_held=is_held, is_told=is_told)}},
        ]
        last_moment = deadline.earlier_by(ANSWER_SECONDS)
        return write_or_refusal(self._aws, "transact_write_items", {"TransactItems": writes}, last_moment)

    def _put_if_open(self, attempt: Attempt, ending: Ending, event: str, deadline: Deadline) -> bool:
        item = typed(ended_item(attempt, ending, time.time(), event=event))
        write = {"Item": item, **self._while_open(attempt)}
        return write_or_refusal(self._aws, "put_item", write, deadline.earlier_by(ANSWER_SECONDS)) is None

    def _while_open(self, attempt: Attempt) -> dict[str, Any]:
        """The condition of a write to the attempt's item. Who takes it for unsent must not miss that it was sent."""
        unsent = " AND attribute_not_exists(seen)" if attempt.seen is None else ""
        return {
            "TableName": self._table,
            "ConditionExpression": f"attempt_id = :attempt_id AND #state = :open{unsent}",
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": typed({":attempt_id": attempt.attempt_id, ":open": "open"}),
        }

    def _set_if_open(
        self, customer_uid: str, attempt_id: str, values: Mapping[str, str | int], deadline: Deadline
    ) -> bool:
        """Sets attributes of the attempt's item, if it is open; False: it is not. Raises Unavailable."""
        given: dict[str, str | int] = {f":{name}": value for name, value in values.items()}
        write = {
            "TableName": self._table,
            "Key": typed({"pk": customer_key(customer_uid)}),
            "UpdateExpression": "SET " + ", ".join(f"{name} = :{name}" for name in values),
            "ConditionExpression": "attempt_id = :attempt_id AND #state = :open",
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": typed({":attempt_id": attempt_id, ":open": "open", **given}),
        }
        return write_or_refusal(self._aws, "update_item", write, deadline.earlier_by(ANSWER_SECONDS)) is None


def _due(item: Mapping[str, Any]) -> Due:
    return Due(item["customer_uid"]["S"], item["attempt_id"]["S"], int(item["ends_at"]["N"]))


def _ended(item: Mapping[str, Any]) -> Ended:
    return Ended(item["customer_uid"]["S"], item["attempt_id"]["S"])


def _unchanged_since(seen: Item | None) -> dict[str, Any]:
    if seen is None:
        return {"ConditionExpression": "attribute_not_exists(pk)"}
    return {
        "ConditionExpression": "attempt_id = :attempt_id AND #state = :state",
        "ExpressionAttributeNames": {"#state": "state"},
        "ExpressionAttributeValues": typed({":attempt_id": seen["attempt_id"], ":state": seen["state"]}),
    }


def _left_open(attempt: Attempt, new: NewAttempt, now: float) -> LeftOpen:
    """Raises InProgress while its own function may be at work on it."""
    if attempt.ends_at > now:
        raise InProgress(attempt_id=attempt.id_for(new))
    return LeftOpen(attempt)


def _repeated(earlier: Item, new: NewAttempt, now: float) -> Repeated | None:
    attempt = attempt_in(earlier)
    if earlier["state"] != "issued" or not attempt.is_asked_for_by(new) or now - earlier["ended_at"] > REPEAT_SECONDS:
        return None
    billing_key = registered_in(earlier)
    return None if billing_key is None else Repeated(attempt, billing_key, payment_in(earlier))


def _event_of_told(ending: Ending) -> str:
    """For an ending whose payment has left with another attempt's event."""
    return "billing_key.issued" if ending.state == "issued" else "billing_key.not_issued"
