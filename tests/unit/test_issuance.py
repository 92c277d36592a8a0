"""One attempt, step by step: for each thing that Iamport says, what the caller gets and what the ledger is told."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from billing.credentials import CredentialsStore
from billing.issuance import (
    Issued,
    begin,
    carry_out,
    find_out,
    finish_declined,
    issue_billing_key,
    key_of_payment,
)
from billing.model.attempt import Attempt, Ending, LeftOpen, Repeated
from billing.model.billing_key import BillingKey, FailedPayment
from billing.model.card import Card
from billing.model.customer import Customer, Payment
from billing.model.deadline import Deadline
from billing.model.errors import (
    BillingError,
    Declined,
    GatewayError,
    InProgress,
    OutcomeUnknown,
    Unavailable,
)
from billing.model.sensitive import Sensitive
from billing.services import Services
from tests.unit.conftest import Lines
from tests.unit.fakes import (
    ATTEMPT,
    OLD,
    OWN,
    PAYING,
    SETTINGS,
    TAKEN,
    FakeIamport,
    FakeLedger,
    FakeSecretsManager,
    StoppedClock,
    aws_of,
)

CARD = Card(Sensitive("0000-1111-2222-3333"), Sensitive("2099-12"), Sensitive("900101"), Sensitive("73"))
PAYMENT = Payment("order-1", 99_000, "first month", ())

SIGNED = Customer("mine", vouched_for=True, may_replace=False, payment=None, details=())
REPLACING = replace(SIGNED, may_replace=True)
OPEN = replace(SIGNED, vouched_for=False)
BUYER = replace(SIGNED, payment=PAYMENT)

KNOWN = replace(ATTEMPT, registered=OLD)
"""An attempt of which the ledger knows that a card is registered already."""
PUT_THERE_BY_HAND = replace(OLD, updated=ATTEMPT.iamport_time + 1)

DOWN = Unavailable("iamport_unreachable")
BROKEN_OFF = OutcomeUnknown("ReadTimeout", still_working=False)
STILL_WORKING = OutcomeUnknown("time_out", still_working=True)

AS_SENT = BillingKey("mine", None, "000011******3333", None, None)
"""What is told of a key that can't be looked up."""

pytestmark = pytest.mark.usefixtures("stopped_clock")


def services_of(iamport: FakeIamport, ledger: FakeLedger) -> Services:
    secret = '{"imp_key": "key", "imp_secret": "made-up"}'
    aws = aws_of(secrets_manager=FakeSecretsManager(secret))
    return Services(aws, CredentialsStore(SETTINGS, aws), iamport, ledger)


def outcome(attempt: Callable[[], object]) -> object:
    """What it gives, or the code of what it raises."""
    try:
        return attempt()
    except BillingError as failure:
        return failure.code


