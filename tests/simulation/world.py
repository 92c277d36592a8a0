"""What a run is about: who asks for what, who else acts, and what habits the PG has. A world's name says all of it.

    u0.o0.a u0.o0.b+replace settler before:key-a others:cancel lags

Two attempts under uid 0 for order 0, with cards a and b, the second with leave to replace; a settler; a card a that
was registered elsewhere before; somebody who cancels the payment; and a PG whose key may come after its payment.
"""

import itertools
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, cast

Leave = Literal["", "new", "replace", "open"]
"""What the customer token says; `open`: there is none, the browser named the uid."""
REQUEST = re.compile(r"u(\d)(?:\.o(\d))?\.([a-zA-Z])(?:\+(new|replace|open))?")

HABITS = {
    "lags": "the key may come a while after its payment",
    "leaves": "a refused payment may leave a key",
    "keyless": "no key is kept of a payment",
    "unrefusing": "a paid order is charged again",
    "empty": "no payment under an order is an empty list, and no 404",
    "nulls": "no answer tells more than it has to",
    "odd": "a look-up of uid 0 gives what no PG should",
    "stepping": "the first container's wall clock has stepped ahead since it asked for its token",
    "cold": "no container has a token yet",
    "again": "a first payment is issued, and then charged",
}
DEEDS = (
    "key-a", "key-b", "key-c", "delete", "pay-ours", "pay-other", "fail-a", "fail-b", "fail-c", "ready", "cancel"
)  # fmt: skip
"""What others do under uid 0 and order 0: register or revoke a key, pay with a card of theirs, fail to, cancel."""


@dataclass(frozen=True)
class Request:
    uid: int
    order: int | None
    card: str
    """A letter; the capital is the same number with another password."""
    leave: Leave = ""

    def same_as(self, other: "Request") -> bool:
        """Whether it is a repeat."""
        return (self.uid, self.order, self.card) == (other.uid, other.order, other.card)

    @property
    def name(self) -> str:
        order = "" if self.order is None else f".o{self.order}"
        return f"u{self.uid}{order}.{self.card}" + (f"+{self.leave}" if self.leave else "")


@dataclass(frozen=True)
class World:
    requests: tuple[Request, ...]
    settlers: int = 0
    before: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    habits: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        words = [request.name for request in self.requests] + ["settler"] * self.settlers
        words += [f"before:{deed}" for deed in self.before] + [f"others:{deed}" for deed in self.others]
        return " ".join(words + sorted(self.habits))

    @property
    def has_all_faults(self) -> bool:
        return len(self.requests) != 2

    @property
    def has_repeats(self) -> bool:
        pairs = itertools.combinations(self.requests, 2)
        return any(one.same_as(other) for one, other in pairs)

    @classmethod
    def called(cls, name: str) -> "World":
        requests, deeds, habits, settlers = list[Request](), {"before": list[str](), "others": list[str]()}, set(), 0
        for word in name.split():
            kind, _, deed = word.partition(":")
            if match := REQUEST.fullmatch(word):
                uid, order, card, leave = match.groups()
                requests.append(
                    Request(int(uid), None if order is None else int(order), card, cast(Leave, leave or ""))
                )
            elif deed in DEEDS:
                deeds[kind].append(deed)
            elif word == "settler":
                settlers += 1
            elif word in HABITS:
                habits.add(word)
            else:
                raise ValueError(word)
        return cls(tuple(requests), settlers, tuple(deeds["before"]), tuple(deeds["others"]), frozenset(habits))


def pairs() -> Iterator[tuple[Request, Request]]:
    """Each two attempts that can be in each other's way, without mirror images of uid, order and card."""
    leaves: tuple[Leave, ...] = ("", "new", "replace", "open")
    for order, leave in itertools.product((None, 0), leaves):
        first = Request(0, order, "a", leave)
        for uid, other, card, its_leave in itertools.product((0, 1), (None, 0, 1), "ab", leaves):
            second = Request(uid, other, card, its_leave)
            meet = uid == 0 or (order is not None and other == order)
            mirrored = other == 1 and order is None
            signed = (leave != "open" or order is None) and (its_leave != "open" or other is None)
            if meet and not mirrored and signed:
                yield first, second


