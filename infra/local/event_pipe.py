"""The events on this machine: the table's stream through the template's own filter and input template.

moto has the stream and no pipes: what a pipe does is done here. Sources: EventBridge user guide, "Event filtering in
Amazon EventBridge Pipes" and "Amazon EventBridge Pipes input transformation".
"""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from infra.local.aws import Aws, name_of_table
from infra.local.template import Pipe

EVENT_PIPE = "EventPipe"
"""The pipe's name in the template."""

POLL_SECONDS = 0.5

Record = dict[str, Any]
"""One change of an item, as the stream tells it."""


@dataclass(frozen=True)
class Event:
    source: str
    detail_type: str
    detail: dict[str, str]


class Stream:
    """What the table's stream tells from this moment on: a storm before may have left thousands of records."""

    def __init__(self, aws: Aws) -> None:
        self._client: Any = aws.dynamodb_streams()
        [listed] = self._client.list_streams(TableName=name_of_table(aws))["Streams"]
        [shard] = self._client.describe_stream(StreamArn=listed["StreamArn"])["StreamDescription"]["Shards"]
        place = {"StreamArn": listed["StreamArn"], "ShardId": shard["ShardId"]}
        self._begin: str = self._client.get_shard_iterator(**place, ShardIteratorType="LATEST")["ShardIterator"]
        self._next = self._begin

    def records(self) -> list[Record]:
        """All of them, in their order."""
        return self._read_from(self._begin)[0]

    def new_records(self) -> list[Record]:
        """Those that this has not given before, in their order."""
        records, self._next = self._read_from(self._next)
        return records

    def _read_from(self, iterator: str) -> tuple[list[Record], str]:
        """Also where to read on."""
        records: list[Record] = []
        while page := self._client.get_records(ShardIterator=iterator):
            if not page["Records"]:
                break
            records += json.loads(json.dumps(page["Records"], default=str))
            iterator = page["NextShardIterator"]
        return records, iterator


def events_of(pipe: Pipe, records: list[Record]) -> list[Event]:
    """What the pipe makes of the records."""
    return [
        Event(
            source=pipe.source,
            detail_type=_at_path(record, pipe.detail_type),
            detail=json.loads(_filled_in(pipe.detail, record)),
        )
        for record in records
        if any(_matches(pattern, record) for pattern in pipe.patterns)
    ]


@contextmanager
def run_pipe(pipe: Pipe, aws: Aws, receive: Callable[[Event], None]) -> Iterator[None]:
    """Until the block ends, `receive` is given each event, on a thread of its own."""
    stream, over = Stream(aws), threading.Event()

    def pass_on_until_over() -> None:
        while not over.wait(POLL_SECONDS):
            for event in events_of(pipe, stream.new_records()):
                receive(event)

    thread = threading.Thread(target=pass_on_until_over, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _matches(pattern: str, record: Record) -> bool:
    from moto.events.models import EventPattern  # a second of imports, which most of who talk to the stand-in need not

    return bool(EventPattern(pattern, json.loads(pattern)).matches_event(record))  # type: ignore[arg-type]


def _filled_in(template: str, record: Record) -> str:
    """EventBridge puts a text into quotes where the template has none. What it does where nothing stands at a path is
    not documented: here it is an error, so that no event may rest on it."""
    return re.sub(r"<(\$[^>]*)>", lambda path: json.dumps(_at_path(record, path[1]), ensure_ascii=False), template)


def _at_path(record: Record, path: str) -> Any:
    """Raises KeyError where nothing stands at the path."""
    value: Any = record
    for name in path.removeprefix("$.").split("."):
        value = value[name]
    return value
