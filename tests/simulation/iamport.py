"""Iamport and the PGs behind it, in memory: the truth that every answer is held against.

Facts: iamport-v1.md in the project's notes; PortOne's published V1 schema. A request that issues or charges is worked
on whether or not anybody waits for it; what comes of it is the PG's to decide, which here is the scheduler's.
"""

import json
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, NamedTuple
from urllib.parse import unquote

from tests.simulation.expressions import Unknown

Effect = Literal["key", "paid", "failed"]
Outcome = tuple[Effect, ...]
Status = Literal["paid", "failed", "ready", "cancelled"]

NOT_FOUND = "요청하신 customer_uid로 등록된 정보를 찾을 수 없습니다."
NO_PAYMENT = "존재하지 않는 결제정보입니다."
NO_BUYER = "등록되지 않은 구매자입니다."
USED_UP = "이미 주문이 이루어진 건입니다. (동일한 merchant_uid로 결제 또는 취소된 기록이 있습니다)"
REFUSED = "카드정보 인증 및 빌키 발급에 실패하였습니다. [F113]거래거절 카드번호틀림"
TOKEN_SECONDS = 1800
PASSWORD = "12"
"""Of a card with a small letter."""


class Key(NamedTuple):
    card: str
    """A letter; the digits are `digits(card)`."""
    by: int | None
    """Whose attempt put it there; None: somebody elsewhere."""
    updated: int


class Payment(NamedTuple):
    order: str
    customer_uid: str | None
    amount: int
    card: str
    status: Status
    by: int | None
    imp_uid: str
    started_at: int


class Sent(NamedTuple):
    """A request that issues or charges, as it reached Iamport."""

    by: int
    customer_uid: str
    card: str
    """Empty where the key is charged, whatever card that is by then."""
    order: str | None
    amount: int


@dataclass(frozen=True)
class Reply:
    status_code: int
    content: bytes


class Iamport:
    def __init__(self, habits: frozenset[str], now: Callable[[], float], happened: "Happened | None") -> None:
        self.habits = habits
        self.keys: dict[str, Key] = {}
        self.payments: tuple[Payment, ...] = ()
        self._stamps: dict[str, int] = {}
        """The last of each customer_uid: no two are alike, as what a PG does takes a second."""
        self._now = now
        self._happened = happened or Happened()

    def copy(self, now: Callable[[], float], happened: "Happened") -> "Iamport":
        copied = Iamport(self.habits, now, happened)
        copied.keys, copied.payments, copied._stamps = self.keys.copy(), self.payments, self._stamps.copy()
        return copied

    def digest(self) -> Hashable:
        return frozenset(self.keys.items()), self.payments, frozenset(self._stamps.items())

    # What is asked

    def answer(self, method: str, path: str) -> Reply:
        """To what changes nothing."""
        match method, [unquote(part) for part in path.partition("?")[0].strip("/").split("/")]:
            case "POST", ["users", "getToken"]:
                now = int(self._now())
                token = {"access_token": "0" * 40, "now": now, "expired_at": now + TOKEN_SECONDS}
                return envelope(0, None, token)
            case "GET", ["subscribe", "customers", customer_uid]:
                return _look_up(customer_uid, self.keys.get(customer_uid), self.habits)
            case "GET", ["payments", "find" | "findAll" as how, order, *status]:
                return _find(how, tuple(self.under(order, *status)), self.habits)
        raise Unknown(f"{method} {path}")

    def received(self, by: int, path: str, body: Mapping[str, Any]) -> Sent:
        """What a request that issues or charges asks for."""
        match [unquote(part) for part in path.strip("/").split("/")]:
            case ["subscribe", "customers", customer_uid]:
                return Sent(by, customer_uid, _card_in(body), None, 0)
            case ["subscribe", "payments", "onetime"]:
                return Sent(by, body["customer_uid"], _card_in(body), body["merchant_uid"], body["amount"])
            case ["subscribe", "payments", "again"]:
                return Sent(by, body["customer_uid"], "", body["merchant_uid"], body["amount"])
        raise Unknown(f"POST {path}")

    def under(self, order: str, status: str = "") -> list[Payment]:
        """Oldest first."""
        return [each for each in self.payments if each.order == order and status in ("", each.status)]

    def is_used_up(self, order: str | None) -> bool:
        return any(each.order == order and each.status in ("paid", "cancelled") for each in self.payments)

    # What the PG does

    def outcomes(self, sent: Sent) -> list[tuple[str, Outcome]]:
        """What can come of the request, if it is worked on now."""
        if sent.order is None:
            return [("issued", ("key",)), ("refused", ())]
        if self.is_used_up(sent.order) and "unrefusing" not in self.habits:
            return [("order used up", ())]
        if not sent.card and sent.customer_uid not in self.keys:
            return [("no key to charge", ())]
        if not sent.card:
            return [("paid", ("paid",)), ("failed", ("failed",)), ("refused", ())]
        if "keyless" in self.habits:
            return [("paid", ("paid",)), ("failed", ("failed",))]
        usual: list[tuple[str, Outcome]] = [("paid", ("paid", "key")), ("failed", ("failed",)), ("refused", ())]
        if "leaves" in self.habits:
            usual += [("failed, key left", ("failed", "key")), ("refused, key left", ("key",))]
        return usual

    def take_effect(self, sent: Sent, effects: Outcome) -> None:
        for effect in effects:
            if effect == "key":
                self.register(sent.customer_uid, sent.card, sent.by)
            else:
                assert sent.order is not None
                card = sent.card or self.keys[sent.customer_uid].card
                self.pay(sent.order, sent.customer_uid, sent.amount, card, effect, sent.by)

    def answer_to(self, sent: Sent, label: str, effects: Outcome) -> Reply:
        if label == "order used up":
            return envelope(-1, USED_UP)
        if label == "no key to charge":
            return envelope(1, NO_BUYER)
        if label == "issued":
            return _look_up(sent.customer_uid, self.keys[sent.customer_uid], self.habits)
        if label == "issued, key later":
            return _look_up(sent.customer_uid, Key(sent.card, sent.by, int(self._now())), self.habits)
        if "paid" in effects or "failed" in effects:
            return _find("find", tuple(self.under(sent.order or "")), self.habits)
        return envelope(-1, REFUSED)

    def answer_about_another(self, sent: Sent) -> Reply:
        """As a proxy gives that is out of step."""
        told: dict[str, Any] = {
            "customer_uid": "another",
            "card_number": "00009999****9999",
            "updated": int(self._now()),
        }
        if sent.order is not None:
            told |= {"merchant_uid": "another", "imp_uid": "imp_another", "status": "paid", "amount": sent.amount}
        return envelope(0, None, told)

    # What happens

    def others_do(self, deed: str, customer_uid: str, order: str, amount: int) -> None:
        match deed.split("-"):
            case ["key", card]:
                self.register(customer_uid, card, None)
            case ["delete"]:
                self.revoke(customer_uid)
            case ["pay", _] if self.is_used_up(order) and "unrefusing" not in self.habits:
                pass
            case ["pay", "ours"]:
                self.pay(order, customer_uid, amount, "x", "paid", None)
            case ["pay", "other"]:
                self.pay(order, None, 100, "x", "paid", None)
            case ["fail", card]:
                self.pay(order, customer_uid, amount, card, "failed", None)
            case ["ready"]:
                self.pay(order, None, amount, "x", "ready", None)
            case ["cancel"]:
                self.cancel(order)
            case _:
                raise Unknown(deed)

    def register(self, customer_uid: str, card: str, by: int | None) -> None:
        before = self.keys.get(customer_uid)
        stamp = max(int(self._now()), self._stamps.get(customer_uid, 0) + 1)
        key = Key(card, by, stamp)
        self._stamps[customer_uid] = stamp
        self.keys[customer_uid] = key
        self._happened.key_landed(customer_uid, key, before)

    def revoke(self, customer_uid: str) -> None:
        if self.keys.pop(customer_uid, None) is not None:
            self._happened.key_revoked(customer_uid)

    def pay(self, order: str, customer_uid: str | None, amount: int, card: str, status: Status, by: int | None) -> None:
        name = f"elsewhere_{len(self.payments)}" if by is None else by
        payment = Payment(order, customer_uid, amount, card, status, by, f"imp_{name}", int(self._now()))
        self.payments += (payment,)
        self._happened.payment_landed(payment)

    def cancel(self, order: str) -> None:
        paid = self.under(order, "paid")
        if paid:
            cancelled = paid[-1]._replace(status="cancelled")
            self.payments = tuple(cancelled if each is paid[-1] else each for each in self.payments)


