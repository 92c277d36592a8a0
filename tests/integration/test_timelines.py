"""Timelines that once ended in an answer, a ledger or an event that was not so, each by its shortest way.

Time is put forward, not waited for. A function that dies does so before it writes its outcome down.
"""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from infra.local.aws import Aws
from infra.local.event_pipe import Stream
from infra.local.iamport import Raw, Simulator, faults
from infra.local.iamport.cards import number_of
from tests.attempts_table import item_of, plain
from tests.conftest import ClockAhead
from tests.integration.door import CARD_NUMBER, Door, JsonAnswer, form_fields, settle, signed_fields
from tests.waiting import eventually

OTHER_CARD = "0000-9999-9999-8888"
PAYMENT = {"merchant_uid": "order-1", "amount": 99_000, "name": "구독"}
INVOCATION_SECONDS = 28
PG_SECONDS = 60

Events = Callable[[], list[str]]
Dying = Callable[..., None]


def landing_late(iamport: Simulator, endpoint: str) -> threading.Event:
    """A proxy gives up on the next call at once, and Iamport goes on: what is asked lands when the event is set."""
    landing = threading.Event()
    iamport.fail_next(endpoint, faults.landing(faults.SERVER_ERROR, 0.0))
    iamport.before(endpoint, lambda: landing.wait(30.0))
    return landing


class Died(BaseException):
    """Nothing catches it, as nothing catches the end of a process."""


def die(*_: object) -> None:
    raise Died


@pytest.fixture
def dying(monkeypatch: pytest.MonkeyPatch) -> Dying:
    """A container that is gone before it can write down what became of its card, or where else it is told to be."""

    def post(door: Door, fields: dict[str, str], at: str = "billing.issuance.write_down") -> None:
        with monkeypatch.context() as patch:
            patch.setattr(at, die)
            with pytest.raises(Died):
                door.post_json(fields)

    return post


def state_of(aws: Aws, customer_uid: str) -> str:
    return plain(item_of(aws, customer_uid))["state"]


@pytest.fixture
def events(aws: Aws) -> Events:
    """What has left since the test began, in its order."""
    stream = Stream(aws)

    def left() -> list[str]:
        images = [record["dynamodb"].get("NewImage", {}) for record in stream.records()]
        return [image["event"]["S"] for image in images if "event" in image]

    return left


def shown_card(answer: JsonAnswer) -> str:
    return str(answer.body["card"]["number"])[-4:]


# Success that is none


def test_a_card_that_the_payment_window_registered_is_not_overwritten(signed_door: Door, iamport: Simulator) -> None:
    iamport.register("mine", OTHER_CARD)
    assert signed_door.post_json(signed_fields("mine")).outcome == (409, "already_registered")
    assert iamport.customers["mine"].card_number.endswith("8888")


def test_a_card_of_an_attempt_that_was_given_up_is_not_overwritten(
    signed_door: Door, iamport: Simulator, clock: ClockAhead, dying: Dying, aws: Aws
) -> None:
    dying(signed_door, signed_fields("mine"))
    clock.advance(2 * 86_400)
    iamport.choose_fault = lambda call: faults.SERVER_ERROR if call.endpoint == "look_up" else None
    settle()
    assert state_of(aws, "mine") == "unknown"
    iamport.choose_fault = lambda _: None
    assert signed_door.post_json(signed_fields("mine", OTHER_CARD)).outcome == (409, "already_registered")


def test_a_uid_that_the_ledger_knows_is_looked_up_though_the_token_calls_it_new(
    signed_door: Door, iamport: Simulator
) -> None:
    assert signed_door.post_json(signed_fields("mine", new=True)).outcome == (200, "issued")
    assert "look_up" not in iamport.endpoints
    assert signed_door.post_json(signed_fields("mine", OTHER_CARD, new=True)).outcome == (409, "already_registered")


def test_a_repeat_is_no_success_once_the_key_is_gone(door: Door, iamport: Simulator) -> None:
    fields = form_fields()
    assert door.post_json(fields).outcome == (200, "issued")
    iamport.revoke(fields["customer_uid"])
    assert door.post_json(fields).outcome == (200, "issued")
    assert fields["customer_uid"] in iamport.customers


@pytest.mark.parametrize("change", [{"birth": "900102"}, {"pwd_2digit": "08"}, {"expiry": "2098-12"}])
def test_the_same_number_with_other_details_is_no_repeat(door: Door, change: dict[str, str]) -> None:
    fields = form_fields()
    assert door.post_json(fields).outcome == (200, "issued")
    assert door.post_json({**fields, **change}).outcome == (409, "already_registered")


