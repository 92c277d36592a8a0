"""Payments put off: Iamport charges the key by itself when the time has come."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from infra.local.iamport.customers import Customer
from infra.local.iamport.envelope import rejected
from infra.local.iamport.payments import amount_of

BUYER = ("name", "email", "tel", "addr", "postcode")


@dataclass(frozen=True)
class Scheduled:
    """One of them as the schema shows it (`ScheduleResult`); times in UNIX seconds, 0 for not yet."""

    amount: int | float
    buyer_addr: str | None
    buyer_email: str | None
    buyer_name: str | None
    buyer_postcode: str | None
    buyer_tel: str | None
    custom_data: str | None
    customer_uid: str
    executed_at: int
    fail_reason: str | None
    imp_uid: str | None
    merchant_uid: str
    name: str
    payment_status: str | None
    revoked_at: int
    schedule_at: int
    schedule_status: str

    def response(self) -> dict[str, object]:
        return asdict(self)

    def parameters(self) -> dict[str, str]:
        """What is sent for it when it is charged."""
        names = ("customer_uid", "merchant_uid", "amount", "name", "custom_data", *(f"buyer_{name}" for name in BUYER))
        shown = self.response()
        return {name: str(shown[name]) for name in names if shown[name] is not None}


def read_schedules(values: Mapping[str, str], customer: Customer) -> list[Scheduled]:
    """Raises RejectedError (400). Where the buyer is not named, it is whom the key is of (schema)."""
    try:
        schedules = [_read_one(member, customer) for member in json.loads(values["schedules"])]
    except (KeyError, TypeError, ValueError, AttributeError):
        schedules = []
    if not schedules:
        raise rejected(400, "schedules 파라메터의 형식이 올바르지 않습니다.")
    return schedules


def _read_one(member: dict[str, Any], customer: Customer) -> Scheduled:
    shown = customer.response()
    buyer: dict[str, Any] = {
        f"buyer_{name}": member.get(f"buyer_{name}") or shown[f"customer_{name}"] for name in BUYER
    }
    return Scheduled(
        **buyer,
        amount=amount_of(str(member["amount"])),
        custom_data=member.get("custom_data"),
        customer_uid=customer.customer_uid,
        executed_at=0,
        fail_reason=None,
        imp_uid=None,
        merchant_uid=str(member["merchant_uid"]),
        name=str(member["name"]),
        payment_status=None,
        revoked_at=0,
        schedule_at=int(member["schedule_at"]),
        schedule_status="scheduled",
    )


class Schedules:
    """All of them, in the order they were asked for."""

    def __init__(self) -> None:
        self._all: list[Scheduled] = []

    def add(self, scheduled: Iterable[Scheduled]) -> None:
        self._all += scheduled

    def find(self, merchant_uid: str) -> Scheduled | None:
        """The newest of the order."""
        return next((one for one in reversed(self._all) if one.merchant_uid == merchant_uid), None)

    def holds(self, merchant_uid: str) -> bool:
        """Whether the order takes no other schedule: it has one that was not revoked."""
        found = self.find(merchant_uid)
        return found is not None and found.schedule_status != "revoked"

    def due(self, now: int) -> list[Scheduled]:
        return [one for one in self._all if one.schedule_status == "scheduled" and one.schedule_at <= now]

    def change(self, before: Scheduled, **changes: Any) -> Scheduled:
        after = replace(before, **changes)
        self._all[self._all.index(before)] = after
        return after

    def snapshot(self) -> list[Scheduled]:
        return list(self._all)

    def revoke(self, customer_uid: str | None, merchant_uids: tuple[str, ...], now: int) -> list[Scheduled]:
        """Those of the orders, of the customer where no order is named; what has been charged stays."""
        return [
            self.change(one, schedule_status="revoked", revoked_at=now)
            for one in list(self._all)
            if one.schedule_status == "scheduled"
            and customer_uid in (None, one.customer_uid)
            and (not merchant_uids or one.merchant_uid in merchant_uids)
        ]
