"""What issues keys and takes payments: at once, by a key, or when its time has come."""

import json
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

from infra.local.iamport.cards import Card, Charge, Refusal
from infra.local.iamport.channels import Channels
from infra.local.iamport.contracts import AGAIN_REFUSED, ISSUE_REFUSED, NO_CHANNEL, PAYMENT_REFUSED
from infra.local.iamport.customers import Behind, Customer, Customers
from infra.local.iamport.envelope import Reply, refused, success
from infra.local.iamport.payments import Payments, new_payment
from infra.local.iamport.routes import Endpoint
from infra.local.iamport.schedules import BUYER, Schedules, read_schedules

CHARGE_REFUSED = "[F113]거래거절 한도초과"
EXPIRED = Refusal("[F113]거래거절 유효기간오류")
SEOUL = timezone(timedelta(hours=9))


class Charging:
    """The verbs; `now` gives UNIX seconds. `tier` is the sub-merchant that a call is made for."""

    def __init__(
        self,
        customers: Customers,
        payments: Payments,
        schedules: Schedules,
        channels: Channels,
        now: Callable[[], int],
    ) -> None:
        self._customers = customers
        self._payments = payments
        self._schedules = schedules
        self._channels = channels
        self._now = now

    def issue(self, card: Card, values: dict[str, str], tier: str | None) -> Reply:
        contract = self._channels.for_issuing(values)
        if contract is None:
            return refused(1, NO_CHANNEL)
        if (no := contract.refusal(Endpoint.ISSUE, values)) is not None:
            return no
        if (refusal := self._refusal_of_card(card, values)) is not None:
            return _card_refused(refusal, ISSUE_REFUSED, values)
        made_up = {"customer_id": str(uuid.uuid4())} if contract.makes_customer_id else {}
        customer = Customer.of(values["customer_uid"], card.card_type, contract, made_up | values, self._now())
        return success(self._customers.issue(customer, Behind(card, contract), tier).response())

    def pay_onetime(self, card: Card, values: dict[str, str], tier: str | None) -> Reply:
        if self._payments.is_used_up(values["merchant_uid"]):
            return _order_used_up()
        contract = self._channels.for_paying(values)
        if (no := contract.refusal(Endpoint.PAY_ONETIME, values)) is not None:
            return no
        if (refusal := self._refusal_of_card(card, values)) is not None:
            return _card_refused(refusal, PAYMENT_REFUSED, values)
        holder = _holder_of_buyer(values) | {"card_number": values["card_number"]}
        customer = Customer.of(values.get("customer_uid", ""), card.card_type, contract, holder, self._now())
        keeps_key = contract.keeps_key_at_onetime and card.charge in (Charge.PAID, Charge.REFUSED_WITH_KEY)
        if "customer_uid" in values and keeps_key:
            self._customers.issue(customer, Behind(card, contract), tier)
        usage = "issue" if "customer_uid" in values else None
        return self._charge(card, customer, values, usage, PAYMENT_REFUSED, tier)

    def pay_again(self, values: dict[str, str], tier: str | None) -> Reply:
        """By the channel that the key was issued by, whatever `channel_key` says."""
        if self._payments.is_used_up(values["merchant_uid"]):
            return _order_used_up()
        found = self._customers.find_with_what_is_behind(values["customer_uid"])
        if found is None:
            return refused(1, "등록되지 않은 구매자입니다.")
        customer, behind = found
        if (no := behind.contract.refusal(Endpoint.PAY_AGAIN, values)) is not None:
            return no
        return self._charge(behind.card, customer, values, "payment", AGAIN_REFUSED, tier)

    def schedule(self, values: dict[str, str]) -> Reply:
        """For a key that is there; that a card is registered in the same request is not served here.

        Of the refusals only that of an unknown customer_uid has been captured, without its code.
        """
        customer = self._customers.find(values["customer_uid"])
        if customer is None:
            return refused(1, "등록된 고객정보가 없습니다.")
        asked = read_schedules(values, customer)
        for one in asked:
            if self._payments.is_used_up(one.merchant_uid) or self._schedules.holds(one.merchant_uid):
                return refused(1, "[시뮬레이터] 이미 예약되었거나 결제된 merchant_uid입니다.")
            if one.schedule_at <= self._now():
                return refused(1, "[시뮬레이터] schedule_at이 이미 지났습니다.")
        self._schedules.add(asked)
        return success([one.response() for one in asked])

    def charge_what_is_due(self) -> None:
        """Iamport does so by itself; here it is done before anybody can see that it was not."""
        for one in self._schedules.due(self._now()):
            reply = json.loads(self.pay_again(one.parameters(), None).body)
            paid = reply["code"] == 0 and reply["response"]["status"] == "paid"
            self._schedules.change(
                one,
                schedule_status="executed",
                executed_at=self._now(),
                payment_status="paid" if paid else "failed",
                imp_uid=reply["response"]["imp_uid"] if reply["code"] == 0 else None,
                fail_reason=reply["message"] if reply["code"] != 0 else reply["response"]["fail_reason"],
            )

    def _refusal_of_card(self, card: Card, values: dict[str, str]) -> Refusal | None:
        this_month = datetime.fromtimestamp(self._now(), SEOUL).strftime("%Y-%m")
        return card.refusal or (EXPIRED if values["expiry"] < this_month else None)

    def _charge(
        self,
        card: Card,
        customer: Customer,
        values: dict[str, str],
        usage: str | None,
        prefix: str,
        tier: str | None,
    ) -> Reply:
        # Whether a payment refused with code -1 is recorded as failed is unverified: one test card does, one does not.
        if card.charge is Charge.REFUSED_WITHOUT_KEY:
            return refused(-1, prefix + CHARGE_REFUSED)
        fail_reason = None if card.charge in (Charge.PAID, Charge.PAID_WITHOUT_KEY) else CHARGE_REFUSED
        payment = new_payment(values, customer, usage, fail_reason, self._now())
        self._payments.add(payment, by="api", tier=tier)
        if card.charge is Charge.REFUSED_WITH_KEY:
            return refused(-1, prefix + CHARGE_REFUSED)
        return success(payment.response())


def _holder_of_buyer(values: dict[str, str]) -> dict[str, str]:
    """Who buys at `onetime` is kept as whom the key is of (schema)."""
    return {f"customer_{name}": values[f"buyer_{name}"] for name in BUYER if f"buyer_{name}" in values}


def _card_refused(refusal: Refusal, prefix: str, values: dict[str, str]) -> Reply:
    reason = refusal.reason.replace("{card_number}", values["card_number"])
    return refused(refusal.code, prefix + reason if refusal.prefixed else reason)


def _order_used_up() -> Reply:
    # The text by a test of github.com/claudeseo/go-iamport, the code by the history of the official Python client.
    return refused(-1, "이미 주문이 이루어진 건입니다. (동일한 merchant_uid로 결제 또는 취소된 기록이 있습니다)")