def test_a_repeat_whose_key_can_not_be_looked_up_is_in_progress(door: Door, iamport: Simulator) -> None:
    fields = form_fields()
    assert door.post_json(fields).outcome == (200, "issued")
    iamport.fail_next("look_up", faults.SERVER_ERROR, times=2)
    assert door.post_json(fields).outcome == (409, "in_progress")


def test_only_the_card_that_is_registered_is_named(signed_door: Door, iamport: Simulator, clock: ClockAhead) -> None:
    assert signed_door.post_json(signed_fields("mine", payment=PAYMENT)).outcome == (200, "issued")
    with_other_card = signed_fields("mine", OTHER_CARD, payment=PAYMENT)
    iamport.fail_next("look_up", faults.SERVER_ERROR, times=2)
    assert signed_door.post_json(with_other_card).outcome == (504, "outcome_unknown")
    clock.advance(PG_SECONDS + 1)
    answer = signed_door.post_json(with_other_card)
    assert (answer.outcome, shown_card(answer)) == ((200, "issued"), CARD_NUMBER[-4:])
    assert len(iamport.payments) == 1


def test_a_payment_that_left_no_key_is_no_success(
    signed_door: Door,
    clock: ClockAhead,
    events: Events,
) -> None:
    fields = signed_fields("mine", number_of("paid_without_key"), payment=PAYMENT)
    answer = signed_door.post_json(fields)
    assert answer.outcome == (200, "paid_without_key")
    assert answer.body["payment"]["amount"] == 99_000
    clock.advance(PG_SECONDS + 1)
    settle()
    assert events()[-1] == "payment.paid_without_key"
    assert signed_door.post_json(fields).outcome == (200, "paid_without_key")


def test_a_key_that_could_not_be_asked_for_is_left_to_the_settler(
    signed_door: Door, iamport: Simulator, clock: ClockAhead, events: Events
) -> None:
    iamport.before("pay_onetime", lambda: iamport.fail_next("look_up", faults.SERVER_ERROR, times=2))
    assert signed_door.post_json(signed_fields("mine", payment=PAYMENT)).outcome == (504, "outcome_unknown")
    clock.advance(PG_SECONDS + 1)
    settle()
    assert events() == ["payment.paid"]


def test_a_key_that_lags_its_payment_is_waited_for(signed_door: Door, iamport: Simulator, aws: Aws) -> None:
    fields = signed_fields("mine", number_of("paid_without_key"), payment=PAYMENT)

    def land_after_the_first_look() -> None:
        iamport.before("look_up", lambda: iamport.register("mine", number_of("paid_without_key")))

    iamport.before("look_up", lambda: None)  # the guard's
    iamport.before("look_up", land_after_the_first_look)
    assert signed_door.post_json(fields).outcome == (200, "issued")
    assert state_of(aws, "mine") == "issued"


def test_somebody_else_s_payment_is_never_taken_for_ours(signed_door: Door, iamport: Simulator) -> None:
    iamport.pay("order-1", 100)
    assert signed_door.post_json(signed_fields("mine", payment=PAYMENT)).outcome == (409, "already_paid")
    assert "pay_onetime" not in iamport.endpoints


def test_our_own_payment_of_another_amount_is_none_of_this_order(signed_door: Door, iamport: Simulator) -> None:
    iamport.pay("order-1", 100, "mine")
    assert signed_door.post_json(signed_fields("mine", payment=PAYMENT)).outcome == (409, "already_paid")
    assert "pay_onetime" not in iamport.endpoints


def test_an_order_of_another_amount_is_no_repeat(signed_door: Door, iamport: Simulator) -> None:
    assert signed_door.post_json(signed_fields("mine", payment=PAYMENT)).outcome == (200, "issued")
    dearer = signed_fields("mine", payment={**PAYMENT, "amount": 199_000})
    assert signed_door.post_json(dearer).outcome == (409, "already_paid")
    assert len(iamport.payments) == 1


def test_a_cancelled_payment_was_paid(signed_door: Door, iamport: Simulator) -> None:
    assert signed_door.post_json(signed_fields("mine", payment=PAYMENT)).outcome == (200, "issued")
    iamport.cancel("order-1")
    with_other_card = signed_fields("mine", OTHER_CARD, payment=PAYMENT, replace=True)
    assert signed_door.post_json(with_other_card).outcome == (409, "already_paid")
    assert len(iamport.payments) == 1


