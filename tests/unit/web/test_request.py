"""Bodies become fields, or a clear refusal that holds nothing of the body."""

import base64
from urllib.parse import quote, urlencode

import pytest

from billing.model.errors import BillingError, InvalidRequest, TooLarge, UnsupportedMediaType
from billing.web.request import FIELD_NAMES, LARGEST_BODY, Fields, read_fields

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
MARKED = "0000123456789012"


def as_sent(text: str) -> str:
    return text


def refusal_of(body: str | None, content_type: str = JSON, *, is_base64: bool = False) -> BillingError:
    try:
        fields = read_fields(body, is_base64=is_base64, content_type=content_type)
        for name in ("card_number", "customer_uid"):
            fields.read(name, as_sent)
        fields.check()
    except BillingError as refused:
        return refused
    raise AssertionError("the body was taken")


def errors_of(body: str | None, content_type: str = JSON, *, is_base64: bool = False) -> list[tuple[str, str]]:
    refused = refusal_of(body, content_type, is_base64=is_base64)
    assert isinstance(refused, InvalidRequest)
    return [(error.field, error.reason) for error in refused.errors]


@pytest.mark.parametrize(
    ("body", "content_type", "is_base64"),
    [
        ('{"card_number": "1", "pwd_2digit": "07"}', JSON, False),
        (
            '{"cardNumber": "1", "pwd2Digit": "07", "unknown": {"nested": [1]}}',
            "Application/JSON; charset=UTF-8",
            False,
        ),
        ("card_number=1&pwd_2digit=07", FORM, False),
        ("cardNumber=1&pwd2Digit=07&submit=", FORM + ";charset=utf-8", False),
        (base64.b64encode(b"cardNumber=1&pwd2Digit=07").decode(), FORM, True),
        (base64.b64encode(b'{"card_number": "1", "pwd_2digit": "07"}').decode(), JSON + '; charset="utf-8"', True),
    ],
)
def test_json_and_forms_in_both_spellings_give_the_same_fields(body: str, content_type: str, is_base64: bool) -> None:
    fields = read_fields(body, is_base64=is_base64, content_type=content_type)
    assert fields.read("card_number", as_sent) == "1"
    assert fields.read("pwd_2digit", as_sent) == "07"
    fields.check()


BOM = b"\xef\xbb\xbf"


@pytest.mark.parametrize("content_type", [JSON, FORM, JSON + "; charset=utf-8", FORM + "; charset=us-ascii"])
@pytest.mark.parametrize("is_base64", [False, True])
def test_a_byte_order_mark_is_ignored(content_type: str, is_base64: bool) -> None:
    """Windows' editors and .NET's encoders write one."""
    marked = BOM + (b'{"card_number": "1"}' if content_type.startswith(JSON) else b"card_number=1")
    body = base64.b64encode(marked).decode() if is_base64 else marked.decode()
    fields = read_fields(body, is_base64=is_base64, content_type=content_type)
    assert fields.read("card_number", as_sent) == "1"


def test_nothing_but_a_byte_order_mark_is_an_empty_body() -> None:
    assert errors_of(BOM.decode()) == errors_of(BOM.decode(), FORM) == [("body", "body_empty")]


def test_of_two_byte_order_marks_one_is_ignored() -> None:
    assert errors_of(BOM.decode() * 2 + "{}") == [("body", "body_not_json")]


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("0000 1111", "00001111"),
        ("card: 0000-1111.", "00001111"),
        ("００００１１１１", "00001111"),
        ("0000１１１１", "00001111"),
        ("٠٠٠٠١١١١", "00001111"),
        ("⓪⓪⓪⓪①①①①", "00001111"),
        ("⁰⁰⁰⁰₁₁₁₁", "00001111"),
        ("𝟎𝟎𝟎𝟎𝟏𝟏𝟏𝟏", "00001111"),
        ("홍길동", ""),
        ("", ""),
    ],
)
def test_digits_are_found_in_whatever_script_they_are_written(text: str, digits: str) -> None:
    assert Fields([("customer_name", text)]).digits_of("customer_name") == digits


