"""What moto works out anew at every request, and remembers here: a quarter of its time for a write."""

from collections import deque
from collections.abc import Callable
from functools import cache
from typing import Any

from moto import backends
from moto.core import responses
from moto.core.utils import method_names_from_class
from moto.dynamodb.comparisons import ConditionExpressionParser
from moto.dynamodb.exceptions import ItemSizeTooLarge
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.parsing.ast_nodes import DepthFirstTraverser  # type: ignore[attr-defined]
from moto.dynamodb.parsing.expressions import UpdateExpressionParser  # type: ignore[attr-defined]
from moto.dynamodb.responses import DynamoHandler

LARGEST_ITEM = 405_000
"""Bytes, as moto has it."""


def work_out_once() -> None:
    services = list(backends.list_of_moto_modules())  # read from its disk
    backends.list_of_moto_modules = lambda: services
    responses.method_names_from_class = cache(method_names_from_class)  # type: ignore[attr-defined]
    # Only a form's body is a query.
    DynamoHandler.use_raw_body = True
    # Who evaluates an expression copies it first.
    UpdateExpressionParser.make = cache(UpdateExpressionParser.make)
    DepthFirstTraverser.nodes_to_be_processed = _once_a_class(DepthFirstTraverser.nodes_to_be_processed)
    ConditionExpressionParser._lex_condition_expression = _once_an_expression(  # type: ignore[assignment,method-assign]
        ConditionExpressionParser._lex_condition_expression
    )
    DynamoType.size = _once_a_value(DynamoType.size)  # type: ignore[assignment,method-assign]
    Item.__init__ = _measured_once(Item.__init__)  # type: ignore[method-assign]


def _once_a_class(method: Callable[[Any], Any]) -> Callable[[Any], Any]:
    answers: dict[type, Any] = {}

    def remembered(instance: Any) -> Any:
        if type(instance) not in answers:
            answers[type(instance)] = method(instance)
        return answers[type(instance)]

    return remembered


def _once_an_expression(lex: Callable[[Any], deque[Any]]) -> Callable[[Any], deque[Any]]:
    """Who parses takes from the tokens, and so gets his own row of them."""
    known: dict[str, tuple[Any, ...]] = {}

    def remembered(parser: Any) -> deque[Any]:
        expression = parser.condition_expression
        if expression not in known:
            known[expression] = tuple(lex(parser))
        return deque(known[expression])

    return remembered


def _measured_once(make: Callable[..., None]) -> Callable[..., None]:
    """moto adds the sizes of all attributes up anew for each that is added. Here they are added up when all are there.

    Raises ItemSizeTooLarge as moto does.
    """

    def made(item: Any, hash_key: Any, range_key: Any, attrs: dict[str, Any]) -> None:
        make(item, hash_key, range_key, {})
        dict.update(item.attrs, {name: DynamoType(value) for name, value in attrs.items()})
        if item.size() > LARGEST_ITEM:
            raise ItemSizeTooLarge

    return made


def _once_a_value(size: Callable[[Any], int]) -> Callable[[Any], int]:
    """A text or a number stays as it is."""

    def remembered(value: Any) -> int:
        if value.type not in ("S", "N"):
            return size(value)
        known: int | None = value.__dict__.get("known_size")
        if known is None:
            known = value.known_size = size(value)
        return known

    return remembered
