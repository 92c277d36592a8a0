"""Which customer_uids and details are taken."""

import pytest

from billing.model.customer import LONGEST_DETAIL, Claim, parse_customer_uid
from billing.model.errors import InvalidRequest
from billing.model.refusal import Refusal
from billing.web.reading import read_customer
from billing.web.request import Fields


@pytest.mark.parametrize("uid", ["68", "user 1", "../x", "a/b?c#d", "홍길동", "%2e%2e", "x" * 80, "...", "@:;+=&"])
def test_any_printable_uid_is_taken_as_it_is(uid: str) -> None:
    assert parse_customer_uid(uid) == uid


@pytest.mark.parametrize(
    ("uid", "reason"),
    [
        ("x" * 81, "customer_uid_long"),
        (" a", "customer_uid_form"),
        ("a ", "customer_uid_form"),
        ("a\x00", "customer_uid_form"),
        ("a\nb", "customer_uid_form"),
        ("a\u200bb", "customer_uid_form"),
        ("\ud800", "customer_uid_form"),
        (".", "customer_uid_form"),
        ("..", "customer_uid_form"),
    ],
)
def test_a_uid_that_cannot_name_one_customer_at_iamport_is_refused(uid: str, reason: str) -> None:
    with pytest.raises(Refusal) as refusal:
        parse_customer_uid(uid)
    assert refusal.value.reason == reason


@pytest.mark.parametrize("is_new", [True, False])
def test_only_a_claim_makes_a_uid_new(is_new: bool) -> None:
    fields = Fields({"customer_uid": "u", "new": "true"}.items())
    assert read_customer(fields, Claim("u", may_replace=False, payment=None, is_new=is_new)).is_new is is_new
    assert read_customer(fields).is_new is False


def test_details_are_taken_up_to_iamports_length_limits() -> None:
    longest = {name: "가" * length for name, length in LONGEST_DETAIL.items()}
    fields = Fields({"customer_uid": "u", **longest}.items())
    customer = read_customer(fields)
    fields.check()
    assert {name: value.reveal() for name, value in customer.details} == longest


def test_details_beyond_the_limits_or_unprintable_are_refused_together() -> None:
    too_long = {name: "x" * (length + 1) for name, length in LONGEST_DETAIL.items()}
    fields = Fields({"customer_uid": "u", **too_long, "customer_tel": "\x00"}.items())
    read_customer(fields)
    with pytest.raises(InvalidRequest) as refused:
        fields.check()
    assert {error.field: error.reason for error in refused.value.errors} == {
        **dict.fromkeys(too_long, "too_long"),
        "customer_tel": "unprintable",
    }


def test_a_customer_does_not_show_its_details() -> None:
    fields = Fields({"customer_uid": "u", "customer_name": "홍길동"}.items())
    assert "홍길동" not in repr(read_customer(fields))
