"""The runbook keeps up with the alarms, the code and AWS: whoever is woken by an alarm has nothing to invent."""

import ast
import json
import re
import textwrap
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from billing.aws_clients import as_unavailable
from billing.observability import METRIC_BY_OUTCOME
from infra.local.aws import IAMPORT_SECRET, Aws, name_of_table
from infra.local.event_pipe import Event
from infra.local.iamport import Simulator, faults
from infra.local.iamport.cards import number_of
from infra.local.intrinsics import ACCOUNT_ID, REGION, STACK_NAME
from infra.local.service import put_local_keys
from infra.local.template import PROJECT
from infra.local.webhook import KEY_HEADER, as_posted
from tests.attempts_table import item_of, plain
from tests.conftest import ClockAhead
from tests.infrastructure.aws_commands import aws_commands, wrong_options
from tests.infrastructure.command_line import run_in_bash
from tests.infrastructure.event_stream import EventStream
from tests.infrastructure.every_way import DECLINED_CARD, payment
from tests.infrastructure.stacks import MAIN, Resource, deployment
from tests.integration.door import Door, form_fields, settle, signed_fields

RUNBOOK = (PROJECT / "docs/runbook.md").read_text("utf-8")
SHELL = "\n".join(re.findall(r"^ *```sh\n(.*?)^ *```", RUNBOOK, re.DOTALL | re.MULTILINE))
PROSE = re.sub(r"^ *```.*?^ *```", "", RUNBOOK, flags=re.DOTALL | re.MULTILINE)

SECTIONS = {
    re.sub(r"[^\w-]", "", title.lower().replace(" ", "-")): text
    for title, text in re.findall(r"^#+ ([^\n]+)\n(.*?)(?=^#|\Z)", PROSE, re.DOTALL | re.MULTILINE)
}
"""What each says, by the anchor that GitHub gives its heading."""

EVERYTHING = deployment("all that can be turned on")
ALARMS = EVERYTHING.of_type("AWS::CloudWatch::Alarm")


def section_named_by(alarm: Resource) -> str:
    [named] = re.findall(r"docs/runbook\.md#([\w-]+)", alarm.properties["AlarmDescription"])
    return str(named)


@pytest.mark.parametrize("alarm", ALARMS, ids=lambda alarm: alarm.name)
def test_every_alarm_says_what_to_do_and_where_that_is_explained(alarm: Resource) -> None:
    assert section_named_by(alarm) in SECTIONS


def test_every_section_that_explains_an_alarm_has_the_alarm_and_its_name() -> None:
    explained = {f"{STACK_NAME}-{section}" for section, text in SECTIONS.items() if "**Means**" in text}
    assert explained == {alarm.properties["AlarmName"] for alarm in ALARMS if alarm.stack != MAIN}


@pytest.mark.parametrize("section", [name for name, text in SECTIONS.items() if "**Means**" in text])
def test_a_section_leads_from_the_meaning_to_what_is_done(section: str) -> None:
    assert re.findall(r"^\*\*(\w+)\*\*", SECTIONS[section], re.MULTILINE) == ["Means", "Look", "Do"]


def test_every_link_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)]+)\)", PROSE):
        path, _, section = target.partition("#")
        assert section in SECTIONS if not path else (PROJECT / "docs" / path).exists(), target


@pytest.mark.parametrize("command", sorted(set(aws_commands(SHELL, PROSE))))
def test_aws_knows_every_command_and_its_options(command: str) -> None:
    assert wrong_options(command) == set()


def test_every_resource_that_is_named_exists() -> None:
    named = set(re.findall(r"\$\(physical (\w+)\)", SHELL))
    assert "AttemptsTable" in named
    assert named <= {resource.name for resource in EVERYTHING.resources if resource.stack == MAIN}


def test_every_outcome_that_is_searched_for_exists() -> None:
    searched = {
        outcome
        for found in re.findall(r"outcome (?:= |in \[)('[^\]|\"]+')", SHELL)
        for outcome in re.findall(r"'(\w+)'", found)
    }
    assert "outcome_unknown" in searched
    assert searched <= METRIC_BY_OUTCOME.keys()


