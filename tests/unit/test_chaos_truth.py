"""What the storm takes for wrong, and what it does not."""

from dataclasses import replace
from typing import Any

import pytest

from infra.local.iamport.history import Happening
from tests.chaos.truth import Event, Task, Told, judge

PAID = Happening(1.0, "paid", "mine", "00001111****3333", "api", "order-1", "imp_1")
SENT_NOTHING = {"customer_uid": "mine", "state": "not_issued", "merchant_uid": "order-1"}


TASK = Task(7, "signed", "mine", "0000-1111-2222-3333", None, False, {}, None)
CARD, OTHER_CARD = "000011******3333", "000099******8888"
KEY = Happening(2.0, "registered", "mine", "00001111****3333", "api")
OTHER_KEY = Happening(0.5, "registered", "mine", "00009999****8888", "api")
EVENT = Event("billing_key.issued", "one", "mine", "request-7", CARD, "", began_at=1.0, ended_at=3.0)
PAYING_EVENT = replace(EVENT, name="payment.paid", imp_uid="imp_1")
KEYLESS = replace(PAYING_EVENT, name="payment.paid_without_key")


def asked(code: str | None = None, **body: Any) -> Told:
    return Told(TASK, code, body, 1.0, 3.0)


def disagreements(
    *events: Event, told: Told | None = None, history: tuple[Happening, ...] = (KEY,), begun: tuple[str, ...] = ("one",)
) -> list[str]:
    return judge([told or asked()], history, [], [], begun, events).disagreements


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        pytest.param([], ["order-1: imp_1 left as 0 events"], id="a payment that was closed as none"),
        pytest.param([PAYING_EVENT], [], id="an earlier attempt's, which told of it"),
        pytest.param(
            [PAYING_EVENT, replace(PAYING_EVENT, attempt_id="two")],
            ["order-1: imp_1 left as 2 events"],
            id="told of twice",
        ),
    ],
)
def test_every_payment_leaves_as_one_event(events: list[Event], expected: list[str]) -> None:
    begun = tuple(event.attempt_id for event in events)
    assert disagreements(*events, history=(PAID, KEY), begun=begun) == expected


@pytest.mark.parametrize(
    ("begun", "events", "expected"),
    [
        ((), [], []),
        (("one",), [EVENT], []),
        (("one",), [], ["attempt one left as 0 events"]),
        (("one",), [EVENT, EVENT], ["attempt one left as 2 events"]),
    ],
)
def test_every_attempt_leaves_as_one_event(begun: tuple[str, ...], events: list[Event], expected: list[str]) -> None:
    assert disagreements(*events, begun=begun) == expected


@pytest.mark.parametrize("request_id", ["", "request-8"])
def test_an_event_names_the_request_that_its_caller_was_told(request_id: str) -> None:
    assert disagreements(replace(EVENT, request_id=request_id)) == [
        f"mine: billing_key.issued is told under {request_id or 'no request_id'}, of another"
    ]


