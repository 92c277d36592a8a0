"""Billing keys as Iamport keeps them: one per customer_uid, never with a full card number."""

from collections import Counter
from dataclasses import asdict, dataclass, replace
from typing import Self

from infra.local.iamport.cards import Card, mask
from infra.local.iamport.contracts import Contract
from infra.local.iamport.history import Actor, History


@dataclass(frozen=True)
class Customer:
    """The `response` of a billing key, field by field as captured; `inserted` and `updated` are UNIX seconds."""

    card_code: str
    card_name: str
    card_number: str
    card_type: int | None
    customer_addr: str | None
    customer_email: str | None
    customer_id: str | None
    customer_name: str | None
    customer_postcode: str | None
    customer_tel: str | None
    customer_uid: str
    inserted: int
    pg_id: str
    pg_provider: str
    sandbox: bool
    updated: int

    @classmethod
    def of(
        cls, customer_uid: str, card_type: int | None, contract: Contract, parameters: dict[str, str], now: int
    ) -> Self:
        return cls(
            card_code="381",
            card_name="국민KB카드",
            card_number=mask(parameters["card_number"]),
            card_type=card_type,
            customer_addr=parameters.get("customer_addr"),
            customer_email=parameters.get("customer_email"),
            customer_id=parameters.get("customer_id"),
            customer_name=parameters.get("customer_name"),
            customer_postcode=parameters.get("customer_postcode"),
            customer_tel=parameters.get("customer_tel"),
            customer_uid=customer_uid,
            inserted=now,
            pg_id=contract.pg_id,
            pg_provider=contract.pg_provider,
            sandbox=True,
            updated=now,
        )

    def response(self) -> dict[str, object]:
        return asdict(self)


@dataclass(frozen=True)
class Behind:
    """What stands behind a billing key: the row of its test card, and the contract that it was issued by."""

    card: Card
    contract: Contract


class Customers:
    """The billing keys that exist now."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._customers: dict[str, Customer] = {}
        self._behind: dict[str, Behind] = {}
        self._issue_counts: Counter[str] = Counter()

    def issue(self, customer: Customer, behind: Behind, tier: str | None) -> Customer:
        """Keep a billing key that this API has made."""
        self._issue_counts[customer.customer_uid] += 1
        return self.keep(customer, behind, by="api", tier=tier)

    def keep(self, customer: Customer, behind: Behind, by: Actor = "others", tier: str | None = None) -> Customer:
        """Keep a billing key. One that the uid held before is replaced without a word, as Iamport does."""
        before = self._customers.get(customer.customer_uid)
        if before is not None:
            customer = replace(customer, inserted=before.inserted)
        self._customers[customer.customer_uid] = customer
        self._behind[customer.customer_uid] = behind
        self._history.note("registered", customer.customer_uid, customer.card_number, by=by, tier=tier)
        return customer

    def find(self, customer_uid: str) -> Customer | None:
        return self._customers.get(customer_uid)

    def find_with_what_is_behind(self, customer_uid: str) -> tuple[Customer, Behind] | None:
        customer = self.find(customer_uid)
        return None if customer is None else (customer, self._behind[customer_uid])

    def revoke(self, customer_uid: str) -> Customer | None:
        customer = self._customers.pop(customer_uid, None)
        if customer is not None:
            self._history.note("revoked", customer_uid, customer.card_number)
        return customer

    def issue_count(self, customer_uid: str) -> int:
        """How often a billing key has been issued for the uid by API, revoked and replaced ones included."""
        return self._issue_counts[customer_uid]

    def snapshot(self) -> dict[str, Customer]:
        return dict(self._customers)