STORIES = [
    pytest.param(
        (ATTEMPT, SIGNED),
        {"issue": OWN},
        Issued(OWN),
        Ending("issued", None, OWN),
        id="issued",
    ),
    pytest.param(
        (ATTEMPT, SIGNED),
        {"issue": Declined("한도초과")},
        "declined",
        Ending("declined", "한도초과"),
        id="declined, in Iamport's words",
    ),
    pytest.param(
        (ATTEMPT, SIGNED),
        {"issue": DOWN},
        "unavailable",
        Ending("not_issued", "unavailable"),
        id="never sent",
    ),
    pytest.param(
        (ATTEMPT, SIGNED),
        {"issue": BROKEN_OFF, "look_up": None},
        "gateway_error",
        "open",
        id="the answer broke off, and there is no key",
    ),
    pytest.param(
        (ATTEMPT, SIGNED),
        {"issue": BROKEN_OFF, "look_up": OLD},
        "gateway_error",
        "open",
        id="the answer broke off, and there is only an older key",
    ),
    pytest.param(
        (ATTEMPT, SIGNED),
        {"issue": STILL_WORKING, "look_up": None},
        "outcome_unknown",
        "open and locked",
        id="Iamport may still be at work",
    ),
    pytest.param(
        (ATTEMPT, SIGNED),
        {"issue": BROKEN_OFF, "look_up": DOWN},
        "outcome_unknown",
        "open and locked",
        id="the answer broke off, and the key can't be looked up",
    ),
    pytest.param(
        (ATTEMPT, SIGNED),
        {"issue": BROKEN_OFF, "look_up": [None, DOWN]},
        "outcome_unknown",
        "open and locked",
        id="the answer broke off, and the key can't be looked up again",
    ),
    pytest.param(
        (ATTEMPT, SIGNED),
        {"issue": STILL_WORKING, "look_up": OWN},
        Issued(OWN),
        Ending("issued", None, OWN),
        id="the answer was late, the key is there",
    ),
    pytest.param(
        (ATTEMPT, SIGNED),
        {"issue": BROKEN_OFF, "look_up": [None, OWN]},
        Issued(OWN),
        Ending("issued", None, OWN),
        id="the answer broke off, the key is there at the second look",
    ),
    pytest.param(
        (ATTEMPT, OPEN),
        {"look_up": OLD},
        "already_registered",
        Ending("not_issued", "already_registered", OLD),
        id="nobody vouches for the uid, and a card is registered",
    ),
    pytest.param(
        (ATTEMPT, OPEN),
        {"look_up": None, "issue": OWN},
        Issued(OWN),
        Ending("issued", None, OWN),
        id="nobody vouches for the uid, and nothing is registered",
    ),
    pytest.param(
        (ATTEMPT, OPEN),
        {"look_up": DOWN},
        "unavailable",
        Ending("not_issued", "unavailable"),
        id="nobody vouches for the uid, and it can't be looked up",
    ),
    pytest.param(
        (KNOWN, SIGNED),
        {"look_up": OLD},
        "already_registered",
        Ending("not_issued", "already_registered", OLD),
        id="a card is registered that may not be replaced",
    ),
    pytest.param(
        (KNOWN, SIGNED),
        {"look_up": None, "issue": OWN},
        Issued(OWN),
        Ending("issued", None, OWN),
        id="the card that was registered is gone",
    ),
    pytest.param(
        (KNOWN, REPLACING),
        {"look_up": OLD, "issue": OWN},
        Issued(OWN),
        Ending("issued", None, OWN),
        id="a card is replaced",
    ),
    pytest.param(
        (KNOWN, REPLACING),
        {"look_up": PUT_THERE_BY_HAND, "issue": BROKEN_OFF},
        "gateway_error",
        "open",
        id="what was registered a moment ago is not taken for this attempt's",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"paid": None, "pay": TAKEN, "look_up": OWN},
        Issued(OWN, TAKEN),
        Ending("issued", None, OWN, TAKEN),
        id="paid",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"paid": None, "pay": TAKEN, "look_up": DOWN},
        Issued(AS_SENT, TAKEN, looked_up=False),
        "open",
        id="paid, and the key can't be looked up",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"paid": None, "pay": TAKEN, "look_up": None},
        Issued(AS_SENT, TAKEN, looked_up=False),
        "open",
        id="paid, and the key isn't there yet",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"paid": TAKEN, "look_up": OWN},
        Issued(OWN, TAKEN),
        Ending("issued", None, OWN, TAKEN),
        id="paid before: nothing is sent",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"paid": TAKEN, "look_up": DOWN},
        Issued(AS_SENT, TAKEN, looked_up=False),
        "open",
        id="paid before, and the key can't be looked up: nothing is sent",
    ),
    pytest.param(
        (replace(PAYING, registered=OLD), BUYER),
        {"paid": None, "look_up": OLD},
        "already_registered",
        Ending("not_issued", "already_registered", OLD),
        id="not paid, as a card is registered that may not be replaced",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"paid": DOWN},
        "unavailable",
        "open",
        id="nobody knows whether it was paid before: nothing is sent, and nothing is called ended",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"paid": None, "pay": DOWN},
        "unavailable",
        "open",
        id="the payment was never sent",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"paid": None, "pay": Declined("한도초과"), "look_up": None, "newest": FailedPayment("한도초과")},
        "declined",
        Ending("declined", "한도초과"),
        id="the payment is refused",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"paid": None, "pay": Declined("한도초과"), "look_up": OWN, "newest": FailedPayment("한도초과")},
        "declined",
        Ending("declined", "한도초과", OWN),
        id="the payment is refused, and leaves a key behind",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"paid": [None, TAKEN], "pay": STILL_WORKING, "look_up": OWN},
        Issued(OWN, TAKEN),
        Ending("issued", None, OWN, TAKEN),
        id="the payment's answer was late, and it is paid",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"paid": [None, TAKEN], "pay": BROKEN_OFF, "look_up": None},
        Issued(AS_SENT, TAKEN, looked_up=False),
        "open",
        id="the payment's answer broke off, it is paid, and the key isn't there yet",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"paid": None, "pay": BROKEN_OFF, "look_up": None, "newest": FailedPayment("한도초과")},
        "declined",
        Ending("declined", "한도초과"),
        id="the payment's answer broke off, and it is refused",
    ),
    pytest.param(
        (PAYING, BUYER),
        {"paid": None, "pay": BROKEN_OFF, "look_up": None, "newest": None},
        "outcome_unknown",
        "open and locked",
        id="the payment's answer broke off, and none is found: never safe to try again",
    ),
]
"""(attempt, customer), what Iamport gives or raises, what the caller gets, what the ledger is told."""