@pytest.mark.parametrize(
    ("event", "told", "history", "is_true"),
    [
        pytest.param(EVENT, asked(), (KEY,), True, id="the card that is registered"),
        pytest.param(EVENT, asked(), (OTHER_KEY,), False, id="a card that is not"),
        pytest.param(EVENT, asked(), (replace(KEY, at=4.0),), False, id="one that was registered later"),
        pytest.param(replace(EVENT, card=""), asked(), (), False, id="none"),
        pytest.param(EVENT, asked("issued", card={"number": CARD}), (KEY,), True, id="what was answered"),
        pytest.param(
            EVENT, asked("issued", card={"number": OTHER_CARD}), (OTHER_KEY, KEY), False, id="not what was answered"
        ),
        pytest.param(PAYING_EVENT, asked(), (PAID, KEY), True, id="the card that was paid with"),
        pytest.param(
            replace(PAYING_EVENT, card=OTHER_CARD), asked(), (OTHER_KEY, PAID, KEY), False, id="not what was paid with"
        ),
        pytest.param(
            replace(PAYING_EVENT, card=OTHER_CARD),
            asked(),
            (PAID, KEY, replace(OTHER_KEY, at=2.5, by="others")),
            True,
            id="the key that somebody else registered meanwhile",
        ),
        pytest.param(KEYLESS, asked(), (PAID,), True, id="paid with it, and no key"),
        pytest.param(replace(KEYLESS, card=OTHER_CARD), asked(), (PAID,), False, id="no key, and not paid with it"),
        pytest.param(replace(KEYLESS, card=""), asked(), (PAID,), True, id="found paid, and no key"),
        pytest.param(replace(EVENT, name="billing_key.declined"), asked(), (), True, id="the card that was tried"),
        pytest.param(
            replace(EVENT, name="payment.failed", card=OTHER_CARD), asked(), (OTHER_KEY,), False, id="not the tried one"
        ),
        pytest.param(replace(EVENT, name="billing_key.unknown", card=""), asked(), (), False, id="tried, and none"),
    ],
)
def test_an_event_names_the_right_card(event: Event, told: Told, history: tuple[Happening, ...], is_true: bool) -> None:
    assert (disagreements(event, told=told, history=history) == []) is is_true


def test_an_attempt_that_says_paid_is_paid() -> None:
    says_paid = {**SENT_NOTHING, "state": "paid_without_key"}
    assert judge([], [], [], [says_paid], [], []).disagreements == ["mine: order-1 is paid_without_key, and not paid"]


PAYING_TASK = replace(TASK, order="order-1")
NO = Told(PAYING_TASK, "unavailable", {}, 1.0, 3.0)
KEY_STAYS = Told(PAYING_TASK, "declined", {"key_stays": "this_card"}, 0.5, 3.0)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        pytest.param([NO], ["mine 0000-1111-2222-3333 unavailable: it was registered"], id="nobody said so"),
        pytest.param([NO, NO], ["mine 0000-1111-2222-3333 unavailable: it was registered"] * 2, id="neither said so"),
        pytest.param([KEY_STAYS], [], id="it said so"),
        pytest.param([KEY_STAYS, NO], [], id="the one before it said so of its own key"),
    ],
)
def test_who_says_that_nothing_was_registered_answers_for_its_own_request(
    told: list[Told], expected: list[str]
) -> None:
    assert judge(told, [KEY], [], [], [], []).false_answers == expected


TAKEN_BY_A_REPEAT = [KEY, replace(KEY, at=5.0), replace(PAID, at=6.0)]
SUCCESS = {"card": {"number": CARD}, "payment": {"imp_uid": "imp_1"}}
TOLD_OF_BOTH = [NO, Told(PAYING_TASK, "issued", SUCCESS, 4.0, 7.0)]
WITHOUT_LEAVE = ["mine: 00001111****3333 by 00001111****3333"]


@pytest.mark.parametrize(
    ("told", "history", "expected"),
    [
        pytest.param(TOLD_OF_BOTH, TAKEN_BY_A_REPEAT, [], id="what a payment left that its repeat took"),
        pytest.param(TOLD_OF_BOTH, [replace(PAID, at=2.5), KEY, replace(KEY, at=5.0)], WITHOUT_LEAVE, id="paid before"),
        pytest.param(
            [replace(TOLD_OF_BOTH[1], answered_at=4.5)], TAKEN_BY_A_REPEAT, WITHOUT_LEAVE, id="told as a success before"
        ),
        pytest.param([asked("declined")], [KEY, replace(KEY, at=5.0)], WITHOUT_LEAVE, id="left by no payment"),
    ],
)
def test_a_key_is_replaced_by_leave_alone_but_for_what_a_payment_left(
    told: list[Told], history: list[Happening], expected: list[str]
) -> None:
    assert judge(told, history, [], [], [], []).overwritten == expected
