"""What is taken for an attempt's own, what it leaves behind, and how its end is called."""

from dataclasses import replace
from itertools import product

import pytest

from billing.model.attempt import Attempt, Ending, Leftover, Order, Seen, State, stood_before
from billing.model.billing_key import BillingKey, FoundPayment, PaidPayment
from billing.model.digits import digits_agree
from tests.unit.fakes import ATTEMPT, OLD, OWN, PAID, PAYING, REFUSED, SENT, SENT_CARD, SENT_PAYING, TAKEN

EARLIER = Leftover(OLD)
OTHER_CARD = "000099******8888"
FAILED_WITHOUT_A_CARD = replace(REFUSED, card_number=None)


def key(number: str | None, updated: int | None) -> BillingKey:
    return BillingKey("mine", None, number, None, updated)


def after(before: BillingKey | None, *imp_uids: str) -> Attempt:
    """An attempt for order-1 before whose card was sent this stood at Iamport."""
    return replace(PAYING, seen=Seen(before, imp_uids))


@pytest.mark.parametrize(
    ("one", "other", "agree"),
    [
        pytest.param("000011******3333", "000011******3333", True, id="the same mask"),
        pytest.param("0000-1111-****-3333", "000011******3333", True, id="another mask, with dashes"),
        pytest.param("0000 11** **** 3333", "000011******3333", True, id="another mask, with spaces"),
        pytest.param("0000.11**.****.3333", "000011******3333", True, id="another mask, with dots"),
        pytest.param("0000111122223333", "000011******3333", True, id="no mask at all"),
        pytest.param("00001111****333*", "000011******3333", True, id="the last digit is hidden"),
        pytest.param("************3333", "000011******3333", True, id="only the end is shown"),
        pytest.param("************3334", "000011******3333", False, id="only the end is shown, and it is another"),
        pytest.param("000011**********", "000011******3333", True, id="only the beginning is shown"),
        pytest.param("000012**********", "000011******3333", False, id="only the beginning is shown, of another"),
        pytest.param("0000**11****3333", "000011******3333", True, id="digits between stars tell nothing"),
        pytest.param("0000**99****3333", "000011******3333", True, id="not even others"),
        pytest.param("000011******8888", "000011******3333", False, id="another end"),
        pytest.param("000099******3333", "000011******3333", False, id="another beginning"),
        pytest.param(None, "000011******3333", True, id="nothing is shown"),
        pytest.param("", "000011******3333", True, id="an empty text is shown"),
        pytest.param("****************", "000011******3333", True, id="nothing but stars is shown"),
        pytest.param("000011XXXXXX3333", "000011******3333", True, id="a mask of letters"),
        pytest.param(None, None, True, id="neither is known"),
    ],
)
def test_two_masked_numbers_agree_where_no_digit_contradicts(one: str | None, other: str | None, agree: bool) -> None:
    assert digits_agree(one, other) is agree
    assert digits_agree(other, one) is agree


@pytest.mark.parametrize(
    ("before", "found", "stood"),
    [
        pytest.param(None, key("B", 100), False, id="nothing was there"),
        pytest.param(key("A", 90), key("A", 90), True, id="the very one"),
        pytest.param(key("A", 90), key("A", 91), False, id="the same card, put there anew"),
        pytest.param(key("A", 90), key("B", 91), False, id="another card, put there later"),
        pytest.param(key("A", 90), key("B", 90), False, id="another card in the same second"),
        pytest.param(key("A", 90), key("B", 89), True, id="another card, put there earlier still"),
        pytest.param(key("A", 90), key("A", 89), True, id="the same card, put there earlier still"),
        pytest.param(key("A", None), key("A", None), True, id="the same card, nobody knows when"),
        pytest.param(key("A", None), key("B", None), False, id="another card, nobody knows when"),
        pytest.param(key("A", 90), key("B", None), False, id="another card, nobody knows when it was put there"),
        pytest.param(key("A", None), key("B", 1), False, id="another card, nobody knows when the first was put there"),
    ],
)
def test_a_key_stood_there_before_by_iamports_own_times(
    before: BillingKey | None, found: BillingKey, stood: bool
) -> None:
    assert stood_before(found, before) is stood


