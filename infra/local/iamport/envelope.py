"""The envelope every answer of Iamport comes in: `{"code": int, "message": str | null, "response": object | null}`."""

import json
from dataclasses import dataclass

JSON = "application/json; charset=UTF-8"


@dataclass(frozen=True)
class Reply:
    """One HTTP answer of Iamport's, not yet on the wire."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Raw:
    """What stands for a value in the answer, letter by letter, JSON or not."""

    text: str


class RejectedError(Exception):
    """The request ends before anything is done: unknown path, no live token, bad parameters."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def success(response: dict[str, object] | list[dict[str, object]]) -> Reply:
    return _envelope(200, 0, None, response)


def refused(code: int, message: str, status: int = 200) -> Reply:
    """A "no" of Iamport's; HTTP 200 with a code other than 0 is its usual form."""
    return _envelope(status, code, message, None)


def empty_success() -> Reply:
    return _envelope(200, 0, None, None)


def rejected(status: int, message: str) -> RejectedError:
    return RejectedError(refused(-1, message, status))


def _envelope(status: int, code: int, message: str | None, response: object) -> Reply:
    # Compact and escaped to ASCII, as captured on the wire.
    return Reply(status, _json({"code": code, "message": message, "response": response}).encode())


def _json(value: object) -> str:
    match value:
        case Raw(text):
            return text
        case dict():
            return "{" + ",".join(f"{json.dumps(name)}:{_json(member)}" for name, member in value.items()) + "}"
        case list():
            return "[" + ",".join(_json(member) for member in value) + "]"
        case _:
            return json.dumps(value)
