"""An order's item: who holds the order, whether it is paid, and which payment an event has told of.

begin ──▶ open ──▶ finish: paid, for its customer alone
               └─▶ finish: free, for another card and another uid
"""

from typing import Any

from billing.ledger.items import KEPT_SECONDS, order_key, typed
from billing.model.attempt import Attempt, Ending, NewAttempt, Order

LONGEST_LIFE_SECONDS = 120
"""Of an attempt: its invocation, and a PG that is at work afterwards."""


def hold(order: Order, new: NewAttempt, now: float, *, order_is_paid: bool) -> dict[str, Any]:
    """An order is held by the attempt that is open for it, and by the customer who has paid it."""
    values: dict[str, str | int] = {
        ":customer_uid": new.customer_uid,
        ":attempt_id": new.attempt_id,
        ":expires_at": int(now) + KEPT_SECONDS,
    }
    if order_is_paid:
        condition = "#state = :paid AND customer_uid = :customer_uid"
        values |= {":state": "paid", ":paid": "paid"}
    else:
        # Version 1 wrote no state; what it wrote within an attempt's longest life may still be under way.
        condition = (
            "attribute_not_exists(pk) OR #state = :free OR "
            "(attribute_not_exists(#state) AND (customer_uid = :customer_uid OR expires_at < :long_ago))"
        )
        long_ago = int(now) + KEPT_SECONDS - LONGEST_LIFE_SECONDS
        values |= {":state": "open", ":free": "free", ":long_ago": long_ago}
    return {
        "Key": typed({"pk": order_key(order.merchant_uid)}),
        "UpdateExpression": "SET #state = :state, customer_uid = :customer_uid, attempt_id = :attempt_id, "
        "expires_at = :expires_at",
        "ConditionExpression": condition,
        "ExpressionAttributeNames": {"#state": "state"},
        "ExpressionAttributeValues": typed(values),
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def release(attempt: Attempt, order: Order, ending: Ending, *, is_held: bool, is_told: bool) -> dict[str, Any]:
    """What is paid stays the customer's, and anything else is free again; one event tells of a payment."""
    sets, conditions = [], []
    values: dict[str, str | int] = {}
    names: dict[str, Any] = {}
    payment = ending.payment
    if payment is not None:
        sets.append("told_imp_uid = :imp_uid")
        values[":imp_uid"] = payment.imp_uid
        if not is_told:
            conditions.append("(attribute_not_exists(told_imp_uid) OR told_imp_uid <> :imp_uid)")
    if is_held:
        is_paid = payment is not None or attempt.order_is_paid
        sets += ["#state = :state", "customer_uid = :customer_uid"]
        conditions.append("(attribute_not_exists(attempt_id) OR attempt_id = :attempt_id)")
        values |= {
            ":state": "paid" if is_paid else "free",
            ":customer_uid": attempt.customer_uid,
            ":attempt_id": attempt.attempt_id,
        }
        names = {"ExpressionAttributeNames": {"#state": "state"}}
    return {
        "Key": typed({"pk": order_key(order.merchant_uid)}),
        "UpdateExpression": "SET " + ", ".join(sets),
        "ConditionExpression": " AND ".join(conditions),
        "ExpressionAttributeValues": typed(values),
        **names,
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
