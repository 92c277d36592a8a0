"""Digits in texts of others: written in any way, they are read as ASCII's, and a card number is shown in one form."""

import re
import unicodedata
from urllib.parse import unquote

FEWEST_OF_A_CARD, MOST_OF_A_CARD = 13, 19
"""ISO/IEC 7812-1, and the oldest cards."""
SEPARATORS = {"Zs", "Zl", "Zp", "Cc", "Cf", "Pd", "Pc", "Mn"}
"""Unicode's categories of spaces, controls, what is not shown, dashes, connectors and accents."""
POINTS = "./,:;|\\·"


def plain_digits(text: str) -> str:
    """NFKC, which makes full-width and circled digits plain ones; those of other scripts become plain here."""
    if text.isascii():
        return text
    text = unicodedata.normalize("NFKC", text)
    return "".join(str(unicodedata.decimal(letter)) if letter.isdecimal() else letter for letter in text)


def digits_in(text: str) -> str:
    """As 0 to 9, whatever stands between them."""
    return re.sub(r"[^0-9]", "", plain_digits(text))


def holds_digits(text: str, digits: str) -> bool:
    """Percent-encoded too, as in an address: `0000%201111`."""
    return any(digits in digits_in(read) for read in (text, unquote(text)))


def digits_agree(shown: str | None, sent: str | None) -> bool:
    """Whether two masked numbers may be one card's. PGs mask differently, and some show nothing.

    Digits count only up to the first star and after the last.
    """
    shown, sent = (re.sub(r"[\s.\-]", "", number or "") for number in (shown, sent))
    return _agree(_leading(shown), _leading(sent)) and _agree(_leading(shown[::-1]), _leading(sent[::-1]))


def masked(number: str) -> str:
    """The one form: first six and last four digits at the most, stars between; empty where it is no card's number.

    A PG's own mask may show more at the beginning, and less at the end. Digits between its stars are not shown.
    """
    text = plain_digits(number)
    digits = digits_in(text)
    cells = "".join(letter for letter in text if not _separates(letter))
    if len(digits) >= FEWEST_OF_A_CARD and not re.search(r"[^0-9]", cells):
        return _shown(digits[:6], digits[-4:], len(digits))
    if not FEWEST_OF_A_CARD - 1 <= len(cells) <= MOST_OF_A_CARD or cells.isdigit():
        return ""
    return _shown(_leading(cells)[:6], _leading(cells[::-1])[:4][::-1], len(cells))


def _shown(first: str, last: str, length: int) -> str:
    return first + "*" * (length - len(first) - len(last)) + last


def _agree(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


def _separates(letter: str) -> bool:
    return letter in POINTS or unicodedata.category(letter) in SEPARATORS


def _leading(text: str) -> str:
    return re.split(r"[^0-9]", text, maxsplit=1)[0]
