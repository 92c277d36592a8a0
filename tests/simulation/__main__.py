"""`make explore`: the small worlds completely, then larger ones by chance. Exits non-zero where something is wrong.

All small worlds take hours; Ctrl-C ends it with what was explored until then.
"""

import argparse
import random
import sys
import time
from contextlib import suppress

from tests.simulation import seams
from tests.simulation.drawing import draw
from tests.simulation.explore import Explored, Found, Limits, explore, wander
from tests.simulation.properties import Violation
from tests.simulation.state import UNLIMITED
from tests.simulation.world import World, random_world, small_worlds

SMALL = Limits(faults=1)
LARGE = Limits(faults=3)
AT_ONCE = 200
"""Schedules of one larger world, before the next."""


def main() -> None:
    asked = _arguments()
    with seams.installed():
        if asked.world:
            world, limits = World.called(asked.world), Limits(asked.faults, asked.switches)
            if asked.choices is not None:
                choices = [int(choice) for choice in asked.choices.split(",") if choice]
                print(draw(Found(world, limits, Violation("", ""), choices, ())))
                return
            total = _explore([world], limits)
        else:
            total = _explore(list(small_worlds()), SMALL)
            _wander(total, asked.seed, time.monotonic() + asked.seconds)
    for found in total.found.values():
        print(f"\n{found.kind}\n{draw(found)}")
    sys.exit(bool(total.found))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seconds", type=float, default=60, help="for larger worlds, after all of the small ones")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--world", help="one small world, by its name")
    parser.add_argument("--choices", help="one schedule of that world, drawn")
    parser.add_argument("--faults", type=int, default=SMALL.faults)
    parser.add_argument("--switches", type=int, default=UNLIMITED)
    return parser.parse_args()


def _explore(worlds: list[World], limits: Limits) -> Explored:
    total, explored_worlds, began = Explored(), 0, time.monotonic()
    with suppress(KeyboardInterrupt):
        for world in worlds:
            explored = explore(world, limits)
            explored_worlds += 1
            _sum_up(total, explored)
            if explored.found:
                print(f"{world.name}: {', '.join(sorted(explored.found))}", flush=True)
    seconds = time.monotonic() - began
    print(f"small worlds        {explored_worlds} of {len(worlds)}")
    print(f"  schedules         {total.schedules}, {total.schedules / seconds:.0f} a second")
    print(f"  states            {total.states}", flush=True)
    return total


def _wander(total: Explored, seed: int, until: float) -> None:
    worlds = schedules = 0
    chance = random.Random(seed)  # noqa: S311 (the same again for the same seed)
    while time.monotonic() < until:
        world = random_world(chance)
        worlds += 1
        for _ in range(AT_ONCE):
            schedules += 1
            if (found := wander(world, LARGE, chance)) is not None:
                total.add(found)
    print(f"larger worlds       {worlds}, from seed {seed}\n  schedules         {schedules}", flush=True)


def _sum_up(total: Explored, explored: Explored) -> None:
    total.schedules += explored.schedules
    total.states += explored.states
    for found in explored.found.values():
        total.add(found)


if __name__ == "__main__":
    main()