OLD_KEY, OLD_KEY_OF_THE_SAME_CARD = key(OTHER_CARD, 90), key(SENT_CARD, 90)


@pytest.mark.parametrize(
    ("attempt", "found", "is_own"),
    [
        pytest.param(SENT, None, False, id="nothing is there"),
        pytest.param(SENT, key(SENT_CARD, 100), True, id="the card that was sent, where nothing was before"),
        pytest.param(SENT, key(SENT_CARD, None), True, id="nobody knows when it was put there"),
        pytest.param(SENT, key(SENT_CARD, 1), True, id="Iamport's clock is years behind ours: it is not held against"),
        pytest.param(SENT, key(None, 100), True, id="its number is not shown"),
        pytest.param(SENT, key(OTHER_CARD, 100), False, id="another card: registered elsewhere meanwhile"),
        pytest.param(ATTEMPT, key(SENT_CARD, 100), False, id="nothing was sent"),
        pytest.param(after(OLD_KEY), OLD_KEY, False, id="what was there before"),
        pytest.param(after(OLD_KEY), key(SENT_CARD, 91), True, id="replaced by the card that was sent"),
        pytest.param(after(OLD_KEY), key(SENT_CARD, 89), False, id="older than what was there before"),
        pytest.param(after(OLD_KEY_OF_THE_SAME_CARD), OLD_KEY_OF_THE_SAME_CARD, False, id="the same card's old key"),
        pytest.param(after(OLD_KEY_OF_THE_SAME_CARD), key(SENT_CARD, 91), True, id="the same card, put there anew"),
    ],
)
def test_a_key_is_an_attempts_own_that_was_not_there_before_and_shows_no_other_card(
    attempt: Attempt, found: BillingKey | None, is_own: bool
) -> None:
    assert attempt.own_key(found) == (found if is_own else None)


CANCELLED = replace(PAID, status="cancelled")
TAKEN_BY_RECEIPT = PaidPayment("order-1", "imp_1", 99_000, "https://receipt.invalid")
OF_VERSION_1 = replace(PAYING, order=Order("order-1", 0))


@pytest.mark.parametrize(
    ("attempt", "payments", "paid"),
    [
        pytest.param(PAYING, (), None, id="none"),
        pytest.param(PAYING, (PAID,), TAKEN, id="paid, whether or not this attempt sent anything"),
        pytest.param(after(None, "imp_1"), (PAID,), TAKEN, id="paid before this attempt"),
        pytest.param(PAYING, (replace(PAID, card_number=OTHER_CARD),), TAKEN, id="paid with another card"),
        pytest.param(PAYING, (CANCELLED,), TAKEN, id="cancelled since: it was paid"),
        pytest.param(PAYING, (replace(PAID, receipt_url="https://receipt.invalid"),), TAKEN_BY_RECEIPT, id="a receipt"),
        pytest.param(PAYING, (REFUSED, PAID), TAKEN, id="behind a newer failure"),
        pytest.param(PAYING, (replace(PAID, amount=100), PAID), TAKEN, id="behind another amount"),
        pytest.param(PAYING, (REFUSED,), None, id="failed"),
        pytest.param(PAYING, (replace(PAID, status="ready"),), None, id="ready: an abandoned payment window"),
        pytest.param(PAYING, (replace(PAID, amount=100),), None, id="another amount"),
        pytest.param(PAYING, (replace(PAID, amount=None),), None, id="no amount"),
        pytest.param(PAYING, (replace(PAID, customer_uid="another"),), None, id="another customer's"),
        pytest.param(PAYING, (replace(PAID, customer_uid=None),), None, id="nobody's: of the payment window"),
        pytest.param(ATTEMPT, (PAID,), None, id="no order was asked for"),
        pytest.param(
            OF_VERSION_1, (replace(PAID, amount=100),), replace(TAKEN, amount=100), id="version 1 kept no amount"
        ),
        pytest.param(
            OF_VERSION_1, (replace(PAID, amount=None),), replace(TAKEN, amount=0), id="version 1's, and none is told"
        ),
    ],
)
def test_a_payment_is_ours_that_has_the_tokens_customer_and_amount(
    attempt: Attempt, payments: tuple[FoundPayment, ...], paid: PaidPayment | None
) -> None:
    assert attempt.own_payment(payments) == paid


