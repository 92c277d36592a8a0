"""What the pipe tells of the table's stream."""

from infra.local.event_pipe import EVENT_PIPE, Event, Stream, events_of
from infra.local.template import Template

PIPE = Template().pipe(EVENT_PIPE)


class EventStream(Stream):
    def events(self) -> list[Event]:
        return events_of(PIPE, self.records())
