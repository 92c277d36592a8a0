"""The ledger's items: what is written about an attempt, and how it is read back.

    key                          what                                           written
    uid#{customer_uid}           the newest attempt under the uid, and the      by every begin, finish, settle
                                 card that is registered there
    card#{fingerprint}#{hour}    how often a card was tried in an hour          by every begin
    payment#{merchant_uid}       whose first payment it is                      by a begin with a payment

Card numbers are known by their keyed fingerprint only, and as masked by Iamport.
"""

import uuid
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from boto3.dynamodb.types import TypeSerializer

from billing.model.attempt import Attempt, Ending, Item, NewAttempt
from billing.model.billing_key import BillingKey, PaidPayment

HOUR = 3600
DAY = 24 * HOUR
KEPT_SECONDS = 90 * DAY
"""How long an ended attempt is kept where no card is registered; registered ones are kept."""
CLOCK_DRIFT_SECONDS = 2
"""Between the containers: a lock ends this much after its invocation."""
SETTLE_AFTER_SECONDS = 30
"""An open attempt is due this long after its invocation: a PG may have been at work when the line broke."""
SHARDS = 8

_SERIALIZER = TypeSerializer()


def customer_key(customer_uid: str) -> str:
    return f"uid#{customer_uid}"


def card_key(card_fingerprint: str, now: float) -> str:
    return f"card#{card_fingerprint}#{hour(now)}"


def payment_key(merchant_uid: str) -> str:
    return f"payment#{merchant_uid}"


def hour(now: float) -> int:
    return int(now) // HOUR


def due_at(ends_at: float) -> int:
    return int(ends_at + SETTLE_AFTER_SECONDS)


def attempts_this_hour(seen: Item | None, now: float) -> int:
    return seen["attempts"] if seen is not None and seen["hour"] == hour(now) else 0


def new_item(seen: Item | None, new: NewAttempt, now: float) -> Item:
    """The uid's item for the new attempt; what is registered under the uid is carried over."""
    item = {name: value for name, value in (seen or {}).items() if name.startswith("registered_")}
    item |= {
        "pk": customer_key(new.customer_uid),
        "customer_uid": new.customer_uid,
        "attempt_id": uuid.uuid4().hex,
        "state": "open",
        "began_at": int(now),
        "iamport_time": new.iamport_time,
        "ends_at": int(new.ends_at),
        "locked_until": int(new.ends_at) + CLOCK_DRIFT_SECONDS,
        "due_at": due_at(new.ends_at),
        "due_shard": str(zlib.crc32(new.customer_uid.encode()) % SHARDS),
        "hour": hour(now),
        "attempts": attempts_this_hour(seen, now) + 1,
        "card_fingerprint": new.card_fingerprint,
        "masked_card": new.masked_card,
        "merchant_uid": new.merchant_uid or "",
    }
    if "registered_at" not in item:
        item["expires_at"] = int(now) + KEPT_SECONDS
    return item


def ended_item(attempt: Attempt, ending: Ending, now: float) -> Item:
    """The uid's item, with how the attempt ended."""
    gone = {"locked_until", "due_at", "due_shard"}
    if ending.registered is not None or attempt.registered is not None:
        gone.add("expires_at")
    item = {name: value for name, value in attempt.item.items() if name not in gone}
    if ending.registered is not None:
        item |= _registered_values(ending.registered, now)
    return item | _ending_values(attempt, ending, now)


def _ending_values(attempt: Attempt, ending: Ending, now: float) -> dict[str, str | int]:
    """All of them in any case: the events are made of the item without code, and an absent one would break them."""
    payment = ending.payment
    return {
        "state": ending.state,
        "ended_at": int(now),
        "event": ending.event(attempt),
        "event_time": datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds"),
        "message": ending.message or "",
        "imp_uid": payment.imp_uid if payment else "",
        "amount": payment.amount if payment else 0,
        "receipt_url": (payment.receipt_url or "") if payment else "",
    }


def attempt_in(item: Item) -> Attempt:
    return Attempt(
        customer_uid=item["customer_uid"],
        attempt_id=item["attempt_id"],
        iamport_time=item["iamport_time"],
        ends_at=item["ends_at"],
        card_fingerprint=item["card_fingerprint"],
        masked_card=item["masked_card"],
        merchant_uid=item["merchant_uid"] or None,
        registered=registered_in(item),
        item=item,
    )


def registered_in(item: Item) -> BillingKey | None:
    if "registered_at" not in item:
        return None
    return BillingKey(
        customer_uid=item["customer_uid"],
        card_name=item["registered_card_name"] or None,
        card_number=item["registered_card_number"] or None,
        card_type=item["registered_card_type"] or None,
        updated=item["registered_updated"] or None,
    )


def payment_in(item: Item) -> PaidPayment | None:
    if not item["imp_uid"]:
        return None
    return PaidPayment(item["merchant_uid"], item["imp_uid"], item["amount"], item["receipt_url"] or None)


def typed(values: Mapping[str, str | int]) -> dict[str, Any]:
    """DynamoDB's form."""
    return {name: _SERIALIZER.serialize(value) for name, value in values.items()}


def plain(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item holds nothing but texts and whole numbers; boto3 would make Decimals of those, which JSON refuses."""
    return {name: int(value["N"]) if "N" in value else value["S"] for name, value in item.items()}


def _registered_values(billing_key: BillingKey, now: float) -> dict[str, str | int]:
    return {
        "registered_at": int(now),
        "registered_card_name": billing_key.card_name or "",
        "registered_card_number": billing_key.card_number or "",
        "registered_card_type": billing_key.card_type or "",
        "registered_updated": billing_key.updated or 0,
    }
