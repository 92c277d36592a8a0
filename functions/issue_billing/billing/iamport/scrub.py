"""The one scrub of Iamport's texts: a PG may quote what it was sent, in any field, and everything is shown or stored.

card at hand     what its holder typed, and every number that may be a card's
none (settler)   every number that may be a card's
"""

import re
from dataclasses import dataclass
from urllib.parse import unquote

from billing.model.card import Card
from billing.model.digits import masked, plain_digits

BETWEEN = r"(?:[^\w*]|_|\*(?!\*\*))*"
"""Two digits of one number: anything but letters, and but a mask's stars, which are more than two."""
NUMBER = re.compile(rf"[0-9](?:{BETWEEN}[0-9]){{12,}}")
"""13 digits or more: several numbers in a row may have a card's among them."""
NUMBER_IN_LINK = re.compile(rf"(?<![0-9])[0-9](?:{BETWEEN}[0-9]){{12,18}}(?![0-9])")
"""13 to 19 digits. A PG's own number of a transaction, which leads to its receipt, often has 20."""
NUMBER_IN_ID = re.compile(rf"(?<![0-9])[0-9](?:{BETWEEN}[0-9]){{13,18}}(?![0-9])")
"""14 to 19 digits, as many as are taken for a card's number here. An imp_uid has 12."""
LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")
"""Half a letter, as an emoji leaves that was cut in two: neither UTF-8 nor the ledger takes it."""
LONGEST = 2000
"""Characters. A PG's words are a line; an item of the ledger, an event and a line of the log have their limits."""


@dataclass(frozen=True)
class Scrub:
    card: Card | None = None
    """The one that was sent by this invocation."""

    def text(self, text: str) -> str:
        """With plain digits (NFKC), and stars for what must not be told; no longer than can be kept."""
        hidden = self._without_own(plain_digits(LONE_SURROGATE.sub("?", text)))
        return NUMBER.sub(_masked_run, hidden)[:LONGEST]

    def card_number(self, number: str) -> str | None:
        """In the one form; None for what is no card's number."""
        return masked(number) or None

    def link(self, url: str) -> str | None:
        """None where it quotes what must not be told, or can't be kept: with stars in it, it leads nowhere."""
        read = plain_digits(unquote(url))
        if not _can_be_kept(url):
            return None
        return None if NUMBER_IN_LINK.search(read) or self._without_own(read) != read else url

    def identifier(self, text: str) -> str | None:
        """As it is, or None: one that was changed would name another thing."""
        return None if NUMBER_IN_ID.search(plain_digits(text)) or not _can_be_kept(text) else text

    def _without_own(self, text: str) -> str:
        return text if self.card is None else self.card.hide_in(text)


def _can_be_kept(text: str) -> bool:
    return len(text) <= LONGEST and not LONE_SURROGATE.search(text)


def _masked_run(run: re.Match[str]) -> str:
    return masked(re.sub("[^0-9]", "", run[0]))
