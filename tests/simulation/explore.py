"""Every schedule of a small world, and schedules of larger ones by chance.

A schedule ends where its world ends, or where it comes to a state that was gone on from before, with at least as much
left to go wrong: two orders of calls that can't meet end in the same state, and what comes then is explored once.
"""

import gc
import random
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.simulation.properties import Violation
from tests.simulation.state import UNLIMITED, Log, Move, State
from tests.simulation.world import World


@dataclass(frozen=True)
class Limits:
    faults: int = 1
    switches: int = UNLIMITED


@dataclass
class Found:
    world: World
    limits: Limits
    violation: Violation
    choices: list[int]
    """The number of each move among those that there were."""
    faults: tuple[str, ...]

    @property
    def kind(self) -> str:
        """Without the names of whom it befell."""
        words = re.sub(
            r"\d+ \([^)]*\)|(?<=key )\w\b|(?<=replaces )\w\b|(?<=card )\w\b|imp_\w+", "#", self.violation.words
        )
        return f"{self.violation.what}: {words} [{', '.join(self.faults) or 'no fault'}]"

    def is_shorter_than(self, other: "Found") -> bool:
        return len(self.choices) < len(other.choices)


@dataclass
class Explored:
    schedules: int = 0
    states: int = 0
    complete: bool = True
    found: dict[str, Found] = field(default_factory=dict)
    """By kind, the shortest of each."""

    def has_found(self, what: str) -> bool:
        return any(kind.startswith(what) for kind in self.found)

    def add(self, found: Found) -> None:
        if found.kind not in self.found or found.is_shorter_than(self.found[found.kind]):
            self.found[found.kind] = found


Trail = tuple["Trail", int] | None


@contextmanager
def nothing_collected() -> Iterator[None]:
    """States go when nobody holds them; the collector would walk through all that is kept, again and again."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@nothing_collected()
def explore(world: World, limits: Limits, most: int | None = None, until: str | None = None) -> Explored:
    """`most` schedules, where it is told so; `until` it has found what begins so."""
    explored, seen = Explored(), dict[int, list[tuple[int, int]]]()
    waiting: list[tuple[State, Trail, Move | None]] = [(State(world, limits.faults, limits.switches), None, None)]
    while waiting:
        if (most is not None and explored.schedules >= most) or (until is not None and explored.has_found(until)):
            explored.complete = False
            break
        state, trail, move = waiting.pop()
        try:
            if move is not None:
                state.make(move)
            trail, moves = _go_on(state, trail, seen)
        except Violation as violation:
            explored.add(Found(world, limits, violation, _choices(violation.trail or trail), state.faults))
            explored.schedules += 1
            continue
        if not moves:
            explored.schedules += 1
            continue
        for number in range(len(moves) - 1, -1, -1):
            waiting.append((state.copy() if number else state, (trail, number), moves[number]))
    explored.states = len(seen)
    return explored


def _go_on(state: State, trail: Trail, seen: dict[int, list[tuple[int, int]]]) -> tuple[Trail, list[Move]]:
    """To where there is a choice. No moves: to the end, or to a state known. Raises Violation."""
    moves = state.moves()
    try:
        while len(moves) == 1:
            trail = (trail, 0)
            state.make(moves[0])
            moves = state.moves()
        if _is_known(state, seen):
            return trail, []
        if not moves:
            state.check_the_end()
    except Violation as violation:
        violation.trail = trail
        raise
    return trail, moves


def _is_known(state: State, seen: dict[int, list[tuple[int, int]]]) -> bool:
    before = seen.setdefault(state.digest(), [])
    faults, switches = state.faults_left, state.switches_left
    for other_faults, other_switches in before:
        if other_faults >= faults and other_switches >= switches:
            return True
    before.append((faults, switches))
    return False


def wander(world: World, limits: Limits, chance: random.Random) -> Found | None:
    state, choices = State(world, limits.faults, limits.switches), list[int]()
    try:
        while moves := state.moves():
            choices.append(_by_chance(moves, chance))
            state.make(moves[choices[-1]])
        state.check_the_end()
    except Violation as violation:
        return Found(world, limits, violation, choices, state.faults)
    return None


def replay(world: World, limits: Limits, choices: Iterable[int], log: Log) -> tuple[State, Violation | None]:
    """After the choices, what mostly happens."""
    state, rest = State(world, limits.faults, limits.switches, log), iter(choices)
    try:
        while moves := state.moves():
            state.make(moves[min(next(rest, 0), len(moves) - 1)])
        state.check_the_end()
    except Violation as violation:
        return state, violation
    return state, None


def _by_chance(moves: list[Move], chance: random.Random) -> int:
    """Faults are rare, or nothing would ever be done."""
    if chance.random() < 0.5:
        return 0
    number = chance.randrange(len(moves))
    return number if not moves[number].fault or chance.random() < 0.3 else 0


def _choices(trail: Trail) -> list[int]:
    choices = []
    while trail is not None:
        trail, choice = trail
        choices.append(choice)
    return choices[::-1]