SURROUNDINGS = (
    "leaves", "lags", "keyless", "unrefusing", "unrefusing leaves", "nulls", "empty", "stepping", "odd", "cold",
    "before:key-a", "before:key-b", "before:fail-c", "before:fail-b", "before:ready", "before:pay-other",
    "before:pay-ours", "before:pay-ours before:key-c", "others:key-b", "others:delete", "others:pay-ours",
    "others:pay-other", "others:fail-c", "others:cancel", "others:ready", "before:pay-other others:cancel",
    "before:key-a leaves", "before:fail-c keyless", "before:key-b keyless", "settler",
)  # fmt: skip
"""What is asked of each pair of interest, one after the other."""

TELLING = (
    "u0.a", "u0.a+replace", "u0.a u0.b", "u0.a u0.a", "u0.a+new u0.b", "u0.a+new u0.b+replace", "u0.a+replace u0.b",
    "u0.a+open u0.b+open", "u0.a u0.b+replace", "u0.a u0.A", "u0.o0.a", "u0.o0.a+replace", "u0.o0.a u0.o0.b",
    "u0.o0.a u0.o0.a", "u0.o0.a+new u0.o0.b", "u0.o0.a+replace u0.o0.b", "u0.o0.a u1.o0.b", "u0.o0.a u0.o1.b",
    "u0.o0.a u0.o0.A", "u0.o0.a u0.b", "u0.o0.a+replace u0.o1.b+replace",
)  # fmt: skip
"""Attempts, alone and in pairs, that differ in what can go wrong."""


BY_AGAIN = (
    "lags", "unrefusing", "nulls", "before:key-a", "before:key-b", "before:fail-a", "before:pay-other", "others:key-b",
    "others:delete", "others:pay-ours", "others:pay-other", "others:cancel", "before:key-a lags", "settler",
)  # fmt: skip
"""The same, where a first payment is issued and then charged."""


def small_worlds() -> Iterator[World]:
    """The telling ones first."""
    seen = set[str]()
    names = [*TELLING, *(f"{telling} {more}" for more in SURROUNDINGS for telling in TELLING)]
    both = [f"{first.name} {second.name}" for first, second in pairs()]
    names += [f"{either}{more} again" for more in ("", *(f" {each}" for each in BY_AGAIN)) for either in TELLING]
    names += [*both, *(f"{pair} again" for pair in both)]
    for name in names:
        world = World.called(name)
        if world.name not in seen and _makes_sense(world):
            seen.add(world.name)
            yield world


def random_world(chance: random.Random) -> World:
    """Three or four attempts, and more than one thing that is odd."""
    requests = []
    for _ in range(chance.choice((3, 3, 4))):
        order = chance.choice((None, 0, 0, 0, 1))
        leave: Leave = chance.choice(("", "", "new", "replace", "open" if order is None else "replace"))
        requests.append(Request(chance.choice((0, 0, 0, 1)), order, chance.choice("abc"), leave))
    return World(
        tuple(requests),
        settlers=chance.choice((1, 2)),
        before=tuple(chance.choice(DEEDS[:3] + DEEDS[4:]) for _ in range(chance.choice((0, 0, 1, 2)))),
        others=tuple(chance.choice(DEEDS) for _ in range(chance.choice((0, 0, 1, 2)))),
        habits=frozenset(habit for habit in HABITS if chance.random() < 0.12),
    )


def _makes_sense(world: World) -> bool:
    """Whether what is special about the world can matter in it."""
    has_order = any(request.order == 0 for request in world.requests)
    of_orders = {"lags", "leaves", "keyless", "unrefusing", "empty", "again"}
    deeds = {deed.partition("-")[0] for deed in world.before + world.others}
    return has_order or not (world.habits & of_orders or deeds & {"pay", "fail", "ready", "cancel"})