@pytest.mark.parametrize("and_cancelled", [False, True])
def test_an_order_that_is_used_up_when_the_card_arrives_is_told_as_paid(
    signed_door: Door, iamport: Simulator, aws: Aws, and_cancelled: bool
) -> None:
    """Iamport answers by the -1 of any refusal, so it is looked up what the order has come to."""

    def pay_by_the_window() -> None:
        iamport.pay("order-1", 9_900)
        if and_cancelled:
            iamport.cancel("order-1")

    iamport.before("pay_onetime", pay_by_the_window)
    answer = signed_door.post_json(signed_fields("mine", payment=PAYMENT))
    assert answer.outcome == (409, "already_paid")
    assert (len(iamport.payments), dict(iamport.customers)) == (1, {})
    assert state_of(aws, "mine") == "not_issued"


def test_an_open_attempt_whose_payment_is_cancelled_meanwhile_is_closed_as_paid(
    signed_door: Door, iamport: Simulator, clock: ClockAhead, dying: Dying, events: Events
) -> None:
    dying(signed_door, signed_fields("mine", payment=PAYMENT))
    iamport.cancel("order-1")
    clock.advance(INVOCATION_SECONDS + PG_SECONDS + 1)
    settle()
    assert events() == ["payment.paid"]


def test_an_order_that_the_ledger_knows_as_paid_is_not_sent_whatever_iamport_shows(
    signed_door: Door, iamport: Simulator
) -> None:
    fields = signed_fields("mine", payment=PAYMENT)
    assert signed_door.post_json(fields).outcome == (200, "issued")
    iamport.reset()  # its look-ups show nothing in this moment
    assert signed_door.post_json(fields).outcome == (409, "already_paid")
    assert "pay_onetime" not in iamport.endpoints


# "Nothing happened" that is not so


def test_behind_a_proxy_s_error_the_card_may_land_and_is_not_overwritten(
    door: Door, iamport: Simulator, clock: ClockAhead
) -> None:
    fields = form_fields()
    landing = landing_late(iamport, "issue")
    answer = door.post_json(fields)
    assert (answer.outcome, answer.headers["retry-after"]) == ((504, "outcome_unknown"), "5")
    assert door.post_json({**fields, "card_number": OTHER_CARD}).outcome == (409, "in_progress")
    landing.set()
    assert eventually(lambda: fields["customer_uid"] in iamport.customers)
    clock.advance(PG_SECONDS + 1)
    assert door.post_json({**fields, "card_number": OTHER_CARD}).outcome == (409, "already_registered")
    assert iamport.issue_count(fields["customer_uid"]) == 1


def test_what_lands_after_everybody_hung_up_is_told_to_the_next_who_asks(door: Door, iamport: Simulator) -> None:
    fields = form_fields()
    landing = landing_late(iamport, "issue")
    assert door.post_json(fields).outcome == (504, "outcome_unknown")
    landing.set()
    assert eventually(lambda: fields["customer_uid"] in iamport.customers)
    answer = door.post_json(fields)
    assert (answer.outcome, shown_card(answer)) == ((200, "issued"), CARD_NUMBER[-4:])
    assert iamport.issue_count(fields["customer_uid"]) == 1


def test_finding_the_key_frees_no_lock_before_the_pg_is_certainly_done(
    signed_door: Door, iamport: Simulator, clock: ClockAhead
) -> None:
    iamport.fail_next("issue", faults.ANSWER_LOST)
    assert signed_door.post_json(signed_fields("mine")).outcome == (200, "issued")
    with_other_card = signed_fields("mine", OTHER_CARD, replace=True)
    assert signed_door.post_json(with_other_card).outcome == (409, "in_progress")
    clock.advance(INVOCATION_SECONDS + PG_SECONDS + 1)
    assert signed_door.post_json(with_other_card).outcome == (200, "issued")


def test_a_dead_function_s_lock_lasts_as_long_as_its_pg_may_be_at_work(
    signed_door: Door, iamport: Simulator, clock: ClockAhead, dying: Dying, aws: Aws
) -> None:
    iamport.fail_next("issue", faults.LINE_CUT)
    dying(signed_door, signed_fields("mine"))
    clock.advance(INVOCATION_SECONDS + PG_SECONDS - 10)
    settle()
    assert signed_door.post_json(signed_fields("mine", OTHER_CARD)).outcome == (409, "in_progress")
    iamport.register("mine", CARD_NUMBER)  # the PG's part, 50 s after everybody has hung up
    clock.advance(11)
    settle()
    assert state_of(aws, "mine") == "issued"
    assert signed_door.post_json(signed_fields("mine", OTHER_CARD)).outcome == (409, "already_registered")


