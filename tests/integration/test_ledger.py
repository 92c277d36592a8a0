"""The attempts table: one attempt at a time, limits, repeats, and nothing in it that gives a card away."""

import hashlib
import json
import os
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from billing.aws_clients import AwsClients
from billing.credentials import Credentials
from billing.ledger import ledger as ledger_module
from billing.ledger.ledger import Ledger
from billing.model.attempt import Attempt, Ending, LeftOpen, NewAttempt, Repeated
from billing.model.billing_key import BillingKey
from billing.model.deadline import Deadline
from billing.model.errors import InProgress, TooManyAttempts, Unavailable
from billing.model.sensitive import Sensitive
from billing.settings import read_settings
from infra.local.aws import Aws
from infra.local.iamport import Simulator, faults
from tests.attempts_table import empty_ledger, item_of, items, name_of_table, plain
from tests.conftest import ClockAhead
from tests.integration.door import Door, form_fields, settle

IN_TIME = Deadline.after(3600)
SECOND, HOUR = 1, 3600


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


def test_the_fingerprint_depends_on_the_secret() -> None:
    one, other = (Credentials(Sensitive("k"), Sensitive(secret), ()) for secret in ("s1", "s2"))
    assert one.fingerprint("0000987698769876") != other.fingerprint("0000987698769876")
    assert one.fingerprint("0000987698769876") != one.fingerprint("0000987698769877")


@pytest.mark.usefixtures("door")
def test_without_the_table_nothing_is_sent(monkeypatch: pytest.MonkeyPatch, iamport: Simulator) -> None:
    monkeypatch.setenv("ATTEMPTS_TABLE", "no-such-table")
    assert Door().post_json(form_fields()).code == "unavailable"
    assert "issue" not in iamport.endpoints


def test_an_unknown_outcome_keeps_the_customer_locked_until_it_is_settled(
    door: Door, aws: Aws, iamport: Simulator
) -> None:
    fields = form_fields()
    iamport.fail_next("issue", faults.slow(30.0, processed_after=14.0))
    assert door.post_json(fields, seconds_left=12.0).code == "outcome_unknown"
    assert door.post_json(fields).code == "in_progress"
    assert values_of(aws, fields["customer_uid"])["state"] == "open"


@pytest.mark.parametrize("issued", [True, False])
def test_the_settler_finds_out_how_an_attempt_ended(
    door: Door, aws: Aws, iamport: Simulator, clock: ClockAhead, issued: bool
) -> None:
    fields = form_fields()
    iamport.fail_next("issue", faults.ANSWER_LOST if issued else faults.LINE_CUT)
    iamport.choose_fault = lambda call: (
        faults.SERVER_ERROR if call.endpoint == "look_up" and len(iamport.calls) > 3 else None
    )
    assert door.post_json(fields).code == "outcome_unknown"
    iamport.choose_fault = lambda _: None
    settle()
    assert values_of(aws, fields["customer_uid"])["state"] == "open", "its invocation may not be over yet"
    clock.advance(60)
    settle()
    settle()
    ended = values_of(aws, fields["customer_uid"])
    assert ended["state"] == ("issued" if issued else "not_issued")
    assert ended["event"] == f"billing_key.{ended['state']}"
    assert "due_at" not in ended
    assert (fields["customer_uid"] in iamport.customers) == issued


def test_after_a_gateway_error_a_retry_finds_a_key_that_came_late(door: Door, iamport: Simulator) -> None:
    fields = form_fields()
    iamport.fail_next("issue", faults.SERVER_ERROR)
    assert door.post_json(fields).code == "gateway_error"
    assert door.post_json(fields).code == "issued"
    assert iamport.issue_count(fields["customer_uid"]) == 1


def test_the_settler_gives_up_after_a_day(
    door: Door, aws: Aws, iamport: Simulator, clock: ClockAhead, capsys: pytest.CaptureFixture[str]
) -> None:
    fields = form_fields()
    iamport.fail_next("issue", faults.SERVER_ERROR)
    assert door.post_json(fields).code == "gateway_error"
    iamport.choose_fault = lambda _: faults.SERVER_ERROR
    clock.advance(3600)
    settle()
    assert values_of(aws, fields["customer_uid"])["state"] == "open"
    clock.advance(86400)
    settle()
    assert values_of(aws, fields["customer_uid"])["state"] == "unknown"
    assert '"AttemptGivenUp":[1.0]' in capsys.readouterr().out


def new_attempt(customer_uid: str = "mine", card: str = "fingerprint", ends_in: float = 28.0) -> NewAttempt:
    now = time.time()
    return NewAttempt(customer_uid, card, "000011******3333", None, int(now), now + ends_in)


@pytest.fixture
def ledger(monkeypatch: pytest.MonkeyPatch, aws: Aws) -> Ledger:
    empty_ledger(aws)
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
    environment = {
        "IAMPORT_SECRET_ID": "unused",
        "ATTEMPTS_TABLE": name_of_table(aws),
        "ATTEMPTS_PER_CUSTOMER": "10",
        "ATTEMPTS_PER_CARD": "10",
    }
    clients = AwsClients()
    assert clients.dynamodb, "made before threads share it: making it is not safe in threads"
    return Ledger(read_settings({**os.environ, **environment}), clients)


