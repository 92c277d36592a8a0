"""The attempts table: lock, limits and journal of every attempt, in one DynamoDB table.

    key                          what                                           written
    uid#{customer_uid}           the newest attempt under the uid, and the      by every begin, finish, settle
                                 card that is registered there
    card#{fingerprint}#{hour}    how often a card was tried in an hour          by every begin
    payment#{merchant_uid}       whose first payment it is                      by a begin with a payment

An attempt is `open` from `begin` until `finish` or the settler closes it. Open attempts stand in the sparse index
`due`, spread over SHARDS. No item is written by all attempts, so nothing gets hot.
Card numbers are known by their keyed fingerprint only, and as masked by Iamport.
"""

import random
import time
import uuid
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from billing.errors import InProgress, InvalidCustomerToken, TooManyAttempts, Unavailable
from billing.iamport import BillingKey, PaidPayment
from billing.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

CLIENT_CONFIG = Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 3, "mode": "standard"})
"""Seconds. DynamoDB answers within milliseconds; a begin that was sent twice by this is still written once, by the
ClientRequestToken that boto3 adds."""

HOUR = 3600
DAY = 24 * HOUR
REPEAT_SECONDS = 600
"""A double click or a client's own retry gets the first answer again for so long."""
CLOCK_DRIFT_SECONDS = 2
"""Between the containers: a lock ends this much after its invocation."""
SETTLE_AFTER_SECONDS = 30
"""An open attempt is due this long after its invocation: a PG may have been at work when the line broke."""
KEPT_SECONDS = 90 * DAY
"""How long an ended attempt is kept where no card is registered; registered ones are kept."""
SHARDS = 8
PAUSES_ON_CONFLICT = (0.02, 0.05, 0.1, 0.2, 0.4, 0.0)

State = Literal["open", "issued", "declined", "not_issued", "unknown"]

Item = Mapping[str, Any]
"""An item as plain Python values."""


@dataclass(frozen=True)
class NewAttempt:
    """What `begin` is asked for. Times are UNIX seconds."""

    customer_uid: str
    card_fingerprint: str
    masked_card: str
    merchant_uid: str | None
    """Of the first payment, where one is asked for."""
    iamport_time: int
    ends_at: float
    """When the invocation can last no longer."""


@dataclass(frozen=True)
class Attempt:
    """An attempt under way, or one that was left open; enough to find out how it ended."""

    customer_uid: str
    attempt_id: str
    iamport_time: int
    """When it began, by Iamport's clock."""
    ends_at: float
    card_fingerprint: str
    masked_card: str
    merchant_uid: str | None
    registered: BillingKey | None
    """What was registered under the uid before, as far as the ledger knows."""


@dataclass(frozen=True)
class Repeated:
    """The same uid and card succeeded a moment ago: the answer that was given then."""

    billing_key: BillingKey
    payment: PaidPayment | None


@dataclass(frozen=True)
class LeftOpen:
    """An earlier attempt whose function died or could not find out: it has to be settled first."""

    attempt: Attempt


@dataclass(frozen=True)
class Ending:
    """How an attempt ended. `registered`: what Iamport has under the uid now; None: as before, as far as is known."""

    state: Literal["issued", "declined", "not_issued", "unknown"]
    message: str | None = None
    registered: BillingKey | None = None
    payment: PaidPayment | None = None

    def event(self, attempt: Attempt) -> str:
        """The name under which the ending leaves through the table's stream."""
        if attempt.merchant_uid and self.state == "issued":
            return "payment.paid"
        if attempt.merchant_uid and self.state == "declined":
            return "payment.failed"
        return f"billing_key.{self.state}"


