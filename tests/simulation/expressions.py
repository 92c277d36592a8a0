"""DynamoDB's expressions, as far as the ledger uses them. What stands in one and is not known here is an error, so
that a changed expression can't pass for one that holds.

    condition   a = :a AND (b < :b OR attribute_not_exists(#c))
    update      ADD a :one SET #b = :b, c = :c REMOVE d

Source: DynamoDB developer guide, "Using expressions in DynamoDB".
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

Value = Mapping[str, Any]
"""As DynamoDB has it: {"S": "text"}, {"N": "1"}."""
Item = Mapping[str, Value]
Names = Mapping[str, str]
Values = Mapping[str, Value]
Condition = Callable[[Item, Names, Values], bool]
Step = Callable[[dict[str, Value], Names, Values], None]
"""Of an update: changes the item."""

TOKEN = re.compile(r"\s*([#:]?\w+|<=|>=|<>|[=<>(),])")
RESERVED = frozenset(
    re.findall(
        r"\w+",
        """
        action add all and any attribute begin between by count counter current data date day default delete end
        exists expire first from group hash hour in index insert is item items key keys last level limit min minute
        month name names no not null of on open or order owner path percent position range read region return role
        row rule section select sequence set size source start state status table text time timestamp to token total
        ttl type unique update use user users uuid value values when where year zone
        """,
    )
)
"""Of the guide's 573 reserved words, those that an attribute of ours might be called by."""


class Unknown(BaseException):
    """The simulation lacks something. Nobody's `except Exception` may take it for an answer."""


@dataclass
class Tokens:
    expression: str
    rest: list[str]

    @classmethod
    def of(cls, expression: str) -> "Tokens":
        tokens, position = [], 0
        while position < len(expression):
            match = TOKEN.match(expression, position)
            if match is None:
                raise Unknown(f"in {expression!r}: {expression[position:]!r}")
            tokens.append(match[1])
            position = match.end()
        return cls(expression, tokens)

    def take(self, *words: str) -> str | None:
        """The next token, if it is one of the words."""
        return self.rest.pop(0) if self.rest and self.rest[0] in words else None

    def expect(self, word: str) -> None:
        if self.take(word) is None:
            raise Unknown(f"in {self.expression!r}: {word!r} is missing before {self.rest}")

    def next(self, kind: str) -> str:
        if not self.rest or not re.fullmatch(kind, self.rest[0]) or self.rest[0].lower() in RESERVED:
            raise Unknown(f"in {self.expression!r}: {self.rest[:1]} is reserved, or something else than expected")
        return self.rest.pop(0)


NAME, VALUE, COMPARATOR = r"#?\w+", r":\w+", r"=|<>|<=?|>=?"


@cache
def condition(expression: str) -> Condition:
    tokens = Tokens.of(expression)
    parsed = _any_of(tokens)
    if tokens.rest:
        raise Unknown(f"in {expression!r}: {tokens.rest}")
    return parsed


@cache
def update(expression: str) -> tuple[Step, ...]:
    tokens, steps = Tokens.of(expression), list[Step]()
    while tokens.rest:
        word = tokens.take(*CLAUSES)
        if word is None:
            raise Unknown(f"in {expression!r}: {tokens.rest}")
        clause = CLAUSES[word]
        steps.append(clause(tokens))
        while tokens.take(","):
            steps.append(clause(tokens))
    return tuple(steps)


@cache
def placeholders(expression: str) -> frozenset[str]:
    return frozenset(re.findall(r"[#:]\w+", expression))


def _any_of(tokens: Tokens) -> Condition:
    parts = [_all_of(tokens)]
    while tokens.take("OR"):
        parts.append(_all_of(tokens))
    return parts[0] if len(parts) == 1 else lambda *given: any(part(*given) for part in parts)


def _all_of(tokens: Tokens) -> Condition:
    parts = [_one(tokens)]
    while tokens.take("AND"):
        parts.append(_one(tokens))
    return parts[0] if len(parts) == 1 else lambda *given: all(part(*given) for part in parts)


def _one(tokens: Tokens) -> Condition:
    if tokens.take("("):
        inner = _any_of(tokens)
        tokens.expect(")")
        return inner
    if function := tokens.take("attribute_exists", "attribute_not_exists"):
        tokens.expect("(")
        path, wanted = tokens.next(NAME), function == "attribute_exists"
        tokens.expect(")")
        return lambda item, names, _values: (names.get(path, path) in item) == wanted
    path, compare, value = tokens.next(NAME), COMPARATORS[tokens.next(COMPARATOR)], tokens.next(VALUE)
    return lambda item, names, values: compare(item.get(names.get(path, path)), values[value])


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Value | None, Value], bool]:
    def compared(left: Value | None, right: Value) -> bool:
        if left is None or left.keys() != right.keys():
            return False
        [(kind, value)], [other] = left.items(), right.values()
        return compare(int(value), int(other)) if kind == "N" else compare(value, other)

    return compared


COMPARATORS: dict[str, Callable[[Value | None, Value], bool]] = {
    "=": lambda left, right: left == right,
    "<>": lambda left, right: left != right,
    "<": _ordered(lambda left, right: left < right),
    "<=": _ordered(lambda left, right: left <= right),
    ">": _ordered(lambda left, right: left > right),
    ">=": _ordered(lambda left, right: left >= right),
}


def _set(tokens: Tokens) -> Step:
    path = tokens.next(NAME)
    tokens.expect("=")
    value = tokens.next(VALUE)

    def change(item: dict[str, Value], names: Names, values: Values) -> None:
        item[names.get(path, path)] = values[value]

    return change


def _add(tokens: Tokens) -> Step:
    path, value = tokens.next(NAME), tokens.next(VALUE)

    def change(item: dict[str, Value], names: Names, values: Values) -> None:
        name = names.get(path, path)
        item[name] = {"N": str(int(item.get(name, {"N": "0"})["N"]) + int(values[value]["N"]))}

    return change


def _remove(tokens: Tokens) -> Step:
    path = tokens.next(NAME)

    def change(item: dict[str, Value], names: Names, _values: Values) -> None:
        item.pop(names.get(path, path), None)

    return change


CLAUSES: dict[str, Callable[[Tokens], Step]] = {"SET": _set, "ADD": _add, "REMOVE": _remove}
