"""A card as its holder types it: parsed, normalised, and never printed.

The four functions `parse_…` each take the text of a field and give the form
that Iamport wants (POST /subscribe/customers/{customer_uid}), or raise Refusal. Digits mean ASCII digits.
There is no Luhn check: the PG decides which numbers exist.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from billing.model.digits import masked
from billing.model.refusal import Refusal
from billing.model.sensitive import Sensitive

SEOUL = timezone(timedelta(hours=9))
"""A card is good until the end of its month there; Korea has had no daylight saving time since 1988."""

BUSINESS_NUMBER_LENGTH = 10

BUSINESS_NUMBER_WEIGHTS = (1, 3, 7, 1, 3, 7, 1, 3, 5)
"""The National Tax Service's check digit for business registration numbers."""

LOWEST_TAX_OFFICE = 101
"""A business number begins with its tax office's code, so 000-00-00000 is none, though its check digit is right."""


@dataclass(frozen=True)
class Card:
    number: Sensitive
    """Digits grouped by four with dashes."""
    expiry: Sensitive
    """YYYY-MM."""
    birth: Sensitive
    """YYMMDD, or the ten digits of a business number; empty where the contract does without."""
    pwd_2digit: Sensitive
    """Empty where a business number stands in for it, or the contract does without."""

    def digits(self) -> str:
        return self.number.reveal().replace("-", "")

    def all_data(self) -> str:
        """Equal for equal requests only."""
        return "|".join(part.reveal() for part in (self.number, self.expiry, self.birth, self.pwd_2digit))

    def hide_in(self, text: str) -> str:
        """The text without what the card's holder typed: a PG that quotes what it refuses must not make us print it.

        `text` has plain digits. The number counts whatever stands between its digits, the birth date with its units
        (`85년 12월 31일`), and the password where no other digit stands beside it. A dummy in the birth date's place is
        nobody's, and 000000 would take the noughts out of `1,000,000원`.
        """
        birth, password = self.birth.reveal(), self.pwd_2digit.reveal()
        text = re.sub("[^0-9]*".join(self.digits()), masked(self.digits()), text)
        if birth and (len(birth) == BUSINESS_NUMBER_LENGTH or _is_a_day(birth)):
            text = re.sub("[^0-9]{0,3}".join(birth), "*" * len(birth), text)
        if password:
            text = re.sub(rf"(?<![0-9]){password[0]}[\W_]?{password[1:]}(?![0-9])", "*" * len(password), text)
        return text


def parse_card_number(text: str) -> str:
    """14 to 19 digits, with spaces, dots or dashes anywhere → grouped by four with dashes."""
    digits = re.sub(r"[\s.\-]", "", text)
    if not re.fullmatch(r"[0-9]{14,19}", digits):
        raise Refusal("card_number_form")
    return "-".join(digits[start : start + 4] for start in range(0, len(digits), 4))


YEAR_FIRST = re.compile(r"(?P<year>[0-9]{4})[-/]?(?P<month>[0-9]{2})")
MONTH_FIRST = re.compile(r"(?P<month>[0-9]{2})(?: ?/ ?(?P<year>[0-9]{4}|[0-9]{2})|(?P<two_digit_year>[0-9]{2}))")


def parse_expiry(text: str, *, in_seoul: datetime) -> str:
    """YYYY-MM, YYYYMM, YYYY/MM, and what a browser autofills: MM/YY, MM / YY, MMYY, MM/YYYY → YYYY-MM."""
    match = YEAR_FIRST.fullmatch(text.strip()) or MONTH_FIRST.fullmatch(text.strip())
    if match is None:
        raise Refusal("expiry_form")
    parts = match.groupdict()
    year, month = int(parts["year"] or parts["two_digit_year"]), int(parts["month"])
    if year < 100:
        year += 2000
    if not 1 <= month <= 12:
        raise Refusal("expiry_form")
    if (year, month) < (in_seoul.year, in_seoul.month):
        raise Refusal("expiry_past")
    return f"{year:04}-{month:02}"


def parse_birth(text: str, *, may_be_a_dummy: bool = False) -> str:
    """A real YYMMDD, or a business number (dashes allowed) of a tax office, with a right check digit → digits.

    `may_be_a_dummy`: any six digits, such as the 123456 and 000000 that are sent where no birth date is wanted.
    """
    digits = text.strip()
    if re.fullmatch(r"[0-9]{6}", digits):
        if not may_be_a_dummy and not _is_a_day(digits):
            raise Refusal("birth_not_a_day")
        return digits
    digits = digits.replace("-", "")
    if re.fullmatch(r"[0-9]{10}", digits):
        if not _is_a_business_number(digits):
            raise Refusal("business_number_wrong")
        return digits
    raise Refusal("birth_form")


def _is_a_day(yymmdd: str) -> bool:
    """Of the 1900s or the 2000s: the century is not written."""
    year, month, day = (int(yymmdd[start : start + 2]) for start in (0, 2, 4))
    for century in (1900, 2000):
        try:
            datetime(century + year, month, day, tzinfo=SEOUL)
        except ValueError:
            continue
        return True
    return False


def _is_a_business_number(ten_digits: str) -> bool:
    digits = [int(digit) for digit in ten_digits]
    total = sum(digit * weight for digit, weight in zip(digits, BUSINESS_NUMBER_WEIGHTS, strict=False))
    total += digits[8] * 5 // 10
    return (total + digits[9]) % 10 == 0 and int(ten_digits[:3]) >= LOWEST_TAX_OFFICE


def parse_pwd_2digit(text: str) -> str:
    """The first two digits of the card's password; leading zeros count."""
    if not re.fullmatch(r"[0-9]{2}", text.strip()):
        raise Refusal("pwd_2digit_form")
    return text.strip()
