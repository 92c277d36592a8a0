"""Bad input gets a clear 400, 413 or 415, echoes nothing, and nothing is sent to Iamport."""

import json

import pytest

from infra.local.iamport import Simulator
from tests.integration.door import FORM, JSON, Door, JsonAnswer, form_fields

MARKED = "0000987698769876"


def refused(answer: JsonAnswer, iamport: Simulator, status: int, code: str) -> None:
    assert (answer.status, answer.body["status"], answer.body["code"]) == (status, "failed", code)
    assert MARKED not in json.dumps(answer.body)
    assert iamport.calls == []


@pytest.mark.parametrize(
    "body",
    [
        None,
        "",
        "{",
        f'{{"card_number": "{MARKED}",}}',
        f'["{MARKED}"]',
        f'"{MARKED}"',
        "null",
        "[" * 10_000,
        "\x00",
        b"\xff\xfe",
        b"\xed\xa0\x80",
    ],
)
def test_a_body_that_is_no_json_object_is_refused(door: Door, iamport: Simulator, body: str | bytes | None) -> None:
    answer = door.post(body)
    refused(answer, iamport, 400, "invalid_request")
    assert [error["field"] for error in answer.body["errors"]] == ["body"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("card_number", MARKED + "1" * 9_984),
        ("card_number", [MARKED]),
        ("card_number", {"number": MARKED}),
        ("card_number", int("1" + MARKED)),
        ("card_number", MARKED[:-1] + "\x00"),
        ("card_number", True),
        ("card_number", None),
        ("expiry", "12/20"),
        ("expiry", "13/30"),
        ("expiry", 203012),
        ("birth", 900101),
        ("birth", 1e400),
        ("birth", "991399"),
        ("birth", "123-45-67890"),
        ("pwd_2digit", 7),
        ("pwd_2digit", "7"),
        ("customer_uid", ""),
        ("customer_uid", "x" * 81),
        ("customer_uid", " x"),
        ("customer_uid", ".."),
        ("customer_uid", "\ud800"),
        ("customer_uid", f"user {MARKED}"),
        ("customer_name", "x" * 21),
        ("customer_addr", "\x00"),
        ("customer_addr", f"{MARKED[:4]}-{MARKED[4:]}"),
    ],
)
def test_each_bad_field_is_named(door: Door, iamport: Simulator, field: str, value: object) -> None:
    answer = door.post_json({**form_fields(card_number=MARKED), field: value})
    refused(answer, iamport, 400, "invalid_request")
    assert [error["field"] for error in answer.body["errors"]] == [field]


def test_all_bad_fields_are_named_at_once_as_the_caller_spells_them(door: Door, iamport: Simulator) -> None:
    answer = door.post_json({"cardNumber": "1", "expiry": "x", "customerTel": "1" * 21})
    refused(answer, iamport, 400, "invalid_request")
    named = [error["field"] for error in answer.body["errors"]]
    assert named == ["cardNumber", "expiry", "birth", "pwd2Digit", "customerUid", "customerTel"]


def test_a_field_sent_twice_is_refused(door: Door, iamport: Simulator) -> None:
    twice = json.dumps(form_fields())[:-1] + f', "card_number": "{MARKED}"}}'
    refused(door.post(twice), iamport, 400, "invalid_request")
    refused(door.post(f"card_number=1&card_number={MARKED}", content_type=FORM), iamport, 400, "invalid_request")


def test_a_large_body_is_refused(door: Door, iamport: Simulator) -> None:
    refused(door.post_json({"card_number": MARKED * 2_000}), iamport, 413, "too_large")


@pytest.mark.parametrize("content_type", ["text/plain", "multipart/form-data; boundary=x", "", JSON + "; charset=x"])
def test_other_media_types_are_refused(door: Door, iamport: Simulator, content_type: str) -> None:
    answer = door.post(json.dumps(form_fields()), content_type=content_type)
    refused(answer, iamport, 415, "unsupported_media_type")


@pytest.mark.parametrize(("method", "path"), [("POST", "/elsewhere"), ("PUT", "/subscription/issue-billing")])
def test_an_unknown_route_is_not_found(door: Door, iamport: Simulator, method: str, path: str) -> None:
    refused(door.post("{}", method=method, path=path), iamport, 404, "not_found")
