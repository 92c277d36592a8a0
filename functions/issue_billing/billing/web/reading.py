"""Fields become values: the card, and whose it is."""

import re
from collections.abc import Set
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
from billing.model.customer import Claim, Customer, Details, parse_customer_uid, parse_detail
from billing.model.digits import holds_digits
from billing.model.parameters import CUSTOMER
from billing.model.refusal import Refusal
from billing.model.sensitive import Sensitive
from billing.settings import CardField
from billing.web.request import FIELD_NAMES, Fields


def read_card(
    fields: Fields, asked_for: Set[CardField], now: datetime | None = None, claim: Claim | None = None
) -> Card:
    """Reads the card's fields and refuses, through `fields`, what is wrong with them.

    `asked_for`: what the contract wants beside number and expiry date; the rest may be left out, and is passed on where
    it was sent. `claim`: of the token, which must not hold the card's number either.
    """
    in_seoul = (now or datetime.now(UTC)).astimezone(SEOUL)
    is_corporate = len(fields.digits_of("birth")) == BUSINESS_NUMBER_LENGTH
    card = Card(
        number=Sensitive(fields.read("card_number", parse_card_number)),
        expiry=Sensitive(fields.read("expiry", partial(parse_expiry, in_seoul=in_seoul))),
        birth=Sensitive(
            fields.read(
                "birth",
                partial(parse_birth, may_be_a_dummy="birth" not in asked_for),
                required="birth" in asked_for,
            )
        ),
        pwd_2digit=Sensitive(
            fields.read("pwd_2digit", parse_pwd_2digit, required="pwd_2digit" in asked_for and not is_corporate)
        ),
    )
    if card.number:
        _keep_number_in_its_field(card, fields)
        _keep_number_out_of_token(card, fields, claim)
    return card


def _keep_number_in_its_field(card: Card, fields: Fields) -> None:
    """A number pasted into the wrong field as well would be stored as a name or an address, here and at Iamport."""
    for name in FIELD_NAMES:
        if name != "card_number" and fields.holds_digits(name, card.digits()):
            fields.refuse(name, "holds_card_number")


def _keep_number_out_of_token(card: Card, fields: Fields, claim: Claim | None) -> None:
    """A server that names customers or orders by what was typed into its form would have them stored by it."""
    if claim is not None and any(holds_digits(text.reveal(), card.digits()) for text in claim.texts()):
        fields.refuse("customer_token", "holds_card_number")


def read_customer(fields: Fields, claim: Claim | None = None) -> Customer:
    """Reads the customer's fields and refuses, through `fields`, what is wrong with them.

    Where a signed token made a `claim`, the body's own customer_uid is ignored, and so is each detail that it names.
    """
    return Customer(
        uid=fields.read("customer_uid", parse_customer_uid) if claim is None else claim.uid,
        vouched_for=claim is not None,
        may_replace=claim is not None and claim.may_replace,
        payment=None if claim is None else claim.payment,
        details=_read_details(fields, dict(() if claim is None else claim.details)),
        is_new=claim is not None and claim.is_new,
        channel=None if claim is None else claim.channel,
    )


def read_consents(fields: Fields, asked_for: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Each with the version of the text that was on the page."""
    return tuple((name, fields.read(name, _parse_consent)) for name in asked_for)


def _parse_consent(text: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{12}", text):
        raise Refusal("required")
    return text


def _read_details(fields: Fields, signed: dict[str, Sensitive]) -> Details:
    details = {
        name: signed.get(name) or Sensitive(fields.read(name, partial(parse_detail, name=name), required=False))
        for name in CUSTOMER
    }
    return tuple((name, value) for name, value in details.items() if value)
