"""The body of a request becomes fields: JSON or form, snake_case or camelCase, plain or base64.

A field is known by its snake_case name and is reported under the spelling that the caller used. All values are
`Sensitive` from here on.
"""

import base64
import codecs
import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from urllib.parse import parse_qsl

from billing.model.digits import digits_in, holds_digits
from billing.model.errors import FieldError, InvalidRequest, TooLarge, UnsupportedMediaType
from billing.model.refusal import Refusal
from billing.model.sensitive import Sensitive

FIELD_NAMES = (
    "card_number",
    "expiry",
    "birth",
    "pwd_2digit",
    "customer_uid",
    "customer_token",
    "customer_id",
    "customer_name",
    "customer_tel",
    "customer_email",
    "customer_addr",
    "customer_postcode",
    "consent",
    "consent_to_provision",
)

LARGEST_BODY = 16 * 1024
"""Bytes. Every field at its full length takes under 3 kB, percent-encoded Korean included."""

MOST_FIELDS = 100

CHARSETS = {"": "utf-8", "utf-8": "utf-8", "utf8": "utf-8", "us-ascii": "ascii", "euc-kr": "cp949"}
"""What browsers and Korean frameworks send; cp949 is what they mean by euc-kr (WHATWG Encoding, "euc-kr")."""


class Fields:
    """What the caller sent, and what is wrong with it so far."""

    def __init__(self, pairs: Iterable[tuple[str, object]]) -> None:
        self._values: dict[str, Sensitive] = {}
        self._spellings: dict[str, str] = {}
        self._errors: dict[str, FieldError] = {}
        for spelling, value in pairs:
            name = NAME_BY_SPELLING.get(spelling)
            if name is not None:
                self._add(name, spelling, value)

    def _add(self, name: str, spelling: str, value: object) -> None:
        if name in self._spellings:
            self.refuse(name, "sent_twice")
            return
        self._spellings[name] = spelling
        match value:
            case None | "":
                return
            case str():
                self._values[name] = Sensitive(value)
            case bool():
                self.refuse(name, "not_a_string")
            case _JsonNumber():
                self.refuse(name, "number_not_string")
            case _:
                self.refuse(name, "not_a_string")

    def read(self, name: str, parse: Callable[[str], str], *, required: bool = True) -> str:
        """What `parse` makes of the field; empty when it is left out or refused.

        `parse` raises Refusal. The result means something only once `check()` has passed.
        """
        if name in self._errors:
            return ""
        if name not in self._values:
            if required:
                self.refuse(name, "required")
            return ""
        try:
            return parse(self._values[name].reveal())
        except Refusal as refusal:
            self.refuse(name, refusal.reason)
            return ""

    def refuse(self, name: str, reason: str) -> None:
        """Keeps the first thing found wrong with a field."""
        self._errors.setdefault(name, FieldError(self._spelled(name), reason))

    def digits_of(self, name: str) -> str:
        """The digits that were sent in a field, whatever stands between them."""
        return digits_in(self._values[name].reveal()) if name in self._values else ""

    def holds_digits(self, name: str, digits: str) -> bool:
        return name in self._values and holds_digits(self._values[name].reveal(), digits)

    def check(self) -> None:
        """Raises InvalidRequest with every field refused so far, in the contract's order."""
        if self._errors:
            raise InvalidRequest(*(self._errors[name] for name in FIELD_NAMES if name in self._errors))

    def _spelled(self, name: str) -> str:
        """As the caller spelled it; a field left out, in the way that the others are spelled."""
        if name in self._spellings:
            return self._spellings[name]
        snake_case_only = all(spelling in FIELD_NAMES for spelling in self._spellings.values())
        return name if snake_case_only else _camel_case(name)


def read_fields(body: str | None, *, is_base64: bool, content_type: str) -> Fields:
    """Raises UnsupportedMediaType, TooLarge, InvalidRequest (the body as a whole can't be read)."""
    media_type, charset = _media_type(content_type)
    # Windows' editors and .NET's encoders write a byte order mark; RFC 8259, 8.1, lets a reader ignore it.
    raw = _raw_body(body or "", is_base64=is_base64).removeprefix(codecs.BOM_UTF8)
    if len(raw) > LARGEST_BODY:
        raise TooLarge
    text = _decoded(raw, charset)
    if not text.strip():
        raise _unreadable("body_empty")
    if media_type == "application/json":
        return Fields(_json_pairs(text))
    return Fields(_form_pairs(text, charset))


def _media_type(content_type: str) -> tuple[str, str]:
    media_type, *parameters = (part.strip() for part in content_type.split(";"))
    media_type = media_type.lower()
    charset = ""
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            charset = value.strip().strip('"').lower()
    if media_type not in ("application/json", "application/x-www-form-urlencoded") or charset not in CHARSETS:
        raise UnsupportedMediaType
    return media_type, CHARSETS[charset]


# Below, InvalidRequest is raised outside of the `except`: the decoders' exceptions hold the whole body, and an
# exception raised inside would carry them along as its context.


def _unreadable(reason: str) -> InvalidRequest:
    return InvalidRequest(FieldError("body", reason))


def _raw_body(body: str, *, is_base64: bool) -> bytes:
    if not is_base64:
        return body.encode("utf-8", "surrogatepass")
    with suppress(ValueError):
        return base64.b64decode(body, validate=True)
    raise _unreadable("body_encoding")


def _decoded(raw: bytes, charset: str) -> str:
    with suppress(UnicodeDecodeError):
        return raw.decode(charset)
    raise _unreadable("body_encoding")


class _JsonNumber:
    """Stands for any JSON number: none is taken, and a huge one is not worth converting."""

    def __init__(self, digits: str) -> None:
        pass


class _JsonObject(list[tuple[str, object]]):
    """A JSON object as its pairs: of two card numbers under one name, the second must not silently win."""


def _json_pairs(text: str) -> _JsonObject:
    with suppress(ValueError, RecursionError):
        document = json.loads(
            text,
            object_pairs_hook=_JsonObject,
            parse_int=_JsonNumber,
            parse_float=_JsonNumber,
            parse_constant=_JsonNumber,
        )
        if isinstance(document, _JsonObject):
            return document
        raise _unreadable("body_not_object")
    raise _unreadable("body_not_json")


def _form_pairs(text: str, charset: str) -> list[tuple[str, str]]:
    with suppress(ValueError):
        return parse_qsl(text, keep_blank_values=True, encoding=charset, errors="strict", max_num_fields=MOST_FIELDS)
    raise _unreadable("body_not_form")


def _camel_case(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(other.title() for other in others)


NAME_BY_SPELLING = {spelling: name for name in FIELD_NAMES for spelling in (name, _camel_case(name))}
