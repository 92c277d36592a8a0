"""What others do at Iamport, with no call of ours: the payment window, another server, somebody at the console.

Nothing is checked as it would be there: an order that is paid twice, say, is one that two have paid at once.
"""

from dataclasses import replace
from typing import Literal

from infra.local.iamport.cards import CREDIT
from infra.local.iamport.charging import CHARGE_REFUSED
from infra.local.iamport.customers import Behind, Customer
from infra.local.iamport.merchant_account import MerchantAccount
from infra.local.iamport.payments import Payment, new_payment

Tried = Literal["ready", "paid", "failed"]
SOME_CARD = "0000-9999-9999-9999"


def register(account: MerchantAccount, customer_uid: str, card_number: str, updated: int | None) -> Customer:
    """A key that is made by payment window, say."""
    card, now = account.card_of(card_number), account.now()
    contract = account.channels.default
    customer = Customer.of(customer_uid, card.card_type, contract, {"card_number": card_number}, now)
    behind = Behind(card, contract)
    return account.customers.keep(replace(customer, updated=now if updated is None else updated), behind)


def revoke(account: MerchantAccount, customer_uid: str) -> Customer:
    customer = account.customers.revoke(customer_uid)
    if customer is None:
        raise LookupError(f"nothing is registered under {customer_uid}")
    return customer


def pay(
    account: MerchantAccount,
    merchant_uid: str,
    amount: int | float,
    customer_uid: str | None,
    status: Tried,
    started_at: int | None,
) -> Payment:
    """With the card of the customer_uid, where there is one."""
    now = account.now()
    customer = account.customers.find(customer_uid or "")
    if customer is None:
        contract = account.channels.default
        customer = Customer.of(customer_uid or "", CREDIT, contract, {"card_number": SOME_CARD}, now)
    asked = {"merchant_uid": merchant_uid, "amount": str(amount)}
    if customer_uid is not None:
        asked["customer_uid"] = customer_uid
    usage = None if customer_uid is None else "payment"
    payment = new_payment(asked, customer, usage, CHARGE_REFUSED if status == "failed" else None, now)
    if status == "ready":
        payment = _not_yet_paid(payment)
    payment = replace(payment, started_at=now if started_at is None else started_at)
    account.payments.add(payment)
    return payment


def cancel(account: MerchantAccount, uid: str) -> Payment:
    """The whole payment of that imp_uid, or the newest paid one of that merchant_uid."""
    payment = account.payments.find_imp_uid(uid) or account.payments.find(uid, "paid")
    if payment is None or payment.status != "paid":
        raise LookupError(f"nothing is paid under {uid}")
    return account.payments.cancel(payment, payment.amount - payment.cancel_amount, None, account.now())


def _not_yet_paid(payment: Payment) -> Payment:
    return replace(
        payment,
        status="ready",
        paid_at=0,
        apply_num=None,
        card_code=None,
        card_name=None,
        card_number=None,
        card_type=None,
        receipt_url=None,
    )