@pytest.mark.parametrize(
    ("attempt", "payments", "failure"),
    [
        pytest.param(SENT_PAYING, (), None, id="none"),
        pytest.param(SENT_PAYING, (REFUSED,), REFUSED, id="it was not there before"),
        pytest.param(
            SENT_PAYING, (replace(REFUSED, card_number=None),), replace(REFUSED, card_number=None), id="no card"
        ),
        pytest.param(after(None, "imp_2"), (REFUSED,), None, id="an earlier attempt's, which was there before"),
        pytest.param(
            after(None, "imp_0"),
            (replace(REFUSED, imp_uid="imp_0"), REFUSED),
            REFUSED,
            id="beside an earlier attempt's",
        ),
        pytest.param(SENT_PAYING, (PAID,), None, id="paid"),
        pytest.param(SENT_PAYING, (replace(REFUSED, card_number=OTHER_CARD),), None, id="another card's"),
        pytest.param(SENT_PAYING, (replace(REFUSED, customer_uid="another"),), None, id="another customer's"),
        pytest.param(SENT_PAYING, (replace(REFUSED, amount=100),), None, id="another amount"),
        pytest.param(PAYING, (REFUSED,), None, id="nothing was sent"),
    ],
)
def test_a_failure_is_an_attempts_own_that_was_not_there_before(
    attempt: Attempt, payments: tuple[FoundPayment, ...], failure: FoundPayment | None
) -> None:
    assert attempt.own_failure(payments) == failure


EARLIER = Leftover(OLD_KEY)
AFTER_EARLIER = replace(after(OLD_KEY), leftover=EARLIER)


@pytest.mark.parametrize(
    ("attempt", "found", "left"),
    [
        pytest.param(SENT, None, None, id="nothing"),
        pytest.param(SENT, OWN, Leftover(OWN), id="its own key"),
        pytest.param(SENT, key(OTHER_CARD, 100), None, id="another card is nobody's leftover"),
        pytest.param(AFTER_EARLIER, OLD_KEY, EARLIER, id="an earlier attempt's key, there still"),
        pytest.param(AFTER_EARLIER, OWN, Leftover(OWN), id="its own in an earlier one's place"),
        pytest.param(AFTER_EARLIER, None, None, id="an earlier attempt's key, gone"),
        pytest.param(replace(ATTEMPT, leftover=EARLIER), None, EARLIER, id="nothing was sent: the mark stays"),
        pytest.param(ATTEMPT, OWN, None, id="nothing was sent, so nothing is its own"),
    ],
)
def test_what_a_no_leaves_behind(attempt: Attempt, found: BillingKey | None, left: Leftover | None) -> None:
    assert attempt.left_behind(found) == left


@pytest.mark.parametrize(
    ("attempt", "left"),
    [
        pytest.param(SENT, Leftover(None, None, False, SENT_CARD), id="nothing stood there"),
        pytest.param(ATTEMPT, Leftover(None, None, False, SENT_CARD), id="nobody had looked"),
        pytest.param(after(OLD_KEY), Leftover(None, OLD_KEY, False, SENT_CARD), id="a card stood there"),
        pytest.param(
            AFTER_EARLIER,
            Leftover(None, OLD_KEY, True, SENT_CARD),
            id="an earlier attempt's leftover stood there",
        ),
        pytest.param(
            replace(after(OLD_KEY), leftover=Leftover(OWN)),
            Leftover(None, OLD_KEY, False, SENT_CARD),
            id="another card stood there than was left",
        ),
        pytest.param(
            replace(SENT, leftover=EARLIER), Leftover(None, None, False, SENT_CARD), id="the leftover was gone already"
        ),
    ],
)
def test_what_a_no_leaves_behind_where_the_key_cannot_be_looked_up(attempt: Attempt, left: Leftover) -> None:
    assert attempt.left_unseen() == left


