"""One attempt, step by step: for each thing that Iamport says, what the caller gets and what the ledger is told."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any, Literal

import pytest

from billing.issuance import begin, issue_billing_key, may_replace, new_attempt
from billing.model.attempt import Attempt, Ending, LeftOpen, Leftover, Order, Repeated, Seen
from billing.model.billing_key import BillingKey, Issued
from billing.model.card import Card
from billing.model.customer import Channel, Customer, Payment
from billing.model.deadline import Deadline
from billing.model.errors import (
    AlreadyPaid,
    BillingError,
    Declined,
    GatewayError,
    GatewayRefused,
    InProgress,
    InternalError,
    OutcomeUnknown,
    PaidWithoutKey,
    TooManyAttempts,
    Unavailable,
)
from billing.model.sensitive import Sensitive
from billing.sending import find_out, goes_by_again, key_of_payment, refused
from billing.settings import Settings
from tests.unit.conftest import Lines
from tests.unit.fakes import (
    ATTEMPT,
    OLD,
    OWN,
    PAID,
    PAYING,
    REFUSED,
    SENT,
    SENT_CARD,
    SENT_PAYING,
    SETTINGS,
    TAKEN,
    FakeIamport,
    FakeLedger,
    StoppedClock,
    fingerprints_of,
    refused_by_aws,
    services_of,
)

CARD = Card(Sensitive("0000-1111-2222-3333"), Sensitive("2099-12"), Sensitive("900101"), Sensitive("73"))
PAYMENT = Payment("order-1", 99_000, "first month", ())

SIGNED = Customer("mine", vouched_for=True, may_replace=False, payment=None, details=())
OPEN = replace(SIGNED, vouched_for=False)
REPLACING = replace(SIGNED, may_replace=True)
NEW = replace(SIGNED, is_new=True)
BUYER = replace(SIGNED, payment=PAYMENT)
REPLACING_BUYER = replace(BUYER, may_replace=True)
NEW_BUYER = replace(BUYER, is_new=True)

KNOWN = replace(ATTEMPT, is_first=False)
"""An attempt under an uid that the ledger has seen before."""
LEFT = BillingKey("mine", "신한카드", "000077******6666", "credit", OWN.updated)
AFTER_A_NO = replace(KNOWN, leftover=Leftover(LEFT))
"""An attempt under an uid where an earlier one left a key behind."""

DOWN = Unavailable("iamport_unreachable")
LOST = OutcomeUnknown("ReadTimeout")
NO = Declined("한도초과")
NOT_ACCEPTED = GatewayRefused("code_1")

READY = replace(PAID, imp_uid="imp_3", status="ready")
CANCELLED = replace(PAID, status="cancelled")
OF_ANOTHER_AMOUNT = replace(PAID, imp_uid="imp_4", amount=100)
OF_ANOTHER_CUSTOMER = replace(PAID, imp_uid="imp_5", customer_uid="another")
BY_ANOTHER_WAY = replace(PAID, imp_uid="imp_6", customer_uid=None)

OVER = StoppedClock().wall - 1
"""An invocation that is over, while a PG may still be at work."""

pytestmark = pytest.mark.usefixtures("stopped_clock")


def outcome(attempt: Callable[[], object]) -> object:
    """What it gives, or the code of what it raises."""
    try:
        return attempt()
    except BillingError as failure:
        return failure.code


def attempted(
    customer: Customer, iamport: FakeIamport, ledger: FakeLedger, seconds: float = 28, settings: Settings = SETTINGS
) -> object:
    services = services_of(iamport, ledger, settings)
    given = outcome(lambda: issue_billing_key(customer, CARD, services, Deadline.after(seconds), "request-1"))
    return nameless(given) if isinstance(given, Issued) else given


def nameless(issued: Issued) -> Issued:
    assert issued.attempt_id, "every answer to an attempt that was begun has its id"
    return replace(issued, attempt_id="")


def not_sent(code: str, registered: BillingKey | None = None, leftover: Leftover | None = None) -> Ending:
    return Ending("not_issued", code, registered, leftover=leftover)


UNSEEN = Leftover(None, None, False, SENT_CARD)
"""A refusal's mark where the key could not be looked up."""

NOTHING_SENT = [
    pytest.param(
        (AFTER_A_NO, SIGNED),
        {"look_up": NOT_ACCEPTED},
        "gateway_refused",
        not_sent("gateway_refused", leftover=Leftover(LEFT)),
        id="Iamport does not accept the look before",
    ),
    pytest.param(
        (ATTEMPT, SIGNED),
        {"look_up": OLD},
        "already_registered",
        not_sent("already_registered", OLD),
        id="a card is registered that the ledger never heard of",
    ),
    pytest.param(
        (ATTEMPT, OPEN),
        {"look_up": OLD},
        "already_registered",
        not_sent("already_registered", OLD),
        id="nobody vouches for the uid, and a card is registered",
    ),
    pytest.param(
        (KNOWN, NEW),
        {"look_up": OLD},
        "already_registered",
        not_sent("already_registered", OLD),
        id="the uid is said to be new, and the ledger knows better",
    ),
    pytest.param(
        (ATTEMPT, SIGNED),
        {"look_up": DOWN},
        "unavailable",
        not_sent("unavailable"),
        id="the uid can't be looked up",
    ),
    pytest.param(
        (AFTER_A_NO, SIGNED),
        {"look_up": DOWN},
        "unavailable",
        not_sent("unavailable", leftover=Leftover(LEFT)),
        id="the uid can't be looked up, and a leftover stays one",
    ),
    pytest.param(
        (AFTER_A_NO, SIGNED),
        {"look_up": OLD},
        "already_registered",
        not_sent("already_registered", OLD, Leftover(LEFT)),
        id="another card stands there than an earlier attempt left",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": (), "look_up": OLD},
        "already_registered",
        not_sent("already_registered", OLD),
        id="a card is registered: no payment is tried",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": DOWN},
        "unavailable",
        not_sent("unavailable"),
        id="nobody knows whether the order is paid",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": (OF_ANOTHER_AMOUNT,)},
        "already_paid",
        not_sent("already_paid"),
        id="another amount was paid for the order",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": (OF_ANOTHER_CUSTOMER,)},
        "already_paid",
        not_sent("already_paid"),
        id="another customer has paid the order",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": (BY_ANOTHER_WAY,)},
        "already_paid",
        not_sent("already_paid"),
        id="the order was paid by the payment window",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": (REFUSED, OF_ANOTHER_CUSTOMER)},
        "already_paid",
        not_sent("already_paid"),
        id="a newer failure hides no payment",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": (CANCELLED,)},
        "already_paid",
        not_sent("already_paid"),
        id="the order was paid and cancelled since",
    ),
    pytest.param(
        (PAYING, REPLACING_BUYER),
        {"payments": (replace(CANCELLED, customer_uid="another"),)},
        "already_paid",
        not_sent("already_paid"),
        id="another customer's payment was cancelled, and a token to replace cards changes nothing",
    ),
    pytest.param(
        (replace(PAYING, order_is_paid=True), BUYER),
        {"payments": ()},
        "already_paid",
        not_sent("already_paid"),
        id="the ledger knows the order as paid, whatever Iamport shows in that moment",
    ),
    pytest.param(
        (replace(PAYING, order_is_paid=True), NEW_BUYER),
        {"payments": (REFUSED, READY)},
        "already_paid",
        not_sent("already_paid"),
        id="the ledger knows the order as paid, and Iamport shows failures only",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": (PAID,), "look_up": OWN},
        Issued(OWN, TAKEN),
        Ending("issued", None, OWN, TAKEN),
        id="this customer has paid the order before",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": (OF_ANOTHER_CUSTOMER, PAID), "look_up": OWN},
        Issued(OWN, TAKEN),
        Ending("issued", None, OWN, TAKEN),
        id="this customer has paid the order before, and somebody else as well",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": (PAID,), "look_up": OLD},
        Issued(OLD, TAKEN),
        Ending("issued", None, OLD, TAKEN),
        id="paid before with another card: the one that is registered is named",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": (PAID,), "look_up": DOWN},
        "outcome_unknown",
        "open",
        id="paid before, and the key can't be looked up: no card is named",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": (PAID,), "look_up": None},
        "paid_without_key",
        Ending("paid_without_key", payment=TAKEN),
        id="paid before, and Iamport has no key",
    ),
]
"""(attempt, customer), what Iamport gives or raises, what the caller gets, what the ledger is told."""

