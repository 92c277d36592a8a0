"""What the page's address asks for. Whatever is not as it should be counts as not given: it is never shown or followed.

?customer_uid=...  or  ?customer_token=...      whose card
&lang=ko|en                                     else the browser's Accept-Language
&theme=light|dark                               else the browser's
&return_url=https://shop.example/cards          where to go afterwards, with the result
&attempt=...                                    what became of that attempt
&outcome=...&wrong=expiry.expiry_past           why none was begun; by a closed list of codes, fields and reasons
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from billing.model.customer import parse_customer_uid
from billing.model.refusal import Refusal
from billing.settings import as_browsers_write
from billing.web import messages
from billing.web.messages import Language
from card_form import outcomes, words
from card_form.colours import Theme

ORIGIN = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]+")
BEFORE_PATH = re.compile(r"[^:/?#]+://[^/?#]+")
ATTEMPT = re.compile(r"[A-Za-z0-9_\-]{1,64}")
TOKEN = re.compile(r"[A-Za-z0-9_.\-]{1,4096}")
"""The three base64url parts of a JWT (RFC 7515, 7.1)."""
URL_CHARACTERS = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]{1,2000}")
"""RFC 3986, 2. Neither white space nor a backslash, which browsers read in their own ways."""


@dataclass(frozen=True)
class Visit:
    language: Language
    theme: Theme | None
    """None: the browser's own."""
    customer_uid: str
    customer_token: str
    return_url: str
    """Empty, or an address at one of the merchant's own origins."""
    attempt: str = ""
    outcome: str = ""
    """A code of `outcomes.TOLD_BY_ADDRESS`."""
    wrong: tuple[tuple[str, str], ...] = ()
    """Fields, each with the reason why it was refused."""

    def address(self, language: Language) -> str:
        """The page's query, with another language."""
        given = {
            "customer_uid": self.customer_uid,
            "customer_token": self.customer_token,
            "theme": self.theme,
            "return_url": self.return_url,
            "attempt": self.attempt,
            "outcome": self.outcome,
            "wrong": ",".join(f"{name}.{reason}" for name, reason in self.wrong),
        }
        return "?" + urlencode({name: value for name, value in given.items() if value} | {"lang": language})

    def return_url_with(self, result: Mapping[str, str]) -> str:
        """`return_url` with the result added to its query; of the same name, the result replaces what was there."""
        parts = urlsplit(self.return_url)
        kept = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name not in result]
        return urlunsplit(parts._replace(query=urlencode(kept + list(result.items()))))


def read_visit(query: Mapping[str, str], language: Language, origins: tuple[str, ...]) -> Visit:
    """`language` is what `lang` or the browser asked for. `origins`: see `named`."""
    token = query.get("customer_token", "")
    attempt = query.get("attempt", "")
    outcome = query.get("outcome", "")
    return_url = _percent_encoded(query.get("return_url", ""))
    return Visit(
        language=language,
        theme=_theme(query.get("theme", "")),
        customer_uid=_uid(query.get("customer_uid", "")),
        customer_token=token if TOKEN.fullmatch(token) else "",
        return_url=return_url if _is_at_one_of(origins, return_url) else "",
        attempt=attempt if ATTEMPT.fullmatch(attempt) else "",
        outcome=outcome if outcome in outcomes.TOLD_BY_ADDRESS else "",
        wrong=tuple(_wrong(query.get("wrong", ""))),
    )


def named(allowed_origins: tuple[str, ...]) -> tuple[str, ...]:
    """The origins that are named. `*` lets any page call the API, but nobody meant it to receive a card holder."""
    return tuple(origin for origin in allowed_origins if ORIGIN.fullmatch(origin))


def _percent_encoded(url: str) -> str:
    """Korean in an address, as a browser sends it on (URL Standard, "percent-encode after encoding")."""
    return re.sub(r"[^\x00-\x7f]+", lambda written: quote(written[0]), url)


def _wrong(text: str) -> Iterator[tuple[str, str]]:
    for part in text.split(","):
        name, _, reason = part.partition(".")
        if name in words.ERROR_FIELDS and reason in messages.BY_REASON:
            yield name, reason


def _theme(text: str) -> Theme | None:
    match text:
        case "light" | "dark" as theme:
            return theme
        case _:
            return None


def _uid(text: str) -> str:
    try:
        return parse_customer_uid(text) if text else ""
    except Refusal:
        return ""


def _is_at_one_of(origins: tuple[str, ...], url: str) -> bool:
    """All that stands before the path is such an origin, and no part of one: no parser has to be trusted."""
    before_path = BEFORE_PATH.match(url)
    if before_path is None or not URL_CHARACTERS.fullmatch(url):
        return False
    return as_browsers_write(before_path[0]) in origins