@pytest.mark.parametrize(
    ("leftover", "found", "stands"),
    [
        pytest.param(Leftover(OWN), OWN, True, id="the key that was seen"),
        pytest.param(Leftover(OWN), replace(OWN, updated=1), False, id="the same card, registered at another time"),
        pytest.param(Leftover(OWN), key(OTHER_CARD, 100), False, id="another card"),
        pytest.param(Leftover(None, None, False, SENT_CARD), OWN, True, id="unseen: the card that was sent"),
        pytest.param(Leftover(None, None, False, SENT_CARD), key(None, 100), True, id="unseen: no digit contradicts"),
        pytest.param(Leftover(None, None, False, SENT_CARD), key(OTHER_CARD, 100), False, id="unseen: another card"),
        pytest.param(Leftover(None, OLD_KEY, False, SENT_CARD), OLD_KEY, False, id="what stood there is no leftover"),
        pytest.param(
            Leftover(None, OLD_KEY_OF_THE_SAME_CARD, False, SENT_CARD),
            OLD_KEY_OF_THE_SAME_CARD,
            False,
            id="what stood there is none, though it is the same card's",
        ),
        pytest.param(
            Leftover(None, OLD_KEY_OF_THE_SAME_CARD, False, SENT_CARD),
            key(SENT_CARD, 91),
            True,
            id="the same card, registered anew",
        ),
        pytest.param(Leftover(None, OLD_KEY, True, SENT_CARD), OLD_KEY, True, id="what stood there was left, too"),
    ],
)
def test_a_leftover_is_what_stands_there(leftover: Leftover, found: BillingKey, stands: bool) -> None:
    assert leftover.is_what_stands(found) is stands


STATES: tuple[State, ...] = ("issued", "declined", "not_issued", "paid_without_key", "unknown")
EVENTS = {
    "with an order": {
        "issued": "payment.paid",
        "declined": "payment.failed",
        "not_issued": "billing_key.not_issued",
        "paid_without_key": "payment.paid_without_key",
        "unknown": "billing_key.unknown",
    },
    "without": {
        "issued": "billing_key.issued",
        "declined": "billing_key.declined",
        "not_issued": "billing_key.not_issued",
        "unknown": "billing_key.unknown",
    },
}


@pytest.mark.parametrize(
    ("order", "state"), [pair for pair in product(EVENTS, STATES) if pair != ("without", "paid_without_key")]
)
def test_an_ending_leaves_as_an_event_of_this_name(order: str, state: State) -> None:
    attempt, payment = (PAYING, TAKEN) if order == "with an order" else (ATTEMPT, None)
    is_paid = state in ("issued", "paid_without_key")
    assert Ending(state, payment=payment if is_paid else None).event(attempt) == EVENTS[order][state]


@pytest.mark.parametrize(
    ("registered", "leftover", "event", "key_stays"),
    [
        pytest.param(OWN, Leftover(OWN), "payment.failed", "this_card", id="its own key stays"),
        pytest.param(None, SENT_PAYING.left_unseen(), "payment.failed", "unknown", id="its own key may stay"),
        pytest.param(OLD, SENT_PAYING.left_unseen(), "payment.failed", "unknown", id="it may come over another"),
        pytest.param(OLD, None, "billing_key.not_issued", "", id="another key stood there before"),
        pytest.param(OLD, EARLIER, "billing_key.not_issued", "", id="an earlier attempt left one"),
        pytest.param(None, None, "billing_key.not_issued", "", id="nothing stays"),
    ],
)
def test_a_first_payment_that_left_a_key_is_told_as_one_that_was_not_taken(
    registered: BillingKey | None, leftover: Leftover | None, event: str, key_stays: str
) -> None:
    attempt = replace(SENT_PAYING, leftover=EARLIER)
    ending = Ending("not_issued", registered=registered, leftover=leftover)
    assert (ending.event(attempt), ending.key_stays(attempt)) == (event, key_stays)


def test_the_same_card_put_there_twice_in_a_second_is_no_other_card() -> None:
    """Iamport's times have seconds: what the refused payment left looks like what stood there before."""
    attempt = replace(SENT_PAYING, seen=Seen(OWN))
    assert Ending("declined", registered=OWN).key_stays(attempt) == "this_card"
    assert Ending("declined", registered=OLD).key_stays(attempt) == "another_card"


def test_a_key_without_its_payment_is_no_payment_event() -> None:
    assert Ending("issued", registered=OWN).event(PAYING) == "billing_key.issued"
