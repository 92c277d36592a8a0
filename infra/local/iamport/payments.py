"""Payments as Iamport keeps them: several may share a merchant_uid, but only one of them is ever paid."""

import secrets
from dataclasses import asdict, dataclass, replace

from infra.local.iamport.customers import Customer
from infra.local.iamport.history import Actor, History

NEWEST_FIRST = "-started"
PAYMENTS_PER_PAGE = 20


@dataclass(frozen=True)
class Payment:
    """The `response` of a payment: the fields of the schema that a card payment by API fills; times in UNIX seconds.

    Whether `customer_uid` is shown where a PG kept no key for it is unverified: here it is.
    """

    amount: int | float
    apply_num: str | None
    buyer_addr: str | None
    buyer_email: str | None
    buyer_name: str | None
    buyer_postcode: str | None
    buyer_tel: str | None
    cancel_amount: int | float
    cancel_reason: str | None
    cancelled_at: int
    card_code: str | None
    card_name: str | None
    card_number: str | None
    card_quota: int
    card_type: int | None
    channel: str
    currency: str
    custom_data: str | None
    customer_uid: str | None
    customer_uid_usage: str | None
    fail_reason: str | None
    failed_at: int
    imp_uid: str
    merchant_uid: str
    name: str | None
    paid_at: int
    pay_method: str
    pg_id: str
    pg_provider: str
    receipt_url: str | None
    sandbox: bool
    started_at: int
    status: str

    def response(self) -> dict[str, object]:
        return asdict(self)

    def time_of(self, event: str) -> int:
        """When it was `started`, `paid` or `updated`, by which lists are sorted."""
        match event:
            case "started":
                return self.started_at
            case "paid":
                return self.paid_at
            case _:
                return max(self.started_at, self.paid_at, self.failed_at, self.cancelled_at)


def amount_of(text: str) -> int | float:
    amount = float(text)
    return int(amount) if amount.is_integer() else amount


def page_of(payments: list[dict[str, object]], limit: int = PAYMENTS_PER_PAGE, number: int = 1) -> dict[str, object]:
    """The `response` of a list: one page, how many there are in all, and the neighbouring pages' numbers or 0."""
    end = number * limit
    return {
        "total": len(payments),
        "previous": number - 1,
        "next": number + 1 if end < len(payments) else 0,
        "list": payments[end - limit : end],
    }


def new_payment(
    parameters: dict[str, str], customer: Customer, usage: str | None, fail_reason: str | None, now: int
) -> Payment:
    """A payment that is paid, or failed when there is a `fail_reason`."""
    imp_uid = f"imp_{secrets.randbelow(10**12):012}"
    paid = fail_reason is None
    return Payment(
        amount=amount_of(parameters["amount"]),
        apply_num=f"{secrets.randbelow(10**8):08}" if paid else None,
        buyer_addr=parameters.get("buyer_addr"),
        buyer_email=parameters.get("buyer_email"),
        buyer_name=parameters.get("buyer_name"),
        buyer_postcode=parameters.get("buyer_postcode"),
        buyer_tel=parameters.get("buyer_tel"),
        cancel_amount=0,
        cancel_reason=None,
        cancelled_at=0,
        card_code=customer.card_code,
        card_name=customer.card_name,
        card_number=customer.card_number,
        card_quota=int(parameters.get("card_quota", "0")),
        card_type=customer.card_type,
        channel="api",
        currency=parameters.get("currency", "KRW"),
        custom_data=parameters.get("custom_data"),
        customer_uid=parameters.get("customer_uid"),
        customer_uid_usage=usage,
        fail_reason=fail_reason,
        failed_at=0 if paid else now,
        imp_uid=imp_uid,
        merchant_uid=parameters["merchant_uid"],
        name=parameters.get("name"),
        paid_at=now if paid else 0,
        pay_method="card",
        pg_id=customer.pg_id,
        pg_provider=customer.pg_provider,
        receipt_url=f"https://receipts.invalid/{imp_uid}" if paid else None,
        sandbox=True,
        started_at=now,
        status="paid" if paid else "failed",
    )


class Payments:
    """All payments, in the order they were tried."""

    def __init__(self, history: History) -> None:
        self._payments: list[Payment] = []
        self._history = history

    def add(self, payment: Payment, by: Actor = "others", tier: str | None = None) -> None:
        self._payments.append(payment)
        if payment.status == "paid":
            self._history.note(
                "paid",
                payment.customer_uid,
                payment.card_number,
                by=by,
                merchant_uid=payment.merchant_uid,
                imp_uid=payment.imp_uid,
                tier=tier,
            )

    def find(self, merchant_uid: str, status: str | None = None, sorting: str | None = None) -> Payment | None:
        """The newest one of the merchant_uid, or the newest in a status, or the first one as sorted."""
        return next(iter(self.find_all(merchant_uid, status, sorting)), None)

    def find_all(self, merchant_uid: str, status: str | None = None, sorting: str | None = None) -> list[Payment]:
        """Those of the merchant_uid, or those of them in a status: as the schema sorts them, the newest first.

        How it orders those of one second is unverified: here in the order they were tried.
        """
        sorting = sorting or NEWEST_FIRST
        found = [
            payment
            for payment in self._payments
            if payment.merchant_uid == merchant_uid and status in (None, payment.status)
        ]
        found.sort(key=lambda payment: payment.time_of(sorting.removeprefix("-")))
        return found[::-1] if sorting.startswith("-") else found

    def is_used_up(self, merchant_uid: str) -> bool:
        """Whether it was paid or cancelled before: then it takes no payment any more."""
        return any(payment.status in ("paid", "cancelled") for payment in self.find_all(merchant_uid))

    def find_imp_uid(self, imp_uid: str) -> Payment | None:
        return next((payment for payment in self._payments if payment.imp_uid == imp_uid), None)

    def cancel(self, payment: Payment, amount: int | float, reason: str | None, now: int) -> Payment:
        """Give back `amount`. That a payment stays paid until all of it is given back is unverified."""
        cancel_amount = payment.cancel_amount + amount
        cancelled = replace(
            payment,
            cancel_amount=cancel_amount,
            cancel_reason=reason,
            cancelled_at=now,
            status="cancelled" if cancel_amount == payment.amount else "paid",
        )
        self._payments[self._payments.index(payment)] = cancelled
        return cancelled

    def snapshot(self) -> list[Payment]:
        return list(self._payments)
