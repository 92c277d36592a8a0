"""What a card holder may type, and the form in which Iamport gets it."""

import copy
import json
import pickle
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from billing.model.card import Card, parse_birth, parse_card_number, parse_expiry, parse_pwd_2digit
from billing.model.errors import InvalidRequest
from billing.model.refusal import Refusal
from billing.model.sensitive import Sensitive
from billing.settings import CARD_FIELDS, CardField
from billing.web.reading import read_card
from billing.web.request import Fields

ALL = CARD_FIELDS["birth,pwd_2digit"]

NOVEMBER_2026 = datetime(2026, 11, 24, tzinfo=UTC)

CARD = {"card_number": "0000-1111-2222-3333", "expiry": "2027-12", "birth": "900101", "pwd_2digit": "00"}


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("0000-1111-2222-3333", "0000-1111-2222-3333"),
        ("0000111122223333", "0000-1111-2222-3333"),
        ("0000 1111 2222 3333", "0000-1111-2222-3333"),
        (" 0000.1111.2222.3333 ", "0000-1111-2222-3333"),
        ("00001111222233", "0000-1111-2222-33"),
        ("0000 111111 22222", "0000-1111-1122-222"),
        ("0000111122223333444", "0000-1111-2222-3333-444"),
    ],
)
def test_a_card_number_is_grouped_by_four_however_it_was_typed(typed: str, sent: str) -> None:
    assert parse_card_number(typed) == sent


@pytest.mark.parametrize(
    "typed",
    [
        "0000111122223",
        "00001111222233334444",
        "0000-1111-2222-333a",
        "0000\x001111222233",
        "٠٠٠٠١١١١٢٢٢٢٣٣٣٣",
        "0" * 10_000,
    ],
)
def test_what_is_no_card_number_is_refused(typed: str) -> None:
    with pytest.raises(Refusal) as refusal:
        parse_card_number(typed)
    assert refusal.value.reason == "card_number_form"


@pytest.mark.parametrize(
    "typed",
    ["2027-03", "202703", "2027/03", "03/27", "03 / 27", "0327", "03/2027", "03 / 2027", " 2027-03 "],
)
def test_every_way_to_write_an_expiry_date_is_understood(typed: str) -> None:
    assert parse_expiry(typed, in_seoul=NOVEMBER_2026) == "2027-03"


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("2026-10", "expiry_past"),
        ("10/26", "expiry_past"),
        ("0000-01", "expiry_past"),
        ("2027-13", "expiry_form"),
        ("00/27", "expiry_form"),
        ("2027-3", "expiry_form"),
        ("27", "expiry_form"),
        ("2027-03-01", "expiry_form"),
        ("２０２７-03", "expiry_form"),
    ],
)
def test_an_expiry_date_that_is_past_or_unreadable_is_refused(typed: str, reason: str) -> None:
    with pytest.raises(Refusal) as refusal:
        parse_expiry(typed, in_seoul=NOVEMBER_2026)
    assert refusal.value.reason == reason


@pytest.mark.parametrize(
    ("now", "good"),
    [
        (datetime(2026, 11, 30, 14, 59, tzinfo=UTC), True),
        (datetime(2026, 11, 30, 15, 0, tzinfo=UTC), False),
    ],
)
def test_a_card_is_good_until_its_month_ends_in_seoul(now: datetime, good: bool) -> None:
    fields = Fields({**CARD, "expiry": "11/26"}.items())
    read_card(fields, ALL, now)
    if good:
        fields.check()
    else:
        with pytest.raises(InvalidRequest):
            fields.check()


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("900101", "900101"),
        ("000229", "000229"),
        ("000101", "000101"),
        ("123-45-67891", "1234567891"),
        ("1234567891", "1234567891"),
        ("101-00-00002", "1010000002"),
        ("999-99-99997", "9999999997"),
    ],
)
def test_a_birth_date_or_a_business_number_is_sent_as_digits(typed: str, sent: str) -> None:
    assert parse_birth(typed) == sent


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("901301", "birth_not_a_day"),
        ("900132", "birth_not_a_day"),
        ("010229", "birth_not_a_day"),
        ("123-45-67890", "business_number_wrong"),
        ("000-00-00000", "business_number_wrong"),
        ("0000000000", "business_number_wrong"),
        ("000-00-00015", "business_number_wrong"),
        ("001-00-00003", "business_number_wrong"),
        ("100-00-00009", "business_number_wrong"),
        ("100-99-99995", "business_number_wrong"),
        ("19900101", "birth_form"),
        ("90-01-01", "birth_form"),
        ("90010a", "birth_form"),
    ],
)
def test_what_is_neither_a_day_nor_a_business_number_is_refused(typed: str, reason: str) -> None:
    with pytest.raises(Refusal) as refusal:
        parse_birth(typed)
    assert refusal.value.reason == reason


@pytest.mark.parametrize("typed", ["1", "123", "ab", "１２", "1 2"])
def test_a_password_is_two_digits(typed: str) -> None:
    assert parse_pwd_2digit("07") == "07"
    with pytest.raises(Refusal):
        parse_pwd_2digit(typed)


def test_a_corporate_card_needs_no_password() -> None:
    fields = Fields({**CARD, "birth": "123-45-67891", "pwd_2digit": ""}.items())
    card = read_card(fields, ALL, NOVEMBER_2026)
    fields.check()
    assert card.pwd_2digit == Sensitive("")


