"""Every schedule of small worlds with at most one fault; and that each rule is needed for that."""

from collections.abc import Iterator

import pytest

from tests.simulation import seams
from tests.simulation.drawing import draw
from tests.simulation.explore import Limits, explore
from tests.simulation.expressions import Unknown, condition, update
from tests.simulation.rules import RULES, Rule
from tests.simulation.world import BY_AGAIN, SURROUNDINGS, World

CARD_ALONE = ("", "before:key-a", "others:key-b", "others:delete")
WORLDS = (
    *(f"{one} {more}" for one in ("u0.a", "u0.a+replace") for more in CARD_ALONE),
    *(f"u0.o0.a {more}" for more in SURROUNDINGS if more not in ("others:ready", "others:fail-c")),
    "u0.o0.a+replace before:key-b keyless", "u0.o0.a+replace before:key-a", "u0.o0.a+replace before:key-b leaves",
    "u0.a u0.b", "u0.a u0.a", "u0.a+new u0.b", "u0.a u0.A",
    "u0.o0.a again", *(f"u0.o0.a {more} again" for more in BY_AGAIN),
    *(f"u0.o0.a+replace {more} again" for more in ("before:key-a", "before:key-b", "before:key-a lags")),
)  # fmt: skip
"""Those that take a minute in all; the slower ones stand in `make explore`."""
ONE_FAULT = Limits(faults=1)
"""And any number of forced switches."""


@pytest.fixture(scope="module", autouse=True)
def installed() -> Iterator[None]:
    with seams.installed():
        yield


@pytest.mark.parametrize("name", WORLDS)
def test_nothing_is_wrong_in_any_schedule(name: str) -> None:
    explored = explore(World.called(name), ONE_FAULT)
    assert not explored.found, "\n".join(draw(found) for found in explored.found.values())


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.says)
def test_a_world_shows_what_the_rule_is_for(rule: Rule) -> None:
    with rule.taken_out():
        found = any(
            explore(World.called(rule.world), Limits(faults=1, switches=switches), until=rule.red).has_found(rule.red)
            for switches in (0, 1, 2)
        )
    assert found, f"{rule.world} is not red"


@pytest.mark.parametrize("expression", ["a = b", "size(a) = :a", "state = :a", "a = :a OR", "contains(a, :a)"])
def test_a_condition_that_the_table_does_not_know_is_no_condition(expression: str) -> None:
    with pytest.raises(Unknown):
        condition(expression)


@pytest.mark.parametrize("expression", ["DELETE a :a", "SET a = a + :a", "SET a = if_not_exists(a, :a)", "a = :a"])
def test_an_update_that_the_table_does_not_know_is_no_update(expression: str) -> None:
    with pytest.raises(Unknown):
        update(expression)