def test_every_reason_for_which_nothing_was_sent_is_explained() -> None:
    modules = (PROJECT / "functions/issue_billing").rglob("*.py")
    reasons = {reason for module in modules for reason in reasons_in(ast.parse(module.read_text("utf-8")))}
    assert {"no_time_left", "iamport_unreachable", "ledger_refused", "secret_refused", "token_not_given"} <= reasons
    explained = re.findall(r"`(\w+)", " ".join(re.findall(r"^\| (`.*?) \|", SECTIONS["gateway-unavailable"], re.M)))
    assert {reason for reason in reasons if reason not in explained} == set()


PARTS_OF_AWS = as_unavailable.__annotations__["part"].__args__


def reasons_in(module: ast.Module) -> Iterator[str]:
    """How the reasons begin that are given to Unavailable, as they are or under a variable's name."""
    given: list[ast.expr] = []
    for node in ast.walk(module):
        match node:
            case ast.Call(func=ast.Name(id="Unavailable"), args=[reason, *_]):
                given.append(reason)
    variables = {reason.id for reason in given if isinstance(reason, ast.Name)}
    for node in ast.walk(module):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in variables:
                given.append(value)
    for part in (part for reason in given for part in ast.walk(reason)):
        match part:
            case ast.Constant(value=str(text)) if text.startswith("_"):  # behind the part of AWS that was asked
                yield from (name + re.split(r"\W", text)[0] for name in PARTS_OF_AWS)
            case ast.Constant(value=str(text)):
                yield re.split(r"\W", text)[0]


def test_an_event_that_is_sent_again_has_the_fields_of_the_pipes() -> None:
    pipe = EVERYTHING.resource("EventPipe").properties["TargetParameters"]
    sent_again = dict(re.findall(r"(\w+): (\.\w+\.[NS])\b", SHELL.split("Detail: ({")[1].split("tojson")[0]))
    assert sent_again == dict(re.findall(r'"(\w+)":<\$\.dynamodb\.NewImage(\.\w+\.[NS])>', pipe["InputTemplate"]))
    assert f'Source: "{pipe["EventBridgeEventBusParameters"]["Source"]}"' in SHELL
    assert f"$.dynamodb.NewImage{'.event.S'}" == pipe["EventBridgeEventBusParameters"]["DetailType"]


@pytest.fixture
def customer_uid(door: Door, aws: Aws, iamport: Simulator, clock: ClockAhead) -> str:
    """Whose card Iamport registered, while its answers were lost for longer than the settler asks for them."""
    fields = form_fields()
    iamport.fail_next("issue", faults.ANSWER_LOST)
    iamport.choose_fault = lambda call: (
        faults.SERVER_ERROR if call.endpoint == "look_up" and len(iamport.calls) > 3 else None
    )
    door.post_json(fields)
    clock.advance(90000)
    settle()
    assert plain(item_of(aws, fields["customer_uid"]))["state"] == "unknown"
    return fields["customer_uid"]


def test_an_attempt_that_is_opened_again_is_settled_when_iamport_answers(
    aws: Aws, iamport: Simulator, clock: ClockAhead, customer_uid: str
) -> None:
    open_again(aws, customer_uid)
    settle()
    still_open = plain(item_of(aws, customer_uid))
    assert still_open["state"] == "open", "it has another day"
    assert "event" not in still_open, "the pipe tells the event of any change of an open attempt"
    iamport.choose_fault = lambda _: None
    clock.advance(180)
    settle()
    settled = plain(item_of(aws, customer_uid))
    assert (settled["state"], settled["event"]) == ("issued", "billing_key.issued")


def test_its_customer_may_try_again_meanwhile(door: Door, aws: Aws, iamport: Simulator, customer_uid: str) -> None:
    """What tells that it is the same request has been forgotten; that the card is registered has not."""
    open_again(aws, customer_uid)
    iamport.choose_fault = lambda _: None
    assert door.post_json(form_fields(customer_uid=customer_uid)).code == "already_registered"
    assert iamport.issue_count(customer_uid) == 1


