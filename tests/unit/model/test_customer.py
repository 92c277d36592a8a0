"""Which customer_uids and details are taken."""

import pytest

from billing.model.customer import Claim, Customer, Payment, buyer_of, parse_customer_uid
from billing.model.errors import InvalidRequest
from billing.model.parameters import CUSTOMER
from billing.model.refusal import Refusal
from billing.model.sensitive import Sensitive
from billing.web.reading import read_customer
from billing.web.request import Fields

LENGTHS = {name: parameter.longest or 0 for name, parameter in CUSTOMER.items()}


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
    longest = {name: "가" * length for name, length in LENGTHS.items()}
    fields = Fields({"customer_uid": "u", **longest}.items())
    customer = read_customer(fields)
    fields.check()
    assert {name: value.reveal() for name, value in customer.details} == longest


def test_details_beyond_the_limits_or_unprintable_are_refused_together() -> None:
    too_long = {name: "x" * (length + 1) for name, length in LENGTHS.items()}
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


def detailed(**details: str) -> tuple[tuple[str, Sensitive], ...]:
    return tuple((name, Sensitive(text)) for name, text in details.items())


def test_each_detail_that_a_claim_names_wins_over_the_bodys() -> None:
    """As with the uid, the body's own isn't even looked at; what the claim leaves open, the card holder may say."""
    claim = Claim("u", may_replace=False, payment=None, details=detailed(customer_id="id-1", customer_name="홍길동"))
    body = {"customer_id": "evil", "customer_name": "x" * 21, "customer_tel": "010-0000-0000"}
    fields = Fields(body.items())
    customer = read_customer(fields, claim)
    fields.check()
    assert customer.details == detailed(customer_id="id-1", customer_name="홍길동", customer_tel="010-0000-0000")


@pytest.mark.parametrize("spelling", ["customer_id", "customerId"])
def test_the_customers_id_comes_in_the_body_too(spelling: str) -> None:
    fields = Fields({"customer_uid": "u", spelling: "id-1"}.items())
    customer = read_customer(fields)
    fields.check()
    assert customer.details == detailed(customer_id="id-1")


EVERY_DETAIL = {
    "customer_id": "id-1",
    "customer_name": "홍길동",
    "customer_tel": "010-0000-0000",
    "customer_email": "gildong@shop.example",
    "customer_addr": "서울",
    "customer_postcode": "04524",
}
AS_BUYER = {name.replace("customer_", "buyer_"): text for name, text in EVERY_DETAIL.items() if name != "customer_id"}


@pytest.mark.parametrize(
    ("details", "named", "buyers"),
    [
        pytest.param(EVERY_DETAIL, {}, AS_BUYER, id="all but the id, which no payment knows"),
        pytest.param({}, {}, {}, id="nobody is known"),
        pytest.param(
            EVERY_DETAIL,
            {"buyer_name": "임꺽정", "buyer_tel": "1"},
            {name: text for name, text in AS_BUYER.items() if name not in ("buyer_name", "buyer_tel")},
            id="the payment's own win",
        ),
        pytest.param({"customer_name": "x" * 16}, {}, {"buyer_name": "x" * 16}, id="as long as a buyer's"),
        pytest.param(
            {"customer_name": "x" * 17, "customer_tel": "1" * 16}, {}, {"buyer_tel": "1" * 16}, id="longer: left out"
        ),
        pytest.param(
            {"customer_email": "x" * 65, "customer_addr": "x" * 129, "customer_tel": "1" * 17}, {}, {}, id="all"
        ),
    ],
)
def test_the_customer_is_the_buyer_where_the_payment_names_none(
    details: dict[str, str], named: dict[str, str], buyers: dict[str, str]
) -> None:
    payment = Payment("order-1", 9_900, "구독", detailed(**named))
    customer = Customer("u", vouched_for=True, may_replace=False, payment=payment, details=detailed(**details))
    assert buyer_of(customer, payment) == detailed(**buyers)
