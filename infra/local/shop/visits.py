"""Who visits the local shop, and what its server says of him to the card door: a uid, or a token with claims."""

import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from infra.local.token import first_payment, new_token

Identity = Literal["open", "signed"]
"""As CUSTOMER_IDENTITY."""

FIRST_MONTH = 9900
"""Won."""


@dataclass(frozen=True)
class Visit:
    """One customer, who may order once: without an account, a visit is all that the shop knows of him."""

    id: str
    customer_uid: str
    payment: Mapping[str, Any]
    """The claim, should the first month be paid at once."""


class Visits:
    """Safe for threads."""

    def __init__(self) -> None:
        self._visits: dict[str, Visit] = {}
        self._lock = threading.Lock()

    def begin(self) -> Visit:
        visit = Visit(secrets.token_hex(8), f"shop-{secrets.token_hex(4)}", first_payment(FIRST_MONTH))
        with self._lock:
            self._visits[visit.id] = visit
        return visit

    def find(self, visit_id: str) -> Visit | None:
        with self._lock:
            return self._visits.get(visit_id)


def customer_of(visit: Visit, identity: Identity, wishes: Mapping[str, str]) -> dict[str, str]:
    """What goes to the card door beside the card. `wishes`: `new`, `replace` and `payment`, each "1" where asked for.

    A real shop decides these by itself, by what it knows of the customer; here the one who tries them out does.
    """
    if identity == "open":
        return {"customer_uid": visit.customer_uid}
    claims: dict[str, Any] = {name: True for name in ("new", "replace") if wishes.get(name) == "1"}
    if wishes.get("payment") == "1":
        claims["payment"] = dict(visit.payment)
    return {"customer_token": new_token(visit.customer_uid, **claims)}
