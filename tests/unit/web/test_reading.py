"""A card number stays in its field: what else a caller or a token brings must not hold it."""

import pytest

from billing.model.customer import Channel, Claim, Payment
from billing.model.errors import InvalidRequest
from billing.model.sensitive import Sensitive
from billing.settings import CARD_FIELDS
from billing.web.reading import read_card, read_customer
from billing.web.request import FIELD_NAMES, Fields

CARD = {"card_number": "0000-1111-2222-3333", "expiry": "2099-12", "birth": "900101", "pwd_2digit": "00"}

AS_IT_IS = "0000111122223333"
WRITTEN = {
    "as it is": AS_IT_IS,
    "with dashes": "0000-1111-2222-3333",
    "with what no card has": "0000_1111/2222:3333",
    "inside": f"a{AS_IT_IS}b",
    "in full width": "０００0１１１1２２２2３３３3",
    "in Arabic digits": "٠٠٠٠١١١١٢٢٢٢٣٣٣٣",
    "as an address has it": "00001111%2022223333",
    "in circles": "⓪⓪⓪⓪①①①①②②②②③③③③",
}


def refusals(fields: Fields, claim: Claim | None = None) -> list[tuple[str, str]]:
    read_customer(fields, claim)
    read_card(fields, CARD_FIELDS["birth,pwd_2digit"], claim=claim)
    try:
        fields.check()
    except InvalidRequest as refused:
        return [(error.field, error.reason) for error in refused.errors]
    return []


CLAIMED = {
    "sub": "customer-1",
    "merchant_uid": "order-1",
    "name": "구독",
    "buyer_tel": "010-0000-0000",
    "custom_data": "{}",
    "customer_name": "홍길동",
    "channel_key": "channel-key-1",
}


def claim_with(**changes: str) -> Claim:
    texts = {**CLAIMED, **changes}
    buyer_tel, custom_data = Sensitive(texts["buyer_tel"]), Sensitive(texts["custom_data"])
    details = (("buyer_tel", buyer_tel), ("custom_data", custom_data), ("tax_free", 0))
    return Claim(
        texts["sub"],
        may_replace=False,
        payment=Payment(texts["merchant_uid"], 9900, texts["name"], details),
        details=(("customer_name", Sensitive(texts["customer_name"])),),
        channel=Channel(texts["channel_key"]),
    )


def test_a_token_that_holds_no_card_number_is_taken() -> None:
    assert refusals(Fields({**CARD, "customer_token": "x"}.items()), claim_with()) == []


@pytest.mark.parametrize("written", WRITTEN.values(), ids=WRITTEN)
@pytest.mark.parametrize("claim", CLAIMED)
@pytest.mark.parametrize("spelling", ["customer_token", "customerToken"])
def test_a_card_number_in_a_token_is_refused_before_it_is_stored_anywhere(
    spelling: str, claim: str, written: str
) -> None:
    fields = Fields({**CARD, spelling: "x"}.items())
    assert refusals(fields, claim_with(**{claim: written})) == [(spelling, "holds_card_number")]


@pytest.mark.parametrize("written", WRITTEN.values(), ids=WRITTEN)
@pytest.mark.parametrize("field", sorted(set(FIELD_NAMES) - {*CARD, "customer_postcode"}))
def test_a_card_number_in_another_field_is_refused_however_it_is_written(field: str, written: str) -> None:
    """A postcode is too short for one."""
    fields = Fields({**CARD, "customer_uid": "customer-1", field: written}.items())
    assert refusals(fields) == [(field, "holds_card_number")]


def test_another_number_is_no_card_number() -> None:
    fields = Fields({**CARD, "customer_uid": "0000111122224444", "customer_tel": "０１０-0000-1111"}.items())
    assert refusals(fields) == []
