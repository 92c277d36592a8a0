"""The pipe's filter and input template, applied to what the functions write into the table, give docs/events.md."""

import json
import re
import time
from collections.abc import Callable
from datetime import datetime

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from infra.local.aws import Aws, name_of_table
from infra.local.event_pipe import EVENT_PIPE
from infra.local.iamport import faults
from infra.local.iamport.cards import number_of
from infra.local.template import PROJECT
from infra.local.webhook import as_posted
from tests.attempts_table import empty_ledger
from tests.infrastructure.event_stream import EventStream
from tests.infrastructure.every_way import DAY, DECLINED_CARD, MINUTE, OTHER_CARD, Surroundings, payment
from tests.infrastructure.stacks import deployment
from tests.integration.door import settle, signed_fields

WRITTEN = json.loads((PROJECT / "docs/events.schema.json").read_text("utf-8"))
SCHEMA = Draft202012Validator(WRITTEN, format_checker=FormatChecker())

CARD, MASKED = "0000-9876-9876-9876", "000098******9876"


@pytest.fixture
def stream(aws: Aws) -> EventStream:
    return EventStream(aws)


def issued(around: Surroundings) -> None:
    around.signed_door.post_json(signed_fields("mine", CARD))


def declined(around: Surroundings) -> None:
    around.signed_door.post_json(signed_fields("mine", DECLINED_CARD))


def never_sent(around: Surroundings) -> None:
    around.iamport.fail_next("issue", faults.UNAUTHORIZED, times=3)
    around.signed_door.post_json(signed_fields("mine", CARD))


def not_found_by_the_settler(around: Surroundings) -> None:
    lose_the_answer(around, faults.LINE_CUT)
    find_out(around)


def found_by_the_settler(around: Surroundings) -> None:
    lose_the_answer(around, faults.ANSWER_LOST)
    find_out(around)


def given_up(around: Surroundings) -> None:
    lose_the_answer(around, faults.LINE_CUT)
    around.clock.advance(DAY + MINUTE)
    settle()


def paid(around: Surroundings) -> None:
    around.signed_door.post_json(signed_fields("mine", CARD, payment=payment("order-1")))


def paid_without_key(around: Surroundings) -> None:
    """Told only when no key can come any more."""
    fields = signed_fields("mine", number_of("paid_without_key"), payment=payment("order-1"))
    around.signed_door.post_json(fields)
    around.clock.advance(5 * MINUTE)
    settle()


def payment_refused(around: Surroundings) -> None:
    around.signed_door.post_json(signed_fields("mine", number_of("payment_failed"), payment=payment("order-1")))


@pytest.mark.parametrize(
    ("ending", "detail_type", "message"),
    [
        (issued, "billing_key.issued", ""),
        (found_by_the_settler, "billing_key.issued", ""),
        (declined, "billing_key.declined", r"\S.*"),
        (never_sent, "billing_key.not_issued", "unavailable"),
        (not_found_by_the_settler, "billing_key.not_issued", ""),
        (given_up, "billing_key.unknown", "iamport_not_answering.*"),
        (paid, "payment.paid", ""),
        (paid_without_key, "payment.paid_without_key", ""),
        (payment_refused, "payment.failed", r"\S.*"),
    ],
)
def test_each_ending_is_told_once_as_documented(
    around: Surroundings,
    stream: EventStream,
    ending: Callable[[Surroundings], None],
    detail_type: str,
    message: str,
) -> None:
    began = int(time.time())
    ending(around)
    [event] = stream.events()
    detail = event.detail
    assert (event.source, event.detail_type) == ("card-door", detail_type)
    assert list(detail) == documented_fields()
    assert all(isinstance(value, str) for value in detail.values())
    assert detail["customer_uid"] == "mine"
    assert re.fullmatch(r"[0-9a-f]{32}", detail["attempt_id"])
    assert re.fullmatch(r"0000\d\d\*{6}\d{4}", detail["card"])
    assert re.fullmatch(message, detail["message"])
    assert began <= datetime.fromisoformat(detail["time"]).timestamp() <= time.time()


@pytest.mark.parametrize(
    "ending",
    [
        *(issued, found_by_the_settler, declined, never_sent, not_found_by_the_settler, given_up, paid),
        *(paid_without_key, payment_refused),
    ],
)
def test_what_is_posted_is_as_the_schema_has_it(
    around: Surroundings, stream: EventStream, ending: Callable[[Surroundings], None]
) -> None:
    ending(around)
    [event] = stream.events()
    SCHEMA.validate(as_posted(event))


