"""What Iamport does with a request: who may ask, what is asked, and doing it."""

import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass

from infra.local.iamport import parameters as schema
from infra.local.iamport.cards import ANY_OTHER, Card, Timing, digits_of, test_cards
from infra.local.iamport.channels import Channels
from infra.local.iamport.charging import Charging
from infra.local.iamport.contracts import Contract
from infra.local.iamport.customers import Customers
from infra.local.iamport.envelope import RejectedError, Reply, refused, rejected, success
from infra.local.iamport.faults import UNAUTHORIZED_REPLY, Fault
from infra.local.iamport.history import History
from infra.local.iamport.oddities import Oddities
from infra.local.iamport.payments import PAYMENTS_PER_PAGE, Payment, Payments, amount_of, page_of
from infra.local.iamport.routes import Endpoint, Route
from infra.local.iamport.schedules import Schedules
from infra.local.iamport.tokens import TokenDesk

TIER = re.compile("[A-Z0-9]{3}")


def nothing() -> None:
    """What happens before most requests are done."""


@dataclass(frozen=True)
class Work:
    """A request that has been checked and is still to be done, once, by calling `do`. `before` it others may ask."""

    do: Callable[[], Reply]
    fault: Fault | None = None
    before: Callable[[], None] = nothing


@dataclass(frozen=True)
class AnswersInDoubt:
    """What the schema tells in another way than captures do, or what nobody has captured."""

    unknown_uid_as_404: bool = False
    no_payments_as_empty_list: bool = False


