"""DynamoDB's expressions, as far as a ledger like ours uses them. What stands in one and is not known here is an error,
so that a changed expression can't pass for one that holds.

Source: DynamoDB developer guide, "Using expressions in DynamoDB".
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

Value = Mapping[str, Any]
"""As DynamoDB has it: {"S": "text"}, {"N": "1"}."""
Item = Mapping[str, Value]
Names = Mapping[str, str]
Values = Mapping[str, Value]
Operand = Callable[[Item, Names, Values], Value | None]
Condition = Callable[[Item, Names, Values], bool]
Step = Callable[[dict[str, Value], Item, Names, Values], None]
"""Of an update: changes the new item, and reads the one before."""

TOKEN = re.compile(r"\s*([#:]?\w+|<=|>=|<>|[=<>(),+-])")
RESERVED = frozenset(
    ["action", "add", "all", "any", "at", "attribute", "begin", "between", "both", "by", "card", "count", "counter", "current", "data", "date", "day", "default", "delete", "end", "event", "exists", "expire", "expires", "first", "from", "group", "hash", "hour", "id", "in", "index", "insert", "is", "item", "items", "key", "keys", "last", "level", "limit", "lock", "locked", "mode", "name", "names", "new", "no", "not", "null", "number", "of", "old", "on", "open", "or", "order", "owner", "path", "percent", "position", "range", "read", "region", "return", "role", "row", "rule", "section", "select", "sequence", "set", "size", "source", "start", "state", "status", "table", "text", "time", "timestamp", "to", "token", "total", "ttl", "type", "uid", "unique", "update", "use", "user", "users", "uuid", "value", "values", "version", "when", "where", "write", "year", "zone"]
) - {"at", "card", "event", "expires", "id", "lock", "locked", "mode", "new", "number", "uid", "write"}
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
        while position < len(expression.rstrip()):
            match = TOKEN.match(expression, position)
            if match is None:
                raise Unknown(f"in {expression!r}: {expression[position:]!r}")
            tokens.append(match[1])
            position = match.end()
        return cls(expression, tokens)

    def next(self) -> str:
        if not self.rest:
            raise Unknown(f"{self.expression!r} ends too early")
        return self.rest.pop(0)

    def take(self, *words: str) -> str | None:
        """The next token, if it is one of the words."""
        return self.rest.pop(0) if self.rest and self.rest[0].upper() in words else None

    def expect(self, word: str) -> None:
        if self.take(word) is None:
            raise Unknown(f"in {self.expression!r}: {word!r} is missing before {self.rest}")

    def end(self) -> None:
        if self.rest:
            raise Unknown(f"in {self.expression!r}: {self.rest}")


@cache
def condition(expression: str) -> Condition:
    tokens = Tokens.of(expression)
    parsed = _any_of(tokens)
    tokens.end()
    return parsed


@cache
def update(expression: str) -> tuple[Step, ...]:
    tokens, steps = Tokens.of(expression), list[Step]()
    while tokens.rest:
        clause = tokens.next().upper()
        if clause not in CLAUSES:
            raise Unknown(f"in {expression!r}: {clause!r}")
        steps.append(CLAUSES[clause](tokens))
        while tokens.take(","):
            steps.append(CLAUSES[clause](tokens))
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
    if tokens.take("NOT"):
        negated = _one(tokens)
        return lambda *given: not negated(*given)
    if tokens.take("("):
        inner = _any_of(tokens)
        tokens.expect(")")
        return inner
    if function := tokens.take("ATTRIBUTE_EXISTS", "ATTRIBUTE_NOT_EXISTS"):
        tokens.expect("(")
        operand, wanted = _operand(tokens), function.upper() == "ATTRIBUTE_EXISTS"
        tokens.expect(")")
        return lambda *given: (operand(*given) is not None) == wanted
    left = _operand(tokens)
    if tokens.take("IN"):
        return _one_of(left, tokens)
    comparator = tokens.next()
    if comparator not in COMPARATORS:
        raise Unknown(f"in {tokens.expression!r}: {comparator!r}")
    compare, right = COMPARATORS[comparator], _operand(tokens)
    return lambda *given: compare(left(*given), right(*given))


def _one_of(left: Operand, tokens: Tokens) -> Condition:
    tokens.expect("(")
    members = [_operand(tokens)]
    while tokens.take(","):
        members.append(_operand(tokens))
    tokens.expect(")")
    return lambda *given: any(_equal(left(*given), member(*given)) for member in members)


def _operand(tokens: Tokens) -> Operand:
    token = tokens.next()
    if token.startswith(":"):
        return lambda _item, _names, values: values[token]
    if token.startswith("#"):
        return lambda item, names, _values: item.get(names[token])
    return lambda item, _names, _values, name=_name(token, tokens): item.get(name)  # type: ignore[misc]


def _name(token: str, tokens: Tokens) -> str:
    if token.lower() in RESERVED or not re.fullmatch(r"[A-Za-z]\w*", token):
        raise Unknown(f"in {tokens.expression!r}: {token!r} is reserved, or no name")
    return token


def _path(tokens: Tokens) -> Callable[[Names], str]:
    token = tokens.next()
    if token.startswith("#"):
        return lambda names: names[token]
    return lambda _names, name=_name(token, tokens): name  # type: ignore[misc]


def _equal(left: Value | None, right: Value | None) -> bool:
    return left is not None and left == right


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Value | None, Value | None], bool]:
    def compared(left: Value | None, right: Value | None) -> bool:
        if left is None or right is None or left.keys() != right.keys():
            return False
        [(kind, value)], [other] = left.items(), right.values()
        return compare(Decimal(value), Decimal(other)) if kind == "N" else compare(value, other)

    return compared


COMPARATORS: dict[str, Callable[[Value | None, Value | None], bool]] = {
    "=": _equal,
    "<>": lambda left, right: not _equal(left, right),
    "<": _ordered(lambda left, right: left < right),
    "<=": _ordered(lambda left, right: left <= right),
    ">": _ordered(lambda left, right: left > right),
    ">=": _ordered(lambda left, right: left >= right),
}


def _set(tokens: Tokens) -> Step:
    path = _path(tokens)
    tokens.expect("=")
    value = _new_value(tokens)
    sign = tokens.take("+", "-")
    if sign is not None:
        value = _sum(value, _new_value(tokens), 1 if sign == "+" else -1)

    def change(new: dict[str, Value], old: Item, names: Names, values: Values) -> None:
        result = value(old, names, values)
        if result is None:
            raise Unknown(f"{tokens.expression!r} reads what the item lacks")
        new[path(names)] = result

    return change


def _new_value(tokens: Tokens) -> Operand:
    if not tokens.take("IF_NOT_EXISTS"):
        return _operand(tokens)
    tokens.expect("(")
    present = _operand(tokens)
    tokens.expect(",")
    default = _operand(tokens)
    tokens.expect(")")
    return lambda *given: present(*given) or default(*given)


def _sum(left: Operand, right: Operand, sign: int) -> Operand:
    def added(*given: Any) -> Value | None:
        one, other = left(*given), right(*given)
        if one is None or other is None:
            return None
        return {"N": str(Decimal(one["N"]) + sign * Decimal(other["N"]))}

    return added


def _add(tokens: Tokens) -> Step:
    path, value = _path(tokens), _operand(tokens)

    def change(new: dict[str, Value], old: Item, names: Names, values: Values) -> None:
        name, added = path(names), value(old, names, values)
        if added is None or "N" not in added:
            raise Unknown(f"{tokens.expression!r} adds no number")
        new[name] = {"N": str(Decimal(old.get(name, {"N": "0"})["N"]) + Decimal(added["N"]))}

    return change


def _remove(tokens: Tokens) -> Step:
    path = _path(tokens)
    return lambda new, _old, names, _values: (new.pop(path(names), None), None)[1]


CLAUSES: dict[str, Callable[[Tokens], Step]] = {"SET": _set, "ADD": _add, "REMOVE": _remove}
