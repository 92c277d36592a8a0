"""Digits are grouped while they are typed, pasted or filled in, and the caret stays where the typist has it."""

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import OpenForm


def caret(field: Locator) -> int:
    position: int = field.evaluate("input => input.selectionStart")
    return position


def put_caret(field: Locator, position: int) -> None:
    field.evaluate("(input, position) => input.setSelectionRange(position, position)", position)


@pytest.mark.parametrize(
    ("field", "typed", "shown"),
    [
        ("card_number", "0000100000000001", "0000 1000 0000 0001"),
        ("card_number", "000010000000000", "0000 1000 0000 000"),
        ("card_number", "0000100000000001234", "0000 1000 0000 0001 234"),
        ("card_number", "0000-1000.0000x0001", "0000 1000 0000 0001"),
        ("expiry", "1230", "12 / 30"),
        ("expiry", "12/2030", "12 / 2030"),
        ("expiry", "2030-12", "2030-12"),
        ("birth", "900101", "900101"),
        ("pwd_2digit", "a0b7", "07"),
    ],
)
def test_what_is_typed_is_grouped(open_form: OpenForm, field: str, typed: str, shown: str) -> None:
    form = open_form()
    form.field(field).press_sequentially(typed)
    expect(form.field(field)).to_have_value(shown)


@pytest.mark.parametrize(
    ("field", "given", "shown"),
    [
        ("card_number", "0000-1000-0000-0001", "0000 1000 0000 0001"),
        ("card_number", "  0000.1000.0000.0001\n", "0000 1000 0000 0001"),
        ("card_number", "카드번호: 0000 1000 0000 0001", "0000 1000 0000 0001"),
        ("card_number", "00001000", "0000 1000"),
        ("expiry", "12/30", "12 / 30"),
        ("expiry", "12/2030", "12 / 2030"),
        ("expiry", "203012", "2030-12"),
    ],
)
def test_what_is_pasted_or_filled_in_by_the_browser_is_grouped(
    open_form: OpenForm, field: str, given: str, shown: str
) -> None:
    form = open_form()
    form.field(field).focus()
    form.page.keyboard.insert_text(given)
    expect(form.field(field)).to_have_value(shown)


def test_a_digit_in_the_middle_leaves_the_caret_behind_it(open_form: OpenForm) -> None:
    number = open_form().field("card_number")
    number.fill("0000 1000 0000 000")
    put_caret(number, 7)
    number.press("5")
    expect(number).to_have_value("0000 1050 0000 0000")
    assert caret(number) == 8


def test_backspace_over_a_space_takes_the_digit_before_it_next(open_form: OpenForm) -> None:
    number = open_form().field("card_number")
    number.fill("1234 5678")
    put_caret(number, 5)
    number.press("Backspace")
    number.press("Backspace")
    expect(number).to_have_value("1235 678")
    assert caret(number) == 3


def test_delete_before_a_space_takes_the_digit_behind_it(open_form: OpenForm) -> None:
    number = open_form().field("card_number")
    number.fill("1234 5678")
    put_caret(number, 4)
    number.press("Delete")
    expect(number).to_have_value("1234 678")
    assert caret(number) == 4


def test_a_business_number_is_grouped_its_own_way(open_form: OpenForm) -> None:
    form = open_form()
    form.page.get_by_label("법인카드").check()
    form.field("birth").press_sequentially("1234567891")
    expect(form.field("birth")).to_have_value("123-45-67891")
    form.page.get_by_label("개인카드").check()
    expect(form.field("birth")).to_have_value("1234567891")


def test_browsers_know_what_to_fill_in_and_phones_show_digits(open_form: OpenForm) -> None:
    form = open_form()
    expect(form.field("card_number")).to_have_attribute("autocomplete", "cc-number")
    expect(form.field("expiry")).to_have_attribute("autocomplete", "cc-exp")
    for name in ("card_number", "expiry", "pwd_2digit", "birth"):
        expect(form.field(name)).to_have_attribute("inputmode", "numeric")
