"""The ledger's items: what is written about an attempt, and how it is read back.

    key                          what                                           written
    uid#{customer_uid}           the newest attempt under the uid, and the      by every begin, note, look, finish
                                 card that is registered there
    card#{fingerprint}#{day}     how often a card was tried in a day in Seoul,  by every begin
                                 and in each of its hours
    payment#{merchant_uid}       who holds the order, and what was paid         by begin and finish with a payment

Card numbers are known by their keyed fingerprint only, and masked. The fingerprint of all that was typed stands in the
uid's item as long as the same request may come again:

    begin ──▶ open ──▶ finish: issued ── ten minutes: in the index `due` as ended-3 ──▶ forget_request: it is gone
                  └──▶ finish: any other ending: it is gone

What version 1 wrote is read as well: its attempts lack `seen`, its orders a state, and its masks are Iamport's own. The
items of version 2.0.0 keep both fingerprints until the next attempt.
"""

import json
import time
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from boto3.dynamodb.types import TypeSerializer

from billing.model.attempt import Attempt, Closed, Ending, Item, Leftover, NewAttempt, Order, Seen
from billing.model.billing_key import BillingKey, PaidPayment
from billing.model.digits import masked

HOUR = 3600
DAY = 24 * HOUR
SEOUL_AHEAD = 9 * HOUR
KEPT_SECONDS = 90 * DAY
"""How long an ended attempt is kept where no card is registered; registered ones are kept."""
PG_SECONDS = 60
"""The longest that a PG is at work after everybody has hung up: PortOne advises time-outs of 60 s or more."""
VERSION_1_CLOCK_TOLERANCE_SECONDS = 5
SHARDS = 8
"""Of the index, for open attempts; ended ones have as many of their own."""
REPEAT_SECONDS = 600
"""A double click or a client's own retry gets the first answer again for so long."""

_SERIALIZER = TypeSerializer()


def customer_key(customer_uid: str) -> str:
    return f"uid#{customer_uid}"


def card_key(card_fingerprint: str, now: float) -> str:
    return f"card#{card_fingerprint}#{day(now)}"


def attempts_in_hour(now: float) -> str:
    """The attribute of the card's item that counts them: one write serves both limits."""
    return f"hour_{hour(now)}"


def order_key(merchant_uid: str) -> str:
    return f"payment#{merchant_uid}"


def hour(now: float) -> int:
    return int(now) // HOUR


def day(now: float) -> int:
    """In Seoul, nine hours ahead, without daylight saving time since 1988."""
    return (int(now) + SEOUL_AHEAD) // DAY


def seconds_to_next_hour(now: float) -> int:
    return HOUR - int(now) % HOUR


def seconds_to_next_day(now: float) -> int:
    return DAY - (int(now) + SEOUL_AHEAD) % DAY


def due_at(ends_at: float) -> int:
    """From then on nothing is in flight any more: what Iamport shows is what became of the attempt."""
    return int(ends_at) + PG_SECONDS


def is_due(attempt: Attempt) -> bool:
    """An attempt that sent nothing is due as soon as its invocation is over."""
    return time.time() >= (attempt.ends_at if attempt.seen is None else due_at(attempt.ends_at))


def attempts_this_hour(seen: Item | None, now: float) -> int:
    return seen["attempts"] if seen is not None and seen["hour"] == hour(now) else 0