ISSUING = [
    pytest.param(
        (ATTEMPT, SIGNED),
        {"look_up": None, "issue": OWN},
        Issued(OWN),
        Ending("issued", None, OWN),
        id="issued",
    ),
    pytest.param(
        (ATTEMPT, OPEN),
        {"look_up": None, "issue": OWN},
        Issued(OWN),
        Ending("issued", None, OWN),
        id="nobody vouches for the uid, and nothing is registered",
    ),
    pytest.param(
        (SENT, NEW),
        {"issue": OWN},
        Issued(OWN),
        Ending("issued", None, OWN),
        id="the uid has just been made: it is not looked up",
    ),
    pytest.param(
        (KNOWN, NEW),
        {"look_up": None, "issue": OWN},
        Issued(OWN),
        Ending("issued", None, OWN),
        id="the uid is said to be new, the ledger has seen it, and nothing is registered",
    ),
    pytest.param(
        (ATTEMPT, REPLACING),
        {"look_up": OLD, "issue": OWN},
        Issued(OWN),
        Ending("issued", None, OWN),
        id="a card is replaced",
    ),
    pytest.param(
        (AFTER_A_NO, SIGNED),
        {"look_up": LEFT, "issue": OWN},
        Issued(OWN),
        Ending("issued", None, OWN),
        id="what an attempt left behind that ended in a no is replaced without leave",
    ),
    pytest.param(
        (replace(KNOWN, leftover=UNSEEN), SIGNED),
        {"look_up": OWN, "issue": replace(OWN, updated=OWN.updated + 9)},  # type: ignore[operator]
        Issued(replace(OWN, updated=OWN.updated + 9)),  # type: ignore[operator]
        Ending("issued", None, replace(OWN, updated=OWN.updated + 9)),  # type: ignore[operator]
        id="what nobody could see at the refusal is replaced too",
    ),
    pytest.param(
        (ATTEMPT, SIGNED),
        {"look_up": None, "issue": NO},
        "declined",
        Ending("declined", "한도초과"),
        id="declined, in Iamport's words; nothing is looked up",
    ),
    pytest.param(
        (AFTER_A_NO, SIGNED),
        {"look_up": [LEFT, DOWN], "issue": NO},
        "declined",
        Ending("declined", "한도초과", leftover=Leftover(LEFT)),
        id="declined, and what an earlier attempt left may still be replaced",
    ),
    pytest.param(
        (AFTER_A_NO, SIGNED),
        {"look_up": LEFT, "issue": NOT_ACCEPTED},
        "gateway_refused",
        not_sent("gateway_refused", leftover=Leftover(LEFT)),
        id="not accepted, and what an earlier attempt left may still be replaced",
    ),
    pytest.param(
        (ATTEMPT, SIGNED),
        {"look_up": [None, NOT_ACCEPTED], "issue": LOST},
        "outcome_unknown",
        "open",
        id="the answer is lost, and Iamport does not accept the looks: that says nothing of what was sent",
    ),
    pytest.param(
        (ATTEMPT, SIGNED),
        {"look_up": None, "issue": DOWN},
        "unavailable",
        not_sent("unavailable"),
        id="never sent",
    ),
    pytest.param(
        (AFTER_A_NO, SIGNED),
        {"look_up": LEFT, "issue": GatewayError("http_429")},
        "gateway_error",
        not_sent("gateway_error", leftover=Leftover(LEFT)),
        id="certainly not processed",
    ),
    pytest.param(
        (ATTEMPT, SIGNED),
        {"look_up": None, "issue": LOST},
        "outcome_unknown",
        "open",
        id="the answer is lost, and there is no key: Iamport may still be at work",
    ),
    pytest.param(
        (ATTEMPT, REPLACING),
        {"look_up": OLD, "issue": LOST},
        "outcome_unknown",
        "open",
        id="the answer is lost, and there is only the key that was there before",
    ),
    pytest.param(
        (ATTEMPT, SIGNED),
        {"look_up": [None, OLD], "issue": LOST},
        "outcome_unknown",
        "open",
        id="the answer is lost, and another card was registered elsewhere",
    ),
    pytest.param(
        (ATTEMPT, SIGNED),
        {"look_up": [None, DOWN], "issue": LOST},
        "outcome_unknown",
        "open",
        id="the answer is lost, and the key can't be looked up",
    ),
    pytest.param(
        (ATTEMPT, SIGNED),
        {"look_up": [None, OWN], "issue": LOST},
        Issued(OWN),
        Ending("issued", None, OWN, may_still_land=True),
        id="the answer is lost, the key is there; what was found frees no lock",
    ),
    pytest.param(
        (ATTEMPT, REPLACING),
        {"look_up": [OLD, OLD, OWN], "issue": LOST},
        Issued(OWN),
        Ending("issued", None, OWN, may_still_land=True),
        id="the answer is lost, and the key replaces the old one at the second look",
    ),
    pytest.param(
        (ATTEMPT, SIGNED),
        {"look_up": [None, None, DOWN, OWN], "issue": LOST},
        Issued(OWN),
        Ending("issued", None, OWN, may_still_land=True),
        id="the answer is lost, and a look that fails is not the last",
    ),
]