def test_a_form_in_euc_kr_is_read_where_it_says_so() -> None:
    body = urlencode({"customer_name": "홍길동"}, encoding="euc-kr")
    fields = read_fields(body, is_base64=False, content_type=FORM + "; charset=EUC-KR")
    assert fields.read("customer_name", as_sent) == "홍길동"
    assert errors_of(body, FORM) == [("body", "body_not_form")]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (None, "body_empty"),
        ("", "body_empty"),
        (" \n", "body_empty"),
        (f'{{"card_number": "{MARKED}"', "body_not_json"),
        (f'card_number="{MARKED}"', "body_not_json"),
        ("[" * 5_000, "body_not_json"),
        ('{"a":' * 3_000, "body_not_json"),
        (f'["{MARKED}"]', "body_not_object"),
        (f'"{MARKED}"', "body_not_object"),
        ("12", "body_not_object"),
        ("null", "body_not_object"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_as_a_whole(body: str | None, reason: str) -> None:
    assert errors_of(body) == [("body", reason)]


@pytest.mark.parametrize("content_type", [JSON, FORM])
def test_a_body_that_is_not_utf_8_is_refused(content_type: str) -> None:
    assert errors_of(base64.b64encode(b"card_number=\xff").decode(), content_type, is_base64=True) == [
        ("body", "body_encoding")
    ]


def test_base64_that_is_none_is_refused() -> None:
    assert errors_of("not base64!", is_base64=True) == [("body", "body_encoding")]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("12", "number_not_string"),
        ("1e5", "number_not_string"),
        ("NaN", "number_not_string"),
        ("9" * 10_000, "number_not_string"),
        ("true", "not_a_string"),
        ("[]", "not_a_string"),
        ('{"a": "b"}', "not_a_string"),
        ("null", "required"),
        ('""', "required"),
    ],
)
def test_only_strings_are_taken_so_that_leading_zeros_survive(value: str, reason: str) -> None:
    assert errors_of(f'{{"customer_uid": "u", "card_number": {value}}}') == [("card_number", reason)]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ('{"customer_uid": "u", "card_number": "1", "card_number": "2"}', JSON),
        ('{"customer_uid": "u", "card_number": "1", "cardNumber": "2"}', JSON),
        ("customer_uid=u&card_number=1&card_number=2", FORM),
    ],
)
def test_a_field_sent_twice_is_refused_rather_than_one_of_the_two_taken(body: str, content_type: str) -> None:
    [(_, reason)] = errors_of(body, content_type)
    assert reason == "sent_twice"


def test_errors_name_the_fields_as_the_caller_spells_them() -> None:
    assert errors_of('{"cardNumber": 1}') == [("cardNumber", "number_not_string"), ("customerUid", "required")]
    assert errors_of('{"card_number": 1}') == [("card_number", "number_not_string"), ("customer_uid", "required")]


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "multipart/form-data; boundary=x", JSON + "; charset=utf-16", "json"]
)
def test_other_media_types_and_charsets_are_refused(content_type: str) -> None:
    assert isinstance(refusal_of("{}", content_type), UnsupportedMediaType)


def test_a_body_is_taken_up_to_its_largest_size() -> None:
    fitting = '{"card_number": "' + "1" * (LARGEST_BODY - 19) + '"}'
    assert len(fitting) == LARGEST_BODY
    read_fields(fitting, is_base64=False, content_type=JSON)
    assert isinstance(refusal_of(fitting + " "), TooLarge)
    assert isinstance(refusal_of(quote("가" * 2000), FORM), TooLarge)


def test_too_many_form_fields_are_refused() -> None:
    assert errors_of("&".join(f"a{number}=1" for number in range(200)), FORM) == [("body", "body_not_form")]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (f'{{"card_number": "{MARKED}"', JSON),
        (f'["{MARKED}"]', JSON),
        (f'{{"card_number": {MARKED}}}', JSON),
        (f"card_number={MARKED}&customer_name=%FF", FORM),
    ],
)
def test_no_exception_carries_the_body(body: str, content_type: str) -> None:
    failure: BaseException | None = refusal_of(body, content_type)
    while failure is not None:
        assert MARKED not in f"{failure!r} {vars(failure)}"
        failure = failure.__context__ or failure.__cause__


def test_fields_do_not_show_what_was_sent() -> None:
    fields = Fields([("card_number", MARKED)])
    assert MARKED not in f"{fields} {vars(fields)}"


def test_every_field_of_the_contract_has_its_camel_case_spelling() -> None:
    for name in FIELD_NAMES:
        first, *others = name.split("_")
        camel_case = first + "".join(other.title() for other in others)
        assert Fields([(camel_case, "x")]).read(name, as_sent) == "x"
    assert Fields([("pwd2Digit", "07")]).read("pwd_2digit", as_sent) == "07"