def open_again(aws: Aws, customer_uid: str) -> None:
    """As the runbook has it."""
    [update] = re.findall(r"--update-expression '([^']+)'", SHELL)
    [condition] = re.findall(r"--condition-expression '([^']+)'", SHELL)
    [ago] = re.findall(r"--arg over .*date \+%s\) - (\d+)", SHELL)
    aws.dynamodb().update_item(
        TableName=name_of_table(aws),
        Key={"pk": {"S": f"uid#{customer_uid}"}},
        UpdateExpression=update,
        ConditionExpression=condition,
        ExpressionAttributeNames={"#state": "state"},
        ExpressionAttributeValues={
            ":id": {"S": plain(item_of(aws, customer_uid))["attempt_id"]},
            ":over": {"N": str(int(time.time()) - int(ago))},
            ":shard": {"S": "0"},
            ":open": {"S": "open"},
            ":unknown": {"S": "unknown"},
        },
    )


# ---- The commands, in bash, against AWS's stand-in ----

BLOCKS = [textwrap.dedent(block) for block in re.findall(r"^ *```sh\n(.*?)^ *```", RUNBOOK, re.DOTALL | re.MULTILINE)]


def run_block(containing: str, aws: Aws, directory: Path, **changes: str) -> str:
    """What the block prints; `changes`: variables of it that get another value."""
    [script] = [block for block in BLOCKS if containing in block]
    return run(script, aws, directory, **changes)


def run(script: str, aws: Aws, directory: Path, **changes: str) -> str:
    """Asserts that it succeeds. What its first lines on the page set is set: `physical` names what the stand-in has."""
    for name, value in changes.items():
        script, times = re.subn(rf"\b{name}=\S+( *#.*)?$", f"{name}={value}", script, flags=re.MULTILINE)
        assert times == 1, name
    queue, bus = f"{aws.url}/{ACCOUNT_ID}/lost", f"{STACK_NAME}-billing"
    first = (
        f'physical() {{ case $1 in LostEvents) echo "{queue}" ;; EventBus) echo "{bus}" ;; esac; }}; ask() {{ :; }}\n'
    )
    variables = {
        "AWS_ENDPOINT_URL": aws.url,
        "TABLE": name_of_table(aws),
        "SECRET": aws.physical_ids[IAMPORT_SECRET],
        "STACK": STACK_NAME,
    }
    done = run_in_bash(first + script, directory, variables)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_a_complaint_leads_to_its_attempt_by_one_command(door: Door, aws: Aws, tmp_path: Path) -> None:
    door.post_json(form_fields())
    answer = door.post_json(form_fields(card_number=DECLINED_CARD, customer_uid="complaining"))
    [found] = json.loads(run_block("'request_id = :id'", aws, tmp_path, REQUEST_ID=answer.body["request_id"]))
    assert (found["customer_uid"], found["state"]) == ("complaining", "declined")
    assert found["attempt_id"] == plain(item_of(aws, "complaining"))["attempt_id"]
    assert found["message"] in answer.body["message"]


def test_nothing_is_found_of_a_request_that_began_no_attempt(door: Door, aws: Aws, tmp_path: Path) -> None:
    answer = door.post_json({})
    assert json.loads(run_block("'request_id = :id'", aws, tmp_path, REQUEST_ID=answer.body["request_id"])) == []


def test_payments_without_a_key_are_listed_with_what_a_refund_takes(
    signed_door: Door, iamport: Simulator, clock: ClockAhead, aws: Aws, tmp_path: Path
) -> None:
    signed_door.post_json(signed_fields("mine", number_of("paid_without_key"), payment=payment("order-1")))
    clock.advance(300)
    settle()
    [paid] = iamport.payments
    line = run_block('":keyless"', aws, tmp_path).split("\t")
    assert (line[0], *line[2:5]) == ("mine", "order-1", paid.imp_uid, "9900")


def test_what_the_settler_postpones_is_listed_until_it_is_closed(
    door: Door, iamport: Simulator, clock: ClockAhead, aws: Aws, tmp_path: Path
) -> None:
    iamport.fail_next("issue", faults.ANSWER_LOST)
    iamport.choose_fault = lambda call: (
        faults.SERVER_ERROR if call.endpoint == "look_up" and len(iamport.calls) > 3 else None
    )
    fields = form_fields()
    door.post_json(fields)
    clock.advance(180)
    settle()
    listed = run_block("--index-name due", aws, tmp_path).split("\t")
    assert listed[:2] == [fields["customer_uid"], plain(item_of(aws, fields["customer_uid"]))["attempt_id"]]
    iamport.choose_fault = lambda _: None
    clock.advance(180)
    settle()
    assert run_block("--index-name due", aws, tmp_path).strip() == ""


