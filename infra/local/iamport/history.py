"""What became true at Iamport, one thing after the other: what answers are held against that were given meanwhile."""

import time
from dataclasses import dataclass
from typing import Literal

What = Literal["registered", "revoked", "paid"]
Actor = Literal["api", "others"]


@dataclass(frozen=True)
class Happening:
    at: float
    """On this process's monotonic clock, in seconds."""
    what: What
    customer_uid: str | None
    card_number: str | None
    """Masked."""
    by: Actor
    """`api`: a call of this API that issued or charged."""
    merchant_uid: str | None = None
    imp_uid: str | None = None
    tier: str | None = None
    """The sub-merchant that the call was made for, by its header."""


class History:
    def __init__(self) -> None:
        self._happenings: list[Happening] = []

    def note(
        self,
        what: What,
        customer_uid: str | None,
        card_number: str | None,
        *,
        by: Actor = "others",
        merchant_uid: str | None = None,
        imp_uid: str | None = None,
        tier: str | None = None,
    ) -> None:
        happening = Happening(time.monotonic(), what, customer_uid, card_number, by, merchant_uid, imp_uid, tier)
        self._happenings.append(happening)

    def snapshot(self) -> list[Happening]:
        return list(self._happenings)
