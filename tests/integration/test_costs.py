"""What an attempt writes and logs is what docs/costs.md counts for it."""

import re

import pytest

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


def test_the_units_that_an_attempt_writes(signed_door: Door, aws: Aws, clock: ClockAhead) -> None:
    """All items are under 1 kB, so that a write of one is a unit: in a transaction two, and in the index one for the
    place that the item leaves and one for that which it takes.
    """
    stream = Stream(aws)
    answer = signed_door.post_json(signed_fields("mine", new=True))
    assert answer.body["status"] == "success"
    clock.advance(TEN_MINUTES)
    settle()
    images = [(record["dynamodb"].get("OldImage"), record["dynamodb"]["NewImage"]) for record in stream.records()]
    in_transactions = sum(before is None for before, _ in images)
    units = len(images) + in_transactions + sum(units_of_the_index(before, after) for before, after in images)
    assert (len(images), in_transactions) == (4, 2), "begin writes two, finish and the settler one each"
    assert units == told(r"writes \| (\d+) units an attempt")


def units_of_the_index(before: Item | None, after: Item) -> int:
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
