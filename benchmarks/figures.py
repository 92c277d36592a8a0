"""One row of the table: a figure of each contender, what it must be, and whether it is."""

from dataclasses import dataclass
from typing import Literal

Unit = Literal["ms", "MB", "×", ""]

HEADINGS = ("ours", "official client", "guide's example")
"""Whose figures a row holds."""

OFFICIAL = "the official client's"
GUIDE = "the guide's"


@dataclass(frozen=True)
class Limit:
    most: float
    """In the row's unit."""
    because: str = ""


@dataclass(frozen=True)
class Row:
    """A smaller figure is a better one. None: that contender has no such figure."""

    figure: str
    unit: Unit
    ours: float
    official_client: float | None = None
    guide: float | None = None
    limits: tuple[Limit, ...] = ()
    """All of them are to hold; none: the row is there to be read."""

    def falls_short(self) -> bool:
        return any(self.ours > limit.most for limit in self.limits)


def times(factor: float, other: float, whose: str) -> Limit:
    return Limit(factor * other, f"{factor:g} × {whose}")


def shown(figure: float, unit: Unit) -> str:
    match unit:
        case "ms" | "MB":
            return f"{figure:,.1f} {unit}"
        case "×":
            return f"{figure:.2f} ×"
        case "":
            return f"{figure:g}"