class Ledger:
    def __init__(self, settings: Settings) -> None:
        self._table = settings.attempts_table
        self._customer_limit = settings.attempts_per_customer
        self._card_limit = settings.attempts_per_card
        self._client: DynamoDBClient = boto3.client("dynamodb", config=CLIENT_CONFIG)

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
            item = self._item(seen, new, now)
            try:
                self._client.transact_write_items(TransactItems=self._writes(item, seen, new, now))
                return _attempt(item)
            except self._client.exceptions.TransactionCanceledException as cancelled:
                reasons = cancelled.response["CancellationReasons"]
            except (BotoCoreError, ClientError) as failure:
                raise Unavailable("ledger_unreachable") from failure
            of_customer, of_card, *of_payment = (reason.get("Code") for reason in reasons)
            if of_customer == "ConditionalCheckFailed":
                seen = _plain(reasons[0]["Item"]) if "Item" in reasons[0] else None
            elif of_card == "ConditionalCheckFailed":
                raise TooManyAttempts(_seconds_to_next_hour(now), "attempts_per_card")
            elif "ConditionalCheckFailed" in of_payment:
                raise InvalidCustomerToken("payment_of_another_customer")
            else:
                # Somebody else writes one of the items at this very moment.
                time.sleep(random.uniform(0.0, pause))  # noqa: S311 (only spreads the retries)
        raise Unavailable("ledger_busy")

    def finish(self, attempt: Attempt, ending: Ending) -> bool:
        """Closes the attempt, if it is still open; False: somebody else has closed it. Raises Unavailable."""
        now = time.time()
        values: dict[str, Any] = {
            "state": ending.state,
            "ended_at": int(now),
            "event": ending.event(attempt),
            "event_time": datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds"),
            "message": ending.message or "",
            **_payment_values(ending.payment),
        }
        if ending.registered is not None:
            values |= _registered_values(ending.registered, now)
        removed = ["locked_until", "due_at", "due_shard"]
        if ending.registered is not None or attempt.registered is not None:
            removed.append("expires_at")
        return self._update_open(attempt, values, removed)

    def leave_open(self, attempt: Attempt, *, locked: bool) -> None:
        """Ends the invocation's part and leaves the outcome to be found out later.

        `locked`: until then no other attempt may begin, as this one may still come to something.
        Raises Unavailable.
        """
        self._update_open(attempt, {"locked_until": int(_due_at(attempt.ends_at) if locked else time.time())}, [])

    def postpone(self, attempt: Attempt, seconds: int) -> None:
        """Has the settler look again later. Raises Unavailable."""
        self._update_open(attempt, {"due_at": int(time.time()) + seconds}, [])

    def due(self) -> Iterator[Attempt]:
        """The open attempts whose invocation is over, those due first of each shard first. Raises Unavailable."""
        for shard in range(SHARDS):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                IndexName="due",
                KeyConditionExpression="due_shard = :shard AND due_at <= :now",
                ExpressionAttributeValues=_typed({":shard": str(shard), ":now": int(time.time())}),
            )
            try:
                for page in pages:
                    for item in page["Items"]:
                        yield _attempt(_plain(item))
            except (BotoCoreError, ClientError) as failure:
                raise Unavailable("ledger_unreachable") from failure

    def _begun_before(self, seen: Item | None, new: NewAttempt, now: float) -> Repeated | LeftOpen | None:
        """What an earlier attempt under the uid means for a new one. Raises InProgress, TooManyAttempts."""
        if seen is None:
            return None
        if seen["state"] == "open":
            if seen["locked_until"] > now:
                raise InProgress
            return LeftOpen(_attempt(seen))
        if (repeated := _repeated(seen, new, now)) is not None:
            return repeated
        if seen["hour"] == _hour(now) and seen["attempts"] >= self._customer_limit:
            raise TooManyAttempts(_seconds_to_next_hour(now), "attempts_per_customer")
        return None

    def _item(self, seen: Item | None, new: NewAttempt, now: float) -> Item:
        """The uid's item for the new attempt; what is registered under the uid is carried over."""
        attempts = seen["attempts"] if seen is not None and seen["hour"] == _hour(now) else 0
        item = {name: value for name, value in (seen or {}).items() if name.startswith("registered_")}
        item |= {
            "pk": _customer_key(new.customer_uid),
            "customer_uid": new.customer_uid,
            "attempt_id": uuid.uuid4().hex,
            "state": "open",
            "began_at": int(now),
            "iamport_time": new.iamport_time,
            "ends_at": int(new.ends_at),
            "locked_until": int(new.ends_at) + CLOCK_DRIFT_SECONDS,
            "due_at": int(_due_at(new.ends_at)),
            "due_shard": str(zlib.crc32(new.customer_uid.encode()) % SHARDS),
            "hour": _hour(now),
            "attempts": attempts + 1,
            "card_fingerprint": new.card_fingerprint,
            "masked_card": new.masked_card,
            "merchant_uid": new.merchant_uid or "",
        }
        if "registered_at" not in item:
            item["expires_at"] = int(now) + KEPT_SECONDS
        return item

    def _writes(self, item: Item, seen: Item | None, new: NewAttempt, now: float) -> Any:
        writes: list[dict[str, Any]] = [
            {
                "Put": {
                    "TableName": self._table,
                    "Item": _typed(item),
                    **_unchanged_since(seen),
                    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                }
            },
            {
                "Update": {
                    "TableName": self._table,
                    "Key": _typed({"pk": f"card#{new.card_fingerprint}#{_hour(now)}"}),
                    "UpdateExpression": "ADD attempts :one SET expires_at = :expires_at",
                    "ConditionExpression": "attribute_not_exists(attempts) OR attempts < :limit",
                    "ExpressionAttributeValues": _typed(
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
                        "Key": _typed({"pk": f"payment#{new.merchant_uid}"}),
                        "UpdateExpression": "SET customer_uid = :customer_uid, expires_at = :expires_at",
                        "ConditionExpression": "attribute_not_exists(pk) OR customer_uid = :customer_uid",
                        "ExpressionAttributeValues": _typed(
                            {":customer_uid": new.customer_uid, ":expires_at": int(now) + KEPT_SECONDS}
                        ),
                    }
                }
            )
        return writes

    def _update_open(self, attempt: Attempt, values: Mapping[str, Any], removed: list[str]) -> bool:
        expression = "SET " + ", ".join(f"#{name} = :{name}" for name in values)
        if removed:
            expression += " REMOVE " + ", ".join(removed)
        try:
            self._client.update_item(
                TableName=self._table,
                Key=_typed({"pk": _customer_key(attempt.customer_uid)}),
                UpdateExpression=expression,
                ConditionExpression="attempt_id = :attempt_id AND #state = :open",
                ExpressionAttributeNames={"#state": "state", **{f"#{name}": name for name in values}},
                ExpressionAttributeValues=_typed(
                    {
                        ":attempt_id": attempt.attempt_id,
                        ":open": "open",
                        **{f":{name}": value for name, value in values.items()},
                    }
                ),
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        except (BotoCoreError, ClientError) as failure:
            raise Unavailable("ledger_unreachable") from failure
        return True


def _due_at(ends_at: float) -> float:
    return ends_at + SETTLE_AFTER_SECONDS


def _hour(now: float) -> int:
    return int(now) // HOUR


def _seconds_to_next_hour(now: float) -> int:
    return HOUR - int(now) % HOUR


def _customer_key(customer_uid: str) -> str:
    return f"uid#{customer_uid}"


def _unchanged_since(seen: Item | None) -> dict[str, Any]:
    if seen is None:
        return {"ConditionExpression": "attribute_not_exists(pk)"}
    return {
        "ConditionExpression": "attempt_id = :attempt_id AND #state = :state",
        "ExpressionAttributeNames": {"#state": "state"},
        "ExpressionAttributeValues": _typed({":attempt_id": seen["attempt_id"], ":state": seen["state"]}),
    }


def _repeated(seen: Item, new: NewAttempt, now: float) -> Repeated | None:
    same_request = (
        seen["state"] == "issued"
        and seen["card_fingerprint"] == new.card_fingerprint
        and seen["merchant_uid"] == (new.merchant_uid or "")
    )
    if not same_request or now - seen["ended_at"] > REPEAT_SECONDS:
        return None
    billing_key = _registered(seen)
    return None if billing_key is None else Repeated(billing_key, _payment(seen))


def _attempt(item: Item) -> Attempt:
    return Attempt(
        customer_uid=item["customer_uid"],
        attempt_id=item["attempt_id"],
        iamport_time=item["iamport_time"],
        ends_at=item["ends_at"],
        card_fingerprint=item["card_fingerprint"],
        masked_card=item["masked_card"],
        merchant_uid=item["merchant_uid"] or None,
        registered=_registered(item),
    )


def _registered_values(billing_key: BillingKey, now: float) -> dict[str, Any]:
    return {
        "registered_at": int(now),
        "registered_card_name": billing_key.card_name or "",
        "registered_card_number": billing_key.card_number or "",
        "registered_card_type": billing_key.card_type or "",
        "registered_updated": billing_key.updated or 0,
    }


def _registered(item: Item) -> BillingKey | None:
    if "registered_at" not in item:
        return None
    return BillingKey(
        customer_uid=item["customer_uid"],
        card_name=item["registered_card_name"] or None,
        card_number=item["registered_card_number"] or None,
        card_type=item["registered_card_type"] or None,
        updated=item["registered_updated"] or None,
    )


def _payment_values(payment: PaidPayment | None) -> dict[str, Any]:
    """All of them in any case: the events are made of the item without code, and an absent one would break them."""
    if payment is None:
        return {"imp_uid": "", "amount": 0, "receipt_url": ""}
    return {"imp_uid": payment.imp_uid, "amount": payment.amount, "receipt_url": payment.receipt_url or ""}


def _payment(item: Item) -> PaidPayment | None:
    if not item["imp_uid"]:
        return None
    return PaidPayment(item["merchant_uid"], item["imp_uid"], item["amount"], item["receipt_url"] or None)


def _typed(values: Mapping[str, str | int]) -> dict[str, Any]:
    """DynamoDB's form; an item here holds nothing but texts and whole numbers."""
    return {name: {"N": str(value)} if isinstance(value, int) else {"S": value} for name, value in values.items()}


def _plain(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: int(value["N"]) if "N" in value else value["S"] for name, value in item.items()}