def test_what_was_given_up_is_listed(aws: Aws, customer_uid: str, tmp_path: Path) -> None:
    assert run_block("'#state = :unknown' ", aws, tmp_path).startswith(f"{customer_uid}\t")


@dataclass(frozen=True)
class Told:
    """The stack's bus at the stand-in, and a queue that gets all that it tells."""

    sqs: Any
    url: str

    def events(self) -> list[dict[str, Any]]:
        batches = iter(
            lambda: self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages"), None
        )
        return [json.loads(message["Body"]) for batch in batches for message in batch]


@pytest.fixture
def told(aws: Aws) -> Iterator[Told]:
    sqs, events = (boto3.client(name, endpoint_url=aws.url, region_name=REGION) for name in ("sqs", "events"))
    queue, bus = sqs.create_queue(QueueName="told")["QueueUrl"], f"{STACK_NAME}-billing"
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.create_event_bus(Name=bus)
    events.put_rule(Name="all", EventBusName=bus, EventPattern='{"source": ["card-door"]}')
    events.put_targets(Rule="all", EventBusName=bus, Targets=[{"Id": "told", "Arn": arn}])
    yield Told(sqs, queue)
    events.remove_targets(Rule="all", EventBusName=bus, Ids=["told"])
    events.delete_rule(Name="all", EventBusName=bus)
    events.delete_event_bus(Name=bus)
    sqs.delete_queue(QueueUrl=queue)


def test_events_that_the_merchants_server_did_not_take_are_told_again_and_leave_the_queue(
    aws: Aws, told: Told, tmp_path: Path
) -> None:
    queue = told.sqs.create_queue(QueueName=f"{STACK_NAME}-WebhookApplication-1-Undelivered")["QueueUrl"]
    for number in range(2):
        event = Event(
            "card-door", "billing_key.issued", {"customer_uid": f"customer-{number}", "card_name": '국민"카드'}
        )
        told.sqs.send_message(
            QueueUrl=queue,
            MessageBody=json.dumps(as_posted(event), ensure_ascii=False),
            MessageAttributes={
                "ERROR_CODE": {"DataType": "String", "StringValue": "SDK_CLIENT_ERROR"},
                "ERROR_MESSAGE": {"DataType": "String", "StringValue": "status code 422"},
            },
        )
    look, do = (one for one in BLOCKS if "UNDELIVERED" in one)
    assert "status code 422" in run(look, aws, tmp_path)
    run(look + do, aws, tmp_path)
    events = told.events()
    assert sorted(event["detail"]["customer_uid"] for event in events) == ["customer-0", "customer-1"]
    assert {(event["detail-type"], event["detail"]["card_name"]) for event in events} == {
        ("billing_key.issued", '국민"카드')
    }
    left = told.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["ApproximateNumberOfMessages"])
    assert left["Attributes"]["ApproximateNumberOfMessages"] == "0"


def test_events_are_sent_again_from_the_table_as_the_pipe_tells_them(
    aws: Aws, door: Door, told: Told, tmp_path: Path
) -> None:
    stream = EventStream(aws)
    told.sqs.create_queue(QueueName="lost")
    for _ in range(11):  # more than one call of PutEvents takes
        door.post_json(form_fields())
    now = int(time.time())
    script = next(block for block in BLOCKS if "purge-queue" in block)
    script = re.sub(r"^FROM=.*$", f"FROM={now - 600} TO={now + 600}", script, flags=re.MULTILINE)
    assert run(script, aws, tmp_path).split() == ["0", "0"]

    def in_order(events: list[tuple[str, dict[str, str]]]) -> list[tuple[str, dict[str, str]]]:
        return sorted(events, key=lambda event: event[1]["attempt_id"])

    again = [(event["detail-type"], event["detail"]) for event in told.events()]
    assert in_order(again) == in_order([(event.detail_type, event.detail) for event in stream.events()])