PAYING_FIRST = [
    pytest.param(
        (PAYING, BUYER),
        {"payments": (), "look_up": [None, OWN], "pay": TAKEN},
        Issued(OWN, TAKEN),
        Ending("issued", None, OWN, TAKEN),
        id="paid",
    ),
    pytest.param(
        (PAYING, NEW_BUYER),
        {"payments": (), "look_up": OWN, "pay": TAKEN},
        Issued(OWN, TAKEN),
        Ending("issued", None, OWN, TAKEN),
        id="paid under a new uid",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": (READY,), "look_up": [None, OWN], "pay": TAKEN},
        Issued(OWN, TAKEN),
        Ending("issued", None, OWN, TAKEN),
        id="an abandoned payment window keeps nobody from paying",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": (REFUSED,), "look_up": [None, OWN], "pay": TAKEN},
        Issued(OWN, TAKEN),
        Ending("issued", None, OWN, TAKEN),
        id="an earlier failure keeps nobody from paying",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": (), "look_up": [None, None, OWN], "pay": TAKEN},
        Issued(OWN, TAKEN),
        Ending("issued", None, OWN, TAKEN),
        id="paid, and the key comes a moment later",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": (), "look_up": [None, DOWN], "pay": TAKEN},
        "outcome_unknown",
        "open",
        id="paid, and the key can't be looked up",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": (), "look_up": None, "pay": TAKEN},
        "paid_without_key",
        "open",
        id="paid, and two looks find no key, which may come until the attempt is due",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": (), "look_up": [None, None, DOWN], "pay": TAKEN},
        "outcome_unknown",
        "open",
        id="paid, no key at the first look, and the second fails",
    ),
    pytest.param(
        (PAYING, REPLACING_BUYER),
        {"payments": (), "look_up": OLD, "pay": TAKEN},
        "paid_without_key",
        "open",
        id="paid, and only the card that was there before is registered",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": (), "look_up": None, "pay": DOWN},
        "unavailable",
        not_sent("unavailable"),
        id="the payment was never sent",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": (), "look_up": None, "pay": GatewayError("http_429")},
        "gateway_error",
        not_sent("gateway_error"),
        id="the payment was certainly not processed",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": [(), (REFUSED,)], "look_up": None, "pay": NO},
        "declined",
        Ending("declined", "한도초과"),
        id="the payment is refused",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": (), "look_up": None, "pay": NOT_ACCEPTED},
        "gateway_refused",
        not_sent("gateway_refused"),
        id="the payment is not accepted",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": (), "look_up": [None, OWN], "pay": NOT_ACCEPTED},
        "gateway_refused",
        not_sent("gateway_refused", OWN, Leftover(OWN)),
        id="the payment is not accepted, and leaves a key behind that may be replaced",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": [(), DOWN], "look_up": None, "pay": NOT_ACCEPTED},
        "gateway_refused",
        not_sent("gateway_refused", leftover=UNSEEN),
        id="the payment is not accepted, and the order can't be looked at",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": [(), (PAID,)], "look_up": [None, OWN], "pay": NOT_ACCEPTED},
        Issued(OWN, TAKEN),
        Ending("issued", None, OWN, TAKEN, may_still_land=True),
        id="the payment is not accepted, and found paid: that wins",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": [(), (OF_ANOTHER_CUSTOMER,)], "look_up": None, "pay": NOT_ACCEPTED},
        "already_paid",
        not_sent("already_paid"),
        id="the payment is not accepted, and another customer has paid the order meanwhile",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": [(), (REFUSED,)], "look_up": [None, OWN], "pay": NO},
        "declined",
        Ending("declined", "한도초과", OWN, leftover=Leftover(OWN)),
        id="the payment is refused, and leaves a key behind that may be replaced",
    ),
    pytest.param(
        (PAYING, REPLACING_BUYER),
        {"payments": [(), (REFUSED,)], "look_up": OLD, "pay": NO},
        "declined",
        Ending("declined", "한도초과", OLD),
        id="the payment is refused, and the card that was there before is no leftover",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": [(), DOWN], "look_up": None, "pay": NO},
        "declined",
        Ending("declined", "한도초과", leftover=UNSEEN),
        id="the payment is refused, and the order can't be looked at",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": [(), (REFUSED,)], "look_up": [None, DOWN], "pay": NO},
        "declined",
        Ending("declined", "한도초과", leftover=UNSEEN),
        id="the payment is refused, and the key can't be looked up",
    ),
    pytest.param(
        (replace(PAYING, leftover=Leftover(LEFT)), BUYER),
        {"payments": (), "look_up": [LEFT, DOWN], "pay": NO},
        "declined",
        Ending("declined", "한도초과", leftover=Leftover(None, LEFT, True, SENT_CARD)),
        id="an older leftover survives a refusal after which nothing could be looked up",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": [(), (PAID,)], "look_up": [None, OWN], "pay": NO},
        Issued(OWN, TAKEN),
        Ending("issued", None, OWN, TAKEN, may_still_land=True),
        id="the payment is refused, and found paid: that wins",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": [(), (PAID,)], "look_up": None, "pay": NO},
        "paid_without_key",
        "open",
        id="the payment is refused, and found paid without a key",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": [(), (PAID,)], "look_up": [None, DOWN], "pay": NO},
        "outcome_unknown",
        "open",
        id="the payment is refused, and found paid, and the key can't be looked up",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": [(), (OF_ANOTHER_CUSTOMER,)], "look_up": None, "pay": NO},
        "already_paid",
        not_sent("already_paid"),
        id="the payment is refused as another customer paid the order meanwhile",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": [(), (BY_ANOTHER_WAY,)], "look_up": [None, OWN], "pay": NO},
        "already_paid",
        not_sent("already_paid", OWN, Leftover(OWN)),
        id="the payment is refused as the payment window was faster, and leaves a key behind",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": [(), (BY_ANOTHER_WAY,)], "look_up": [None, DOWN], "pay": NO},
        "already_paid",
        not_sent("already_paid", leftover=UNSEEN),
        id="the payment is refused as the payment window was faster, and the key can't be looked up",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": [(), (CANCELLED,)], "look_up": None, "pay": NO},
        "already_paid",
        not_sent("already_paid"),
        id="the payment is refused as the order was paid, and cancelled, meanwhile",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": [(), (PAID,)], "look_up": [None, OWN], "pay": LOST},
        Issued(OWN, TAKEN),
        Ending("issued", None, OWN, TAKEN, may_still_land=True),
        id="the payment's answer is lost, and it is paid",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": [(), (), (PAID,)], "look_up": [None, OWN], "pay": LOST},
        Issued(OWN, TAKEN),
        Ending("issued", None, OWN, TAKEN, may_still_land=True),
        id="the payment's answer is lost, and the key is there before the payment",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": [(), (PAID,)], "look_up": None, "pay": LOST},
        "outcome_unknown",
        "open",
        id="the payment's answer is lost, it is paid, and no key comes",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": (), "look_up": [None, OWN], "pay": LOST},
        "outcome_unknown",
        "open",
        id="the payment's answer is lost, and there is the key alone",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": [(), (REFUSED,)], "look_up": None, "pay": LOST},
        "outcome_unknown",
        "open",
        id="the payment's answer is lost, and a failure is found: Iamport may still be at work",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": [(), (OF_ANOTHER_CUSTOMER,)], "look_up": [None, OWN], "pay": LOST},
        "outcome_unknown",
        "open",
        id="the payment's answer is lost, and another customer has paid",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": [(), DOWN], "look_up": [None, OWN], "pay": LOST},
        "outcome_unknown",
        "open",
        id="the payment's answer is lost, and the order can't be looked at",
    ),
]

STORIES = [*NOTHING_SENT, *ISSUING, *PAYING_FIRST]


@pytest.mark.parametrize(("begun", "at_iamport", "expected", "told"), STORIES)
def test_an_attempt_is_carried_out(
    begun: tuple[Attempt, Customer], at_iamport: dict[str, Any], expected: object, told: Ending | str, logged: Lines
) -> None:
    attempt, customer = begun
    ledger = FakeLedger(attempt)
    assert attempted(customer, FakeIamport(prepare=None, **at_iamport), ledger) == expected
    assert ledger.told == [told]
    assert [of.attempt_id for of in ledger.told_of] == [attempt.attempt_id]
    assert logged() == []


