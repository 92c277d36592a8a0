"""What of Iamport's texts is shown, stored and told: nothing of a card, however it is written."""

import pytest

from billing.iamport.scrub import Scrub
from billing.model.card import Card
from billing.model.sensitive import Sensitive

OWN = Card(Sensitive("0000-9876-9876-9876"), Sensitive("2099-12"), Sensitive("851231"), Sensitive("73"))
OTHER = "0000123412341234"
SEPARATORS = (
    "", " ", "  ", "-", ".", "/", "_", ":", ",", "|", "*", "~", "+", "·", " - ", ") (", "\t", "\n", "\x00", "\u00a0",
    "\u00ad", "\u2009", "\u200b", "\u200d", "\u2010", "\u2011", "\u2013", "\u2014", "\u2028", "\u202f", "\u2060",
    "\u2212", "\u3000", "\u30fb", "\ufe63", "\uff0d", "\uff0e", "\u0301", "\U000e0020",
)  # fmt: skip
SCRIPTS = ("0123456789", "０１２３４５６７８９", "٠١٢٣٤٥٦٧٨٩", "०१२३४५६७८९", "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗", "⓪①②③④⑤⑥⑦⑧⑨", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def in_groups(digits: str, separator: str, size: int = 4) -> str:
    return separator.join(digits[start : start + size] for start in range(0, len(digits), size))


def written(digits: str, script: str) -> str:
    return digits.translate({ord("0") + value: letter for value, letter in enumerate(script)})


@pytest.mark.parametrize("separator", SEPARATORS, ids=ascii)
@pytest.mark.parametrize("scrub", [Scrub(), Scrub(OWN)], ids=["without a card", "with another card"])
def test_a_number_that_may_be_a_cards_is_masked_whatever_stands_between_its_digits(
    scrub: Scrub, separator: str
) -> None:
    for size in (1, 4, 6):
        text = f"카드번호({in_groups(OTHER, separator, size)}) 오류"
        assert scrub.text(text) == "카드번호(000012******1234) 오류"


@pytest.mark.parametrize("script", SCRIPTS)
def test_digits_of_every_script_are_digits(script: str) -> None:
    assert Scrub().text(f"카드번호 {written(OTHER, script)}") == "카드번호 000012******1234"
    assert Scrub(OWN).text(f"생년월일 {written('851231', script)}") == "생년월일 ******"
    assert Scrub().card_number(written(OTHER, script)) == "000012******1234"


@pytest.mark.parametrize("length", range(13, 20))
def test_of_13_to_19_digits_the_first_six_and_the_last_four_are_shown(length: int) -> None:
    digits = "1234567890123456789"[:length]
    assert Scrub().text(digits) == f"{digits[:6]}{'*' * (length - 10)}{digits[-4:]}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2026-11 0000-1234-1234-1234 99", "202611**************3499"),
        (f"0000999912345678 {OTHER}", f"000099{'*' * 22}1234"),
        ("0000999912345678*", "000099******5678*"),
        ("00000000123412341234", "000000**********1234"),
    ],
)
def test_several_numbers_in_a_row_may_have_a_cards_among_them(text: str, shown: str) -> None:
    assert Scrub().text(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "카드정보 인증 및 빌키 발급에 실패하였습니다. [F113]거래거절 카드번호틀림",
        "[400]Error From NICEPAY. (message: 비밀번호틀림, code:F113)",
        "한도초과 (99,000원)",
        "문의 1544-5678",
        "주문 order-20261124 2번",
        "000012******1234",
        "000012******1234 000012******1234",
        "국민KB카드",
    ],
)
def test_what_is_no_cards_stays_as_it_is(text: str) -> None:
    assert Scrub().text(text) == text
    assert Scrub(OWN).text(text) == text


@pytest.mark.parametrize("separator", [*SEPARATORS, "x", "년", "&nbsp;", " und "], ids=ascii)
def test_the_own_cards_number_is_masked_whatever_stands_between_its_digits(separator: str) -> None:
    assert Scrub(OWN).text(f"no: {in_groups('0000987698769876', separator)}.") == "no: 000098******9876."


@pytest.mark.parametrize("separator", SEPARATORS, ids=ascii)
def test_the_own_birth_date_is_masked(separator: str) -> None:
    assert Scrub(OWN).text(f"birth={in_groups('851231', separator, 2)}!") == "birth=******!"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("85년 12월 31일생", "******일생"),
        ("19851231", "19******"),
        ("851231-1", "******-1"),
        ("비밀번호 73 오류", "비밀번호 ** 오류"),
        ("pwd=73", "pwd=**"),
        ("비밀번호73틀림", "비밀번호**틀림"),
        ("7 3", "**"),
        ("7\u20093", "**"),
        ("７３", "**"),
        ("[F173] 730원", "[F173] 730원"),
    ],
)
def test_the_own_birth_date_and_password_are_masked_as_people_write_them(text: str, shown: str) -> None:
    assert Scrub(OWN).text(text) == shown


