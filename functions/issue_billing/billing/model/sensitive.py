"""A text that never shows itself: card numbers, birth dates, passwords, keys, tokens, personal data."""

from typing import NoReturn


class Sensitive:
    """Holds a text that only `reveal()` gives out.

    `repr`, `str`, formatting, JSON and pickle all refuse or show a mask, so that neither a log line nor an
    exception nor a forgotten `print` can carry it away. Two are equal when their texts are.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sensitive) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return "Sensitive(***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Sensitive text can't be copied out by pickle")