@pytest.mark.parametrize(("begun", "at_iamport", "expected", "told"), STORIES)
def test_an_attempt_is_carried_out(
    begun: tuple[Attempt, Customer], at_iamport: dict[str, Any], expected: object, told: Ending | str, logged: Lines
) -> None:
    ledger = FakeLedger()
    services = services_of(FakeIamport(**at_iamport), ledger)
    assert outcome(lambda: carry_out(*begun, CARD, services, Deadline.after(28))) == expected
    assert ledger.told == [told]
    assert logged() == []


@pytest.mark.parametrize(("begun", "at_iamport", "expected", "told"), STORIES)
def test_an_outcome_that_cannot_be_written_down_is_the_same_outcome(
    begun: tuple[Attempt, Customer],
    at_iamport: dict[str, Any],
    expected: object,
    told: Ending | str,  # noqa: ARG001 (would have been)
    logged: Lines,
) -> None:
    ledger = FakeLedger(failing=Unavailable("ledger_unreachable: ReadTimeoutError"))
    services = services_of(FakeIamport(**at_iamport), ledger)
    assert outcome(lambda: carry_out(*begun, CARD, services, Deadline.after(28))) == expected
    (line,) = logged()
    assert (line["level"], line["message"]) == ("WARNING", "outcome not written down")
    assert line["reason"] == "ledger_unreachable: ReadTimeoutError"


def test_a_refused_payment_whose_key_cannot_be_looked_up_is_left_to_the_settler(logged: Lines) -> None:
    iamport = FakeIamport(paid=None, pay=Declined("한도초과"), look_up=DOWN)
    ledger = FakeLedger()
    with pytest.raises(Declined, check=lambda declined: declined.message == "한도초과"):
        carry_out(PAYING, BUYER, CARD, services_of(iamport, ledger), Deadline.after(28))
    assert ledger.told == []
    assert [line["reason"] for line in logged()] == ["iamport_unreachable"]


def test_the_ledger_is_told_of_the_card_that_was_found_registered() -> None:
    ledger = FakeLedger()
    iamport = FakeIamport(look_up=PUT_THERE_BY_HAND, issue=OWN)
    carry_out(KNOWN, REPLACING, CARD, services_of(iamport, ledger), Deadline.after(28))
    assert [attempt.registered for attempt in ledger.told_of] == [PUT_THERE_BY_HAND]