def new_item(earlier: Item | None, new: NewAttempt, now: float, *, order_is_paid: bool) -> Item:
    """The uid's item for the new attempt; what is registered or left under the uid is carried over."""
    item = {name: value for name, value in (earlier or {}).items() if name.startswith(("registered_", "leftover"))}
    item |= _in_one_form(item)
    item |= {
        "pk": customer_key(new.customer_uid),
        "customer_uid": new.customer_uid,
        "attempt_id": new.attempt_id,
        "request_id": new.request_id,
        "state": "open",
        "is_first": int(earlier is None),
        "began_at": int(now),
        "ends_at": int(new.ends_at),
        "due_at": due_at(new.ends_at),
        "due_shard": _shard_of(new.customer_uid),
        "hour": hour(now),
        "attempts": attempts_this_hour(earlier, now) + 1,
        "request_fingerprint": new.request_fingerprint,
        "masked_card": new.masked_card,
        "merchant_uid": new.order.merchant_uid if new.order else "",
        "order_amount": new.order.amount if new.order else 0,
        "order_is_paid": int(order_is_paid),
    }
    if earlier is None and new.is_new_customer and new.order is None:
        item["seen"] = seen_text(Seen())
    if new.consents:
        item["consents"] = json.dumps(dict(new.consents) | {"at": int(now)})
    if "registered_at" not in item:
        item["expires_at"] = int(now) + KEPT_SECONDS
    return item


def ended_item(attempt: Attempt, ending: Ending, now: float, *, event: str) -> Item:
    """The uid's item, with how the attempt ended."""
    gone = {"locked_until", "looked_at", "due_at", "due_shard", "leftover", "card_fingerprint", "request_fingerprint"}
    if ending.registered is not None or "registered_at" in attempt.item:
        gone.add("expires_at")
    item = {name: value for name, value in attempt.item.items() if name not in gone}
    item |= _in_one_form(item)
    if ending.state == "issued" and "consents" in item:
        item["registered_consents"] = item["consents"]  # stays as long as the card is registered
    if ending.state == "issued":
        item |= _kept_for_repeats(attempt.item, now)
    if ending.registered is not None:
        item |= _registered_values(ending.registered, now)
    if ending.leftover is not None:
        item["leftover"] = _leftover_text(ending.leftover)
    if ending.may_still_land:
        item["locked_until"] = due_at(attempt.ends_at)
    if ending.words is not None:
        item["told_code"] = ending.message or ""
    return {"request_id": ""} | item | _told_card(attempt, ending) | _ending_values(attempt, ending, now, event)


def _kept_for_repeats(item: Item, now: float) -> Item:
    """What tells a repeat, and a place in the index, from which the settler knows when that is not needed any more."""
    if "request_fingerprint" not in item:  # version 1 wrote none
        return {}
    return {
        "request_fingerprint": item["request_fingerprint"],
        "due_at": int(now) + REPEAT_SECONDS,
        "due_shard": ended_shard(_shard_of(item["customer_uid"])),
    }


def ended_shard(shard: str) -> str:
    return f"ended-{shard}"


def _shard_of(customer_uid: str) -> str:
    return str(zlib.crc32(customer_uid.encode()) % SHARDS)


def _told_card(attempt: Attempt, ending: Ending) -> dict[str, str]:
    """The card that is registered, as it is answered; where none is, the one that was tried.

    Who finds a payment that was taken before has sent no card, and his own is not the one that it was taken from.
    """
    if ending.state == "issued" and ending.registered is not None:
        key = ending.registered
        number, name, card_type = key.card_number, key.card_name, key.card_type
    else:
        was_tried = attempt.seen is not None or ending.payment is None
        number, name, card_type = attempt.masked_card if was_tried else None, None, None
    return {"told_card": number or "", "told_card_name": name or "", "told_card_type": card_type or ""}


def _ending_values(attempt: Attempt, ending: Ending, now: float, event: str) -> dict[str, str | int]:
    """All of them in any case: the events are made of the item without code, and an absent one would break them."""
    payment = ending.payment
    return {
        "key_stays": ending.key_stays(attempt),
        "state": ending.state,
        "ended_at": int(now),
        "event": event,
        "event_time": datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds"),
        "message": ending.words or ending.message or "",
        "imp_uid": payment.imp_uid if payment else "",
        "amount": payment.amount if payment else 0,
        "receipt_url": (payment.receipt_url or "") if payment else "",
    }


