"""The state of a world in the midst of a run, and the moves that lead on from it.

    who      goes on, begins, wakes; which request lands that nobody waits for; what others do; whether time passes
    what     becomes of that one's call: done, refused, lost on the way there or back; or its caller dies of it

The clock goes on only by moves; between two calls of a process nothing else happens. A state can be copied, and two
states that are alike have one digest.
"""

from collections.abc import Callable, Hashable
from typing import Any, NamedTuple
from weakref import proxy

from tests.simulation import seams
from tests.simulation.iamport import Iamport, Outcome, Reply, Sent, envelope
from tests.simulation.process import START, STEP_SECONDS, Call, IamportCall, Place, Program, TableCall, program
from tests.simulation.properties import Properties
from tests.simulation.table import WRITES, Table, conflict
from tests.simulation.table import Request as TableRequest
from tests.simulation.world import Request, World

BEGIN = START + 1000
MOMENTS = (BEGIN + 33, BEGIN + 110)
"""When somebody comes who does not come at once: after an invocation's end, and after everything has landed."""
FORGOTTEN = BEGIN + 700
"""When an answer is not repeated any more."""
END = BEGIN + 2000
LANDED_SECONDS = seams.PG_SECONDS - 2
"""After everybody has hung up, all has landed, by every clock that is asked: where one is ahead, so much the sooner."""
LAG_SECONDS = 0.9
"""Of a key after its payment, where somebody waits for the answer: two looks, a second apart, find it."""
LATE_SECONDS = 5
"""How long a write can be under way whose caller has given up."""
SLOW_SECONDS = 1.5
"""An answer that takes longer may be the reason for a no."""
PASSES = 10
"""Of the settler at the end, a minute apart."""
UNLIMITED = 1000

ISSUING_FAULTS = ("lost", "time-out", "never sent", "dies", "dies, sent")
MORE_ISSUING_FAULTS = ("502", "429", "400", "of another")
LOOK_UP_FAULTS = ("lost", "dies")
MORE_LOOK_UP_FAULTS = ("down",)
"""Like one of the others, where the code is right; so they are tried where nobody else is at work, and by chance."""
READ_FAULTS = ("lost", "dies")
TRANSACTION_FAULTS = (*READ_FAULTS, "written, answer lost", "conflict", "late")
WRITE_FAULTS = (*TRANSACTION_FAULTS, "repeated by boto3")

Log = Callable[[float, int | None, str, object], None]
"""Time, whose column (None: Iamport's), what happened, and the answer."""


class Process(NamedTuple):
    program: Program
    name: str
    place: Place
    dead: bool = False
    started: float = 0.0
    failing: Hashable = None
    """What fails for it, as long as it asks for nothing else."""
    down: Hashable = None
    """What fails for it for good."""

    @property
    def is_new(self) -> bool:
        return self.place.parent is None

    @property
    def is_over(self) -> bool:
        return self.dead or self.place.over


class Flight(NamedTuple):
    """On its way, and nobody waits for it: it lands by then, or never. `effects`: of what a PG has decided."""

    sent: Sent
    effects: Outcome | None
    by: float


class LateWrite(NamedTuple):
    caller: int
    call: TableCall
    by: float


class Move(NamedTuple):
    kind: str
    """go, land, deed, time, end."""
    which: int = 0
    """Process or flight."""
    label: str = ""
    effects: Outcome | None = None
    fault: int = 0
    switch: int = 0