@pytest.mark.parametrize(("begun", "at_iamport", "expected", "told"), STORIES)
def test_an_outcome_that_cannot_be_written_down_is_the_same_outcome(
    begun: tuple[Attempt, Customer],
    at_iamport: dict[str, Any],
    expected: object,
    told: Ending | str,  # noqa: ARG001 (would have been)
    logged: Lines,
) -> None:
    unreachable = Unavailable("ledger_unreachable: ReadTimeoutError")
    ledger = FakeLedger(begun[0], failing={"finish": unreachable, "leave_open": unreachable})
    assert attempted(begun[1], FakeIamport(prepare=None, **at_iamport), ledger) == expected
    (line,) = logged()
    assert (line["level"], line["message"]) == ("WARNING", "outcome not written down")
    assert line["reason"] == "ledger_unreachable: ReadTimeoutError"


@pytest.mark.parametrize(
    ("begun", "at_iamport", "steps"),
    [
        pytest.param(
            (ATTEMPT, SIGNED),
            {"look_up": None, "issue": OWN},
            ["prepare", "look_up", "note_seen", "issue", "finish"],
            id="the uid is looked up",
        ),
        pytest.param(
            (SENT, NEW),
            {"issue": OWN},
            ["prepare", "issue", "finish"],
            id="the uid has just been made: `begin` has noted already that nothing was there",
        ),
        pytest.param(
            (PAYING, BUYER),
            {"payments": (), "look_up": [None, OWN], "pay": TAKEN},
            ["prepare", "payments", "look_up", "note_seen", "pay", "look_up", "finish"],
            id="the order is looked at first",
        ),
        pytest.param(
            (PAYING, NEW_BUYER),
            {"payments": (), "look_up": OWN, "pay": TAKEN},
            ["prepare", "payments", "note_seen", "pay", "look_up", "finish"],
            id="the order is looked at, though the uid has just been made",
        ),
        pytest.param(
            (PAYING, BUYER),
            {"payments": (PAID,), "look_up": OWN},
            ["prepare", "payments", "look_up", "finish"],
            id="paid before: nothing is sent",
        ),
        pytest.param(
            (PAYING, BUYER),
            {"payments": (OF_ANOTHER_AMOUNT,)},
            ["prepare", "payments", "finish"],
            id="paid by another way: nothing is sent",
        ),
        pytest.param(
            (PAYING, BUYER),
            {"payments": (), "look_up": None, "pay": NO},
            ["prepare", "payments", "look_up", "note_seen", "pay", "payments", "look_up", "finish"],
            id="a refusal is looked at before it is told",
        ),
        pytest.param(
            (PAYING, BUYER),
            {"payments": [(), (PAID,)], "look_up": [None, OWN], "pay": LOST},
            ["prepare", "payments", "look_up", "note_seen", "pay", "payments", "look_up", "finish"],
            id="the payment is looked for before the key, which comes first",
        ),
    ],
)
def test_it_is_looked_and_noted_before_a_card_is_sent(
    begun: tuple[Attempt, Customer], at_iamport: dict[str, Any], steps: list[str]
) -> None:
    iamport = FakeIamport(prepare=None, **at_iamport)
    attempted(begun[1], iamport, FakeLedger(begun[0], steps=iamport.asked))
    assert iamport.asked == steps
    assert set(iamport.asked_of) <= {"mine", "order-1"}


@pytest.mark.parametrize(
    ("begun", "at_iamport", "noted"),
    [
        pytest.param((ATTEMPT, SIGNED), {"look_up": None, "issue": OWN}, Seen(), id="that nothing was there"),
        pytest.param((ATTEMPT, REPLACING), {"look_up": OLD, "issue": OWN}, Seen(OLD), id="a card"),
        pytest.param(
            (PAYING, BUYER),
            {"payments": (REFUSED, READY), "look_up": [None, OWN], "pay": TAKEN},
            Seen(None, ("imp_2", "imp_3")),
            id="payments, none of them paid",
        ),
        pytest.param(
            (PAYING, REPLACING_BUYER),
            {"payments": (REFUSED,), "look_up": [OLD, OWN], "pay": TAKEN},
            Seen(OLD, ("imp_2",)),
            id="a card and a payment",
        ),
        pytest.param(
            (replace(KNOWN, seen=Seen()), REPLACING),
            {"look_up": OLD, "issue": OWN},
            Seen(OLD),
            id="a card where `begin` had noted nothing",
        ),
    ],
)
def test_the_ledger_is_told_what_was_seen(
    begun: tuple[Attempt, Customer], at_iamport: dict[str, Any], noted: Seen
) -> None:
    ledger = FakeLedger(begun[0])
    attempted(begun[1], FakeIamport(prepare=None, **at_iamport), ledger)
    assert ledger.noted == [noted]
    assert [attempt.seen for attempt in ledger.told_of] == [noted]


@pytest.mark.parametrize("begun", [(ATTEMPT, SIGNED), (PAYING, BUYER)])
def test_an_attempt_that_was_closed_meanwhile_sends_nothing(begun: tuple[Attempt, Customer]) -> None:
    iamport, ledger = FakeIamport(prepare=None, payments=(), look_up=None), FakeLedger(begun[0], closed_meanwhile=True)
    assert attempted(begun[1], iamport, ledger) == "unavailable"
    assert ledger.noted == [Seen()]
    assert ledger.told == ["open"], "whoever closed it knows how it ended"


@pytest.mark.parametrize("begun", [(AFTER_A_NO, SIGNED), (replace(PAYING, leftover=Leftover(LEFT)), BUYER)])
def test_what_cannot_be_noted_is_not_sent(begun: tuple[Attempt, Customer]) -> None:
    iamport = FakeIamport(prepare=None, payments=(), look_up=LEFT)
    ledger = FakeLedger(begun[0], failing={"note_seen": Unavailable("ledger_unreachable")})
    assert attempted(begun[1], iamport, ledger) == "unavailable"
    assert ledger.told == [not_sent("unavailable", leftover=Leftover(LEFT))]
    assert [attempt.seen for attempt in ledger.told_of] == [None]


@pytest.mark.parametrize(
    ("customer", "leftover", "may"),
    [
        (SIGNED, None, False),
        (REPLACING, None, True),
        (SIGNED, Leftover(OLD), True),
        (SIGNED, Leftover(LEFT), False),
        (REPLACING, Leftover(LEFT), True),
    ],
)
def test_a_card_is_replaced_by_a_tokens_leave_or_as_a_leftover(
    customer: Customer, leftover: Leftover | None, may: bool
) -> None:
    assert may_replace(OLD, replace(KNOWN, leftover=leftover), customer) is may


@pytest.mark.parametrize("sent", ["issue", "pay"])
def test_each_step_leaves_time_for_those_after_it(sent: str) -> None:
    laid_out: dict[str, Any] = {"issue": LOST} if sent == "issue" else {"pay": LOST, "payments": [(), (PAID,)]}
    iamport = FakeIamport(prepare=None, look_up=[None, OWN], **laid_out)
    attempt, customer = (ATTEMPT, SIGNED) if sent == "issue" else (PAYING, BUYER)
    ledger, deadline = FakeLedger(attempt), Deadline.after(28)
    issue_billing_key(customer, CARD, services_of(iamport, ledger), deadline, "request-1")
    assert iamport.answers_by[sent].left() <= deadline.left() - 1 - 5, "a look-up may take five seconds"
    assert iamport.answers_by["look_up"].left() <= deadline.left() - 1, "writing down takes time too"
    assert iamport.answers_by["prepare"].left() <= deadline.left() - 1
    assert ledger.written_by["note_seen"].left() <= deadline.left() - 1
    assert ledger.written_by["finish"] == deadline