class MerchantAccount:
    """All that Iamport knows of the one merchant that it has. `clock` gives UNIX seconds."""

    def __init__(
        self,
        imp_key: str,
        imp_secret: str,
        clock: Callable[[], float],
        timing: Timing,
        in_doubt: AnswersInDoubt,
        contracts: tuple[Contract, ...],
    ) -> None:
        self.tokens = TokenDesk(imp_key, imp_secret)
        self.history = History()
        self.customers = Customers(self.history)
        self.payments = Payments(self.history)
        self.schedules = Schedules()
        self.channels = Channels(contracts)
        self.odd_customers = Oddities()
        self.odd_payments = Oddities()
        self.lock = threading.Lock()
        self._clock = clock
        self._cards = {digits_of(card.number): card for card in test_cards(timing)}
        self._in_doubt = in_doubt
        self._charging = Charging(self.customers, self.payments, self.schedules, self.channels, self.now)

    def check(self, route: Route, authorization: str, tier: str | None, sent: dict[str, str]) -> Work:
        """Everything short of doing it; `RejectedError` if it is not going to be done."""
        if route.endpoint is Endpoint.UNKNOWN:
            raise rejected(404, "Not Found")
        if route.endpoint is not Endpoint.TOKEN:
            self._check_token(authorization)
            _check_tier(tier)
        values = sent | route.values
        schema.check(route.endpoint, values)
        return self._work(route.endpoint, values, tier)

    def perform(self, work: Work) -> Reply:
        work.before()
        with self.lock:
            self._charging.charge_what_is_due()
            try:
                return work.do()
            except RejectedError as rejected:
                return rejected.reply

    def _work(self, endpoint: Endpoint, values: dict[str, str], tier: str | None) -> Work:
        match endpoint:
            case Endpoint.TOKEN:
                return Work(lambda: self._hand_out_token(values))
            case Endpoint.ISSUE:
                card = self.card_of(values["card_number"])
                return Work(lambda: self._charging.issue(card, values, tier), card.fault)
            case Endpoint.LOOK_UP:
                return Work(lambda: self._look_up(values["customer_uid"]))
            case Endpoint.REVOKE:
                return Work(lambda: self._revoke(values["customer_uid"]))
            case Endpoint.PAY_ONETIME:
                card = self.card_of(values["card_number"])
                return Work(lambda: self._charging.pay_onetime(card, values, tier), card.fault or card.payment_fault)
            case Endpoint.PAY_AGAIN:
                return Work(
                    lambda: self._charging.pay_again(values, tier), self._fault_of_charging(values["customer_uid"])
                )
            case Endpoint.FIND_PAYMENT:
                return Work(lambda: self._find_payment(values))
            case Endpoint.FIND_PAYMENTS:
                return Work(lambda: self._find_payments(values))
            case Endpoint.CANCEL:
                return Work(lambda: self._cancel(values))
            case Endpoint.SCHEDULE:
                return Work(lambda: self._charging.schedule(values))
            case Endpoint.SHOW_SCHEDULE:
                return Work(lambda: self._show_schedule(values["merchant_uid"]))
            case Endpoint.UNSCHEDULE:
                return Work(lambda: self._unschedule(values))
            case Endpoint.CHANNELS:
                return Work(lambda: success(self.channels.response()))
            case Endpoint.UNKNOWN:
                raise rejected(404, "Not Found")

    def now(self) -> int:
        return int(self._clock())

    def card_of(self, number: str) -> Card:
        return self._cards.get(digits_of(number), ANY_OTHER)

    def _check_token(self, authorization: str) -> None:
        """`Bearer <token>` as documented; the bare token works too."""
        with self.lock:
            live = self.tokens.is_live(authorization.removeprefix("Bearer ").strip(), self.now())
        if not live:
            raise RejectedError(UNAUTHORIZED_REPLY)

    def _fault_of_charging(self, customer_uid: str) -> Fault | None:
        with self.lock:
            found = self.customers.find_with_what_is_behind(customer_uid)
        return None if found is None else found[1].card.payment_fault

    def _hand_out_token(self, values: dict[str, str]) -> Reply:
        if "imp_key" not in values or "imp_secret" not in values:
            return refused(-1, "imp_key, imp_secret 파라메터가 누락되었습니다.", 400)
        if not self.tokens.accepts(values["imp_key"], values["imp_secret"]):
            return refused(-1, "인증에 실패하였습니다. API키와 secret을 확인하세요.", 401)
        now = self.now()
        token = self.tokens.hand_out(now)
        return success({"access_token": token.access_token, "now": now, "expired_at": token.expired_at})

    def _look_up(self, customer_uid: str) -> Reply:
        customer = self.customers.find(customer_uid)
        if customer is None:
            return self._unknown_customer(customer_uid)
        return success(self.odd_customers.shown(customer_uid, customer.response()))

    def _revoke(self, customer_uid: str) -> Reply:
        customer = self.customers.revoke(customer_uid)
        return self._unknown_customer(customer_uid) if customer is None else success(customer.response())

    def _unknown_customer(self, customer_uid: str) -> Reply:
        message = f"요청하신 customer_uid({customer_uid})로 등록된 정보를 찾을 수 없습니다."
        return refused(1, message, 404 if self._in_doubt.unknown_uid_as_404 else 200)

    def _show_schedule(self, merchant_uid: str) -> Reply:
        found = self.schedules.find(merchant_uid)
        return refused(1, "[시뮬레이터] 예약된 결제가 없습니다.", 404) if found is None else success(found.response())

    def _unschedule(self, values: dict[str, str]) -> Reply:
        """Of one order or several, or all of the customer's. The refusals are unverified."""
        if "customer_uid" not in values and "merchant_uid" not in values:
            return refused(-1, "customer_uid, merchant_uid 파라메터가 누락되었습니다.", 400)
        orders = values.get("merchant_uid", "[]")
        merchant_uids = tuple(json.loads(orders)) if orders.startswith("[") else (orders,)
        revoked = self.schedules.revoke(values.get("customer_uid"), merchant_uids, self.now())
        if not revoked:
            return refused(1, "[시뮬레이터] 취소할 예약이 없습니다.")
        return success([one.response() for one in revoked])

    def _find_payment(self, values: dict[str, str]) -> Reply:
        payment = self.payments.find(values["merchant_uid"], values.get("status"), values.get("sorting"))
        return _unknown_payment() if payment is None else success(self._shown(payment))

    def _shown(self, payment: Payment) -> dict[str, object]:
        return self.odd_payments.shown(payment.merchant_uid, payment.response())

    def _find_payments(self, values: dict[str, str]) -> Reply:
        found = self.payments.find_all(values["merchant_uid"], values.get("status"), values.get("sorting"))
        if not found and not self._in_doubt.no_payments_as_empty_list:
            return _unknown_payment()
        limit, page = int(values.get("limit", PAYMENTS_PER_PAGE)), int(values.get("page", 1))
        return success(page_of([self._shown(payment) for payment in found], limit, page))

    def _cancel(self, values: dict[str, str]) -> Reply:
        """`imp_uid` goes before `merchant_uid`; no amount, or 0, is all of it.

        Of the refusals only that of a payment which does not exist has been captured.
        """
        if "imp_uid" in values:
            payment = self.payments.find_imp_uid(values["imp_uid"])
        elif "merchant_uid" in values:
            payment = self.payments.find(values["merchant_uid"])
        else:
            return refused(-1, "imp_uid, merchant_uid 파라메터가 누락되었습니다.", 400)
        if payment is None:
            return refused(1, "취소할 결제건이 존재하지 않습니다.")
        if payment.status != "paid":
            return refused(1, "취소할 수 있는 결제건이 아닙니다.")
        left = payment.amount - payment.cancel_amount
        amount = amount_of(values.get("amount", "0")) or left
        if amount > left:
            return refused(1, "취소 요청금액이 취소 가능금액보다 큽니다.")
        return success(self.payments.cancel(payment, amount, values.get("reason"), self.now()).response())


def _check_tier(tier: str | None) -> None:
    # What Iamport says to a Tier of another form is unverified.
    if tier is not None and not TIER.fullmatch(tier):
        raise rejected(400, "Tier 헤더의 형식이 올바르지 않습니다.")


def _unknown_payment() -> Reply:
    return refused(-1, "존재하지 않는 결제정보입니다.", 404)