class State:
    def __init__(self, world: World, faults: int, switches: int, log: Log | None = None) -> None:
        self.world, self.faults_left, self.switches_left, self.log = world, faults, switches, log
        self.faults: tuple[str, ...] = ()
        """That befell somebody so far."""
        self.now = START
        here = proxy(self)
        self.properties = Properties(world, here)
        self.iamport = Iamport(world.habits, lambda: here.now, self.properties)
        self.table = Table(self.properties.table_changed)
        self.processes: list[Process] = []
        self.flights: tuple[Flight | LateWrite, ...] = ()
        self.deeds = world.others
        self.moments: tuple[float, ...] = (*MOMENTS, FORGOTTEN) if world.has_repeats else MOMENTS
        self.current = -1
        self.is_over = False
        for deed in world.before:
            self._do(deed)
        self.now = BEGIN
        for request in world.requests:
            self._add_attempt(request)
        for _ in range(world.settlers):
            self._add_settler()

    def copy(self) -> "State":
        state = State.__new__(State)
        state.__dict__.update(self.__dict__)
        state.processes = self.processes.copy()
        here = proxy(state)
        state.properties = self.properties.copy(here)
        state.iamport = self.iamport.copy(lambda: here.now, state.properties)
        state.table = self.table.copy(state.properties.table_changed)
        return state

    def digest(self) -> int:
        """Of all that matters for what comes, but what may still go wrong."""
        processes = tuple(
            None if each.is_over else (each.place.number, each.failing, each.down) for each in self.processes
        )
        current = self.current if self.switches_left < UNLIMITED else None
        flights = frozenset(self.flights)
        return hash(
            (
                self.now,
                self.table.digest(),
                self.iamport.digest(),
                processes,
                flights,
                len(self.deeds),
                len(self.moments),
                self.properties.digest(),
                current,
            )
        )

    # Which moves there are

    def moves(self) -> list[Move]:
        """The first is what mostly happens: who is at work goes on. None: it is over."""
        if self.is_over:
            return []
        at_work = self.current if self.current >= 0 and self._is_pending(self.current) else -1
        moves = self._goings(at_work, 0) if at_work >= 0 else []
        if at_work < 0 or self.switches_left:
            moves += self._switches(at_work)
        if (self.flights or self.deeds) and self._somebody_could_tell():
            for number in range(len(self.flights)):
                moves += self._landings(number)
            if self.deeds:
                moves.append(Move("deed"))
        return moves

    def _somebody_could_tell(self) -> bool:
        """Whether it matters if something happens at Iamport now, or after the next call of somebody.

        The table does not know of it, but what has begun when it happens; and who sleeps asks for nothing.
        """
        sleeping = False
        for process in self.processes:
            call = process.place.call
            if process.is_over or process.is_new:
                continue
            if isinstance(call, IamportCall) or (call is not None and call.request.operation == "transact_write_items"):
                return True
            sleeping = True
        return not sleeping

    def _is_pending(self, number: int) -> bool:
        process = self.processes[number]
        return process.place.call is not None and not process.dead

    def _switches(self, at_work: int) -> list[Move]:
        cost, limit, attempts = int(at_work >= 0), self._time_limit(), len(self.world.requests)
        moves, asleep, new = list[Move](), list[tuple[float, int]](), list[int]()
        for number, process in enumerate(self.processes):
            if number == at_work or process.is_over:
                continue
            if process.is_new:
                new.append(number)
            elif process.place.call is not None:
                moves += self._goings(number, cost)
            elif process.place.wakes is not None and process.place.wakes <= limit:
                asleep.append((process.place.wakes, number))
        if asleep:
            moves.append(Move("go", min(asleep)[1], "wakes", switch=cost))
        moves += [Move("go", number, "begins", switch=cost) for number in new if number < attempts]
        if len(moves) == 0 and at_work < 0 and not self.deeds and not any(_has_to_land(each) for each in self.flights):
            moves.append(Move("end"))
        moves += [Move("go", number, "begins", switch=cost) for number in new if number >= attempts][:1]
        if self.moments and self.moments[0] < limit and new:
            moves.append(Move("time", switch=cost))
        return moves

    def _time_limit(self) -> float:
        """How far the clock may go before something else has to happen."""
        limit = min((flight.by for flight in self.flights if _has_to_land(flight)), default=float("inf"))
        for process in self.processes:
            place = process.place
            if process.dead or place.over:
                continue
            if place.call is not None:
                limit = min(limit, place.now + place.call.seconds - 0.001)
            elif place.wakes is not None:
                limit = min(limit, place.wakes)
        return limit

    def _goings(self, number: int, switch: int) -> list[Move]:
        """What can become of the call of a process."""
        process = self.processes[number]
        call = process.place.call
        assert call is not None
        if isinstance(call, TableCall):
            moves, faults = [Move("go", number, "done", switch=switch)], self._table_faults(call.request)
        elif call.issues:
            if process.failing == "connect":
                return [Move("go", number, "never sent", switch=switch)]
            moves = [
                Move("go", number, label, effects, 0, switch)
                for label, effects in self._outcomes(self._received(number, call))
            ]
            faults = ISSUING_FAULTS + (MORE_ISSUING_FAULTS if self.world.has_all_faults else ())
        else:
            if call.path in (process.failing, process.down):
                return [Move("go", number, "lost", switch=switch)]
            moves = [Move("go", number, "done", switch=switch)]
            faults = LOOK_UP_FAULTS + (MORE_LOOK_UP_FAULTS if self.world.has_all_faults else ())
        if self.faults_left:
            moves += [Move("go", number, label, None, 1, switch) for label in faults]
        return moves

    def _table_faults(self, request: TableRequest) -> tuple[str, ...]:
        if not self.faults_left or request.operation not in WRITES or not self.table.accepts(request):
            return READ_FAULTS
        return TRANSACTION_FAULTS if request.operation == "transact_write_items" else WRITE_FAULTS

    def _landings(self, number: int) -> list[Move]:
        flight = self.flights[number]
        if isinstance(flight, LateWrite):
            return [Move("land", number, "arrives late")]
        if flight.effects is not None:
            return [Move("land", number, "key lands", flight.effects)]
        return [Move("land", number, label, effects) for label, effects in self._outcomes(flight.sent) if effects]

    def _outcomes(self, sent: Sent) -> list[tuple[str, Outcome]]:
        outcomes = self.iamport.outcomes(sent)
        label, effects = outcomes[0]
        if "lags" in self.world.habits and self._is_first_payment(sent) and label in ("paid", "issued"):
            outcomes = [*outcomes, (f"{label}, key later", tuple(effect for effect in effects if effect != "key"))]
        return outcomes

    def _is_first_payment(self, sent: Sent) -> bool:
        """Whether a card is sent to be charged, by this request or the next."""
        asked_for = self.world.requests[sent.by : sent.by + 1]
        return sent.card != "" and any(request.order is not None for request in asked_for)

    def _received(self, number: int, call: IamportCall) -> Sent:
        return self.iamport.received(number, call.path, call.body or {})

    # What a move does

    def make(self, move: Move) -> None:
        """Raises Violation."""
        if move.fault:
            self.faults_left -= 1
            self.faults += (move.label,)
        if self.switches_left < UNLIMITED:
            self.switches_left -= move.switch
        match move.kind:
            case "go":
                self.current = move.which
                self._go_on(move.which, move)
            case "land":
                self._land(move)
            case "deed":
                deed, *rest = self.deeds
                self.deeds = tuple(rest)
                self._do(deed)
            case "time":
                self.now = self.moments[0]
                self._note(None, "⋯")
            case "end":
                self.is_over = True
        while self.moments and self.moments[0] <= self.now:
            self.moments = self.moments[1:]
        if self.flights:
            self.flights = tuple(each for each in self.flights if each.by > self.now or _has_to_land(each))

    def _go_on(self, number: int, move: Move) -> None:
        process = self.processes[number]
        call = process.place.call
        if call is None:
            if process.is_new:
                self.processes[number] = process._replace(started=self.now)
                self.properties.begun(number)
            else:
                wakes = process.place.wakes or 0.0
                if self.now - wakes > SLOW_SECONDS:
                    self.properties.fault_met(number)
                self.now = max(self.now, wakes)
            self._resume(number, None, None)
        elif move.label in ("dies", "dies, sent"):
            if isinstance(call, IamportCall) and move.label == "dies, sent":
                self._take_off(number, call, call_is_over=False)
            if self.log is not None:
                self._note(number, f"{in_words(call)} ✝ {move.label}")
            self.processes[number] = process._replace(dead=True)
        else:
            if self.now - process.place.now > SLOW_SECONDS:
                self.properties.fault_met(number)
            reply, digest = self._answer(number, call, move)
            if self.log is not None:
                self._note(number, f"{in_words(call)} ▶ {move.label}", reply)
            self._resume(number, reply, digest)

    def _resume(self, number: int, reply: object, digest: Hashable) -> None:
        process = self.processes[number]
        place = process.program.go_on(process.place, reply, digest, self.now)
        self.processes[number] = process._replace(place=place)
        if place.over:
            self._ended(number, place.outcome)
        elif isinstance(place.call, TableCall) and place.call.request.operation == "query":
            found, digest = self.table.do(place.call.request)
            if isinstance(found, dict) and not found["Items"]:
                self._resume(number, found, digest)  # nobody can tell when an empty shard was asked for

    def _ended(self, number: int, outcome: Any) -> None:
        if isinstance(outcome, str):
            if outcome:
                self.properties.settler_crashed(outcome)
        elif isinstance(outcome, seams.Told):
            self._note(number, f"◀ {' '.join(str(part) for part in outcome.answer if part)}")
            self.properties.told(outcome.number, outcome.answer)
        else:
            self._note(number, f"◀ {' '.join(str(part) for part in outcome if part)}")
            self.properties.answered(number, outcome)

    def _answer(self, number: int, call: Call, move: Move) -> tuple[object, Hashable]:
        if isinstance(call, TableCall):
            return self._answer_table(number, call, move.label)
        return (
            self._answer_issuing(number, call, move) if call.issues else self._answer_look_up(number, call, move.label)
        )

    def _answer_table(self, number: int, call: TableCall, label: str) -> tuple[object, Hashable]:
        if label in ("lost", "late", "written, answer lost"):
            self.properties.fault_met(number, f"{call.request.operation} {label}")
            if label == "late":
                self.flights += (LateWrite(number, call, self.now + LATE_SECONDS),)
            elif label != "lost":
                self.table.do(call.request)
            return seams.lost(), "lost"
        if label == "conflict":
            return conflict(call.request), "conflict"
        if label == "repeated by boto3":
            self.table.do(call.request)
        return self.table.do(call.request)

    def _answer_look_up(self, number: int, call: IamportCall, label: str) -> tuple[object, Hashable]:
        path, process = call.path, self.processes[number]
        if label == "done":
            if process.failing is not None:
                self.processes[number] = process._replace(failing=None)
            self.properties.looked(number, path)
            reply = self.iamport.answer(call.method, path)
            return reply, reply.content
        self.properties.fault_met(number)
        if label == "down":
            self.processes[number] = process._replace(down=path)
        else:
            self.processes[number] = process._replace(failing=path)
        return ConnectionError("lost"), "lost"

    def _answer_issuing(self, number: int, call: IamportCall, move: Move) -> tuple[object, Hashable]:
        label = move.label
        self.properties.sent(number, label)
        if move.effects is not None:
            sent = self._received(number, call)
            self._work(sent, label, move.effects, self.now + LAG_SECONDS)
            reply = self.iamport.answer_to(sent, label, move.effects)
            return reply, reply.content
        self.properties.fault_met(number)
        if label == "never sent":
            self.processes[number] = self.processes[number]._replace(failing="connect")
            return seams.never_sent(), label
        if label == "429":
            return Reply(429, b"<html>"), label
        if label == "400":
            return envelope(-1, "이니시스 빌링결제는 상품명이 필수입니다.", status=400), label
        if label == "time-out":
            self.now = max(self.now, self.processes[number].place.now + call.seconds)
        sent = self._take_off(number, call)
        if label == "502":
            return Reply(502, b"<html>"), label
        if label == "of another":
            return self.iamport.answer_about_another(sent), label
        return ConnectionError("lost"), label

    def _take_off(self, number: int, call: IamportCall, *, call_is_over: bool = True) -> Sent:
        sent = self._received(number, call)
        hung_up = self.now if call_is_over else self.processes[number].started + seams.INVOCATION_SECONDS
        ahead = STEP_SECONDS if "stepping" in self.world.habits else 0.0
        self.flights += (Flight(sent, None, hung_up + LANDED_SECONDS - ahead),)
        return sent

    def _land(self, move: Move) -> None:
        flight = self.flights[move.which]
        self.flights = self.flights[: move.which] + self.flights[move.which + 1 :]
        if isinstance(flight, LateWrite):
            self._note(flight.caller, f"  {in_words(flight.call)} arrives late")
            self.table.do(flight.call.request)
        else:
            self._note(None, f"{self.processes[flight.sent.by].name}: {move.label}")
            self._work(flight.sent, move.label, move.effects or (), flight.by)

    def _work(self, sent: Sent, label: str, effects: Outcome, key_by: float) -> None:
        self.properties.processed(sent, label)
        self.iamport.take_effect(sent, effects)
        if label.endswith("key later"):
            self.flights += (Flight(sent, ("key",), key_by),)

    def _do(self, deed: str) -> None:
        """What others do to uid 0 and order 0."""
        self._note(None, f"others: {deed}")
        self.properties.others_did(deed, before=self.now == START)
        self.iamport.others_do(deed, seams.customer_uid(0), seams.merchant_uid(0), seams.AMOUNT)

    # The end

    def check_the_end(self) -> None:
        """The settler runs until nothing is open, and who was told no tries once more. Raises Violation."""
        self.faults_left = 0
        self.now = max(self.now, END)
        unsettled = self.copy()
        for _ in range(PASSES):
            if not self.properties.open_attempts():
                break
            self._run_alone(self._add_settler())
            self.now += 60
        self.properties.check_the_end()
        self._ask_after_each()
        unsettled.close_by_asking()
        self.now += 700
        if (request := self.properties.next_request()) is not None:
            number = self._add_attempt(request)
            self.properties.watch_next(number, request)
            self._run_alone(number)
            self.properties.check_next(number)

    def close_by_asking(self) -> None:
        """Who asks by an attempt's id closes it as the settler would."""
        self._ask_after_each()
        self.properties.check_the_end()

    def _ask_after_each(self) -> None:
        for customer_uid, attempt_id in seams.newest_attempts(self.table.items.values()):
            self._run_alone(self._add_asker(customer_uid, attempt_id))

    def _run_alone(self, number: int) -> None:
        while not self.processes[number].is_over:
            call = self.processes[number].place.call
            self._go_on(number, Move("go", number, "begins") if call is None else self._goings(number, 0)[0])

    def _add_attempt(self, request: Request) -> int:
        number, habits = len(self.processes), self.world.habits
        made = program(
            request,
            number,
            lambda services: seams.attempt(request, number, services),
            cold="cold" in habits,
            stepping="stepping" in habits and number == 0,
            by_again="again" in habits,
        )
        self.processes.append(Process(made, request.name, made.beginning))
        return number

    def _add_settler(self) -> int:
        number = len(self.processes)
        made = program("settler", number, seams.settle_all)
        self.processes.append(Process(made, "settler", made.beginning))
        return number

    def _add_asker(self, customer_uid: str, attempt_id: str) -> int:
        number = len(self.processes)
        made = program(
            ("asks", customer_uid, attempt_id),
            number,
            lambda services: seams.ask_after(customer_uid, attempt_id, services),
        )
        self.processes.append(Process(made, f"asks after {seams.number_of(attempt_id) + 1}", made.beginning))
        return number

    def _note(self, column: int | None, text: str, answer: object = None) -> None:
        if self.log is not None:
            self.log(self.now - BEGIN, column, text, answer)


def _has_to_land(flight: Flight | LateWrite) -> bool:
    """A PG that has decided. What else is on its way may be lost there."""
    return isinstance(flight, Flight) and flight.effects is not None


def in_words(call: Call) -> str:
    if isinstance(call, TableCall):
        return call.request.operation
    return f"{call.method} {call.path}"