def test_an_earlier_card_s_failure_is_not_this_card_s(
    signed_door: Door,
    iamport: Simulator,
    events: Events,
) -> None:
    failed = signed_fields("mine", number_of("payment_failed"), payment=PAYMENT)
    assert signed_door.post_json(failed).outcome == (200, "declined")
    landing = landing_late(iamport, "pay_onetime")
    fields = signed_fields("mine", payment=PAYMENT)
    assert signed_door.post_json(fields).outcome == (504, "outcome_unknown")
    landing.set()
    assert eventually(lambda: "mine" in iamport.customers)
    assert signed_door.post_json(fields).outcome == (200, "issued")
    assert [payment.status for payment in iamport.payments] == ["failed", "paid"]
    assert events() == ["payment.failed", "payment.paid"]


def test_while_iamport_may_be_at_work_a_failed_payment_is_no_decline(
    signed_door: Door, iamport: Simulator, clock: ClockAhead, events: Events
) -> None:
    fields = signed_fields("mine", number_of("payment_failed"), payment=PAYMENT)
    iamport.fail_next("pay_onetime", faults.ANSWER_LOST)
    assert signed_door.post_json(fields).outcome == (504, "outcome_unknown")
    clock.advance(PG_SECONDS + 1)
    settle()
    assert events() == ["payment.failed"]


def test_a_payment_that_is_found_wins_over_a_refusal(signed_door: Door, iamport: Simulator, aws: Aws) -> None:
    def another_device_pays() -> None:
        iamport.register("mine", CARD_NUMBER)
        iamport.pay("order-1", 99_000, "mine")

    iamport.before("pay_onetime", another_device_pays)
    assert signed_door.post_json(signed_fields("mine", payment=PAYMENT)).outcome == (200, "issued")
    assert state_of(aws, "mine") == "issued"


def test_a_known_decline_is_written_down_where_the_look_up_fails(
    signed_door: Door, iamport: Simulator, events: Events
) -> None:
    iamport.before("pay_onetime", lambda: iamport.fail_next("find_payments", faults.SERVER_ERROR, times=2))
    fields = signed_fields("mine", number_of("payment_refused_without_key"), payment=PAYMENT)
    assert signed_door.post_json(fields).outcome == (200, "declined")
    assert events() == ["payment.failed"]


def test_a_payment_window_that_was_only_opened_has_paid_nothing(signed_door: Door, iamport: Simulator) -> None:
    iamport.pay("order-1", 99_000, "mine", status="ready")
    assert signed_door.post_json(signed_fields("mine", payment=PAYMENT)).outcome == (200, "issued")


@pytest.mark.parametrize("look_up_fails", [False, True])
def test_a_key_that_a_refused_payment_left_does_not_lock_its_customer_out(
    signed_door: Door, iamport: Simulator, look_up_fails: bool
) -> None:
    if look_up_fails:
        iamport.before("pay_onetime", lambda: iamport.fail_next("look_up", faults.SERVER_ERROR, times=2))
    refused = signed_fields("mine", number_of("payment_refused_with_key"), payment=PAYMENT)
    assert signed_door.post_json(refused).outcome == (200, "declined")
    assert "mine" in iamport.customers
    # The first card of the next order is refused as well, before anything is registered.
    other_order = {**PAYMENT, "merchant_uid": "order-2"}
    refused = signed_fields("mine", number_of("payment_refused_without_key"), payment=other_order)
    assert signed_door.post_json(refused).outcome == (200, "declined")
    assert signed_door.post_json(signed_fields("mine", payment=PAYMENT)).outcome == (200, "issued")
    assert signed_door.post_json(signed_fields("mine", OTHER_CARD)).outcome == (409, "already_registered")


def test_an_attempt_is_recognised_though_the_answer_to_its_beginning_was_lost(
    signed_door: Door, iamport: Simulator, losing_answers: Callable[[str], None]
) -> None:
    losing_answers("transact_write_items")
    assert signed_door.post_json(signed_fields("mine", payment=PAYMENT)).outcome == (200, "issued")
    assert len(iamport.payments) == 1


