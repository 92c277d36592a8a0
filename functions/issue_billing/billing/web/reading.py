"""Fields become values: the card, and whose it is."""

from datetime import UTC, datetime
from functools import partial

from billing.model.card import (
    BUSINESS_NUMBER_LENGTH,
    SEOUL,
    Card,
    parse_birth,
    parse_card_number,
    parse_expiry,
    parse_pwd_2digit,
)
from billing.model.customer import LONGEST_DETAIL, Claim, Customer, parse_customer_uid, parse_detail
from billing.model.digits import digits_in
from billing.model.sensitive import Sensitive
from billing.web.request import FIELD_NAMES, Fields


def read_card(fields: Fields, now: datetime | None = None, claim: Claim | None = None) -> Card:
    """Reads the card's fields and refuses, through `fields`, what is wrong with them.

    `claim`: of the token, which must not hold the card's number either.
    """
    in_seoul = (now or datetime.now(UTC)).astimezone(SEOUL)
    is_corporate = len(fields.digits_of("birth")) == BUSINESS_NUMBER_LENGTH
    card = Card(
        number=Sensitive(fields.read("card_number", parse_card_number)),
        expiry=Sensitive(fields.read("expiry", partial(parse_expiry, in_seoul=in_seoul))),
        birth=Sensitive(fields.read("birth", parse_birth)),
        pwd_2digit=Sensitive(fields.read("pwd_2digit", parse_pwd_2digit, required=not is_corporate)),
    )
    if card.number:
        _keep_number_in_its_field(card, fields)
        _keep_number_out_of_token(card, fields, claim)
    return card


def _keep_number_in_its_field(card: Card, fields: Fields) -> None:
    """A number pasted into the wrong field as well would be stored as a name or an address, here and at Iamport."""
    for name in FIELD_NAMES:
        if name != "card_number" and card.digits() in fields.digits_of(name):
            fields.refuse(name, "holds_card_number")


def _keep_number_out_of_token(card: Card, fields: Fields, claim: Claim | None) -> None:
    """A server that names customers or orders by what was typed into its form would have them stored by it."""
    if claim is not None and any(card.digits() in digits_in(text.reveal()) for text in claim.texts()):
        fields.refuse("customer_token", "holds_card_number")


def read_customer(fields: Fields, claim: Claim | None = None) -> Customer:
    """Reads the customer's fields and refuses, through `fields`, what is wrong with them.

    Where a signed token made a `claim`, the body's own customer_uid is ignored.
    """
    details = {
        name: fields.read(name, partial(parse_detail, longest=longest), required=False)
        for name, longest in LONGEST_DETAIL.items()
    }
    return Customer(
        uid=fields.read("customer_uid", parse_customer_uid) if claim is None else claim.uid,
        vouched_for=claim is not None,
        may_replace=claim is not None and claim.may_replace,
        payment=None if claim is None else claim.payment,
        details=tuple((name, Sensitive(text)) for name, text in details.items() if text),
        is_new=claim is not None and claim.is_new,
    )
