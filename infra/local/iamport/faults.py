"""What can go wrong between a client and Iamport, at any endpoint."""

from dataclasses import dataclass, replace
from enum import StrEnum

from infra.local.iamport.envelope import Reply, empty_success, refused, success


class Kind(StrEnum):
    SLOW = "slow"
    ANSWER_LOST = "answer_lost"
    LINE_CUT = "line_cut"
    SERVER_ERROR = "server_error"
    HTML = "html"
    TOO_MANY_REQUESTS = "too_many_requests"
    UNAUTHORIZED = "unauthorized"
    NOT_JSON = "not_json"
    EMPTY_RESPONSE = "empty_response"
    DRIP = "drip"
    TRUNCATED = "truncated"
    REDIRECT = "redirect"
    SILENCE = "silence"
    OTHER_ANSWER = "other_answer"


SENDS_THE_REAL_ANSWER = frozenset({Kind.SLOW, Kind.DRIP, Kind.TRUNCATED})


@dataclass(frozen=True)
class Fault:
    """One fault. The constants below are the usual ones; `dataclasses.replace` makes others of them,
    for example `replace(SERVER_ERROR, processed=True)`: the key is issued, then the client reads a 500.

    processed: whether Iamport does what it was asked.
    processed_after: seconds from the request until it is done (and stored).
    seconds: SLOW: from the request until the answer; DRIP: between two bytes; otherwise unused.
    answered_first: whether the failure goes out at once, and it is done in the background.
    answer: OTHER_ANSWER: what the client reads; otherwise unused.
    """

    kind: Kind
    processed: bool
    processed_after: float = 0.0
    seconds: float = 0.0
    answered_first: bool = False
    answer: Reply | None = None

    def __post_init__(self) -> None:
        if self.kind in SENDS_THE_REAL_ANSWER and not self.processed:
            raise ValueError(f"{self.kind} sends the real answer, so the request has to be processed")
        if self.kind in SENDS_THE_REAL_ANSWER and self.answered_first:
            raise ValueError(f"{self.kind} sends the real answer, so nothing is left to be done after it")
        if self.answered_first and not self.processed:
            raise ValueError("what is done after the failure was answered has to be processed")


def slow(seconds: float, processed_after: float | None = None) -> Fault:
    """The answer comes after `seconds`; what was asked is done just before it, or already after `processed_after`."""
    return Fault(Kind.SLOW, True, seconds if processed_after is None else processed_after, seconds)


def drip(seconds_per_byte: float = 0.5) -> Fault:
    """One byte at a time: a time-out per read never strikes, only one for the whole answer does."""
    return Fault(Kind.DRIP, True, seconds=seconds_per_byte)


def landing(fault: Fault, seconds: float) -> Fault:
    """The failure is answered now, and what was asked is done `seconds` after the request all the same.

    So it goes when a proxy gives up on Iamport. SILENCE landing is a time-out; `slow` is one with an answer too late.
    """
    return replace(fault, processed=True, processed_after=seconds, answered_first=True)


def refusing(http_status: int, code: int, message: str) -> Fault:
    """An envelope of Iamport's that says no."""
    return Fault(Kind.OTHER_ANSWER, False, answer=refused(code, message, http_status))


def answering(response: dict[str, object]) -> Fault:
    """It is done, and described so."""
    return Fault(Kind.OTHER_ANSWER, True, answer=success(response))


ANSWER_LOST = Fault(Kind.ANSWER_LOST, processed=True)
LINE_CUT = Fault(Kind.LINE_CUT, processed=False)
SERVER_ERROR = Fault(Kind.SERVER_ERROR, processed=False)
HTML = Fault(Kind.HTML, processed=False)
HTML_AFTERWARDS = Fault(Kind.HTML, processed=True)
TOO_MANY_REQUESTS = Fault(Kind.TOO_MANY_REQUESTS, processed=False)
UNAUTHORIZED = Fault(Kind.UNAUTHORIZED, processed=False)
NOT_JSON = Fault(Kind.NOT_JSON, processed=False)
EMPTY_RESPONSE = Fault(Kind.EMPTY_RESPONSE, processed=True)
TRUNCATED = Fault(Kind.TRUNCATED, processed=True)
REDIRECT = Fault(Kind.REDIRECT, processed=False)
SILENCE = Fault(Kind.SILENCE, processed=False)

# The body Iamport sends for a dead token is unverified; presumably the usual envelope.
UNAUTHORIZED_REPLY = refused(-1, "Unauthorized", 401)

# What the client reads instead of Iamport's own answer.
REPLY_INSTEAD = {
    Kind.SERVER_ERROR: Reply(500, b"Internal Server Error", "text/plain"),
    Kind.HTML: Reply(502, b"<html><body><h1>502 Bad Gateway</h1></body></html>", "text/html"),
    Kind.TOO_MANY_REQUESTS: Reply(429, b"<html><body>Too Many Requests</body></html>", "text/html"),
    Kind.UNAUTHORIZED: UNAUTHORIZED_REPLY,
    Kind.NOT_JSON: Reply(200, b'{"code":0,"mess'),
    Kind.EMPTY_RESPONSE: empty_success(),
    Kind.REDIRECT: Reply(302, b"", "text/html", (("Location", "/redirected"),)),
}
