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


@pytest.mark.parametrize(("kind", "typed"), [("법인카드", "123-45-67891"), ("개인카드", "900101")])
def test_another_kind_of_card_rewrites_nothing(open_form: OpenForm, kind: str, typed: str) -> None:
    form = open_form()
    form.page.get_by_label(kind).check()
    form.field("birth").press_sequentially(typed)
    for other in ("법인카드", "개인카드"):
        form.page.get_by_label(other).check()
        expect(form.field("birth")).to_have_value(typed)


@pytest.mark.parametrize(
    ("field", "typed", "shown"),
    [
        ("expiry", "1/29", "01 / 29"),
        ("expiry", "1-29", "01 / 29"),
        ("expiry", "9/2030", "09 / 2030"),
        ("expiry", "2030/1", "2030-1"),
    ],
)
def test_a_month_of_one_digit_is_that_month(open_form: OpenForm, field: str, typed: str, shown: str) -> None:
    typing, pasting = open_form(), open_form()
    typing.field(field).press_sequentially(typed)
    expect(typing.field(field)).to_have_value(shown)
    pasting.field(field).focus()
    pasting.page.keyboard.insert_text(typed)
    expect(pasting.field(field)).to_have_value(shown)


@pytest.mark.parametrize(
    ("field", "typed", "shown"),
    [
        ("card_number", "00001000000000012345", "0000 1000 0000 0001 234"),
        ("expiry", "12301", "12 / 30"),
        ("expiry", "1220301", "12 / 2030"),
        ("expiry", "2030121", "2030-12"),
        ("birth", "9001012", "900101"),
        ("pwd_2digit", "075", "07"),
    ],
)
def test_what_is_typed_too_much_goes_nowhere(open_form: OpenForm, field: str, typed: str, shown: str) -> None:
    form = open_form()
    form.field(field).press_sequentially(typed)
    expect(form.field(field)).to_have_value(shown)
    form.field(field).press("Home")
    form.field(field).press_sequentially("1")
    expect(form.field(field)).to_have_value(shown)


@pytest.mark.parametrize(
    ("field", "given"),
    [("pwd_2digit", "hunter42!"), ("pwd_2digit", "4242"), ("card_number", "0" * 24), ("birth", "900101-1234567")],
)
def test_what_a_field_does_not_take_is_refused_and_not_cut(open_form: OpenForm, field: str, given: str) -> None:
    form = open_form()
    form.field(field).focus()
    form.page.keyboard.insert_text(given)
    expect(form.field(field)).to_have_value("")
    expect(form.error(field)).not_to_be_empty()


@pytest.mark.parametrize(
    ("field", "typed", "words"),
    [
        ("expiry", "1330", "월/년"),
        ("card_number", "0000 1000", "14~19자리"),
        ("birth", "9001", "생년월일 6자리"),
        ("pwd_2digit", "0", "앞 2자리"),
    ],
)
def test_what_is_wrong_is_told_on_leaving_the_field(open_form: OpenForm, field: str, typed: str, words: str) -> None:
    form = open_form()
    form.field(field).press_sequentially(typed)
    expect(form.error(field)).to_be_empty()
    form.field(field).press("Tab")
    expect(form.error(field)).to_contain_text(words)


def test_an_empty_field_may_be_left(open_form: OpenForm) -> None:
    form = open_form()
    form.field("card_number").focus()
    form.field("expiry").focus()
    form.page.wait_for_timeout(400)
    expect(form.error("card_number")).to_be_empty()


def test_a_corporate_card_has_words_of_its_own(open_form: OpenForm) -> None:
    form = open_form()
    form.page.get_by_label("법인카드").check()
    expect(form.page.get_by_label("사업자등록번호")).to_be_visible()
    expect(form.page.get_by_text("법인카드는 생략 가능")).to_be_visible()
    form.field("birth").press_sequentially("900101")
    form.field("birth").press("Tab")
    expect(form.error("birth")).to_have_text("사업자등록번호 10자리를 숫자로 입력해 주세요.")
    form.page.get_by_label("개인카드").check()
    expect(form.error("birth")).to_be_empty()


def test_browsers_fill_in_empty_fields_alone_and_phones_show_digits(open_form: OpenForm) -> None:
    """Of a field that asks for a card, Chromium writes what it holds into its session file."""
    form = open_form()
    for name, asks_for in (("card_number", "cc-number"), ("expiry", "cc-exp")):
        expect(form.field(name)).to_have_attribute("autocomplete", asks_for)
        form.field(name).press_sequentially("1")
        expect(form.field(name)).to_have_attribute("autocomplete", "off")
        form.field(name).press("Backspace")
        form.field(name).press("Backspace")
        expect(form.field(name)).to_have_attribute("autocomplete", asks_for)
    for name in ("card_number", "expiry", "pwd_2digit", "birth"):
        expect(form.field(name)).to_have_attribute("inputmode", "numeric")


def test_the_password_is_masked_and_can_be_shown_and_no_browser_stores_it(open_form: OpenForm) -> None:
    form = open_form()
    password, show = form.field("pwd_2digit"), form.page.get_by_role("button", name="비밀번호 표시")
    password.press_sequentially("07")
    expect(password).to_have_css("-webkit-text-security", "disc")
    show.click()
    expect(password).to_have_css("-webkit-text-security", "none")
    expect(show).to_have_attribute("aria-pressed", "true")
    show.click()
    expect(password).to_have_css("-webkit-text-security", "disc")
    assert password.evaluate("input => [input.type, input.autocomplete]") == ["text", "off"]
    expect(password).to_have_value("07")


def test_without_javascript_nothing_asks_the_browser_to_remember(open_form: OpenForm) -> None:
    form = open_form(java_script_enabled=False)
    for name in ("card_number", "expiry", "pwd_2digit", "birth"):
        expect(form.field(name)).to_have_attribute("autocomplete", "off")
    expect(form.page.locator("#show-password")).to_be_hidden()
    expect(form.field("pwd_2digit")).to_have_css("-webkit-text-security", "disc")
