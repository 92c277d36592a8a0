"""The table of test cards: which number makes Iamport do what.

Every number starts with 0000, which no real card does. A number that is not in the table is issued as a credit card.
"""

import re
from dataclasses import dataclass
from enum import Enum, auto

from infra.local.iamport import faults
from infra.local.iamport.faults import Fault

CREDIT, DEBIT = 0, 1


class Charge(Enum):
    """What a payment with the card comes to.

    Whether Iamport keeps the billing key when the first payment is refused is unverified, so there is a card
    for each: a client has to look the key up. At ksnet and tosspayments a first payment never keeps it, says
    PortOne's V1 schema (`customer_uid` of onetime: unsupported there).
    """

    PAID = auto()
    PAID_WITHOUT_KEY = auto()
    REFUSED_WITHOUT_KEY = auto()
    REFUSED_WITH_KEY = auto()
    FAILED = auto()


@dataclass(frozen=True)
class Refusal:
    """The PG's reason to refuse a card. `{card_number}` stands for the number as the client sent it."""

    reason: str
    code: int = -1
    prefixed: bool = True


@dataclass(frozen=True)
class Card:
    """One row. `fault` strikes whenever the number is sent, `payment_fault` whenever the card is charged."""

    number: str
    scenario: str
    what_happens: str
    card_type: int | None = CREDIT
    refusal: Refusal | None = None
    fault: Fault | None = None
    charge: Charge = Charge.PAID
    payment_fault: Fault | None = None


@dataclass(frozen=True)
class Timing:
    """How long the slow cards take, in seconds."""

    slow: float = 3.0
    too_late: float = 40.0
    too_late_stored: float = 2.0
    drip_per_byte: float = 0.5


ANY_OTHER = Card("any other", "any_other", "issued, credit")


def _refused(number: str, scenario: str, reason: str, code: int = -1, prefixed: bool = True) -> Card:
    return Card(number, scenario, f"refused: {reason}", refusal=Refusal(reason, code, prefixed))


def test_cards(timing: Timing) -> tuple[Card, ...]:
    """The whole table."""
    return (
        Card("0000-1000-0000-0001", "issued_credit", "issued, credit"),
        Card("0000-1000-0000-0002", "issued_debit", "issued, debit (체크)", card_type=DEBIT),
        Card("0000-1000-0000-003", "issued_amex", "issued, 15 digits"),
        Card("0000-1000-0000-0004", "issued_unknown_type", "issued, card_type null", card_type=None),
        _refused("0000-2000-0000-0001", "unknown_bin", "[F112]유효하지않은 카드번호를 입력하셨습니다. (card_bin 없음)"),
        _refused("0000-2000-0000-0002", "wrong_number", "[F113]거래거절 카드번호틀림"),
        _refused("0000-2000-0000-0003", "wrong_password", "[F113]거래거절 비밀번호틀림"),
        _refused("0000-2000-0000-0004", "wrong_expiry", "[F113]거래거절 유효기간오류"),
        _refused("0000-2000-0000-0005", "wrong_birth", "[F113]거래거절 주민OR사업자등록번호오류"),
        _refused("0000-2000-0000-0006", "nicepay_error", "[400]Error From NICEPAY. (message: 비밀번호틀림, code:F113)"),
        _refused("0000-2000-0000-0007", "no_channel", "비인증결제모듈 사용정보를 찾을 수 없습니다.", 1, prefixed=False),
        _refused("0000-2000-0000-0008", "refusal_echoes_card", "[F112]유효하지않은 카드번호({card_number})"),
        Card(
            "0000-3000-0000-0001",
            "slow",
            f"issued, answers after {timing.slow:g} s",
            fault=faults.slow(timing.slow),
        ),
        Card(
            "0000-3000-0000-0002",
            "too_late",
            f"issued after {timing.too_late_stored:g} s, answers after {timing.too_late:g} s",
            fault=faults.slow(timing.too_late, timing.too_late_stored),
        ),
        Card("0000-3000-0000-0003", "answer_lost", "issued, then the line is cut", fault=faults.ANSWER_LOST),
        Card("0000-3000-0000-0004", "line_cut", "line cut, nothing issued", fault=faults.LINE_CUT),
        Card("0000-3000-0000-0005", "server_error", "HTTP 500, nothing issued", fault=faults.SERVER_ERROR),
        Card("0000-3000-0000-0006", "html", "HTTP 502 in HTML, nothing issued", fault=faults.HTML),
        Card("0000-3000-0000-0007", "html_afterwards", "issued, then 502 in HTML", fault=faults.HTML_AFTERWARDS),
        Card("0000-3000-0000-0008", "too_many_requests", "HTTP 429, nothing issued", fault=faults.TOO_MANY_REQUESTS),
        Card("0000-3000-0000-0009", "empty_response", "issued, code 0, response null", fault=faults.EMPTY_RESPONSE),
        Card(
            "0000-3000-0000-0010",
            "drip",
            f"issued, one byte every {timing.drip_per_byte:g} s",
            fault=faults.drip(timing.drip_per_byte),
        ),
        Card(
            "0000-4000-0000-0001",
            "payment_refused_without_key",
            "issued; a payment is refused, and a first one keeps no key",
            charge=Charge.REFUSED_WITHOUT_KEY,
        ),
        Card(
            "0000-4000-0000-0002",
            "payment_refused_with_key",
            "issued; a payment is refused, and a first one keeps the key",
            charge=Charge.REFUSED_WITH_KEY,
        ),
        Card("0000-4000-0000-0003", "payment_failed", "issued; a payment has status failed", charge=Charge.FAILED),
        Card(
            "0000-4000-0000-0004",
            "payment_answer_lost",
            "issued; a payment is paid, then the line is cut",
            payment_fault=faults.ANSWER_LOST,
        ),
        Card(
            "0000-4000-0000-0005",
            "paid_without_key",
            "issued; a first payment is paid, no key is kept (ksnet, tosspayments)",
            charge=Charge.PAID_WITHOUT_KEY,
        ),
    )


def number_of(scenario: str) -> str:
    """The card number that plays a scenario; `KeyError` if there is none."""
    return {card.scenario: card.number for card in test_cards(Timing())}[scenario]


def digits_of(card_number: str) -> str:
    return re.sub(r"\D", "", card_number, flags=re.ASCII)


def mask(card_number: str) -> str:
    """First 8 digits, stars, last 4, as NICE does; of the 14 and 15 digit cards fewer at the end."""
    digits = digits_of(card_number)
    shown_at_end = min(4, len(digits) - 12)
    return digits[:8] + "*" * (len(digits) - 8 - shown_at_end) + digits[-shown_at_end:]
