"""The attempts table: one attempt at a time, limits, repeats, and nothing in it that gives a card away."""

import hashlib
import json
import os
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ReadTimeoutError

from billing.aws_clients import AwsClients
from billing.ledger import ledger as ledger_module
from billing.ledger.items import typed
from billing.ledger.ledger import Due, Ended, Ledger
from billing.model.attempt import Attempt, Ending, LeftOpen, Leftover, NewAttempt, Order, Repeated, Seen, State
from billing.model.billing_key import BillingKey, PaidPayment
from billing.model.deadline import Deadline
from billing.model.errors import AlreadyPaid, InProgress, TooManyAttempts, Unavailable
from billing.settings import read_settings
from infra.local.aws import Aws, name_of_table
from infra.local.iamport import Simulator, faults
from tests.attempts_table import empty_ledger, item_of, items, plain
from tests.conftest import ClockAhead
from tests.integration.door import Door, form_fields, settle

IN_TIME = Deadline.after(3600)
SECOND, HOUR = 1, 3600
KEY = BillingKey("mine", None, "000011******3333", "debit", 5)
TAKEN = PaidPayment("order-1", "imp_1", 9_900, None)


def values_of(aws: Aws, customer_uid: str) -> dict[str, str]:
    return plain(item_of(aws, customer_uid))


def test_a_double_click_gets_the_same_answer_and_one_call(door: Door, iamport: Simulator) -> None:
    fields = form_fields()
    first, second = door.post_json(fields), door.post_json(fields)
    assert {**first.body, "request_id": ""} == {**second.body, "request_id": ""}
    assert iamport.issue_count(fields["customer_uid"]) == 1


def test_ten_minutes_later_it_is_a_new_attempt(door: Door, clock: ClockAhead) -> None:
    fields = form_fields()
    assert door.post_json(fields).code == "issued"
    clock.advance(601)
    assert door.post_json(fields).code == "already_registered"


def test_a_customer_has_so_many_attempts_in_an_hour(
    monkeypatch: pytest.MonkeyPatch, door: Door, iamport: Simulator, clock: ClockAhead
) -> None:
    clock.advance_to_whole(HOUR)
    monkeypatch.setenv("ATTEMPTS_PER_CUSTOMER", "3")
    door, fields = Door(), form_fields(card_number="0000-2000-0000-0001")
    assert [door.post_json(fields).code for _ in range(3)] == ["declined"] * 3
    answer = door.post_json(fields)
    assert (answer.status, answer.body["code"]) == (429, "too_many_attempts")
    assert 3500 <= int(answer.headers["retry-after"]) <= 3600
    assert iamport.issue_count(fields["customer_uid"]) == 0
    clock.advance(int(answer.headers["retry-after"]))
    assert door.post_json(fields).code == "declined"


def test_a_card_has_so_many_attempts_in_an_hour_whoever_tries_it(
    monkeypatch: pytest.MonkeyPatch, door: Door, clock: ClockAhead
) -> None:
    clock.advance_to_whole(HOUR)
    monkeypatch.setenv("ATTEMPTS_PER_CARD", "3")
    door = Door()
    codes = [door.post_json(form_fields(card_number="0000-2000-0000-0001")).code for _ in range(5)]
    assert codes == ["declined"] * 3 + ["too_many_attempts"] * 2


def test_a_card_has_so_many_attempts_in_a_day_in_seoul_too(
    monkeypatch: pytest.MonkeyPatch, door: Door, clock: ClockAhead
) -> None:
    clock.advance(-(int(time.time()) + 9 * HOUR) % (24 * HOUR))
    monkeypatch.setenv("ATTEMPTS_PER_CARD", "3")
    monkeypatch.setenv("ATTEMPTS_PER_CARD_PER_DAY", "5")
    door = Door()

    def tries(count: int) -> list[str]:
        return [door.post_json(form_fields(card_number="0000-2000-0000-0001")).code for _ in range(count)]

    assert tries(4) == ["declined"] * 3 + ["too_many_attempts"]
    clock.advance(HOUR)
    assert tries(3) == ["declined"] * 2 + ["too_many_attempts"]
    clock.advance(HOUR)
    answer = door.post_json(form_fields(card_number="0000-2000-0000-0001"))
    retry_after = int(answer.headers["retry-after"])
    assert (answer.status, answer.code) == (429, "too_many_attempts")
    assert 21 * HOUR < retry_after <= 22 * HOUR
    clock.advance(retry_after)
    assert tries(1) == ["declined"]