def attempt_in(item: Item) -> Attempt:
    order = Order(item["merchant_uid"], item.get("order_amount", 0)) if item["merchant_uid"] else None
    return Attempt(
        customer_uid=item["customer_uid"],
        attempt_id=item["attempt_id"],
        ends_at=item["ends_at"],
        masked_card=item["masked_card"],
        order=order,
        order_is_paid=bool(item.get("order_is_paid", 0)),
        is_first=bool(item.get("is_first", 0)),
        seen=_seen_in(item),
        leftover=_leftover_in(item),
        item=item,
    )


def closed_in(item: Item) -> Closed:
    """What `ended_item` has written."""
    message = item.get("told_code") or item.get("message") or None
    ending = Ending(item["state"], message, registered_in(item), payment_in(item))
    return Closed(attempt_in(item), ending, item.get("key_stays", ""))


def registered_in(item: Item) -> BillingKey | None:
    if "registered_at" not in item:
        return None
    return BillingKey(
        customer_uid=item["customer_uid"],
        card_name=item["registered_card_name"] or None,
        card_number=masked(item["registered_card_number"]) or None,
        card_type=item["registered_card_type"] or None,
        updated=item["registered_updated"] or None,
    )


def payment_in(item: Item) -> PaidPayment | None:
    if not item["imp_uid"]:
        return None
    return PaidPayment(item["merchant_uid"], item["imp_uid"], item["amount"], item["receipt_url"] or None)


def seen_text(seen: Seen) -> str:
    return json.dumps({"key": _mark(seen.billing_key), "imp_uids": seen.imp_uids})


def _seen_in(item: Item) -> Seen | None:
    if "iamport_time" in item:
        return _seen_by_version_1(item)
    if "seen" not in item:
        return None
    seen = json.loads(item["seen"])
    return Seen(_marked(item, seen["key"]), tuple(seen["imp_uids"]))


def _seen_by_version_1(item: Item) -> Seen:
    """It knew what stood there before by Iamport's clock, and by what it had registered itself."""
    registered = registered_in(item)
    began = item["iamport_time"] - VERSION_1_CLOCK_TOLERANCE_SECONDS
    if registered is not None and (registered.updated is None or registered.updated >= began):
        return Seen(registered)
    return Seen(BillingKey(item["customer_uid"], None, None, None, updated=began))


def _leftover_text(leftover: Leftover) -> str:
    return json.dumps(
        {
            "key": _mark(leftover.billing_key),
            "before": _mark(leftover.before),
            "before_was_left": leftover.before_was_left,
            "masked_card": leftover.masked_card,
        }
    )


def _leftover_in(item: Item) -> Leftover | None:
    if "leftover" not in item:
        return None
    left = json.loads(item["leftover"])
    key, before = _marked(item, left["key"]), _marked(item, left["before"])
    return Leftover(key, before, left["before_was_left"], left["masked_card"])


def _mark(billing_key: BillingKey | None) -> list[Any] | None:
    """What tells one registration from another."""
    return None if billing_key is None else [billing_key.updated, billing_key.card_number]


def _marked(item: Item, mark: list[Any] | None) -> BillingKey | None:
    if mark is None:
        return None
    updated, card_number = mark
    return BillingKey(item["customer_uid"], None, masked(card_number or "") or None, None, updated)


def typed(values: Mapping[str, str | int]) -> dict[str, Any]:
    """DynamoDB's form."""
    return {name: _SERIALIZER.serialize(value) for name, value in values.items()}


def plain(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item holds nothing but texts and whole numbers; boto3 would make Decimals of those, which JSON refuses."""
    return {name: int(value["N"]) if "N" in value else value["S"] for name, value in item.items()}


def _in_one_form(item: Item) -> Item:
    """The card that is registered; version 1 wrote it with Iamport's own mask."""
    name = "registered_card_number"
    return {name: masked(item[name])} if name in item else {}


def _registered_values(billing_key: BillingKey, now: float) -> dict[str, str | int]:
    return {
        "registered_at": int(now),
        "registered_card_name": billing_key.card_name or "",
        "registered_card_number": billing_key.card_number or "",
        "registered_card_type": billing_key.card_type or "",
        "registered_updated": billing_key.updated or 0,
    }