def test_an_attempt_that_was_given_up_is_found_and_opened_again(aws: Aws, customer_uid: str, tmp_path: Path) -> None:
    attempt_id = plain(item_of(aws, customer_uid))["attempt_id"]
    find = next(block for block in BLOCKS if block.startswith("CUSTOMER_UID="))
    find = find.replace("customer-1", customer_uid).replace("8b0c6f4d2c0f4f6f9d6a0f3c1b2a4e5d", attempt_id)
    printed = run(find, aws, tmp_path)
    assert printed.count(f"uid#{customer_uid}") == 2, "by the customer_uid and by the attempt"
    open_it = next(block for block in BLOCKS if block.startswith("ATTEMPT_ID="))
    run(find + open_it, aws, tmp_path, ATTEMPT_ID=attempt_id)
    assert plain(item_of(aws, customer_uid))["state"] == "open"


def test_card_testing_shows_whom_it_comes_under(door: Door, aws: Aws, tmp_path: Path) -> None:
    for _ in range(5):
        door.post_json(form_fields(customer_uid="testing", card_number=DECLINED_CARD))
    door.post_json(form_fields())
    look = next(block for block in BLOCKS if "attempts > :few" in block).partition("FIREWALL_LOG=")[0]
    [line] = run(look, aws, tmp_path).splitlines()
    assert line.split("\t")[:3] == ["testing", "5", "declined"]


def test_the_token_key_is_rotated_and_the_old_one_taken_out(aws: Aws, tmp_path: Path) -> None:
    aws.put_keys("key", "secret", customer_token_key="old")
    run_block(".customer_token_key_previous = .customer_token_key", aws, tmp_path)
    kept = json.loads(aws.secret(IAMPORT_SECRET))
    assert (kept["imp_key"], kept["imp_secret"], kept["customer_token_key_previous"]) == ("key", "secret", "old")
    assert len(kept["customer_token_key"]) >= 32
    run_block("del(.customer_token_key_previous)", aws, tmp_path)
    assert "customer_token_key_previous" not in json.loads(aws.secret(IAMPORT_SECRET))
    put_local_keys(aws)


def test_imp_secret_is_rotated_without_a_word_of_it_in_a_command_line(aws: Aws, tmp_path: Path) -> None:
    aws.put_keys("key", "old", customer_token_key="token-key")
    rotate = next(block for block in BLOCKS if "read -rs NEW_SECRET" in block)
    rotate = re.sub(r"^read -rs NEW_SECRET.*$", "NEW_SECRET=new", rotate, flags=re.MULTILINE)
    run(rotate, aws, tmp_path)
    assert json.loads(aws.secret(IAMPORT_SECRET)) == {
        "imp_key": "key",
        "imp_secret": "new",
        "customer_token_key": "token-key",
    }
    secrets = boto3.client("secretsmanager", endpoint_url=aws.url, region_name=REGION)
    for imp_secret in ("old", "new"):
        run_block("update-secret-version-stage", aws, tmp_path)
        # moto takes the version that was put last for the current one, unless it is asked for that by its name.
        current = secrets.get_secret_value(SecretId=aws.physical_ids[IAMPORT_SECRET], VersionStage="AWSCURRENT")
        assert json.loads(current["SecretString"])["imp_secret"] == imp_secret
    put_local_keys(aws)


def test_the_webhooks_key_is_rotated(aws: Aws, tmp_path: Path) -> None:
    """As docs/events.md has it; what EventBridge keeps is not shown by anybody."""
    blocks = re.findall(r"```sh\n(.*?)```", (PROJECT / "docs/events.md").read_text("utf-8"), re.DOTALL)
    secrets = boto3.client("secretsmanager", endpoint_url=aws.url, region_name=REGION)
    events: Any = boto3.client("events", endpoint_url=aws.url, region_name=REGION)
    secrets.create_secret(Name=f"{STACK_NAME}/webhook-key", SecretString="old")
    parameters = {"ApiKeyAuthParameters": {"ApiKeyName": KEY_HEADER, "ApiKeyValue": "old"}}
    events.create_connection(Name=f"{STACK_NAME}-webhook", AuthorizationType="API_KEY", AuthParameters=parameters)
    run("".join(block for block in blocks if "NEW_KEY" in block), aws, tmp_path)
    assert re.fullmatch(
        "[A-Za-z0-9]{64}", secrets.get_secret_value(SecretId=f"{STACK_NAME}/webhook-key")["SecretString"]
    )