def begun(ledger: Ledger, new: NewAttempt) -> str:
    try:
        return type(ledger.begin(new, IN_TIME)).__name__
    except (InProgress, TooManyAttempts) as refused:
        return type(refused).__name__


def test_a_lock_is_taken_over_once_its_function_must_be_dead(ledger: Ledger, clock: ClockAhead) -> None:
    clock.advance_to_whole(SECOND)  # the ledger leaves fractions out
    assert isinstance(ledger.begin(new_attempt(), IN_TIME), Attempt)
    clock.advance(29)
    assert begun(ledger, new_attempt()) == "InProgress"
    clock.advance(2)
    assert isinstance(ledger.begin(new_attempt(), IN_TIME), LeftOpen)


def test_of_fifty_attempts_at_once_for_one_customer_one_begins(ledger: Ledger) -> None:
    with ThreadPoolExecutor(16) as threads:
        outcomes = Counter(threads.map(lambda _: begun(ledger, new_attempt()), range(50)))
    assert outcomes == {"Attempt": 1, "InProgress": 49}


def test_the_cards_limit_holds_for_fifty_customers_at_once(ledger: Ledger, clock: ClockAhead) -> None:
    clock.advance_to_whole(HOUR)
    with ThreadPoolExecutor(16) as threads:
        outcomes = Counter(threads.map(lambda number: begun(ledger, new_attempt(f"customer-{number}")), range(50)))
    assert outcomes == {"Attempt": 10, "TooManyAttempts": 40}


def test_a_repeat_is_only_one_with_the_same_card(ledger: Ledger) -> None:
    attempt = ledger.begin(new_attempt(), IN_TIME)
    assert isinstance(attempt, Attempt)
    ledger.finish(attempt, Ending("issued", registered=BillingKey("mine", None, "0000****", "debit", 5)), IN_TIME)
    assert isinstance(ledger.begin(new_attempt(), IN_TIME), Repeated)
    assert isinstance(ledger.begin(new_attempt(card="another"), IN_TIME), Attempt)


def test_only_the_first_to_finish_an_attempt_does(ledger: Ledger) -> None:
    attempt = ledger.begin(new_attempt(), IN_TIME)
    assert isinstance(attempt, Attempt)
    assert ledger.finish(attempt, Ending("declined", message="no"), IN_TIME)
    assert not ledger.finish(attempt, Ending("not_issued"), IN_TIME)


def in_half_a_second() -> Deadline:
    """Before the moment that is kept for answering."""
    return Deadline.after(ledger_module.ANSWER_SECONDS + 0.5)


@pytest.mark.parametrize("of_which", range(2))
def test_an_attempt_that_meets_another_transaction_begins_a_moment_later(
    ledger: Ledger, aws: Aws, of_which: int
) -> None:
    aws.conflict_next("TransactWriteItems", times=4, index=of_which)
    assert isinstance(ledger.begin(new_attempt(), IN_TIME), Attempt)
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


def test_an_attempt_left_open_or_postponed_in_spite_of_another_transaction(ledger: Ledger, aws: Aws) -> None:
    attempt = begin(ledger)
    aws.conflict_next("UpdateItem", times=4)
    ledger.leave_open(attempt, IN_TIME, locked=False)
    assert int(values_of(aws, "mine")["locked_until"]) <= time.time()
    aws.conflict_next("UpdateItem", times=4)
    ledger.postpone(attempt, 500, IN_TIME)
    assert int(values_of(aws, "mine")["due_at"]) >= time.time() + 498


def test_an_ending_that_cannot_be_written_leaves_time_for_the_answer(ledger: Ledger, aws: Aws) -> None:
    attempt = begin(ledger)
    aws.conflict_next("PutItem", times=1000)
    started = time.monotonic()
    with pytest.raises(Unavailable, match="ledger_busy"):
        ledger.finish(attempt, Ending("declined"), in_half_a_second())
    assert time.monotonic() - started < 0.6
    assert values_of(aws, "mine")["state"] == "open"


def test_a_settler_that_an_index_tells_of_a_closed_attempt_changes_nothing(
    door: Door, aws: Aws, iamport: Simulator, clock: ClockAhead
) -> None:
    fields = form_fields()
    iamport.fail_next("issue", faults.SERVER_ERROR)
    assert door.post_json(fields).code == "gateway_error"
    clock.advance(60)
    with aws.index_held_back():
        settle()
        closed = values_of(aws, fields["customer_uid"])
        assert closed["state"] == "not_issued"
        clock.advance(60)
        settle()
    assert values_of(aws, fields["customer_uid"]) == closed


def begin(ledger: Ledger) -> Attempt:
    attempt = ledger.begin(new_attempt(), IN_TIME)
    assert isinstance(attempt, Attempt)
    return attempt