def test_the_schema_has_each_event_and_each_field_that_the_page_has() -> None:
    page = (PROJECT / "docs/events.md").read_text("utf-8")
    told = set(re.findall(r"^\| `((?:billing_key|payment)\.\w+)` \|", page, re.MULTILINE))
    assert {one["$ref"].rpartition("/")[2] for one in WRITTEN["oneOf"]} == told
    detail = WRITTEN["$defs"]["detail"]
    assert list(detail["properties"]) == detail["required"] == documented_fields()


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": "0"},
        {"amount": 9900},
        {"imp_uid": ""},
        {"key_stays": "no"},
        {"card": CARD},
        {"attempt_id": "1"},
        {"card_type": "gift"},
        {"time": "yesterday"},
    ],
)
def test_the_schema_refuses_what_no_paid_event_says(
    around: Surroundings, stream: EventStream, wrong: dict[str, object]
) -> None:
    paid(around)
    [event] = stream.events()
    posted = as_posted(event)
    posted["detail"] = {**posted["detail"], **wrong}
    assert not SCHEMA.is_valid(posted)


def test_a_payment_is_told_with_what_was_paid(around: Surroundings, stream: EventStream) -> None:
    paid(around)
    [event] = stream.events()
    [payment_at_iamport] = around.iamport.payments
    told_of_it = {name: event.detail[name] for name in ("merchant_uid", "imp_uid", "amount")}
    assert told_of_it == {"merchant_uid": "order-1", "imp_uid": payment_at_iamport.imp_uid, "amount": "9900"}


def test_a_payment_without_a_key_is_told_with_what_was_paid(around: Surroundings, stream: EventStream) -> None:
    """As soon as it is certain: a key may lag behind its payment."""
    answer = around.signed_door.post_json(
        signed_fields("mine", number_of("paid_without_key"), payment=payment("order-1"))
    )
    assert answer.code == "paid_without_key"
    assert stream.events() == []
    around.clock.advance(2 * MINUTE)
    settle()
    [event] = stream.events()
    [payment_at_iamport] = around.iamport.payments
    told_of_it = {name: event.detail[name] for name in ("merchant_uid", "imp_uid", "amount")}
    assert told_of_it == {"merchant_uid": "order-1", "imp_uid": payment_at_iamport.imp_uid, "amount": "9900"}


def test_a_payment_is_told_once_however_often_it_is_asked_for(around: Surroundings, stream: EventStream) -> None:
    """Ten minutes later it is another attempt, which finds the order paid: that one registered nothing new."""
    for _ in range(2):
        assert around.signed_door.post_json(signed_fields("mine", CARD, payment=payment("order-1"))).code == "issued"
        around.clock.advance(11 * MINUTE)
    assert [event.detail_type for event in stream.events()] == ["payment.paid", "billing_key.issued"]
    assert len(around.iamport.payments) == 1


def test_an_event_names_the_card_that_is_registered(around: Surroundings, stream: EventStream) -> None:
    """Ten minutes later another card is offered for the order: it is not sent, and nobody is told of it."""
    for number in (CARD, OTHER_CARD):
        fields = signed_fields("mine", number, payment=payment("order-1"))
        answer = around.signed_door.post_json(fields)
        assert answer.code == "issued"
        event = stream.events()[-1].detail
        assert answer.body["card"] == {
            "number": event["card"],
            "name": event["card_name"],
            "type": event["card_type"],
        }
        assert (event["card"], event["request_id"]) == (MASKED, answer.body["request_id"])
        around.clock.advance(11 * MINUTE)


def test_who_finds_a_payment_without_a_key_names_no_card(around: Surroundings, stream: EventStream) -> None:
    around.iamport.pay("order-1", 9900, "mine")
    assert around.signed_door.post_json(signed_fields("mine", CARD, payment=payment("order-1"))).code == (
        "paid_without_key"
    )
    [event] = stream.events()
    assert [event.detail[name] for name in ("card", "card_name", "card_type")] == ["", "", ""]


@pytest.mark.parametrize(
    ("scenario", "before", "looks_fail", "stays"),
    [
        ("payment_failed", None, False, "no"),
        ("payment_refused_without_key", None, False, "no"),
        ("payment_refused_with_key", None, False, "this_card"),
        ("payment_refused_with_key", CARD, False, "this_card"),
        ("payment_refused_without_key", CARD, False, "another_card"),
        ("payment_refused_without_key", None, True, "unknown"),
    ],
)
def test_a_refused_payment_is_told_with_what_stays_registered(
    around: Surroundings, stream: EventStream, scenario: str, before: str | None, looks_fail: bool, stays: str
) -> None:
    iamport = around.iamport
    if before is not None:
        iamport.register("mine", before, updated=int(time.time()) - DAY)
    if looks_fail:
        iamport.choose_fault = lambda call: (
            faults.SERVER_ERROR if call.endpoint == "look_up" and "pay_onetime" in iamport.endpoints else None
        )
    fields = signed_fields("mine", number_of(scenario), payment=payment("order-1"), replace=True)
    assert around.signed_door.post_json(fields).code == "declined"
    [event] = stream.events()
    assert (event.detail_type, event.detail["key_stays"]) == ("payment.failed", stays)