def test_a_corporate_cards_business_number_is_masked_and_it_has_no_password() -> None:
    card = Card(Sensitive("0000-9876-9876-9876"), Sensitive("2099-12"), Sensitive("1234567891"), Sensitive(""))
    assert Scrub(card).text("사업자 123-45-67891, 73") == "사업자 **********, 73"


@pytest.mark.parametrize(
    ("shown_by_the_pg", "shown"),
    [
        pytest.param("00001234****1234", "000012******1234", id="NICE's own mask"),
        pytest.param("000012******1234", "000012******1234", id="the form itself"),
        pytest.param("0000-12**-****-1234", "000012******1234", id="with dashes"),
        pytest.param("0000\u201112XX\u2011XXXX\u20111234", "000012******1234", id="letters for stars"),
        pytest.param("0000 12•• •••• 1234", "000012******1234", id="bullets"),
        pytest.param("００００１２＊＊＊＊＊＊１２３４", "000012******1234", id="full width"),
        pytest.param("0000999912345678*", "000099***********", id="a star is no mask"),
        pytest.param("*0000999912345678", "*************5678", id="nor is one before"),
        pytest.param("0000999912345678", "000099******5678", id="no mask"),
        pytest.param("0000/9999/1234/5678", "000099******5678", id="no mask, in groups"),
        pytest.param("0000~9999~1234~5678", "0000***********5678", id="what stands between may be a mask"),
        pytest.param("00001000****003", "000010******003", id="15 digits, as NICE masks them"),
        pytest.param("************1234", "************1234", id="only the end is shown"),
        pytest.param("000012**********", "000012**********", id="only the beginning is shown"),
        pytest.param("0000**99****1234", "0000********1234", id="digits between stars are not shown"),
        pytest.param("****************", "****************", id="nothing is shown"),
        pytest.param("851231", None, id="a birth date"),
        pytest.param("73", None, id="a password"),
        pytest.param("1234", None, id="four digits are no number"),
        pytest.param("카드번호를 확인해 주세요 0000999912345678", None, id="a sentence"),
    ],
)
def test_a_cards_number_is_shown_in_one_form(shown_by_the_pg: str, shown: str | None) -> None:
    assert Scrub().card_number(shown_by_the_pg) == shown
    if shown is not None:
        assert Scrub().card_number(shown) == shown, "which stays as it is"


@pytest.mark.parametrize(
    ("url", "passes"),
    [
        ("https://receipts.invalid/imp_123456789012", True),
        ("https://receipts.invalid/?TID=nictest04m01162007271915312323&type=0", True),
        (f"https://receipts.invalid/{OTHER}", False),
        (f"https://receipts.invalid/?card={in_groups(OTHER, '-')}", False),
        (f"https://receipts.invalid/?card={in_groups(OTHER, '%20')}", False),
        (f"https://receipts.invalid/?card={in_groups(OTHER, '%E2%80%91')}", False),
        (f"https://receipts.invalid/{written(OTHER, SCRIPTS[1])}", False),
    ],
)
def test_a_link_that_quotes_a_cards_number_is_not_told(url: str, passes: bool) -> None:
    assert Scrub().link(url) == (url if passes else None)


@pytest.mark.parametrize("quoted", ["851231", "85%2F12%2F31", "73", "0000x9876x9876x9876"])
def test_nor_is_one_that_quotes_what_the_own_cards_holder_typed(quoted: str) -> None:
    assert Scrub(OWN).link(f"https://receipts.invalid/?x={quoted}&amount=99000") is None


@pytest.mark.parametrize(("text", "passes"), [("imp_123456789012", True), (f"imp_{OTHER}", False)])
def test_an_identifier_that_quotes_a_cards_number_is_none(text: str, passes: bool) -> None:
    assert Scrub().identifier(text) == (text if passes else None)


def test_a_scrub_shows_nothing_of_the_card_that_it_knows() -> None:
    assert not any(secret in repr(Scrub(OWN)) for secret in ("9876", "851231", "73", "2099"))


def test_half_a_letter_and_endless_words_are_not_kept() -> None:
    for scrub in (Scrub(), Scrub(OWN)):
        assert scrub.text("한도\ud83d초과") == "한도?초과"
        assert scrub.text(f"카드번호 {OTHER[:8]}\udc00{OTHER[8:]}") == "카드번호 000012******1234"
        assert scrub.text("한도초과" * 1_000) == "한도초과" * 500
        for odd in ("\ud83d", "a" * 2_000):
            assert scrub.link(f"https://receipts.invalid/{odd}") is None
            assert scrub.identifier(f"imp_{odd}") is None