class Happened:
    """Who watches what becomes true at Iamport."""

    def key_landed(self, customer_uid: str, key: Key, before: Key | None) -> None: ...
    def key_revoked(self, customer_uid: str) -> None: ...
    def payment_landed(self, payment: Payment) -> None: ...


def _card_in(body: Mapping[str, Any]) -> str:
    card = card_of(body["card_number"]) or ""
    return card if body["pwd_2digit"] == PASSWORD else card.upper()


def digits(card: str) -> str:
    return f"0000-1000-0000-{ord(card.lower()):04}"


def card_of(number: str | None) -> str | None:
    """The letter of a card by what is shown of it: its last four digits."""
    return None if number is None else chr(int(number[-4:]))


def mask(card: str) -> str:
    return f"00001000****{ord(card.lower()):04}"


def envelope(code: int, message: str | None, response: object = None, status: int = 200) -> Reply:
    return Reply(status, json.dumps({"code": code, "message": message, "response": response}).encode())


@cache
def _look_up(customer_uid: str, key: Key | None, habits: frozenset[str]) -> Reply:
    return envelope(1, NOT_FOUND) if key is None else envelope(0, None, describe_key(customer_uid, key, habits))


@cache
def _find(how: str, found: tuple[Payment, ...], habits: frozenset[str]) -> Reply:
    if how == "find" and found:
        return envelope(0, None, describe_payment(found[-1], habits))
    if not found and not (how == "findAll" and "empty" in habits):
        return envelope(-1, NO_PAYMENT, status=404)
    listed = [describe_payment(payment, habits) for payment in reversed(found)]
    return envelope(0, None, {"total": len(listed), "previous": 0, "next": 0, "list": listed})


def describe_key(customer_uid: str, key: Key, habits: frozenset[str]) -> dict[str, Any]:
    told = {"customer_uid": customer_uid, "card_number": mask(key.card), "updated": key.updated}
    if "odd" in habits and customer_uid.endswith("0"):
        return told | {"card_type": [1]}
    if "nulls" in habits:
        return told | {"customer_uid": None, "card_name": None}
    return told | {"card_name": "국민KB카드", "card_type": 1, "inserted": key.updated}


def describe_payment(payment: Payment, habits: frozenset[str]) -> dict[str, Any]:
    told = {
        "imp_uid": payment.imp_uid,
        "merchant_uid": payment.order,
        "amount": payment.amount,
        "status": payment.status,
        "customer_uid": payment.customer_uid,
        "card_number": mask(payment.card),
        "started_at": payment.started_at,
        "fail_reason": REFUSED if payment.status == "failed" else None,
    }
    return told | {"card_number": None} if "nulls" in habits else told
