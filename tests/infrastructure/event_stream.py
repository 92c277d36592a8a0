"""What the pipe tells of the table's stream.

moto has the stream but no pipes: what a pipe does is done here. Sources: EventBridge user guide, "Event filtering in
Amazon EventBridge Pipes" and "Amazon EventBridge Pipes input transformation".
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from moto.events.models import EventPattern

from tests.attempts_table import Record, Stream
from tests.infrastructure.stacks import deployment

PIPE = deployment("as it comes").resource("EventPipe").properties
TARGET = PIPE["TargetParameters"]


@dataclass(frozen=True)
class Event:
    source: str
    detail_type: str
    detail: dict[str, str]


class EventStream(Stream):
    def events(self) -> list[Event]:
        return [event for record in self.records() for event in told(record)]


def told(record: Record) -> Iterator[Event]:
    """What the pipe makes of one record."""
    patterns = [one["Pattern"] for one in PIPE["SourceParameters"]["FilterCriteria"]["Filters"]]
    if any(EventPattern(pattern, json.loads(pattern)).matches_event(cast(Any, record)) for pattern in patterns):
        to_bus = TARGET["EventBridgeEventBusParameters"]
        yield Event(
            source=to_bus["Source"],
            detail_type=at_path(record, to_bus["DetailType"]),
            detail=json.loads(filled_in(TARGET["InputTemplate"], record)),
        )


def filled_in(template: str, record: Record) -> str:
    """EventBridge puts a text into quotes where the template has none. What it does where nothing stands at a path is
    not documented: here it is an error, so that no event may rest on it."""
    return re.sub(r"<(\$[^>]*)>", lambda path: json.dumps(at_path(record, path[1]), ensure_ascii=False), template)


def at_path(record: Record, path: str) -> Any:
    """Raises KeyError where nothing stands at the path."""
    value: Any = record
    for name in path.removeprefix("$.").split("."):
        value = value[name]
    return value