@pytest.fixture
def looked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a lost answer, where it takes ten seconds otherwise."""
    monkeypatch.setattr("billing.sending.PAUSES_BETWEEN_LOOKS", (0.0,))


@pytest.mark.usefixtures("looked_once")
def test_the_table_holds_no_card_number_and_no_hash_that_can_be_tried_out(
    door: Door, aws: Aws, iamport: Simulator
) -> None:
    number = "0000987698769876"
    for scenario in (None, faults.ANSWER_LOST, faults.SERVER_ERROR):
        if scenario:
            iamport.fail_next("issue", scenario)
        door.post_json(form_fields(card_number=number, birth="851231", pwd_2digit="73", customer_name="홍길동"))
    text = json.dumps(items(aws))
    hashes = [hashlib.new(name, number.encode()).hexdigest() for name in ("md5", "sha1", "sha256", "sha512")]
    for secret in (number, "0000-9876-9876-9876", "851231", "홍길동", *hashes):
        assert secret not in text


@pytest.mark.usefixtures("door")
def test_without_the_fingerprints_key_nothing_is_sent_or_begun(
    monkeypatch: pytest.MonkeyPatch, iamport: Simulator, aws: Aws
) -> None:
    monkeypatch.setenv("FINGERPRINT_SECRET_ID", "none-there")
    assert Door().post_json(form_fields()).code == "unavailable"
    assert (iamport.endpoints, items(aws)) == ([], [])


def test_a_requests_fingerprint_is_forgotten_when_it_is_not_repeated_any_more(
    door: Door, iamport: Simulator, aws: Aws, clock: ClockAhead
) -> None:
    fields = form_fields(customer_uid="mine")
    assert door.post_json(fields).code == "issued"
    clock.advance(590)
    settle()
    before = values_of(aws, "mine")
    assert door.post_json(fields).code == "issued"
    assert iamport.issue_count("mine") == 1
    clock.advance(11)
    settle()
    gone = {"request_fingerprint", "due_at", "due_shard"}
    assert values_of(aws, "mine") == {name: value for name, value in before.items() if name not in gone}
    assert gone <= before.keys()
    assert door.post_json(fields).code == "already_registered"


def test_what_tells_a_repeat_is_taken_out_of_no_other_attempt(ledger: Ledger, aws: Aws) -> None:
    """The index lags: the attempt that it shows may have been followed by another one."""
    first = sent(ledger, new_attempt())
    ledger.finish(first, Ending("issued", registered=KEY), IN_TIME)
    sent(ledger, new_attempt(request="another"))
    ledger.forget_request(Ended("mine", first.attempt_id), IN_TIME)
    assert values_of(aws, "mine")["request_fingerprint"] == "another"
    assert {"due_at", "due_shard"} <= values_of(aws, "mine").keys()


def test_an_issued_attempt_is_none_of_the_open_ones_that_are_due(ledger: Ledger, clock: ClockAhead) -> None:
    attempt = sent(ledger, new_attempt())
    ledger.finish(attempt, Ending("issued", registered=KEY), IN_TIME)
    assert (list(ledger.due()), list(ledger.past_repeats())) == ([], [])
    clock.advance(3600)
    assert (list(ledger.due()), list(ledger.past_repeats())) == ([], [Ended("mine", attempt.attempt_id)])


@pytest.mark.usefixtures("door")
def test_without_the_table_nothing_is_sent(monkeypatch: pytest.MonkeyPatch, iamport: Simulator) -> None:
    monkeypatch.setenv("ATTEMPTS_TABLE", "no-such-table")
    assert Door().post_json(form_fields()).code == "unavailable"
    assert "issue" not in iamport.endpoints


def no_look_up_after_the_card(iamport: Simulator) -> None:
    """From now on; the ones before it are answered."""
    iamport.choose_fault = lambda call: (
        faults.SERVER_ERROR if call.endpoint == "look_up" and "issue" in iamport.endpoints else None
    )


@pytest.mark.usefixtures("looked_once")
def test_an_unknown_outcome_keeps_the_customer_locked_until_nothing_can_be_in_flight(
    door: Door, aws: Aws, iamport: Simulator, clock: ClockAhead
) -> None:
    fields = form_fields()
    iamport.fail_next("issue", faults.LINE_CUT)
    assert door.post_json(fields).code == "outcome_unknown"
    for card_number in (fields["card_number"], "0000-9999-9999-9999"):
        assert door.post_json({**fields, "card_number": card_number}).code == "in_progress"
    clock.advance(50)
    assert door.post_json(fields).code == "in_progress"
    assert values_of(aws, fields["customer_uid"])["state"] == "open"
    clock.advance(10)
    assert door.post_json(fields).code == "issued"
    assert iamport.issue_count(fields["customer_uid"]) == 1


@pytest.mark.parametrize("issued", [True, False])
@pytest.mark.usefixtures("looked_once")
def test_the_settler_finds_out_how_an_attempt_ended(
    door: Door, aws: Aws, iamport: Simulator, clock: ClockAhead, issued: bool
) -> None:
    fields = form_fields()
    iamport.fail_next("issue", faults.ANSWER_LOST if issued else faults.LINE_CUT)
    no_look_up_after_the_card(iamport)
    assert door.post_json(fields).code == "outcome_unknown"
    iamport.choose_fault = lambda _: None
    for seconds in (0, 50):
        clock.advance(seconds)
        settle()
        assert values_of(aws, fields["customer_uid"])["state"] == "open", "a PG may be at work yet"
    clock.advance(10)
    settle()
    settle()
    ended = values_of(aws, fields["customer_uid"])
    assert ended["state"] == ("issued" if issued else "not_issued")
    assert ended["event"] == f"billing_key.{ended['state']}"
    assert ended.get("due_shard", "ended-0").startswith("ended-"), "none of the open ones"
    assert (fields["customer_uid"] in iamport.customers) == issued


@pytest.mark.usefixtures("looked_once")
def test_who_repeats_a_request_is_told_of_a_key_that_came_late_at_once(
    door: Door, aws: Aws, iamport: Simulator
) -> None:
    fields = form_fields()
    iamport.fail_next("issue", faults.ANSWER_LOST)
    no_look_up_after_the_card(iamport)
    assert door.post_json(fields).code == "outcome_unknown"
    iamport.choose_fault = lambda _: None
    assert door.post_json(fields).code == "issued"
    assert iamport.issue_count(fields["customer_uid"]) == 1
    assert int(values_of(aws, fields["customer_uid"])["locked_until"]) > time.time() + 50, "finding frees no lock"
    assert door.post_json({**fields, "card_number": "0000-9999-9999-9999"}).code == "in_progress"


def test_after_a_gateway_error_a_retry_is_sent(door: Door, iamport: Simulator) -> None:
    """It is certain that the first was not processed: nothing is locked."""
    fields = form_fields()
    iamport.fail_next("issue", faults.TOO_MANY_REQUESTS)
    assert door.post_json(fields).code == "gateway_error"
    assert door.post_json(fields).code == "issued"
    assert iamport.issue_count(fields["customer_uid"]) == 1


@pytest.mark.usefixtures("looked_once")
def test_the_settler_gives_up_after_a_day(
    door: Door, aws: Aws, iamport: Simulator, clock: ClockAhead, capsys: pytest.CaptureFixture[str]
) -> None:
    fields = form_fields()
    iamport.fail_next("issue", faults.SERVER_ERROR)
    assert door.post_json(fields).code == "outcome_unknown"
    iamport.choose_fault = lambda _: faults.SERVER_ERROR
    clock.advance(3600)
    settle()
    assert values_of(aws, fields["customer_uid"])["state"] == "open"
    clock.advance(86400)
    settle()
    assert values_of(aws, fields["customer_uid"])["state"] == "unknown"
    assert '"AttemptGivenUp":[1.0]' in capsys.readouterr().out


def new_attempt(
    customer_uid: str = "mine",
    card: str = "fingerprint",
    *,
    request: str = "request",
    merchant_uid: str | None = None,
    ends_in: float = 28.0,
) -> NewAttempt:
    return NewAttempt(
        attempt_id=uuid4().hex,
        customer_uid=customer_uid,
        card_fingerprint=card,
        request_fingerprint=request,
        masked_card="000011******3333",
        order=None if merchant_uid is None else Order(merchant_uid, 9_900),
        ends_at=time.time() + ends_in,
        is_new_customer=False,
        request_id="request-1",
    )


@pytest.fixture
def aws_clients() -> AwsClients:
    return AwsClients()


@pytest.fixture
def ledger(monkeypatch: pytest.MonkeyPatch, aws: Aws, aws_clients: AwsClients) -> Ledger:
    empty_ledger(aws)
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
    environment = {
        "IAMPORT_SECRET_ID": "unused",
        "FINGERPRINT_SECRET_ID": "unused",
        "ATTEMPTS_TABLE": name_of_table(aws),
        "ATTEMPTS_PER_CUSTOMER": "10",
        "ATTEMPTS_PER_CARD": "10",
        "ATTEMPTS_PER_CARD_PER_DAY": "1000",
    }
    assert aws_clients.dynamodb, "made before threads share it: making it is not safe in threads"
    return Ledger(read_settings({**os.environ, **environment}), aws_clients)


def begun(ledger: Ledger, new: NewAttempt) -> str:
    try:
        return type(ledger.begin(new, IN_TIME)).__name__
    except (InProgress, TooManyAttempts, AlreadyPaid) as refused:
        return type(refused).__name__


def begin(ledger: Ledger, new: NewAttempt | None = None) -> Attempt:
    attempt = ledger.begin(new or new_attempt(), IN_TIME)
    assert isinstance(attempt, Attempt)
    return attempt


def sent(ledger: Ledger, new: NewAttempt) -> Attempt:
    """With a note of what stood there before."""
    attempt = ledger.note_seen(begin(ledger, new), Seen(), IN_TIME)
    assert attempt is not None
    return attempt


def test_an_attempt_may_be_looked_at_once_its_function_must_be_dead(ledger: Ledger, clock: ClockAhead) -> None:
    clock.advance_to_whole(SECOND)  # the ledger leaves fractions out
    assert isinstance(ledger.begin(new_attempt(), IN_TIME), Attempt)
    clock.advance(25)
    assert begun(ledger, new_attempt()) == "InProgress"
    clock.advance(3)
    assert isinstance(ledger.begin(new_attempt(), IN_TIME), LeftOpen)


def test_what_was_found_stays_locked_for_a_minute_after_its_invocation(ledger: Ledger, clock: ClockAhead) -> None:
    clock.advance_to_whole(SECOND)
    attempt = sent(ledger, new_attempt())
    ledger.finish(attempt, Ending("issued", registered=KEY, may_still_land=True), IN_TIME)
    clock.advance(28 + 55)
    assert begun(ledger, new_attempt(request="another")) == "InProgress"
    assert begun(ledger, new_attempt()) == "Repeated"
    clock.advance(5)
    assert begun(ledger, new_attempt(request="another")) == "Attempt"


def test_of_fifty_attempts_at_once_for_one_customer_one_begins(ledger: Ledger) -> None:
    with ThreadPoolExecutor(16) as threads:
        outcomes = Counter(threads.map(lambda _: begun(ledger, new_attempt()), range(50)))
    assert outcomes == {"Attempt": 1, "InProgress": 49}


def test_the_cards_limit_holds_for_fifty_customers_at_once(ledger: Ledger, clock: ClockAhead) -> None:
    clock.advance_to_whole(HOUR)
    with ThreadPoolExecutor(16) as threads:
        outcomes = Counter(threads.map(lambda number: begun(ledger, new_attempt(f"customer-{number}")), range(50)))
    assert outcomes == {"Attempt": 10, "TooManyAttempts": 40}


def test_of_fifty_customers_at_once_one_gets_the_order(ledger: Ledger) -> None:
    attempts = [new_attempt(f"customer-{number}", f"card-{number}", merchant_uid="order-1") for number in range(50)]
    with ThreadPoolExecutor(16) as threads:
        outcomes = Counter(threads.map(lambda new: begun(ledger, new), attempts))
    assert outcomes == {"Attempt": 1, "InProgress": 49}


def test_a_repeat_is_only_one_of_all_that_was_typed(ledger: Ledger) -> None:
    ledger.finish(begin(ledger), Ending("issued", registered=KEY), IN_TIME)
    assert isinstance(ledger.begin(new_attempt(), IN_TIME), Repeated)
    assert isinstance(ledger.begin(new_attempt(request="with another birth date"), IN_TIME), Attempt)


def test_only_the_first_to_finish_an_attempt_does(ledger: Ledger) -> None:
    attempt = begin(ledger)
    assert ledger.finish(attempt, Ending("declined", message="no"), IN_TIME)
    assert not ledger.finish(attempt, Ending("not_issued"), IN_TIME)


def order_item(aws: Aws, merchant_uid: str = "order-1") -> dict[str, str]:
    (item,) = (plain(item) for item in items(aws) if item["pk"]["S"] == f"payment#{merchant_uid}")
    return item


def put(aws: Aws, **item: str | int) -> None:
    aws.dynamodb().put_item(TableName=name_of_table(aws), Item=typed(item))


@pytest.mark.parametrize(
    "ending",
    [
        Ending("declined", "no"),
        Ending("not_issued"),
        Ending("unknown"),
        Ending("declined", "no", registered=KEY, leftover=Leftover(KEY)),
    ],
)
def test_an_order_that_was_not_paid_is_free_for_another_card_and_another_uid(
    ledger: Ledger, aws: Aws, ending: Ending
) -> None:
    """PortOne advises a customer_uid per card."""
    attempt = sent(ledger, new_attempt("first", merchant_uid="order-1"))
    assert begun(ledger, new_attempt("second", merchant_uid="order-1")) == "InProgress", "held while it is open"
    assert ledger.finish(attempt, ending, IN_TIME)
    assert order_item(aws)["state"] == "free"
    second = begin(ledger, new_attempt("second", merchant_uid="order-1"))
    assert not second.order_is_paid
    assert (order_item(aws)["state"], order_item(aws)["attempt_id"]) == ("open", second.attempt_id)


@pytest.mark.parametrize(
    "ending", [Ending("issued", registered=KEY, payment=TAKEN), Ending("paid_without_key", payment=TAKEN)]
)
def test_an_order_belongs_to_the_customer_who_has_paid_it(ledger: Ledger, aws: Aws, ending: Ending) -> None:
    assert ledger.finish(sent(ledger, new_attempt(merchant_uid="order-1")), ending, IN_TIME)
    assert begun(ledger, new_attempt("another", merchant_uid="order-1")) == "AlreadyPaid"
    again = begin(ledger, new_attempt(request="another", merchant_uid="order-1"))
    assert again.order_is_paid
    assert ledger.finish(again, Ending("not_issued", "already_paid"), IN_TIME)
    assert (order_item(aws)["state"], order_item(aws)["told_imp_uid"]) == ("paid", "imp_1"), "cancelled since, say"
    assert begun(ledger, new_attempt("another", merchant_uid="order-1")) == "AlreadyPaid"


def test_who_meets_an_order_that_was_left_open_gets_the_attempt_that_holds_it(
    ledger: Ledger, clock: ClockAhead
) -> None:
    attempt = sent(ledger, new_attempt("first", merchant_uid="order-1"))
    clock.advance(29)
    left = ledger.begin(new_attempt("second", merchant_uid="order-1"), IN_TIME)
    assert left == LeftOpen(attempt)
    assert ledger.finish(attempt, Ending("not_issued"), IN_TIME)
    begin(ledger, new_attempt("second", merchant_uid="order-1"))


def test_a_customer_may_be_at_another_order_while_one_is_paid(ledger: Ledger, aws: Aws) -> None:
    paid = Ending("issued", registered=KEY, payment=TAKEN)
    ledger.finish(sent(ledger, new_attempt(merchant_uid="order-1")), paid, IN_TIME)
    begin(ledger, new_attempt(merchant_uid="order-2"))
    assert begun(ledger, new_attempt("another", merchant_uid="order-1")) == "AlreadyPaid"
    assert (order_item(aws, "order-1")["state"], order_item(aws, "order-2")["state"]) == ("paid", "open")


WITH_KEY, WITHOUT_KEY = "issued", "paid_without_key"


@pytest.mark.parametrize(
    ("first", "second", "events"),
    [
        (WITH_KEY, WITH_KEY, ["payment.paid", "billing_key.issued"]),
        (WITH_KEY, WITHOUT_KEY, ["payment.paid", "billing_key.not_issued"]),
        (WITHOUT_KEY, WITH_KEY, ["payment.paid_without_key", "billing_key.issued"]),
        (WITHOUT_KEY, WITHOUT_KEY, ["payment.paid_without_key", "billing_key.not_issued"]),
    ],
)
def test_one_payment_leaves_as_one_event(
    ledger: Ledger, aws: Aws, first: State, second: State, events: list[str]
) -> None:
    told = []
    for number, state in enumerate((first, second)):
        attempt = sent(ledger, new_attempt(request=str(number), merchant_uid="order-1"))
        ending = Ending(state, registered=KEY if state == WITH_KEY else None, payment=TAKEN)
        assert ledger.finish(attempt, ending, IN_TIME)
        told.append(values_of(aws, "mine")["event"])
    assert told == events
    assert values_of(aws, "mine")["imp_uid"] == "imp_1", "which payment it was is told all the same"


def test_another_payment_for_the_order_is_another_event(ledger: Ledger, aws: Aws) -> None:
    for imp_uid in ("imp_1", "imp_2"):
        attempt = sent(ledger, new_attempt(request=imp_uid, merchant_uid="order-1"))
        paid = Ending("issued", registered=KEY, payment=replace(TAKEN, imp_uid=imp_uid))
        assert ledger.finish(attempt, paid, IN_TIME)
        assert values_of(aws, "mine")["event"] == "payment.paid"
        assert order_item(aws)["told_imp_uid"] == imp_uid


def test_what_was_seen_is_not_written_into_an_attempt_that_is_closed(ledger: Ledger, aws: Aws) -> None:
    attempt = begin(ledger)
    assert ledger.finish(attempt, Ending("not_issued"), IN_TIME)
    assert ledger.note_seen(attempt, Seen(), IN_TIME) is None
    assert "seen" not in values_of(aws, "mine")


@pytest.mark.parametrize("merchant_uid", [None, "order-1"])
def test_who_takes_an_attempt_for_unsent_cannot_close_it_once_it_was_sent(
    ledger: Ledger, aws: Aws, merchant_uid: str | None
) -> None:
    """He read it before the note was written, and says that nothing was sent."""
    unsent = begin(ledger, new_attempt(merchant_uid=merchant_uid))
    noted = ledger.note_seen(unsent, Seen(), IN_TIME)
    assert noted is not None
    assert not ledger.finish(unsent, Ending("not_issued"), IN_TIME)
    assert values_of(aws, "mine")["state"] == "open"
    assert ledger.finish(noted, Ending("issued", registered=KEY), IN_TIME)


def test_a_beginning_whose_answer_was_lost_is_begun(
    monkeypatch: pytest.MonkeyPatch, ledger: Ledger, aws_clients: AwsClients
) -> None:
    write = aws_clients.dynamodb.transact_write_items

    def written_and_lost(**transaction: Any) -> None:
        write(**transaction)
        raise ReadTimeoutError(endpoint_url="https://unused")

    new = new_attempt(merchant_uid="order-1")
    with monkeypatch.context() as patch:
        patch.setattr(aws_clients.dynamodb, "transact_write_items", written_and_lost)
        attempt = begin(ledger, new)
    assert attempt.attempt_id == new.attempt_id
    assert attempt == ledger.read("mine")
    assert ledger.finish(attempt, Ending("not_issued"), IN_TIME)


def test_what_is_due_is_read_from_the_table_as_the_index_lags(ledger: Ledger, aws: Aws, clock: ClockAhead) -> None:
    attempt = sent(ledger, new_attempt())
    clock.advance(28 + 60)
    with aws.index_held_back():
        assert ledger.finish(attempt, Ending("not_issued"), IN_TIME)
        assert list(ledger.due()) == [Due("mine", attempt.attempt_id, int(attempt.ends_at))]
        assert ledger.read("mine") is None
    assert list(ledger.due()) == []


def test_what_an_attempt_left_behind_is_the_nexts_to_replace_until_a_success(ledger: Ledger) -> None:
    left = Ending("declined", "no", registered=KEY, leftover=Leftover(KEY))
    ledger.finish(sent(ledger, new_attempt(merchant_uid="order-1")), left, IN_TIME)
    attempt = sent(ledger, new_attempt(merchant_uid="order-2"))
    assert attempt.leftover is not None
    assert attempt.leftover.is_what_stands(KEY)
    ledger.finish(attempt, Ending("issued", registered=replace(KEY, updated=6)), IN_TIME)
    assert begin(ledger, new_attempt(request="another")).leftover is None


def order_of_version_1(seconds_ago: int) -> dict[str, str | int]:
    """Word for word as 1.0.0 wrote it: whose it is, not how it stands."""
    expires_at = int(time.time()) - seconds_ago + 90 * 86_400
    return {"pk": "payment#order-1", "customer_uid": "first", "expires_at": expires_at}


@pytest.mark.parametrize(
    ("customer_uid", "seconds_ago", "expected"),
    [
        ("first", 1, "Attempt"),
        pytest.param("second", 110, "InProgress", id="the first one's may be under way"),
        pytest.param("second", 130, "Attempt", id="nothing of it can be"),
    ],
)
def test_an_order_of_version_1(ledger: Ledger, aws: Aws, customer_uid: str, seconds_ago: int, expected: str) -> None:
    put(aws, **order_of_version_1(seconds_ago))
    assert begun(ledger, new_attempt(customer_uid, merchant_uid="order-1")) == expected


def open_of_version_1(customer_uid: str, seconds_ago: int, merchant_uid: str = "") -> dict[str, str | int]:
    """Word for word as 1.0.0 wrote it."""
    began = int(time.time()) - seconds_ago
    return {
        "pk": f"uid#{customer_uid}",
        "customer_uid": customer_uid,
        "attempt_id": uuid4().hex,
        "state": "open",
        "began_at": began,
        "iamport_time": began,
        "ends_at": began + 28,
        "locked_until": began + 30,
        "due_at": began + 58,
        "due_shard": "3",
        "hour": began // HOUR,
        "attempts": 1,
        "card_fingerprint": "fingerprint",
        "masked_card": "000011******3333",
        "merchant_uid": merchant_uid,
        "expires_at": began + 90 * 86_400,
    }


def test_a_success_that_version_1_left_open_is_settled_at_once(door: Door, aws: Aws) -> None:
    fields = form_fields()
    assert door.post_json(fields).code == "issued"
    put(aws, **open_of_version_1(fields["customer_uid"], seconds_ago=80))
    settle()
    ended = values_of(aws, fields["customer_uid"])
    assert (ended["state"], ended["event"]) == ("issued", "billing_key.issued")


def test_what_version_1_left_open_counts_as_it_is_when_nothing_can_be_in_flight(
    door: Door, aws: Aws, iamport: Simulator, clock: ClockAhead
) -> None:
    """By its own times it was due twelve seconds ago, and its lock was over forty seconds ago."""
    fields = form_fields()
    put(aws, **open_of_version_1(fields["customer_uid"], seconds_ago=70))
    settle()
    assert door.post_json(fields).code == "in_progress"
    assert values_of(aws, fields["customer_uid"])["state"] == "open"
    clock.advance(20)
    settle()
    assert values_of(aws, fields["customer_uid"])["state"] == "not_issued"
    assert door.post_json(fields).code == "issued"
    assert iamport.issue_count(fields["customer_uid"]) == 1


def test_a_payment_of_version_1_is_told_though_another_has_taken_its_order(ledger: Ledger, aws: Aws) -> None:
    put(aws, **order_of_version_1(seconds_ago=200))
    put(aws, **open_of_version_1("first", 200, merchant_uid="order-1"))
    second = begin(ledger, new_attempt("second", merchant_uid="order-1"))
    first = ledger.read("first")
    assert first is not None
    assert ledger.finish(first, Ending("issued", registered=KEY, payment=TAKEN), IN_TIME)
    assert values_of(aws, "first")["event"] == "payment.paid"
    assert order_item(aws)["attempt_id"] == second.attempt_id, "and the other's hold stays"
    assert order_item(aws)["told_imp_uid"] == "imp_1"
    assert ledger.finish(second, Ending("not_issued", "already_paid"), IN_TIME)


def test_what_version_1_ended_is_read(ledger: Ledger, aws: Aws) -> None:
    """A success of its is no repeat: it did not write down all that was typed."""
    now = int(time.time())
    gone = {"state", "locked_until", "due_at", "due_shard", "expires_at"}
    item = {name: value for name, value in open_of_version_1("mine", 60).items() if name not in gone}
    registered: dict[str, str | int] = {
        "registered_at": now - 55,
        "registered_card_name": "국민KB카드",
        "registered_card_number": "000011******3333",
        "registered_card_type": "debit",
        "registered_updated": now - 56,
    }
    ending: dict[str, str | int] = {
        "state": "issued",
        "ended_at": now - 55,
        "event": "billing_key.issued",
        "event_time": "2027-01-15T08:00:05+00:00",
        "message": "",
        "imp_uid": "",
        "amount": 0,
        "receipt_url": "",
    }
    put(aws, **item, **registered, **ending)
    attempt = sent(ledger, new_attempt())
    assert not attempt.is_first
    assert registered.items() <= attempt.item.items()
    assert ledger.finish(attempt, Ending("not_issued", "already_registered"), IN_TIME)
    assert values_of(aws, "mine")["registered_card_number"] == "000011******3333"


def in_half_a_second() -> Deadline:
    """Before the moment that is kept for answering."""
    return Deadline.after(ledger_module.ANSWER_SECONDS + 0.5)


@pytest.mark.parametrize("of_which", range(3))
def test_an_attempt_that_meets_another_transaction_begins_a_moment_later(
    ledger: Ledger, aws: Aws, of_which: int
) -> None:
    aws.conflict_next("TransactWriteItems", times=4, index=of_which)
    begin(ledger, new_attempt(merchant_uid="order-1"))
    assert values_of(aws, "mine")["state"] == "open"


def test_an_attempt_that_meets_others_for_two_seconds_does_not_begin(ledger: Ledger, aws: Aws) -> None:
    aws.conflict_next("TransactWriteItems", times=1000)
    started = time.monotonic()
    with pytest.raises(Unavailable, match="ledger_busy"):
        ledger.begin(new_attempt(), IN_TIME)
    assert 1.5 < time.monotonic() - started < 2.5
    assert [item for item in items(aws) if item["pk"]["S"].startswith("uid#")] == []


def test_an_ending_that_meets_another_transaction_is_written_a_moment_later(ledger: Ledger, aws: Aws) -> None:
    attempt = begin(ledger)
    aws.conflict_next("PutItem", times=4)
    assert ledger.finish(attempt, Ending("declined", message="no"), IN_TIME)
    assert values_of(aws, "mine")["state"] == "declined"


@pytest.mark.parametrize("of_which", range(2))
def test_an_ending_with_an_order_that_meets_another_transaction_is_written_a_moment_later(
    ledger: Ledger, aws: Aws, of_which: int
) -> None:
    attempt = sent(ledger, new_attempt(merchant_uid="order-1"))
    aws.conflict_next("TransactWriteItems", times=4, index=of_which)
    assert ledger.finish(attempt, Ending("declined", message="no"), IN_TIME)
    assert (values_of(aws, "mine")["state"], order_item(aws)["state"]) == ("declined", "free")


def test_what_was_seen_is_noted_in_spite_of_another_transaction(ledger: Ledger, aws: Aws) -> None:
    attempt = begin(ledger)
    aws.conflict_next("UpdateItem", times=4)
    noted = ledger.note_seen(attempt, Seen(None, ("imp_0",)), IN_TIME)
    assert noted == ledger.read("mine") != attempt


def test_an_attempt_left_open_or_postponed_in_spite_of_another_transaction(ledger: Ledger, aws: Aws) -> None:
    attempt = begin(ledger)
    aws.conflict_next("UpdateItem", times=4)
    ledger.leave_open(attempt, IN_TIME)
    assert int(values_of(aws, "mine")["ends_at"]) <= time.time()
    aws.conflict_next("UpdateItem", times=4)
    ledger.postpone("mine", attempt.attempt_id, 500, IN_TIME)
    assert int(values_of(aws, "mine")["due_at"]) >= time.time() + 498


def test_an_ending_that_cannot_be_written_leaves_time_for_the_answer(ledger: Ledger, aws: Aws) -> None:
    attempt = begin(ledger)
    aws.conflict_next("PutItem", times=1000)
    started = time.monotonic()
    with pytest.raises(Unavailable, match="ledger_busy"):
        ledger.finish(attempt, Ending("declined"), in_half_a_second())
    assert time.monotonic() - started < 0.6
    assert values_of(aws, "mine")["state"] == "open"


@pytest.mark.usefixtures("looked_once")
def test_a_settler_that_an_index_tells_of_a_closed_attempt_changes_nothing(
    door: Door, aws: Aws, iamport: Simulator, clock: ClockAhead
) -> None:
    fields = form_fields()
    iamport.fail_next("issue", faults.SERVER_ERROR)
    assert door.post_json(fields).code == "outcome_unknown"
    clock.advance(60)
    with aws.index_held_back():
        settle()
        closed = values_of(aws, fields["customer_uid"])
        assert closed["state"] == "not_issued"
        clock.advance(60)
        settle()
    assert values_of(aws, fields["customer_uid"]) == closed