@pytest.fixture
def losing_answers(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """The next call of DynamoDB's client is carried out, and its answer does not come."""
    from botocore.client import BaseClient
    from botocore.exceptions import ReadTimeoutError

    call = BaseClient._make_api_call  # type: ignore[attr-defined]

    def lose(operation: str) -> None:
        camel_case = "".join(word.title() for word in operation.split("_"))
        left = [camel_case]

        def call_and_lose(client: Any, name: str, parameters: Any) -> Any:
            answer = call(client, name, parameters)
            if name in left:
                left.remove(name)
                raise ReadTimeoutError(endpoint_url="https://dynamodb.invalid")
            return answer

        monkeypatch.setattr(BaseClient, "_make_api_call", call_and_lose)

    return lose


def test_a_wall_clock_that_steps_back_makes_no_old_key_of_one_s_own(
    door: Door, iamport: Simulator, clock: ClockAhead
) -> None:
    iamport.fail_next("issue", faults.ANSWER_LOST)
    iamport.before("issue", lambda: clock.advance(-30))
    assert door.post_json(form_fields()).outcome == (200, "issued")


def test_after_a_no_another_uid_may_pay_the_order(signed_door: Door, iamport: Simulator) -> None:
    refused = signed_fields("card-1", number_of("payment_refused_without_key"), payment=PAYMENT)
    assert signed_door.post_json(refused).outcome == (200, "declined")
    assert signed_door.post_json(signed_fields("card-2", payment=PAYMENT)).outcome == (200, "issued")
    assert signed_door.post_json(signed_fields("card-3", payment=PAYMENT)).outcome == (409, "already_paid")
    assert [payment.customer_uid for payment in iamport.payments if payment.status == "paid"] == ["card-2"]


def test_an_order_is_held_while_its_outcome_is_open(signed_door: Door, iamport: Simulator) -> None:
    landing = landing_late(iamport, "pay_onetime")
    assert signed_door.post_json(signed_fields("card-1", payment=PAYMENT)).outcome == (504, "outcome_unknown")
    assert signed_door.post_json(signed_fields("card-2", payment=PAYMENT)).outcome == (409, "in_progress")
    landing.set()
    assert eventually(lambda: "card-1" in iamport.customers)
    assert signed_door.post_json(signed_fields("card-2", payment=PAYMENT)).outcome == (409, "already_paid")
    assert len(iamport.payments) == 1


@pytest.mark.parametrize("claims", [{"new": True}, {"replace": True}])
def test_a_key_that_was_there_before_is_not_this_attempt_s(
    signed_door: Door, iamport: Simulator, clock: ClockAhead, aws: Aws, claims: dict[str, Any]
) -> None:
    iamport.register("mine", OTHER_CARD)
    iamport.fail_next("issue", faults.SERVER_ERROR)
    assert signed_door.post_json(signed_fields("mine", **claims)).outcome == (504, "outcome_unknown")
    clock.advance(PG_SECONDS + 1)
    settle()
    assert state_of(aws, "mine") == "not_issued"


def test_a_payment_that_was_made_while_we_looked_is_found_behind_a_newer_failure(
    signed_door: Door, iamport: Simulator
) -> None:
    fields = signed_fields("mine", payment=PAYMENT)
    assert signed_door.post_json(fields).outcome == (200, "issued")
    iamport.pay("order-1", 99_000, "mine", status="failed")
    again = signed_fields("mine", OTHER_CARD, payment=PAYMENT)
    answer = signed_door.post_json(again)
    assert (answer.outcome, shown_card(answer)) == ((200, "issued"), CARD_NUMBER[-4:])


def test_one_payment_leaves_as_one_event(
    signed_door: Door,
    clock: ClockAhead,
    events: Events,
) -> None:
    fields = signed_fields("mine", payment=PAYMENT)
    assert signed_door.post_json(fields).outcome == (200, "issued")
    clock.advance(700)  # no repeat any more
    assert signed_door.post_json(fields).outcome == (200, "issued")
    assert signed_door.post_json(signed_fields("mine", OTHER_CARD, payment=PAYMENT)).outcome == (200, "issued")
    assert events().count("payment.paid") == 1


def test_a_key_that_may_yet_follow_its_payment_lands_over_no_other_card(
    signed_door: Door, iamport: Simulator, clock: ClockAhead
) -> None:
    fields = signed_fields("mine", number_of("paid_without_key"), payment=PAYMENT)
    assert signed_door.post_json(fields).outcome == (200, "paid_without_key")
    with_other_card = signed_fields("mine", OTHER_CARD)
    assert signed_door.post_json(with_other_card).outcome == (409, "in_progress")
    clock.advance(PG_SECONDS + 1)
    assert signed_door.post_json(with_other_card).outcome == (200, "issued")
    assert iamport.customers["mine"].card_number.endswith("8888")


def test_neither_the_key_nor_the_charge_alone_is_a_success(signed_door: Door, iamport: Simulator) -> None:
    iamport.fail_next("pay_onetime", faults.SERVER_ERROR)
    fields = signed_fields("mine", payment=PAYMENT)
    assert signed_door.post_json(fields).outcome == (504, "outcome_unknown")
    iamport.register("mine", CARD_NUMBER)
    assert signed_door.post_json(fields).outcome == (409, "in_progress")
    iamport.pay("order-1", 99_000, "mine")
    assert signed_door.post_json(fields).outcome == (200, "issued")


def test_an_attempt_that_died_before_it_sent_anything_holds_nobody_up_after_its_end(
    signed_door: Door, iamport: Simulator, clock: ClockAhead, dying: Dying
) -> None:
    dying(signed_door, signed_fields("mine"), at="billing.ledger.ledger.Ledger.note_seen")
    assert signed_door.post_json(signed_fields("mine")).outcome == (409, "in_progress")
    clock.advance(INVOCATION_SECONDS + 1)
    assert signed_door.post_json(signed_fields("mine", OTHER_CARD)).outcome == (200, "issued")
    assert iamport.issue_count("mine") == 1


@pytest.mark.parametrize(
    "shown", [{"card_type": [0]}, {"updated": Raw("NaN")}, {"card_name": Raw("[" * 100_000 + "]" * 100_000)}]
)
def test_one_attempt_that_iamport_shows_oddly_holds_up_no_other(
    signed_door: Door, iamport: Simulator, clock: ClockAhead, dying: Dying, aws: Aws, shown: dict[str, object]
) -> None:
    for customer_uid in ("odd", "even"):
        dying(signed_door, signed_fields(customer_uid))
        clock.advance(1)  # which one is due first
    iamport.show_oddly("odd", **shown)
    clock.advance(INVOCATION_SECONDS + PG_SECONDS)
    settle()
    assert state_of(aws, "even") == "issued"
    iamport.show_oddly("odd")
    clock.advance(300)
    settle()
    assert state_of(aws, "odd") == "issued"


def test_a_look_up_that_tells_of_another_customer_tells_nothing(signed_door: Door, iamport: Simulator) -> None:
    iamport.register("mine", OTHER_CARD)
    iamport.show_oddly("mine", customer_uid="somebody-else")
    assert signed_door.post_json(signed_fields("mine", replace=True)).outcome == (503, "unavailable")
    assert "issue" not in iamport.endpoints


# By way of `again`: the key is issued, and then charged


@pytest.fixture
def charging_door(signed_door: Door, monkeypatch: pytest.MonkeyPatch) -> Door:  # noqa: ARG001 (sets its surroundings up)
    monkeypatch.setenv("FIRST_PAYMENT", "again")
    return Door()


def key_stays_of(aws: Aws, customer_uid: str) -> str:
    """As the event of its newest attempt has it."""
    return plain(item_of(aws, customer_uid))["key_stays"]


def issued_and_charged(iamport: Simulator) -> tuple[int, int]:
    return iamport.endpoints.count("issue"), iamport.endpoints.count("pay_again")


def test_the_key_is_issued_and_then_charged_and_a_repeat_asks_for_neither(
    charging_door: Door, iamport: Simulator, events: Events
) -> None:
    fields = signed_fields("mine", payment=PAYMENT)
    answers = [charging_door.post_json(fields) for _ in range(2)]
    assert [answer.outcome for answer in answers] == [(200, "issued")] * 2
    assert answers[0].body["payment"] == answers[1].body["payment"]
    assert issued_and_charged(iamport) == (1, 1)
    assert events() == ["payment.paid"]


@pytest.mark.parametrize(
    ("channel_key", "pg", "way"),
    [
        ("channel-key-1", "", ["issue", "pay_again"]),
        ("channel-key-1", "nice.MID1", ["pay_onetime"]),
        ("", "nice.MID1", ["pay_onetime"]),
    ],
)
def test_no_first_payment_goes_to_a_channel_that_nobody_chose(
    signed_door: Door,  # noqa: ARG001 (sets its surroundings up)
    iamport: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    channel_key: str,
    pg: str,
    way: list[str],
) -> None:
    monkeypatch.setenv("IAMPORT_CHANNEL_KEY", channel_key)
    monkeypatch.setenv("IAMPORT_PG", pg)
    assert Door().post_json(signed_fields("mine", payment=PAYMENT)).outcome == (200, "issued")
    sent = [call for call in iamport.calls if call.endpoint in ("issue", "pay_again", "pay_onetime")]
    assert [call.endpoint for call in sent] == way
    assert all("channel_key" not in call.parameters for call in sent if call.endpoint == "pay_again")


def test_of_a_function_that_dies_between_key_and_charge_a_leftover_stays_and_nothing_is_charged(
    charging_door: Door, iamport: Simulator, clock: ClockAhead, dying: Dying, events: Events, aws: Aws
) -> None:
    dying(charging_door, signed_fields("mine", payment=PAYMENT), at="billing.iamport.client.Iamport.charge")
    assert charging_door.post_json(signed_fields("mine", payment=PAYMENT)).outcome == (409, "in_progress")
    clock.advance(INVOCATION_SECONDS + PG_SECONDS + 1)
    settle()
    assert (events(), key_stays_of(aws, "mine")) == (["payment.failed"], "this_card")
    assert charging_door.post_json(signed_fields("mine", OTHER_CARD, payment=PAYMENT)).outcome == (200, "issued")
    assert iamport.customers["mine"].card_number.endswith("8888")
    assert issued_and_charged(iamport) == (2, 1)


def test_nothing_is_charged_where_the_answer_to_issuing_is_lost(
    charging_door: Door, iamport: Simulator, clock: ClockAhead, events: Events
) -> None:
    iamport.fail_next("issue", faults.ANSWER_LOST)
    fields = signed_fields("mine", payment=PAYMENT)
    assert charging_door.post_json(fields).outcome == (504, "outcome_unknown")
    assert charging_door.post_json(fields).outcome == (409, "in_progress")
    assert issued_and_charged(iamport) == (1, 0)
    clock.advance(PG_SECONDS + 1)
    assert charging_door.post_json(fields).outcome == (200, "issued")
    assert events() == ["payment.failed", "payment.paid"]
    assert issued_and_charged(iamport) == (2, 1)


def test_a_charge_whose_answer_is_lost_is_found_and_never_sent_again(
    charging_door: Door, iamport: Simulator, clock: ClockAhead, events: Events
) -> None:
    iamport.fail_next("pay_again", faults.ANSWER_LOST)
    fields = signed_fields("mine", payment=PAYMENT)
    assert charging_door.post_json(fields).outcome == (200, "issued")
    clock.advance(INVOCATION_SECONDS + PG_SECONDS + 1)
    assert charging_door.post_json(fields).outcome == (200, "issued")
    assert issued_and_charged(iamport) == (1, 1)
    assert events() == ["payment.paid"]


def test_a_charge_that_lands_after_everybody_hung_up_is_told_to_the_next_who_asks(
    charging_door: Door, iamport: Simulator, events: Events
) -> None:
    landing = landing_late(iamport, "pay_again")
    fields = signed_fields("mine", payment=PAYMENT)
    assert charging_door.post_json(fields).outcome == (504, "outcome_unknown")
    assert charging_door.post_json(fields).outcome == (409, "in_progress"), "the key alone is no success"
    landing.set()
    assert eventually(lambda: len(iamport.payments) == 1)
    assert charging_door.post_json(fields).outcome == (200, "issued")
    assert issued_and_charged(iamport) == (1, 1)
    assert events() == ["payment.paid"]


@pytest.mark.parametrize("scenario", ["payment_refused_without_key", "payment_refused_with_key", "payment_failed"])
@pytest.mark.parametrize("look_up_fails", [False, True])
def test_a_refused_charge_leaves_the_key_and_answer_and_event_say_so(
    charging_door: Door,
    iamport: Simulator,
    clock: ClockAhead,
    events: Events,
    aws: Aws,
    scenario: str,
    look_up_fails: bool,
) -> None:
    if look_up_fails:
        iamport.before("pay_again", lambda: iamport.fail_next("look_up", faults.SERVER_ERROR, times=2))
    answer = charging_door.post_json(signed_fields("mine", number_of(scenario), payment=PAYMENT))
    stays = "unknown" if look_up_fails else "this_card"
    assert (answer.outcome, answer.body["key_stays"]) == ((200, "declined"), stays)
    assert (events(), key_stays_of(aws, "mine")) == (["payment.failed"], stays)
    if look_up_fails:
        clock.advance(INVOCATION_SECONDS + PG_SECONDS + 1)  # what nobody has seen might still land
    assert charging_door.post_json(signed_fields("mine", OTHER_CARD, payment=PAYMENT)).outcome == (200, "issued")
    assert charging_door.post_json(signed_fields("mine")).outcome == (409, "already_registered")


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (faults.TOO_MANY_REQUESTS, (502, "gateway_error")),
        (faults.REDIRECT, (502, "gateway_error")),
        (faults.refusing(400, -1, "상품명이 필수입니다."), (502, "gateway_refused")),
        (faults.refusing(200, 1, "등록되지 않은 구매자입니다."), (502, "gateway_refused")),
        (faults.refusing(404, -1, "존재하지 않습니다."), (502, "gateway_refused")),
    ],
)
def test_a_charge_that_was_not_processed_leaves_the_key_and_is_not_sent_again(
    charging_door: Door, iamport: Simulator, events: Events, fault: faults.Fault, outcome: tuple[int, str]
) -> None:
    iamport.fail_next("pay_again", fault)
    answer = charging_door.post_json(signed_fields("mine", payment=PAYMENT))
    assert (answer.outcome, answer.body["key_stays"]) == (outcome, "this_card")
    assert issued_and_charged(iamport) == (1, 1)
    assert events() == ["payment.failed"]
    assert charging_door.post_json(signed_fields("mine", OTHER_CARD, payment=PAYMENT)).outcome == (200, "issued")