@pytest.mark.parametrize("breaks", [{"issue": KeyError("3333")}, {"issue": LOST, "look_up": [None, KeyError("3333")]}])
def test_a_bug_after_the_card_was_sent_leaves_the_attempt_open(breaks: dict[str, Any]) -> None:
    iamport, ledger = FakeIamport(**{"prepare": None, "look_up": None, **breaks}), FakeLedger(ATTEMPT)
    with pytest.raises(OutcomeUnknown) as told:
        issue_billing_key(SIGNED, CARD, services_of(iamport, ledger), Deadline.after(28), "request-1")
    assert (told.value.reason, str(told.value)) == ("KeyError", "KeyError"), "and nothing of its message"
    assert isinstance(told.value.__cause__, KeyError)
    assert ledger.told == ["open"]


def test_a_bug_in_looking_what_became_of_an_earlier_attempt_says_nothing_of_that_one() -> None:
    """It may have been the same request."""
    for earlier in (LEFT_OPEN, REPEATED):
        result, ledger = begun_with(earlier, customer=SIGNED, look_up=KeyError())
        assert result == "outcome_unknown"
        assert (len(ledger.asked_for), ledger.told) == (1, [])


def test_a_bug_after_an_earlier_attempt_was_settled_says_nothing_of_that_one() -> None:
    """It may just have been closed as a success of the same request."""
    result, ledger = begun_with(LEFT_OPEN, KeyError(), look_up=OWN)
    assert result == "outcome_unknown"
    assert ledger.told == [Ending("issued", None, OWN, may_still_land=True)]


def test_a_bug_in_looking_how_an_order_was_paid_before_says_nothing_of_its_payment() -> None:
    ledger = FakeLedger(PAYING)
    iamport = FakeIamport(prepare=None, payments=(PAID,), look_up=KeyError("3333"))
    with pytest.raises(OutcomeUnknown) as told:
        issue_billing_key(BUYER, CARD, services_of(iamport, ledger), Deadline.after(28), "request-1")
    assert (told.value.reason, type(told.value.__cause__)) == ("KeyError", KeyError)
    assert ledger.told == ["open"]


def test_a_bug_before_the_card_was_sent_is_what_it_is() -> None:
    ledger = FakeLedger(ATTEMPT, failing={"note_seen": KeyError()})
    with pytest.raises(InternalError) as told:
        issue_billing_key(
            SIGNED, CARD, services_of(FakeIamport(prepare=None, look_up=None), ledger), Deadline.after(28), "request-1"
        )
    assert isinstance(told.value.__cause__, KeyError)
    assert told.value.attempt_id == ATTEMPT.attempt_id
    assert ledger.told == []


def test_what_is_left_open_is_written_down_in_time_too() -> None:
    iamport, ledger = FakeIamport(prepare=None, look_up=None, issue=LOST), FakeLedger(ATTEMPT)
    deadline = Deadline.after(28)
    with pytest.raises(OutcomeUnknown):
        issue_billing_key(SIGNED, CARD, services_of(iamport, ledger), deadline, "request-1")
    assert ledger.written_by["leave_open"] == deadline


def test_a_refusal_is_told_in_iamports_words() -> None:
    told = refused(SENT_PAYING, NO, FakeIamport(payments=(), look_up=None), Deadline.after(20)).told
    assert told is NO


def test_a_refusal_without_a_payment_is_not_looked_at() -> None:
    """`FakeIamport()` would refuse to be asked."""
    assert refused(SENT, NO, FakeIamport(), Deadline.after(20)).ending == Ending("declined", "한도초과")


def times_of_looks(stopped_clock: StoppedClock, iamport: FakeIamport, seconds_left: float) -> list[float]:
    """When after the lost answer each look began, where none of them finds anything."""
    began = stopped_clock.monotonic
    assert find_out(SENT, LOST, iamport, Deadline.after(seconds_left)).told is LOST
    return [moment - began for moment in iamport.asked_at]


def test_it_is_looked_at_growing_pauses_within_ten_seconds(stopped_clock: StoppedClock) -> None:
    times = times_of_looks(stopped_clock, FakeIamport(look_up=None), 25)
    pauses = [later - earlier for earlier, later in pairwise(times)]
    assert times[0] == 0
    assert pauses == sorted(pauses)
    assert 5 <= len(times) <= 8
    assert 8 < times[-1] < 10
    assert stopped_clock.monotonic - 5_000 <= 10


@pytest.mark.parametrize("seconds_each", [0.3, 1.0, 4.9])
def test_looks_that_take_their_time_end_within_ten_seconds_too(
    stopped_clock: StoppedClock, seconds_each: float
) -> None:
    slow = FakeIamport(stopped_clock, seconds_each, look_up=DOWN)
    times = times_of_looks(stopped_clock, slow, 25)
    assert times[-1] < 10
    assert slow.answers_by["look_up"].moment <= 5_000 + 10, "a look that is under way then is broken off"


def test_it_is_not_looked_past_the_deadline(stopped_clock: StoppedClock) -> None:
    assert times_of_looks(stopped_clock, FakeIamport(look_up=None), 2) == [0, 0.5, 1.5]
    assert stopped_clock.monotonic - 5_000 <= 2


def test_it_is_not_looked_at_all_where_no_time_is_left(stopped_clock: StoppedClock) -> None:
    assert times_of_looks(stopped_clock, FakeIamport(), 0) == []


def test_a_key_that_is_there_at_once_is_not_waited_for(stopped_clock: StoppedClock) -> None:
    assert find_out(SENT, LOST, FakeIamport(look_up=OWN), Deadline.after(20)).told == Issued(OWN)
    assert sum(stopped_clock.slept) == 0


def test_what_stays_unknown_is_told_with_its_first_reason() -> None:
    outcome = find_out(SENT, LOST, FakeIamport(look_up=DOWN), Deadline.after(20))
    assert (outcome.told, outcome.ending) == (LOST, None)


@pytest.mark.parametrize("found", [None, OLD])
def test_a_clock_that_steps_makes_no_success_of_a_key_that_was_there_before(found: BillingKey | None) -> None:
    """Frozen and thawed, a function may find its attempt due: then more counts than a success."""
    due = replace(SENT, seen=Seen(OLD), ends_at=OVER - 60)
    assert find_out(due, LOST, FakeIamport(look_up=found), Deadline.after(20)).told is LOST


