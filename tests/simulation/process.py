"""What the real code does next, by what it was answered so far, and when.

A process runs as a greenlet that stops at each of its calls. It does the same again for the same answers: so what it
did is kept, as a tree, and the code runs once for each way its answers can go, however many schedules lead there.
Where a schedule takes a new turn, the code runs anew from its beginning, or goes on where it still stands there.

    begins ── begin: done ── look-up: none ── send: issued ── put: done ── answers success
                    │                              └─ send: lost ── sleeps …
                    └─ look-up: lost ── …
"""

from collections import deque
from collections.abc import Callable, Hashable, Mapping
from typing import Any

from greenlet import getcurrent, greenlet

from tests.simulation import seams
from tests.simulation.expressions import Unknown
from tests.simulation.iamport import Iamport, Reply
from tests.simulation.table import Request

START = 1_800_001_800.0
"""Half past an hour."""
STEP_SECONDS = 10.0
"""By which a container's wall clock steps ahead, once it has a token."""
MOST_CALLS = 150
"""Of one process: more, and it goes round in circles."""
MOST_KEPT = 300_000
MOST_ALIVE = 500

_here = getcurrent()


class TableCall:
    """One call of boto3's client. `seconds`: how long a process waits for its answer at most."""

    __slots__ = ("request",)
    issues, seconds = False, 2.0  # boto3's two tries of a second each

    def __init__(self, operation: str, parameters: Mapping[str, Any]) -> None:
        self.request = Request(operation, parameters)


class IamportCall:
    """One exchange with Iamport."""

    __slots__ = ("body", "issues", "method", "path", "seconds")

    def __init__(self, method: str, path: str, body: Mapping[str, Any] | None, seconds: float) -> None:
        self.method, self.path, self.body, self.seconds = method, path, body, seconds
        self.issues = method == "POST" and path != "/users/getToken"


Call = TableCall | IamportCall


class Place:
    """Where a process stands: at a call, asleep, or at its end; and how it came there."""

    __slots__ = ("alive", "call", "depth", "next", "now", "number", "outcome", "over", "parent", "reply", "wakes")
    made = 0

    def __init__(self, parent: "Place | None", reply: object, now: float) -> None:
        Place.made += 1
        self.number = Place.made
        self.parent, self.reply, self.now = parent, reply, now
        self.depth: int = 0 if parent is None else parent.depth + 1
        self.next: dict[Hashable, Place] = {}
        self.alive: _Alive | None = None
        self.call: Call | None = None
        self.wakes: float | None = None
        self.over, self.outcome = False, None


class _Alive:
    """The real code, stopped at a place."""

    def __init__(self, body: Callable[[], object], number: int) -> None:
        self.greenlet = greenlet(body)
        self.number, self.ids, self.depth = number, 0, 0


class Program:
    """What one kind of process does: an attempt of this number, a run of the settler."""

    def __init__(
        self,
        number: int,
        run: Callable[[Any], object],
        *,
        cold: bool = False,
        stepping: bool = False,
        by_again: bool = False,
    ) -> None:
        self.number, self._run = number, run
        self._open = seams.cold_container if cold else seams.warm_container
        self._by_again = by_again
        self._ahead = STEP_SECONDS if stepping else 0.0
        self.beginning = Place(None, None, START)

    def go_on(self, place: Place, reply: object, digest: Hashable, now: float) -> Place:
        """Where the process stands next, if that is its answer. `digest` tells the answer from others."""
        key = (digest, now)
        if (known := place.next.get(key)) is not None:
            return known
        alive, place.alive = place.alive or self._brought_to(place), None
        after = Place(place, reply, now)
        self._switch(alive, after)
        place.next[key] = after
        return after

    def _brought_to(self, place: Place) -> _Alive:
        steps = list[Place]()
        step = place
        while step.parent is not None:
            steps.append(step)
            step = step.parent
        network.now, network.ahead = START, 0.0
        services = self._open(by_again=self._by_again)
        alive = _Alive(lambda: self._run(services), self.number)
        for step in reversed(steps):
            self._advance(alive, step)
        return alive

    def _switch(self, alive: _Alive, after: Place) -> None:
        stopped_at = self._advance(alive, after)
        if alive.greenlet.dead:
            after.over, after.outcome = True, stopped_at
            return
        match stopped_at:
            case IamportCall():
                after.call = stopped_at
            case str(operation), parameters:
                after.call = TableCall(operation, parameters)
            case float(wakes):
                after.wakes = wakes
        after.alive = alive
        _alive.append(after)
        if len(_alive) > MOST_ALIVE:
            _alive.popleft().alive = None

    def _advance(self, alive: _Alive, step: Place) -> Any:
        alive.depth += 1
        if alive.depth > MOST_CALLS:
            raise Unknown(f"process {self.number} goes round in circles")
        network.now, network.ahead, network.alive = step.now, self._ahead, alive
        return alive.greenlet.switch() if alive.depth == 1 else alive.greenlet.switch(step.reply)


_alive: deque[Place] = deque()
_programs: dict[Hashable, Program] = {}


def program(key: Hashable, number: int, run: Callable[[Any], object], **kind: bool) -> Program:
    """The same for the same key, in all worlds."""
    if Place.made > MOST_KEPT:
        forget()
    whole = (key, number, *sorted(kind.items()))
    if whole not in _programs:
        _programs[whole] = Program(number, run, **kind)
    return _programs[whole]


def forget() -> None:
    """What was learnt of the real code: to be done where that is changed."""
    Place.made = 0
    _programs.clear()
    _alive.clear()


class _Network:
    """What the process that runs has around it: it stops at each call."""

    now = START
    ahead = 0.0
    alive: _Alive | None = None

    def ask_iamport(self, method: str, path: str, body: Mapping[str, Any] | None, seconds: float) -> Reply:
        if getcurrent() is _here:  # a container that is made warm
            return Iamport(frozenset(), lambda: self.now, None).answer(method, path)
        reply: Reply = self._stop_at(IamportCall(method, path, body, seconds))
        return reply

    def ask_table(self, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = self._stop_at((operation, parameters))
        return answer

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            self._stop_at(self.now + seconds)

    def wall_clock(self) -> float:
        return self.now + self.ahead

    def monotonic_clock(self) -> float:
        return self.now - START

    def new_id(self) -> str:
        assert self.alive is not None
        self.alive.ids += 1
        return f"{self.alive.number:02x}{self.alive.ids:030x}"

    def _stop_at(self, what: object) -> Any:
        reply = _here.switch(what)
        if isinstance(reply, BaseException):
            raise reply
        return reply


network = _Network()
seams.network = network