def test_what_has_no_payment_is_told_without_one(around: Surroundings, stream: EventStream) -> None:
    issued(around)
    [event] = stream.events()
    assert [event.detail[name] for name in ("merchant_uid", "imp_uid", "amount")] == ["", "", "0"]


def test_nothing_is_told_but_the_endings(around: Surroundings, stream: EventStream, aws: Aws) -> None:
    """No beginning, nothing that can't be found out yet, no repeat, no correction by hand, no item's end."""
    fields = signed_fields("mine", CARD)
    lose_the_answer(around, faults.ANSWER_LOST)
    around.signed_door.post_json(fields)
    around.clock.advance(2 * MINUTE)
    settle()
    assert stream.events() == []
    find_out(around)
    around.signed_door.post_json(fields)
    assert len(stream.events()) == 1
    around.signed_door.post_json(signed_fields("mine", OTHER_CARD, replace=True))
    assert [event.detail_type for event in stream.events()] == ["billing_key.issued"] * 2
    aws.dynamodb().update_item(
        TableName=name_of_table(aws),
        Key={"pk": {"S": "uid#mine"}},
        UpdateExpression="SET registered_card_name = :name",
        ExpressionAttributeValues={":name": {"S": "by hand"}},
    )
    empty_ledger(aws)
    assert {record["eventName"] for record in stream.records()} == {"INSERT", "MODIFY", "REMOVE"}
    assert len(stream.events()) == 2


def test_no_event_tells_that_a_request_is_forgotten(around: Surroundings, stream: EventStream) -> None:
    issued(around)
    around.clock.advance(11 * MINUTE)
    settle()
    assert len(stream.events()) == 1
    last = stream.records()[-1]
    images = last["dynamodb"]["OldImage"], last["dynamodb"]["NewImage"]
    assert (last["eventName"], ["request_fingerprint" in image for image in images]) == ("MODIFY", [True, False])
    assert [image["state"]["S"] for image in images] == ["issued", "issued"]


def test_an_event_tells_nothing_of_the_card_but_its_mask(around: Surroundings, stream: EventStream) -> None:
    for ending in (issued, paid):
        ending(around)
    texts = json.dumps([event.detail for event in stream.events()])
    images = [record["dynamodb"]["NewImage"] for record in stream.records()]
    keys = (image["pk"]["S"].split("#") for image in images)
    of_the_card = {fingerprint for kind, fingerprint, *_ in keys if kind == "card"}
    of_the_request = {image["request_fingerprint"]["S"] for image in images if "request_fingerprint" in image}
    assert MASKED in texts
    assert (len(of_the_card), len(of_the_request)) == (1, 1)
    for secret in (CARD, CARD.replace("-", ""), *of_the_card, *of_the_request):
        assert secret not in texts


def test_a_record_that_cannot_be_told_is_given_up_while_it_can_still_be_fetched() -> None:
    """By default a pipe retries a bad record until it leaves the stream, after 24 hours; what it gives up goes to the
    queue as a position in the stream. AUTOMATIC_BISECT finds the bad one of a batch.

    Sources: EventBridge Pipes API reference, PipeSourceDynamoDBStreamParameters; EventBridge user guide, "Pipes error
    handling"; DynamoDB developer guide, "Change data capture for DynamoDB Streams" (24 hours).
    """
    deployed = deployment("as it comes")
    stream = deployed.resource(EVENT_PIPE).properties["SourceParameters"]["DynamoDBStreamParameters"]
    assert 0 < stream["MaximumRecordAgeInSeconds"] <= DAY / 2
    assert 0 < stream["MaximumRetryAttempts"] <= 10
    assert stream["OnPartialBatchItemFailure"] == "AUTOMATIC_BISECT"
    assert stream["DeadLetterConfig"]["Arn"] == deployed.resource("LostEvents").returned["Arn"]


def lose_the_answer(around: Surroundings, fault: faults.Fault) -> None:
    """From now on Iamport can't be asked: the uid is new, so that the card is sent all the same."""
    around.iamport.fail_next("issue", fault)
    around.iamport.choose_fault = lambda call: faults.SERVER_ERROR if call.endpoint == "look_up" else None
    around.signed_door.post_json(signed_fields("mine", CARD, new=True))


def find_out(around: Surroundings) -> None:
    """Iamport can be asked again."""
    around.iamport.choose_fault = lambda _: None
    around.clock.advance(5 * MINUTE)
    settle()


def documented_fields() -> list[str]:
    example = (PROJECT / "docs/events.md").read_text("utf-8").split("```json")[1].split("```")[0]
    return list(json.loads(example))