@pytest.mark.parametrize(
    ("looked_up", "told", "slept"),
    [
        pytest.param([OWN], Issued(OWN, TAKEN), 0, id="there at once"),
        pytest.param([None, OWN], Issued(OWN, TAKEN), 1, id="there a second later"),
        pytest.param([None, None], PaidWithoutKey, 1, id="two looks find none"),
        pytest.param([OLD, OLD], PaidWithoutKey, 1, id="two looks find another card"),
        pytest.param([DOWN], OutcomeUnknown, 0, id="the look fails"),
        pytest.param([None, DOWN], OutcomeUnknown, 1, id="the second look fails"),
    ],
)
def test_a_payments_key_is_looked_for_twice(
    stopped_clock: StoppedClock, looked_up: list[Any], told: Issued | type[BillingError], slept: float
) -> None:
    outcome = key_of_payment(SENT_PAYING, TAKEN, FakeIamport(look_up=looked_up), Deadline.after(20))
    if isinstance(told, Issued):
        assert (outcome.told, outcome.ending) == (told, Ending("issued", None, OWN, TAKEN))
    else:
        assert isinstance(outcome.told, told)
        assert outcome.ending is None, "a key may lag its payment, so the attempt stays open until it is due"
    assert sum(stopped_clock.slept) == slept


def test_the_payment_that_was_taken_without_a_key_is_told() -> None:
    told = key_of_payment(SENT_PAYING, TAKEN, FakeIamport(look_up=None), Deadline.after(20)).told
    assert isinstance(told, PaidWithoutKey)
    assert told.payment == TAKEN


def test_a_payments_key_is_not_waited_for_past_the_deadline(stopped_clock: StoppedClock) -> None:
    key_of_payment(SENT_PAYING, TAKEN, FakeIamport(look_up=None), Deadline.after(0.25))
    assert sum(stopped_clock.slept) == 0.25


def begun_with(
    *begun: Attempt | Repeated | LeftOpen | Exception, customer: Customer = BUYER, **at_iamport: Any
) -> tuple[object, FakeLedger]:
    """What `begin` gives, or the code of what it raises."""
    ledger = FakeLedger(*begun)
    services = services_of(FakeIamport(**at_iamport), ledger)
    return outcome(
        lambda: begin(
            new_attempt(customer, CARD, services, Deadline.after(28), "request-1"), services, Deadline.after(28)
        )
    ), ledger


LEFT_OPEN = LeftOpen(replace(SENT, attempt_id="earlier", ends_at=OVER))
LEFT_OPEN_LONG_AGO = LeftOpen(replace(SENT, attempt_id="earlier", ends_at=OVER - 60))
ORDERS_HOLDER = LeftOpen(
    replace(SENT_PAYING, customer_uid="another", attempt_id="holder", ends_at=OVER - 60, order=Order("order-1", 99_000))
)
REPEATED = Repeated(replace(SENT, attempt_id="first"), OWN, TAKEN)


def test_an_attempt_begins_as_the_ledger_says() -> None:
    result, ledger = begun_with(ATTEMPT)
    assert result == ATTEMPT
    assert (len(ledger.asked_for), ledger.no_repeat_of, ledger.told) == (1, [None], [])


@pytest.mark.parametrize("refusal", [InProgress(), TooManyAttempts(60, "attempts_per_card"), AlreadyPaid(), DOWN])
def test_what_the_ledger_refuses_is_not_begun(refusal: BillingError) -> None:
    iamport, ledger = FakeIamport(prepare=None), FakeLedger(refusal)
    assert attempted(BUYER, iamport, ledger) == refusal.code
    assert (iamport.asked, ledger.told) == (["prepare"], [])


def test_an_attempt_that_was_left_open_is_settled_before_the_next_begins() -> None:
    result, ledger = begun_with(LEFT_OPEN_LONG_AGO, ATTEMPT, look_up=None)
    assert result == ATTEMPT
    assert ledger.told == [Ending("not_issued")]
    assert ledger.told_of == [LEFT_OPEN_LONG_AGO.attempt]


def test_a_success_of_an_attempt_that_was_left_open_is_found_before_it_is_due() -> None:
    result, ledger = begun_with(LEFT_OPEN, REPEATED, look_up=OWN)
    assert result == Issued(OWN, TAKEN, "first")
    assert ledger.told == [Ending("issued", None, OWN, may_still_land=True)]


def test_what_holds_the_order_is_settled_as_well_as_what_holds_the_uid() -> None:
    result, ledger = begun_with(LEFT_OPEN_LONG_AGO, ORDERS_HOLDER, ATTEMPT, look_up=None, payments=())
    assert result == ATTEMPT
    assert ledger.told_of == [LEFT_OPEN_LONG_AGO.attempt, ORDERS_HOLDER.attempt]


def test_no_third_attempt_that_was_left_open_is_settled_too() -> None:
    result, ledger = begun_with(LEFT_OPEN_LONG_AGO, ORDERS_HOLDER, LEFT_OPEN_LONG_AGO, look_up=None, payments=())
    assert result == "in_progress"
    assert len(ledger.told) == 2


def test_an_attempt_of_which_nothing_is_known_before_it_is_due_is_in_progress() -> None:
    result, ledger = begun_with(LEFT_OPEN, LEFT_OPEN, LEFT_OPEN, look_up=None)
    assert result == "in_progress"
    assert ledger.told == []


def test_nothing_begins_while_an_earlier_attempt_cannot_be_looked_at() -> None:
    """It may have been a success: that nothing was sent would not be true."""
    result, ledger = begun_with(LEFT_OPEN, ATTEMPT, look_up=DOWN)
    assert result == "in_progress"
    assert (len(ledger.asked_for), ledger.told) == (1, [])


def test_a_ledger_that_fails_after_an_earlier_attempt_was_settled_is_in_progress() -> None:
    """That attempt may have been of the same request: of a success it would be told that nothing was sent."""
    result, ledger = begun_with(LEFT_OPEN, Unavailable("ledger_busy"), look_up=OWN)
    assert result == "in_progress"
    assert ledger.told == [Ending("issued", None, OWN, may_still_land=True)]


def test_a_repeated_request_gets_the_first_answer_where_the_key_is_there() -> None:
    iamport, ledger = FakeIamport(prepare=None, look_up=OWN), FakeLedger(REPEATED)
    assert attempted(BUYER, iamport, ledger) == Issued(OWN, TAKEN)
    assert (iamport.asked, iamport.asked_of, ledger.told) == (["prepare", "look_up"], ["mine"], [])


@pytest.mark.parametrize("found", [None, OLD, replace(OWN, updated=1)])
def test_a_repeated_request_whose_key_is_gone_is_a_new_attempt(found: BillingKey | None) -> None:
    result, ledger = begun_with(REPEATED, ATTEMPT, customer=SIGNED, look_up=found)
    assert result == ATTEMPT
    assert ledger.no_repeat_of == [None, "first"]
    assert ledger.asked_for[0] == ledger.asked_for[1]


def test_a_repeated_request_whose_key_cannot_be_looked_up_is_in_progress() -> None:
    """Success is never told from the ledger alone, and that nothing was sent would not be true."""
    result, ledger = begun_with(REPEATED, ATTEMPT, look_up=DOWN)
    assert result == "in_progress"
    assert len(ledger.asked_for) == 1


@pytest.mark.parametrize("second", [REPEATED, LEFT_OPEN])
def test_another_that_was_faster_after_a_repeats_key_was_gone_is_in_progress(second: Repeated | LeftOpen) -> None:
    result, ledger = begun_with(REPEATED, second, look_up=None)
    assert result == "in_progress"
    assert ledger.told == []


