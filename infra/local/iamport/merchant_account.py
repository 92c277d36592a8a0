"""What Iamport does with a request: who may ask, what is asked, and doing it."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from infra.local.iamport import parameters as schema
from infra.local.iamport.cards import ANY_OTHER, Card, Charge, Refusal, Timing, test_cards
from infra.local.iamport.customers import Customer, Customers
from infra.local.iamport.envelope import RejectedError, Reply, refused, rejected, success
from infra.local.iamport.faults import UNAUTHORIZED_REPLY, Fault
from infra.local.iamport.history import History
from infra.local.iamport.oddities import Oddities
from infra.local.iamport.payments import PAYMENTS_PER_PAGE, Payment, Payments, amount_of, new_payment, page_of
from infra.local.iamport.routes import Endpoint, Route
from infra.local.iamport.tokens import TokenDesk

ISSUE_REFUSED = "카드정보 인증 및 빌키 발급에 실패하였습니다. "
PAYMENT_REFUSED = "카드정보 인증에 실패하였습니다. "
# Captured of a charge, without a word on its endpoint; at `again` it is unverified.
AGAIN_REFUSED = "결제에 실패하였습니다. "
CHARGE_REFUSED = "[F113]거래거절 한도초과"


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
        self, imp_key: str, imp_secret: str, clock: Callable[[], float], timing: Timing, in_doubt: AnswersInDoubt
    ) -> None:
        self.tokens = TokenDesk(imp_key, imp_secret)
        self.history = History()
        self.customers = Customers(self.history)
        self.payments = Payments(self.history)
        self.odd_customers = Oddities()
        self.odd_payments = Oddities()
        self.lock = threading.Lock()
        self._clock = clock
        self._cards = {card.number.replace("-", ""): card for card in test_cards(timing)}
        self._in_doubt = in_doubt

    def check(self, route: Route, authorization: str, sent: dict[str, str]) -> Work:
        """Everything short of doing it; `RejectedError` if it is not going to be done."""
        if route.endpoint is Endpoint.UNKNOWN:
            raise rejected(404, "Not Found")
        if route.endpoint is not Endpoint.TOKEN:
            self._check_token(authorization)
        values = sent | route.values
        schema.check(route.endpoint, values)
        return self._work(route.endpoint, values)

    def perform(self, work: Work) -> Reply:
        work.before()
        with self.lock:
            return work.do()

    def _work(self, endpoint: Endpoint, values: dict[str, str]) -> Work:
        match endpoint:
            case Endpoint.TOKEN:
                return Work(lambda: self._hand_out_token(values))
            case Endpoint.ISSUE:
                card = self.card_of(values["card_number"])
                return Work(lambda: self._issue(card, values), card.fault)
            case Endpoint.LOOK_UP:
                return Work(lambda: self._look_up(values["customer_uid"]))
            case Endpoint.REVOKE:
                return Work(lambda: self._revoke(values["customer_uid"]))
            case Endpoint.PAY_ONETIME:
                card = self.card_of(values["card_number"])
                return Work(lambda: self._pay_onetime(card, values), card.fault or card.payment_fault)
            case Endpoint.PAY_AGAIN:
                return Work(lambda: self._pay_again(values), self._fault_of_charging(values["customer_uid"]))
            case Endpoint.FIND_PAYMENT:
                return Work(lambda: self._find_payment(values))
            case Endpoint.FIND_PAYMENTS:
                return Work(lambda: self._find_payments(values))
            case Endpoint.CANCEL:
                return Work(lambda: self._cancel(values))
            case Endpoint.UNKNOWN:
                raise rejected(404, "Not Found")

    def now(self) -> int:
        return int(self._clock())

    def card_of(self, number: str) -> Card:
        return self._cards.get(number.replace("-", ""), ANY_OTHER)

    def _check_token(self, authorization: str) -> None:
        """`Bearer <token>` as documented; the bare token works too."""
        with self.lock:
            live = self.tokens.is_live(authorization.removeprefix("Bearer ").strip(), self.now())
        if not live:
            raise RejectedError(UNAUTHORIZED_REPLY)

    def _hand_out_token(self, values: dict[str, str]) -> Reply:
        if "imp_key" not in values or "imp_secret" not in values:
            return refused(-1, "imp_key, imp_secret 파라메터가 누락되었습니다.", 400)
        if not self.tokens.accepts(values["imp_key"], values["imp_secret"]):
            return refused(-1, "인증에 실패하였습니다. API키와 secret을 확인하세요.", 401)
        now = self.now()
        token = self.tokens.hand_out(now)
        return success({"access_token": token.access_token, "now": now, "expired_at": token.expired_at})

    def _issue(self, card: Card, values: dict[str, str]) -> Reply:
        if card.refusal is not None:
            return _card_refused(card.refusal, ISSUE_REFUSED, values)
        customer = Customer.of(values["customer_uid"], card.card_type, values, self.now())
        return success(self.customers.issue(customer, card).response())

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

    def _pay_onetime(self, card: Card, values: dict[str, str]) -> Reply:
        if self.payments.is_used_up(values["merchant_uid"]):
            return _order_used_up()
        if card.refusal is not None:
            return _card_refused(card.refusal, PAYMENT_REFUSED, values)
        customer = Customer.of(values.get("customer_uid", ""), card.card_type, values, self.now())
        if "customer_uid" in values and card.charge in (Charge.PAID, Charge.REFUSED_WITH_KEY):
            self.customers.issue(customer, card)
        usage = "issue" if "customer_uid" in values else None
        return self._charge(card, customer, values, usage, PAYMENT_REFUSED)

    def _pay_again(self, values: dict[str, str]) -> Reply:
        if self.payments.is_used_up(values["merchant_uid"]):
            return _order_used_up()
        customer = self.customers.find(values["customer_uid"])
        card = self.customers.card_of(values["customer_uid"])
        if customer is None or card is None:
            return refused(1, "등록되지 않은 구매자입니다.")
        return self._charge(card, customer, values, "payment", AGAIN_REFUSED)

    def _fault_of_charging(self, customer_uid: str) -> Fault | None:
        with self.lock:
            card = self.customers.card_of(customer_uid)
        return None if card is None else card.payment_fault

    def _charge(self, card: Card, customer: Customer, values: dict[str, str], usage: str | None, prefix: str) -> Reply:
        # Whether a payment refused with code -1 is recorded as failed is unverified: one test card does, one does not.
        if card.charge is Charge.REFUSED_WITHOUT_KEY:
            return refused(-1, prefix + CHARGE_REFUSED)
        fail_reason = None if card.charge in (Charge.PAID, Charge.PAID_WITHOUT_KEY) else CHARGE_REFUSED
        payment = new_payment(values, customer, usage, fail_reason, self.now())
        self.payments.add(payment, by="api")
        if card.charge is Charge.REFUSED_WITH_KEY:
            return refused(-1, prefix + CHARGE_REFUSED)
        return success(payment.response())

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


def _card_refused(refusal: Refusal, prefix: str, values: dict[str, str]) -> Reply:
    reason = refusal.reason.replace("{card_number}", values["card_number"])
    return refused(refusal.code, prefix + reason if refusal.prefixed else reason)


def _order_used_up() -> Reply:
    # The text by a test of github.com/claudeseo/go-iamport, the code by the history of the official Python client.
    return refused(-1, "이미 주문이 이루어진 건입니다. (동일한 merchant_uid로 결제 또는 취소된 기록이 있습니다)")


def _unknown_payment() -> Reply:
    return refused(-1, "존재하지 않는 결제정보입니다.", 404)