@pytest.mark.parametrize(
    ("begun", "at_iamport", "asked"),
    [
        ((ATTEMPT, SIGNED), {"issue": OWN}, ["issue"]),
        ((ATTEMPT, OPEN), {"look_up": None, "issue": OWN}, ["look_up", "issue"]),
        ((KNOWN, SIGNED), {"look_up": None, "issue": OWN}, ["look_up", "issue"]),
        ((PAYING, BUYER), {"paid": None, "pay": TAKEN, "look_up": OWN}, ["paid", "pay", "look_up"]),
        ((PAYING, BUYER), {"paid": TAKEN, "look_up": OWN}, ["paid", "look_up"]),
    ],
)
def test_what_can_be_lost_is_asked_for_before_the_card_is_sent(
    begun: tuple[Attempt, Customer], at_iamport: dict[str, Any], asked: list[str]
) -> None:
    iamport = FakeIamport(**at_iamport)
    carry_out(*begun, CARD, services_of(iamport, FakeLedger()), Deadline.after(28))
    assert iamport.asked == asked


@pytest.mark.parametrize("sent", ["issue", "pay"])
def test_each_step_leaves_time_for_those_after_it(sent: str) -> None:
    iamport = FakeIamport(**{sent: BROKEN_OFF}, paid=[None, TAKEN], look_up=OWN)
    ledger = FakeLedger()
    begun = (ATTEMPT, SIGNED) if sent == "issue" else (PAYING, BUYER)
    deadline = Deadline.after(28)
    carry_out(*begun, CARD, services_of(iamport, ledger), deadline)
    answered, looked_up = iamport.answers_by[sent].left(), iamport.answers_by["look_up"].left()
    assert answered <= looked_up - 5, "a look-up may take five seconds"
    assert looked_up <= deadline.left() - 1, "writing down takes time too"
    assert ledger.written_by == deadline


def test_a_refused_payment_is_looked_up_in_time_to_be_written_down() -> None:
    iamport = FakeIamport(paid=None, look_up=OWN, newest=FailedPayment(None))
    ledger, deadline = FakeLedger(), Deadline.after(28)
    finish_declined(PAYING, Declined(None), services_of(iamport, ledger), deadline)
    assert iamport.answers_by["look_up"].left() <= deadline.left() - 1
    assert ledger.written_by == deadline


def test_a_card_that_is_declined_without_a_payment_is_not_looked_up() -> None:
    iamport, ledger = FakeIamport(), FakeLedger()
    finish_declined(ATTEMPT, Declined("no"), services_of(iamport, ledger), Deadline.after(28))
    assert (iamport.asked, ledger.told) == ([], [Ending("declined", "no")])


@pytest.mark.parametrize(
    ("seconds_left", "slept"),
    [
        pytest.param(20.0, 1.0, id="a second later"),
        pytest.param(0.25, 0.25, id="not past the deadline"),
    ],
)
def test_a_key_that_is_not_there_is_looked_for_twice(
    stopped_clock: StoppedClock, seconds_left: float, slept: float
) -> None:
    iamport = FakeIamport(look_up=None)
    with pytest.raises(GatewayError):
        find_out(ATTEMPT, iamport, BROKEN_OFF, Deadline.after(seconds_left))
    assert iamport.asked == ["look_up", "look_up"]
    assert sum(stopped_clock.slept) == slept


def test_a_key_that_is_there_at_once_is_not_waited_for(stopped_clock: StoppedClock) -> None:
    assert find_out(ATTEMPT, FakeIamport(look_up=OWN), BROKEN_OFF, Deadline.after(20)) == Issued(OWN)
    assert sum(stopped_clock.slept) == 0


@pytest.mark.parametrize("unknown", [BROKEN_OFF, STILL_WORKING])
def test_what_stays_unknown_is_told_with_its_first_reason(unknown: OutcomeUnknown) -> None:
    with pytest.raises(OutcomeUnknown) as raised:
        find_out(ATTEMPT, FakeIamport(look_up=DOWN), unknown, Deadline.after(20))
    assert raised.value is unknown


@pytest.mark.parametrize(
    ("looked_up", "issued"),
    [
        (OWN, Issued(OWN, TAKEN)),
        (OLD, Issued(OLD, TAKEN)),
        (None, Issued(AS_SENT, TAKEN, looked_up=False)),
        (DOWN, Issued(AS_SENT, TAKEN, looked_up=False)),
    ],
)
def test_a_payment_stands_whether_or_not_its_key_can_be_looked_up(
    looked_up: BillingKey | Exception | None, issued: Issued
) -> None:
    assert key_of_payment(TAKEN, PAYING, FakeIamport(look_up=looked_up), Deadline.after(20)) == issued