@pytest.mark.parametrize(
    ("customer", "order", "is_new"),
    [(SIGNED, None, False), (BUYER, Order("order-1", 99_000), False), (NEW, None, True)],
)
def test_the_ledger_is_asked_for_an_attempt(
    stopped_clock: StoppedClock, customer: Customer, order: Order | None, is_new: bool
) -> None:
    ledger = FakeLedger(ATTEMPT)
    services, deadline = services_of(FakeIamport(), ledger), Deadline.after(28)
    begin(new_attempt(customer, CARD, services, deadline, "request-1"), services, deadline)
    (new,) = ledger.asked_for
    assert new.request_id == "request-1"
    assert (new.customer_uid, new.order, new.masked_card) == ("mine", order, "000011******3333")
    assert new.is_new_customer is is_new
    assert new.ends_at == stopped_clock.wall + 28
    assert "0000111122223333" not in repr(new)
    assert new.card_fingerprint == services.fingerprints.of("0000111122223333")
    assert ledger.written_by["begin"] == deadline


@pytest.mark.parametrize(
    ("changes", "same_card", "same_request"),
    [
        ({}, True, True),
        ({"number": Sensitive("0000-1111-2222-4444")}, False, False),
        ({"expiry": Sensitive("2098-12")}, True, False),
        ({"birth": Sensitive("900102")}, True, False),
        ({"pwd_2digit": Sensitive("74")}, True, False),
    ],
)
def test_a_request_is_the_same_whose_card_data_all_are(
    changes: dict[str, Any], same_card: bool, same_request: bool
) -> None:
    ledger = FakeLedger(ATTEMPT, ATTEMPT)
    services = services_of(FakeIamport(), ledger)
    for card in (CARD, replace(CARD, **changes)):
        begin(new_attempt(SIGNED, card, services, Deadline.after(28), "request-1"), services, Deadline.after(28))
    one, other = ledger.asked_for
    assert (one.card_fingerprint == other.card_fingerprint) is same_card
    assert (one.request_fingerprint == other.request_fingerprint) is same_request
    assert one.attempt_id != other.attempt_id


def test_without_a_token_nothing_begins() -> None:
    ledger = FakeLedger()
    assert attempted(SIGNED, FakeIamport(prepare=DOWN), ledger) == "unavailable"
    assert (ledger.asked_for, ledger.steps) == ([], [])


@pytest.mark.parametrize(("earlier", "code"), [([], "unavailable"), ([SENT], "in_progress")])
def test_without_the_fingerprints_key_nothing_begins_and_what_is_open_is_in_progress(
    earlier: list[Attempt], code: str
) -> None:
    """It may be of the same request, and that nothing was sent would not be true."""
    ledger = FakeLedger()
    ledger.open = earlier
    services = replace(services_of(FakeIamport(), ledger), fingerprints=fingerprints_of(refused_by_aws("Throttling")))
    result = outcome(lambda: issue_billing_key(SIGNED, CARD, services, Deadline.after(28), "request-1"))
    assert (result, ledger.asked_for) == (code, [])


def test_without_leave_to_ask_for_a_token_nothing_begins() -> None:
    ledger = FakeLedger()
    assert attempted(SIGNED, FakeIamport(prepare=NOT_ACCEPTED), ledger) == "gateway_refused"
    assert (ledger.asked_for, ledger.steps) == ([], [])
    ledger.open = [SENT]
    assert attempted(SIGNED, FakeIamport(prepare=NOT_ACCEPTED), ledger) == "in_progress"


def test_without_a_token_an_attempt_that_is_open_is_in_progress() -> None:
    """The same request may have been sent a moment ago: that nothing was sent would not be true."""
    ledger = FakeLedger()
    ledger.open = [SENT]
    assert attempted(SIGNED, FakeIamport(prepare=DOWN), ledger) == "in_progress"
    assert (ledger.asked_for, ledger.steps) == ([], [])


def test_without_a_token_a_request_that_has_just_succeeded_is_in_progress() -> None:
    ledger = FakeLedger()
    ledger.repeated = ATTEMPT
    assert attempted(SIGNED, FakeIamport(prepare=DOWN), ledger) == "in_progress"
    assert ledger.asked_for == []


def test_nothing_begins_where_neither_iamport_nor_the_ledger_can_be_asked() -> None:
    ledger = FakeLedger(failing=Unavailable("ledger_unreachable"))
    assert attempted(SIGNED, FakeIamport(prepare=DOWN), ledger) == "unavailable"
    assert ledger.asked_for == []


# By way of `again`: issued, then charged

BY_AGAIN = replace(SETTINGS, first_payment="again")
CODE_1 = GatewayRefused("code_1")