def test_a_charge_that_could_not_be_sent_leaves_the_key(charging_door: Door, iamport: Simulator, aws: Aws) -> None:
    iamport.fail_next("pay_again", faults.UNAUTHORIZED, times=3)  # whatever token it is asked with
    answer = charging_door.post_json(signed_fields("mine", payment=PAYMENT))
    assert (answer.outcome, answer.body["key_stays"]) == ((503, "unavailable"), "this_card")
    assert key_stays_of(aws, "mine") == "this_card"
    assert charging_door.post_json(signed_fields("mine", OTHER_CARD, payment=PAYMENT)).outcome == (200, "issued")


def test_where_there_is_no_time_to_charge_no_key_is_issued(charging_door: Door, iamport: Simulator) -> None:
    answer = charging_door.post_json(signed_fields("mine", payment=PAYMENT), seconds_left=14.0)
    assert (answer.outcome, "key_stays" in answer.body) == ((503, "unavailable"), False)
    assert issued_and_charged(iamport) == (0, 0)


def test_a_key_that_iamport_has_issued_and_does_not_find_may_come_and_keeps_the_lock(
    charging_door: Door, iamport: Simulator, clock: ClockAhead, aws: Aws
) -> None:
    iamport.before("pay_again", lambda: iamport.revoke("mine"))
    answer = charging_door.post_json(signed_fields("mine", payment=PAYMENT))
    assert (answer.outcome, answer.body["key_stays"]) == ((502, "gateway_refused"), "unknown")
    assert key_stays_of(aws, "mine") == "unknown"
    with_other_card = signed_fields("mine", OTHER_CARD, payment=PAYMENT)
    assert charging_door.post_json(with_other_card).outcome == (409, "in_progress")
    iamport.register("mine", CARD_NUMBER)  # late
    clock.advance(INVOCATION_SECONDS + PG_SECONDS + 1)
    assert charging_door.post_json(with_other_card).outcome == (200, "issued")
    assert len(iamport.payments) == 1