def begun_with(*begun: Attempt | Repeated | LeftOpen, **at_iamport: Any) -> tuple[object, FakeLedger]:
    """What `begin` gives, or the code of what it raises."""
    ledger = FakeLedger(*begun)
    services = services_of(FakeIamport(**at_iamport), ledger)
    return outcome(lambda: begin(BUYER, CARD, services, Deadline.after(28))), ledger


LEFT_OPEN = LeftOpen(replace(ATTEMPT, attempt_id="earlier"))
REPEATED = Repeated(OWN, TAKEN)


@pytest.mark.parametrize("begun", [ATTEMPT, REPEATED])
def test_an_attempt_begins_as_the_ledger_says(begun: Attempt | Repeated) -> None:
    result, ledger = begun_with(begun)
    assert result == begun
    assert (len(ledger.asked_for), ledger.told) == (1, [])


@pytest.mark.parametrize("begun", [ATTEMPT, REPEATED])
def test_an_attempt_that_was_left_open_is_settled_before_the_next_begins(begun: Attempt | Repeated) -> None:
    result, ledger = begun_with(LEFT_OPEN, begun, look_up=OWN)
    assert result == begun
    assert ledger.told == [Ending("issued", None, OWN)]
    assert ledger.told_of == [LEFT_OPEN.attempt]


def test_a_second_attempt_that_was_left_open_is_not_settled_too() -> None:
    result, ledger = begun_with(LEFT_OPEN, LEFT_OPEN, look_up=None)
    assert result == InProgress.code
    assert len(ledger.told) == 1


def test_nothing_begins_while_the_earlier_attempt_cannot_be_settled() -> None:
    result, ledger = begun_with(LEFT_OPEN, ATTEMPT, look_up=DOWN)
    assert result == Unavailable.code
    assert (len(ledger.asked_for), ledger.told) == (1, [])


@pytest.mark.parametrize(("customer", "merchant_uid"), [(SIGNED, None), (BUYER, "order-1")])
def test_the_ledger_is_asked_for_an_attempt(
    stopped_clock: StoppedClock, customer: Customer, merchant_uid: str | None
) -> None:
    ledger = FakeLedger(ATTEMPT)
    services = services_of(FakeIamport(), ledger)
    begin(customer, CARD, services, Deadline.after(28))
    (new,) = ledger.asked_for
    assert (new.customer_uid, new.merchant_uid, new.masked_card) == ("mine", merchant_uid, "000011******3333")
    assert new.iamport_time == services.iamport.now()
    assert new.ends_at == stopped_clock.wall + 28
    assert "0000111122223333" not in repr(new)
    assert new.card_fingerprint == services.credentials.read().fingerprint("0000111122223333")


def test_a_repeated_request_gets_the_first_answer_and_sends_nothing() -> None:
    iamport, ledger = FakeIamport(prepare=None), FakeLedger(REPEATED)
    issued = issue_billing_key(SIGNED, CARD, services_of(iamport, ledger), Deadline.after(28))
    assert issued == Issued(OWN, TAKEN)
    assert (iamport.asked, ledger.told) == (["prepare"], [])


def test_a_new_request_is_carried_out() -> None:
    iamport, ledger = FakeIamport(prepare=None, issue=OWN), FakeLedger(ATTEMPT)
    assert issue_billing_key(SIGNED, CARD, services_of(iamport, ledger), Deadline.after(28)) == Issued(OWN)
    assert ledger.told == [Ending("issued", None, OWN)]


def test_without_a_token_nothing_begins() -> None:
    ledger = FakeLedger()
    with pytest.raises(Unavailable):
        issue_billing_key(SIGNED, CARD, services_of(FakeIamport(prepare=DOWN), ledger), Deadline.after(28))
    assert ledger.asked_for == []
