"""The tables of docs/scaling.md follow from AWS's published limits, the template's defaults and docs/costs.md."""

import math
import re
from decimal import Decimal

import pytest

from billing.ledger.items import SHARDS
from billing.model.errors import SECONDS_UNTIL_MORE_IS_KNOWN
from infra.local.intrinsics import read_yaml
from infra.local.template import PROJECT
from tests.infrastructure.aws_commands import aws_commands, wrong_options
from tests.unit.test_costs import TABLES, Row

PAGE = (PROJECT / "docs/scaling.md").read_text("utf-8")
COSTS = (PROJECT / "docs/costs.md").read_text("utf-8")
PARAMETERS = read_yaml((PROJECT / "template.yaml").read_text("utf-8"))["Parameters"]

PG_SECONDS = (1, 3, 10)
RATES = (1, 10, 100, 1000)

NEW_CONTAINERS_IN_TEN_SECONDS = 1000
"""Source: AWS Lambda developer guide, "Lambda scaling behavior"."""

LIMITS = {
    "`ThrottleRate`, requests a second": PARAMETERS["ThrottleRate"]["Default"],
    # AWS Lambda developer guide, "Lambda quotas"; "new AWS accounts have reduced concurrency".
    "Lambda, containers of a new account, PG 3 s": 10,
    "Lambda, containers, PG 3 s": 1000,
    # API Gateway developer guide, "Amazon API Gateway quotas".
    "API Gateway, requests a second": 10_000,
    # DynamoDB developer guide, "DynamoDB on-demand capacity mode": 4,000 of a new table; 1,000 of a partition.
    "DynamoDB, write units a second of a new table": 4000,
    "DynamoDB, eight shards of `due`, 1,000 units each": SHARDS * 1000,
    # EventBridge user guide, "Amazon EventBridge quotas".
    "EventBridge in Seoul, calls of PutEvents a second": 600,
    "EventBridge, calls a second of one API destination": 300,
}

FIXED = ("Lambda, settling", "DynamoDB, reads", "DynamoDB, stream", "Secrets Manager, secrets", "CloudWatch, metrics")
"""What docs/costs.md counts that does not grow with the attempts."""


def table(heading: str) -> list[list[str]]:
    [section] = re.findall(rf"^## {heading}\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)
    _, _, *rows = re.findall(r"^\|(.*)\|$", section, re.MULTILINE)
    return [[cell.strip() for cell in row.split("|")] for row in rows]


def number(text: str) -> Decimal:
    return Decimal(text.replace(",", ""))


WAITING = table("Lambda: waiting is what counts")


@pytest.mark.parametrize("row", WAITING, ids=lambda row: row[0])
def test_containers_are_attempts_times_seconds_and_come_a_thousand_at_a_time(row: list[str]) -> None:
    rate, *cells = map(number, row)
    containers = [rate * seconds for seconds in PG_SECONDS]
    tens = [math.ceil(one / NEW_CONTAINERS_IN_TEN_SECONDS) for one in containers]
    assert cells == [*containers, *(ten * 10 for ten in tens)]


def test_every_rate_has_its_row() -> None:
    assert [number(row[0]) for row in WAITING] == [number(row[0]) for row in BILLS] == list(RATES)


@pytest.mark.parametrize("row", table("What limits first"), ids=lambda row: row[0])
def test_what_a_limit_carries_is_the_limit_by_what_an_attempt_takes(row: list[str]) -> None:
    limit, default, takes, carries, _ = row
    assert number(default) == LIMITS[limit]
    assert number(carries) == number(default) // number(takes)


def test_every_limit_stands_there() -> None:
    assert {row[0] for row in table("What limits first")} == LIMITS.keys()


def test_who_waits_asks_as_often_as_the_page_says() -> None:
    [told] = re.findall(
        r"every (\d+) seconds for (\d+): (\d+) requests.*?to (\d+) requests a second.*?of (\d+)", PAGE, re.S
    )
    every, seconds, requests, requests_a_second, throttle = map(int, told)
    script = (PROJECT / "functions/issue_billing/card_form/page.js").read_text("utf-8")
    assert f"LONGEST_ASKING = {seconds}_000;" in script
    assert every == SECONDS_UNTIL_MORE_IS_KNOWN
    assert requests == requests_a_second == seconds // every > throttle == PARAMETERS["ThrottleRate"]["Default"]


BILLS = table("What it costs")


@pytest.mark.parametrize("row", BILLS, ids=lambda row: row[0])
def test_the_bill_is_that_of_the_costs(row: list[str]) -> None:
    rate, millions, *bills = map(number, row)
    rows, total = TABLES[0]
    attempts = rate * 730 * 3600 / 1_000_000
    assert millions == pytest.approx(attempts, rel=Decimal("0.02"))
    issuing = of(rows, "Lambda, issuing")
    fixed = sum(of(rows, service).amount for service in FIXED)
    for seconds, bill in zip(PG_SECONDS, bills, strict=True):
        growing = total - issuing.amount - fixed + seconds * 1_000_000 * issuing.price
        assert bill == pytest.approx(fixed + attempts * growing, rel=Decimal("0.05"))


def of(rows: list[Row], service: str) -> Row:
    [found] = [row for row in rows if row.service == service]
    return found


def counted(pattern: str) -> Decimal:
    """What docs/costs.md says; tests/integration/test_costs.py measures it."""
    found = re.search(pattern, COSTS)
    assert found is not None, pattern
    return Decimal(found[1])


WRITES = of(TABLES[0][0], "DynamoDB, writes").units
LOOKED_AT = WRITES + counted(r"is written: (\d+) units, as the index")
PAYS = LOOKED_AT + counted(r"a first payment takes (\d+) more")
COMES_BACK = LOOKED_AT + counted(r"comes back takes (\d+) units more")
COMES_BACK_AND_PAYS = PAYS + counted(r"\((\d+) with a first\s+payment\)")


def test_the_table_carries_what_the_dearest_attempt_writes() -> None:
    [takes] = [number(row[2]) for row in table("What limits first") if row[0].startswith("DynamoDB, write units")]
    assert takes == COMES_BACK_AND_PAYS
    assert f"from {WRITES} write units" in PAGE
    assert f"to {COMES_BACK_AND_PAYS}," in PAGE


@pytest.mark.parametrize("page", ["docs/runbook.md", "docs/ko/runbook.md"])
def test_the_runbook_counts_the_same_units(page: str) -> None:
    lines = (PROJECT / page).read_text("utf-8").splitlines()
    [line] = [line for line in lines if f" {WRITES}" in line and f" {COMES_BACK_AND_PAYS}" in line]
    units = [Decimal(text) for text in re.findall(r"\d+", line)]
    assert units == [WRITES, COMES_BACK, PAYS, COMES_BACK_AND_PAYS]


SHELL = "".join(f"{line}\n" for line in re.findall(r"^       (aws .*)$", re.sub("<[^>\n]*>", "X", PAGE), re.MULTILINE))


@pytest.mark.parametrize("command", sorted(set(aws_commands(SHELL, ""))))
def test_aws_knows_every_command_and_its_options(command: str) -> None:
    assert wrong_options(command) == set()