def test_somebody_else_who_pays_between_key_and_charge_has_paid(
    charging_door: Door, iamport: Simulator, events: Events
) -> None:
    iamport.before("pay_again", lambda: iamport.pay("order-1", 99_000))
    answer = charging_door.post_json(signed_fields("mine", payment=PAYMENT))
    assert (answer.outcome, answer.body["key_stays"]) == ((409, "already_paid"), "this_card")
    assert events() == ["payment.failed"]
    assert charging_door.post_json(signed_fields("mine", OTHER_CARD)).outcome == (200, "issued")


def test_a_refused_charge_has_taken_the_former_card_s_place(
    charging_door: Door, iamport: Simulator, events: Events, aws: Aws
) -> None:
    assert charging_door.post_json(signed_fields("mine", OTHER_CARD)).outcome == (200, "issued")
    refused = signed_fields("mine", number_of("payment_failed"), payment=PAYMENT, replace=True)
    answer = charging_door.post_json(refused)
    assert (answer.outcome, answer.body["key_stays"]) == ((200, "declined"), "this_card")
    assert iamport.customers["mine"].card_number.endswith("0003")
    assert (events()[-1], key_stays_of(aws, "mine")) == ("payment.failed", "this_card")


def test_an_order_that_is_paid_is_neither_issued_nor_charged(charging_door: Door, iamport: Simulator) -> None:
    iamport.pay("order-1", 100)
    assert charging_door.post_json(signed_fields("mine", payment=PAYMENT)).outcome == (409, "already_paid")
    assert issued_and_charged(iamport) == (0, 0)
