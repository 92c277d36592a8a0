"""docs/audit.md: its commands erase a customer, AWS knows them, and what it names is there."""

import re
import subprocess
from pathlib import Path

import pytest

from infra.local.aws import Aws, name_of_table
from infra.local.iamport import Simulator, faults
from infra.local.template import PROJECT
from tests.attempts_table import items
from tests.conftest import ClockAhead
from tests.infrastructure.aws_commands import aws_commands, wrong_options
from tests.infrastructure.command_line import run_in_bash
from tests.infrastructure.every_way import MINUTE, payment
from tests.integration.door import Door, settle, signed_fields

PAGE = (PROJECT / "docs/audit.md").read_text("utf-8")
SHELL = [re.sub(r"^   ", "", block) for block in re.findall(r"^ *```sh\n(.*?)^ *```", PAGE, re.DOTALL | re.MULTILINE)]
[ERASING] = [block for block in SHELL if block.startswith("CUSTOMER_UID=")]

CARD = "0000-9876-9876-9876"


def erase(customer_uid: str, aws: Aws, directory: Path) -> "subprocess.CompletedProcess[str]":
    script = ERASING.replace("CUSTOMER_UID=customer-1", f"CUSTOMER_UID={customer_uid}")
    return run_in_bash(script, directory, {"AWS_ENDPOINT_URL": aws.url, "TABLE": name_of_table(aws)})


def test_nothing_of_an_erased_customer_is_left_in_the_table_and_all_of_the_others(
    signed_door: Door, aws: Aws, tmp_path: Path
) -> None:
    for customer_uid, order in {"leaving": "order-1", "staying": "order-2"}.items():
        fields = signed_fields(customer_uid, CARD, payment=payment(order))
        assert signed_door.post_json(fields).body["status"] == "success"
    done = erase("leaving", aws, tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "payment#order-1\n", "")
    left = {item["pk"]["S"] for item in items(aws)}
    assert {"uid#staying", "payment#order-2"} <= left
    assert not {"uid#leaving", "payment#order-1"} & left
    assert "leaving" not in str(items(aws))


def test_an_attempt_that_is_open_is_not_erased_before_it_is_closed(
    signed_door: Door, iamport: Simulator, aws: Aws, clock: ClockAhead, tmp_path: Path
) -> None:
    iamport.fail_next("issue", faults.LINE_CUT)
    iamport.choose_fault = lambda call: faults.SERVER_ERROR if call.endpoint == "look_up" else None
    signed_door.post_json(signed_fields("leaving", CARD, new=True), seconds_left=15)
    refused = erase("leaving", aws, tmp_path)
    assert "ConditionalCheckFailedException" in refused.stderr
    assert "uid#leaving" in {item["pk"]["S"] for item in items(aws)}
    iamport.choose_fault = lambda _: None
    clock.advance(3 * MINUTE)
    settle()
    assert erase("leaving", aws, tmp_path).returncode == 0
    assert "leaving" not in str(items(aws))


@pytest.mark.parametrize("command", sorted(set(aws_commands("\n".join(SHELL), ""))))
def test_aws_knows_every_command_and_its_options(command: str) -> None:
    assert wrong_options(command) == set()


def test_what_holds_an_answer_exists() -> None:
    rows = re.findall(r"^\| [\d., ]+ \|.*\| ([^|]*) \|$", PAGE, re.MULTILINE)
    assert len(rows) > 15
    named = re.findall(r"tests/[\w/]+(?:\.py)?|(?<=, )test_\w+\.py", " ".join(rows))
    for path in named:
        assert (PROJECT / path).exists() or (PROJECT / "tests/infrastructure" / path).exists(), path


@pytest.mark.parametrize("requirement", ["3.", "6.4.3", "8.", "10.", "11.6.1", "12.8"])
def test_every_requirement_that_is_asked_about_has_its_row(requirement: str) -> None:
    asked = [one for row in re.findall(r"^\| ([\d., ]+) \|", PAGE, re.MULTILINE) for one in row.split(", ")]
    assert any(one.startswith(requirement) for one in asked)


@pytest.mark.parametrize(
    ("requirement", "where"), [("6.4.3", "card-form.md#the-pages-scripts"), ("11.6.1", "deploying.md#once-a-week")]
)
def test_what_is_done_for_the_hosted_page_is_linked(requirement: str, where: str) -> None:
    [row] = re.findall(rf"^\| {re.escape(requirement)} \|.*$", PAGE, re.MULTILINE)
    assert where in row