def test_a_wrong_business_number_does_not_make_the_password_required() -> None:
    fields = Fields({**CARD, "birth": "123-45-67890", "pwd_2digit": None}.items())
    read_card(fields, ALL, NOVEMBER_2026)
    with pytest.raises(InvalidRequest) as refused:
        fields.check()
    assert [error.field for error in refused.value.errors] == ["birth"]


@pytest.mark.parametrize(
    ("setting", "missing"),
    [
        ("birth,pwd_2digit", ["birth", "pwd_2digit"]),
        ("birth", ["birth"]),
        ("pwd_2digit", ["pwd_2digit"]),
        ("none", []),
    ],
)
def test_only_what_the_contract_wants_is_required(setting: str, missing: list[str]) -> None:
    assert refused(CARD_FIELDS[setting], birth="", pwd_2digit="") == dict.fromkeys(missing, "required")


@pytest.mark.parametrize("asked_for", CARD_FIELDS.values(), ids=CARD_FIELDS)
def test_what_is_not_asked_for_is_checked_and_passed_on(asked_for: frozenset[CardField]) -> None:
    fields = Fields(CARD.items())
    card = read_card(fields, asked_for, NOVEMBER_2026)
    fields.check()
    assert (card.birth, card.pwd_2digit) == (Sensitive("900101"), Sensitive("00"))
    wrong = {"birth": "business_number_wrong", "pwd_2digit": "pwd_2digit_form"}
    assert refused(asked_for, birth="123-45-67890", pwd_2digit="x") == wrong


@pytest.mark.parametrize("setting", ["none", "pwd_2digit"])
@pytest.mark.parametrize("dummy", ["123456", "000000", " 999999 "])
def test_where_no_birth_date_is_asked_for_any_six_digits_are_taken_as_they_are(setting: str, dummy: str) -> None:
    """Contracts that want none were told to send a dummy."""
    fields = Fields({**CARD, "birth": dummy}.items())
    card = read_card(fields, CARD_FIELDS[setting], NOVEMBER_2026)
    fields.check()
    assert card.birth == Sensitive(dummy.strip())
    assert refused(CARD_FIELDS["birth"], birth=dummy) == {"birth": "birth_not_a_day"}


@pytest.mark.parametrize("setting", ["none", "pwd_2digit"])
@pytest.mark.parametrize("typed", ["12345", "1234567", "99-99-99", "abcdef", "１２３４５６"])
def test_what_is_no_six_digits_is_no_dummy(setting: str, typed: str) -> None:
    assert refused(CARD_FIELDS[setting], birth=typed) == {"birth": "birth_form"}


@pytest.mark.parametrize("asked_for", CARD_FIELDS.values(), ids=CARD_FIELDS)
def test_a_business_number_without_a_password_is_taken_by_every_contract(asked_for: frozenset[CardField]) -> None:
    assert refused(asked_for, birth="123-45-67891", pwd_2digit="") == {}


def refused(asked_for: frozenset[CardField], **changes: str) -> dict[str, str]:
    """Each field that is, with the reason."""
    fields = Fields({**CARD, **changes}.items())
    read_card(fields, asked_for, NOVEMBER_2026)
    try:
        fields.check()
    except InvalidRequest as refusal:
        return {error.field: error.reason for error in refusal.errors}
    return {}


def test_every_missing_field_is_named_at_once() -> None:
    fields = Fields([])
    read_card(fields, ALL, NOVEMBER_2026)
    with pytest.raises(InvalidRequest) as refused:
        fields.check()
    assert [error.field for error in refused.value.errors] == ["card_number", "expiry", "birth", "pwd_2digit"]


def test_a_card_number_in_another_field_is_refused_before_it_is_stored_there() -> None:
    fields = Fields({**CARD, "customer_name": "card 0000 1111 2222 3333", "customer_uid": "0000111122223333"}.items())
    read_card(fields, ALL, NOVEMBER_2026)
    with pytest.raises(InvalidRequest) as refused:
        fields.check()
    assert [(error.field, error.reason) for error in refused.value.errors] == [
        ("customer_uid", "holds_card_number"),
        ("customer_name", "holds_card_number"),
    ]


def read_example() -> Card:
    fields = Fields(CARD.items())
    card = read_card(fields, ALL, NOVEMBER_2026)
    fields.check()
    return card


def test_a_card_never_shows_itself() -> None:
    card = read_example()
    shown = f"{card} {card!r} {card.number} {card.birth!s} {[card]} {vars(card)}"
    assert not any(secret in shown for secret in ("0000-1111", "2027-12", "900101", "'00'"))


def test_a_card_cannot_be_serialised() -> None:
    card = read_example()
    for leak in (json.dumps, pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError) as refused:
            leak(card.number)
        assert "1111" not in str(refused.value)


@pytest.mark.parametrize(
    "quoted", ["0000111122223333", "0000-1111-2222-3333", "0000 1111 2222 3333", "0000.1111 2222-3333"]
)
def test_a_card_number_that_the_gateway_quotes_is_masked(quoted: str) -> None:
    assert read_example().hide_in(f"카드번호 {quoted} 거절") == "카드번호 000011******3333 거절"


def test_a_dummy_in_the_birth_dates_place_hides_nothing() -> None:
    text = "한도 1,000,000원 초과 (123456, 850101)"
    for dummy in ("000000", "123456", ""):
        assert replace(read_example(), birth=Sensitive(dummy)).hide_in(text) == text
    assert replace(read_example(), birth=Sensitive("850101")).hide_in(text) == "한도 1,000,000원 초과 (123456, ******)"
