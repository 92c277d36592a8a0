"""The tables of docs/costs.md add up, and count what the service really has."""

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest

from billing.observability import METRIC_BY_OUTCOME
from infra.local.intrinsics import read_yaml
from infra.local.template import PROJECT

PAGE = (PROJECT / "docs/costs.md").read_text("utf-8")

CENT = Decimal("0.01")


@dataclass(frozen=True)
class Row:
    service: str
    units: Decimal
    price: Decimal
    amount: Decimal


def read_table(text: str) -> tuple[list[Row], Decimal]:
    """The rows and the sum that the table gives."""
    *rows, last = ([cell.strip() for cell in line.strip("|").split("|")] for line in text.strip().splitlines()[2:])
    assert last[0] == "**Sum**"
    return [Row(cells[0], *(number(cells[column]) for column in (2, 4, 5))) for cells in rows], number(last[5])


def number(text: str) -> Decimal:
    return Decimal(text.strip("*").replace(",", ""))


TABLES = [read_table(table) for table in re.findall(r"(?:^\|.*\n)+", PAGE, re.MULTILINE)]

ROWS = [row for rows, _ in TABLES for row in rows]


def units_of(service: str) -> list[Decimal]:
    return [row.units for row in ROWS if row.service == service]


def resources(template: str) -> dict[str, Any]:
    return dict(read_yaml((PROJECT / template).read_text("utf-8"))["Resources"])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.service)
def test_units_times_price_is_the_amount(row: Row) -> None:
    assert (row.units * row.price).quantize(CENT, ROUND_HALF_UP) == row.amount


@pytest.mark.parametrize(("rows", "total"), TABLES)
def test_the_amounts_add_up_to_the_sum(rows: list[Row], total: Decimal) -> None:
    assert sum(row.amount for row in rows) == total


def test_the_page_begins_with_the_sum_of_the_service() -> None:
    _, total = TABLES[0]
    assert f"About {total:.0f} US dollars" in PAGE


def test_every_metric_is_counted() -> None:
    code = PROJECT / "functions/issue_billing"
    source = "".join((code / path).read_text("utf-8") for path in ("settle.py", "billing/observability.py"))
    named = re.findall(r'add_metric\("(\w+)"', source)
    assert units_of("CloudWatch, metrics") == [len({*METRIC_BY_OUTCOME.values(), *named})]


def test_every_metric_of_an_alarm_is_counted() -> None:
    assert units_of("CloudWatch, alarms") == [
        metrics_of_alarms("infra/monitoring.yaml"),
        metrics_of_alarms("template.yaml"),
        metrics_of_alarms("infra/webhook.yaml"),
    ]


def metrics_of_alarms(template: str) -> int:
    """An alarm on an expression is billed for each metric in it."""
    alarms = [resource for resource in resources(template).values() if resource["Type"] == "AWS::CloudWatch::Alarm"]
    return sum(sum("MetricStat" in query for query in alarm["Properties"].get("Metrics", ())) or 1 for alarm in alarms)


def test_every_rule_of_the_firewall_is_counted() -> None:
    (firewall,) = (
        resource for resource in resources("infra/firewall.yaml").values() if resource["Type"] == "AWS::WAFv2::WebACL"
    )
    assert units_of("WAF, rules") == [len(firewall["Properties"]["Rules"])]
