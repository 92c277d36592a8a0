"""What an attempt writes and logs is what docs/costs.md counts for it."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from billing.ledger import ledger
from billing.ledger.conflicts import write_or_refusal
from infra.local.aws import Aws
from infra.local.event_pipe import Stream
from infra.local.template import PROJECT
from tests.attempts_table import Item, items
from tests.conftest import ClockAhead
from tests.integration.door import Door, settle, signed_fields

PAGE = (PROJECT / "docs/costs.md").read_text("utf-8")

TEN_MINUTES = 601
A_TENTH = 0.1
"""The page's figures are good enough within it."""


def told(pattern: str) -> int:
    found = re.search(pattern, PAGE)
    assert found is not None, pattern
    return int(found[1])


def issue(door: Door) -> None:
    answer = door.post_json(signed_fields("customer_0001_1234"))
    assert answer.body["status"] == "success"


@pytest.mark.usefixtures("signed_door")
def test_the_bytes_that_the_function_logs(capsys: pytest.CaptureFixture[str]) -> None:
    issue(Door())  # one that writes where this test looks
    lines = capsys.readouterr().out.splitlines(keepends=True)
    assert len(lines) == 2, "one for the outcome, one for the metrics"
    assert sum(len(line.encode()) for line in lines) == pytest.approx(told(r"two lines have (\d+) bytes"), rel=A_TENTH)


def test_the_bytes_of_a_customers_item(signed_door: Door, aws: Aws, clock: ClockAhead) -> None:
    issue(signed_door)
    clock.advance(TEN_MINUTES)
    settle()
    (item,) = (item for item in items(aws) if item["pk"]["S"].startswith("uid#"))
    assert stored_bytes(item) == pytest.approx(told(r"the customer's is (\d+) bytes"), rel=A_TENTH)


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The units of each write to the table, those that are refused too. All items are under 1 kB, so that a write of
    one is a unit, and in a transaction two (DynamoDB developer guide, "DynamoDB read and write operations").
    """
    units: list[int] = []

    def count(aws: Any, operation: str, parameters: Mapping[str, Any], deadline: Any) -> Any:
        units.append(2 * len(parameters["TransactItems"]) if operation == "transact_write_items" else 1)
        return write_or_refusal(aws, operation, parameters, deadline)

    monkeypatch.setattr(ledger, "write_or_refusal", count)
    return units


Units = Callable[..., int]


@pytest.fixture
def units_of(signed_door: Door, aws: Aws, clock: ClockAhead, written: list[int]) -> Units:
    def units_of(**claims: Any) -> int:
        """Of one attempt that is issued, until its request is forgotten."""
        stream = Stream(aws)
        written.clear()
        answer = signed_door.post_json(signed_fields("mine", **claims))
        assert answer.body["status"] == "success"
        clock.advance(TEN_MINUTES)
        settle()
        images = [(record["dynamodb"].get("OldImage"), record["dynamodb"]["NewImage"]) for record in stream.records()]
        return sum(written) + sum(units_of_the_index(before, after) for before, after in images)

    return units_of


UNITS = told(r"writes \| (\d+) units an attempt")
FOR_A_LOOK = told(r"a note of what was seen\s+is written: (\d+) units")
FOR_A_PAYMENT = told(r"a first payment takes (\d+) more")
FOR_COMING_BACK = told(r"A customer\s+who comes back takes (\d+) units more")
FOR_COMING_BACK_AND_PAYING = told(r"\((\d+) with a first\s+payment\)")


def test_the_units_that_an_attempt_writes(units_of: Units, written: list[int]) -> None:
    assert units_of(new=True) == UNITS
    assert written == [4, 1, 1], "begin writes two items, finish and the settler one each"


def test_the_units_of_who_is_looked_up_and_of_who_comes_back(units_of: Units) -> None:
    assert units_of() == UNITS + FOR_A_LOOK
    assert units_of(replace=True) == UNITS + FOR_A_LOOK + FOR_COMING_BACK


def test_the_units_of_a_first_payment(units_of: Units) -> None:
    def payment(merchant_uid: str) -> dict[str, Any]:
        return {"merchant_uid": merchant_uid, "amount": 9900, "name": "First month"}

    paid = UNITS + FOR_A_LOOK + FOR_A_PAYMENT
    assert units_of(new=True, payment=payment("order-1")) == paid
    assert units_of(replace=True, payment=payment("order-2")) == paid + FOR_COMING_BACK_AND_PAYING


def units_of_the_index(before: Item | None, after: Item) -> int:
    """One for the place that the item leaves, and one for that which it takes."""
    places = [tuple(str(image.get(name)) for name in ("due_shard", "due_at")) for image in (before or {}, after)]
    kept = [place for place in dict.fromkeys(places) if "None" not in place]
    return len(kept)


def test_an_attempt_writes_two_items(signed_door: Door, aws: Aws) -> None:
    issue(signed_door)
    assert {item["pk"]["S"].split("#")[0] for item in items(aws)} == {"uid", "card"}


def stored_bytes(item: Item) -> int:
    """Names and values; a number takes a byte for two of its digits, and one more ("Item sizes and formats")."""
    return sum(
        len(name) + (len(value["S"].encode()) if "S" in value else len(value["N"]) // 2 + 1)
        for name, value in item.items()
    )