CHARGING = [
    pytest.param(
        (PAYING, BUYER),
        {"payments": (), "look_up": [None, OWN], "issue": OWN, "charge": TAKEN},
        Issued(OWN, TAKEN),
        Ending("issued", None, OWN, TAKEN),
        id="issued and charged",
    ),
    pytest.param(
        (PAYING, NEW_BUYER),
        {"payments": (), "look_up": OWN, "issue": OWN, "charge": TAKEN},
        Issued(OWN, TAKEN),
        Ending("issued", None, OWN, TAKEN),
        id="issued and charged under a new uid",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": (), "look_up": None, "issue": NO},
        "declined",
        Ending("declined", "한도초과"),
        id="the key is refused: nothing is charged",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": (), "look_up": None, "issue": NOT_ACCEPTED},
        "gateway_refused",
        not_sent("gateway_refused"),
        id="issuing is not accepted: nothing is charged",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": (), "look_up": None, "issue": GatewayError("http_429")},
        "gateway_error",
        not_sent("gateway_error"),
        id="issuing was certainly not processed: nothing is charged",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": (), "look_up": None, "issue": DOWN},
        "unavailable",
        not_sent("unavailable"),
        id="the card was never sent: nothing is charged",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": (), "look_up": None, "issue": LOST},
        "outcome_unknown",
        "open",
        id="the answer to issuing is lost: nothing is charged on a guess",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": [(), (REFUSED,)], "look_up": [None, OWN], "issue": OWN, "charge": NO},
        "declined",
        Ending("declined", "한도초과", OWN, leftover=Leftover(OWN)),
        id="the charge is refused, and the key stays",
    ),
    pytest.param(
        (PAYING, REPLACING_BUYER),
        {"payments": (), "look_up": [OLD, OWN], "issue": OWN, "charge": NO},
        "declined",
        Ending("declined", "한도초과", OWN, leftover=Leftover(OWN)),
        id="the charge is refused, and the old card is gone",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": (), "look_up": [None, OWN], "issue": OWN, "charge": GatewayError("http_429")},
        "gateway_error",
        not_sent("gateway_error", OWN, Leftover(OWN)),
        id="the charge was certainly not processed, and the key stays",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": (), "look_up": [None, OWN], "issue": OWN, "charge": DOWN},
        "unavailable",
        not_sent("unavailable", OWN, Leftover(OWN)),
        id="the charge was never sent, and the key stays",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": (), "look_up": [None, OWN], "issue": OWN, "charge": NOT_ACCEPTED},
        "gateway_refused",
        not_sent("gateway_refused", OWN, Leftover(OWN)),
        id="the charge is not accepted, and the key stays",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": (), "look_up": None, "issue": OWN, "charge": CODE_1},
        "gateway_refused",
        replace(not_sent("gateway_refused", leftover=UNSEEN), may_still_land=True),
        id="the charge finds no key, and neither does the look: it may come, and the lock stays",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": (), "look_up": [None, DOWN], "issue": OWN, "charge": NO},
        "declined",
        Ending("declined", "한도초과", leftover=UNSEEN, may_still_land=True),
        id="the charge is refused, and the key, which was told, can't be looked up: the lock stays",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": [(), DOWN], "look_up": None, "issue": OWN, "charge": GatewayError("http_429")},
        "gateway_error",
        replace(not_sent("gateway_error", leftover=UNSEEN), may_still_land=True),
        id="the charge was not processed, and nothing can be looked up: the lock stays",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": [(), (OF_ANOTHER_CUSTOMER,)], "look_up": [None, OWN], "issue": OWN, "charge": NO},
        "already_paid",
        not_sent("already_paid", OWN, Leftover(OWN)),
        id="another customer has paid the order between key and charge",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": [(), (PAID,)], "look_up": [None, OWN], "issue": OWN, "charge": NO},
        Issued(OWN, TAKEN),
        Ending("issued", None, OWN, TAKEN, may_still_land=True),
        id="the charge is refused, and found paid: that wins",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": [(), (), (PAID,)], "look_up": [None, OWN], "issue": OWN, "charge": LOST},
        Issued(OWN, TAKEN),
        Ending("issued", None, OWN, TAKEN, may_still_land=True),
        id="the charge's answer is lost, and it is paid",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": (), "look_up": [None, OWN], "issue": OWN, "charge": LOST},
        "outcome_unknown",
        "open",
        id="the charge's answer is lost, and there is the key alone: a PG may be at work",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": (), "look_up": [None, DOWN], "issue": OWN, "charge": TAKEN},
        "outcome_unknown",
        "open",
        id="charged, and the key can't be looked up",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": (), "look_up": None, "issue": OWN, "charge": TAKEN},
        "paid_without_key",
        "open",
        id="charged, and two looks find no key: somebody has revoked it",
    ),
    pytest.param(
        (replace(PAYING, leftover=Leftover(OWN)), BUYER),
        {"payments": (), "look_up": OWN, "issue": OWN, "charge": TAKEN},
        Issued(OWN, TAKEN),
        Ending("issued", None, OWN, TAKEN),
        id="charged, and the same card had been put there in the same second, for a charge that was refused",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"payments": (PAID,), "look_up": OWN},
        Issued(OWN, TAKEN),
        Ending("issued", None, OWN, TAKEN),
        id="paid before: neither is asked for",
    ),
    pytest.param(
        (ATTEMPT, SIGNED),
        {"look_up": None, "issue": OWN},
        Issued(OWN),
        Ending("issued", None, OWN),
        id="without a payment nothing is charged",
    ),
]


@pytest.mark.parametrize(("begun", "at_iamport", "expected", "told"), CHARGING)
def test_a_first_payment_is_issued_and_then_charged(
    begun: tuple[Attempt, Customer], at_iamport: dict[str, Any], expected: object, told: Ending | str
) -> None:
    attempt, customer = begun
    ledger, iamport = FakeLedger(attempt), FakeIamport(prepare=None, **at_iamport)
    assert attempted(customer, iamport, ledger, settings=BY_AGAIN) == expected
    assert ledger.told == [told]
    assert iamport.asked.count("issue") <= 1
    assert iamport.asked.count("charge") == int("charge" in at_iamport)


def test_the_order_is_looked_at_before_the_key_is_issued_and_the_key_before_it_is_charged() -> None:
    ledger = FakeLedger(PAYING)
    iamport = FakeIamport(prepare=None, payments=(), look_up=[None, OWN], issue=OWN, charge=TAKEN)
    ledger.steps = iamport.asked
    attempted(BUYER, iamport, ledger, settings=BY_AGAIN)
    assert iamport.asked == [
        *("prepare", "payments", "look_up", "note_seen", "issue", "charge", "look_up", "finish"),
    ]


def test_time_to_charge_is_kept_before_the_key_is_issued(stopped_clock: StoppedClock) -> None:
    iamport = FakeIamport(prepare=None, payments=(), look_up=[None, OWN], issue=OWN, charge=TAKEN)
    attempted(BUYER, iamport, FakeLedger(PAYING), settings=BY_AGAIN)
    of_issuing, of_charging = (
        iamport.answers_by[verb].moment - stopped_clock.monotonic for verb in ("issue", "charge")
    )
    assert (of_issuing, of_charging) == (28 - 1.5 - 5 - 4, 28 - 1.5 - 5)


@pytest.mark.parametrize(
    ("at_iamport", "code", "key_stays"),
    [
        pytest.param({"look_up": [None, OWN], "charge": NO}, "declined", "this_card", id="refused"),
        pytest.param({"look_up": [None, OWN], "charge": DOWN}, "unavailable", "this_card", id="never sent"),
        pytest.param({"look_up": [None, DOWN], "charge": DOWN}, "unavailable", "unknown", id="told, and not looked up"),
        pytest.param({"look_up": None, "charge": CODE_1}, "gateway_refused", "unknown", id="told, and not found"),
        pytest.param({"look_up": None, "issue": NO}, "declined", "no", id="no key was issued"),
        pytest.param({"look_up": None, "issue": DOWN}, "unavailable", "", id="no card was sent"),
        pytest.param({"look_up": None, "issue": LOST}, "outcome_unknown", "", id="nobody knows yet"),
    ],
)
def test_a_first_payment_that_was_not_taken_tells_whether_its_key_stays(
    at_iamport: dict[str, Any], code: str, key_stays: str
) -> None:
    laid_out: dict[str, Any] = {"payments": (), "issue": OWN, **at_iamport}
    iamport = FakeIamport(prepare=None, **laid_out)
    services = services_of(iamport, FakeLedger(PAYING), BY_AGAIN)
    with pytest.raises(BillingError) as told:
        issue_billing_key(BUYER, CARD, services, Deadline.after(28), "request-1")
    assert (told.value.code, told.value.key_stays) == (code, key_stays)


@pytest.mark.parametrize(
    ("first_payment", "channel_key", "pg", "by_again"),
    [
        ("onetime", "", "", False),
        ("onetime", "", "ksnet.MID1", False),
        ("onetime", "channel-key-1", "", True),
        ("onetime", "channel-key-1", "ksnet.MID1", False),
        ("again", "", "", True),
        ("again", "", "ksnet.MID1", True),
        ("again", "channel-key-1", "", True),
        ("again", "channel-key-1", "ksnet.MID1", True),
    ],
)
def test_a_first_payment_goes_to_no_channel_that_nobody_chose(
    first_payment: Literal["onetime", "again"], channel_key: str, pg: str, by_again: bool
) -> None:
    assert goes_by_again(Channel(channel_key, pg), first_payment) == by_again


def test_a_token_that_names_a_channel_key_has_its_payment_charged_by_that_channels_key() -> None:
    customer = replace(BUYER, channel=Channel(channel_key="channel-key-1"))
    iamport = FakeIamport(prepare=None, payments=(), look_up=[None, OWN], issue=OWN, charge=PAID)
    attempted(customer, iamport, FakeLedger(PAYING))
    assert "charge" in iamport.asked
    assert "pay" not in iamport.asked
