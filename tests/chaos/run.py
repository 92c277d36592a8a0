"""Runs attempts in containers, breaks lines and kills containers on the way, settles, and compares.

The time that a PG may be at work after everybody has hung up is three seconds here, and what lands late lands in less.
"""

import json
import os
import queue
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

from infra.local.event_pipe import EVENT_PIPE, Record, Stream, events_of
from infra.local.iamport import Simulator, faults
from infra.local.iamport.faults import Fault
from infra.local.iamport.others import Tried
from infra.local.iamport.simulator import Call, no_fault
from infra.local.lambda_environment import lambda_environment
from infra.local.program import ProgramEnded
from infra.local.service import LOCAL_PARAMETERS, Backends, talking_to
from infra.local.template import PROJECT, Template
from tests.attempts_table import items, plain
from tests.chaos.containers import Container, Containers, run_containers
from tests.chaos.truth import Event, Task, Told, Verdict, judge
from tests.integration.door import form_fields, signed_fields

LANDING_SECONDS = (0.2, 2.5)
MEDDLED_WITH = 10
"""Others deal with every customer whose number it divides."""
PAYMENTS_BY_OTHERS: tuple[Tried, ...] = ("paid", "ready", "failed")
AMOUNT = 1000
CONFLICTS = 0.03
"""The share of DynamoDB's writes that meet another one."""

FAULTS: tuple[Fault, ...] = (
    faults.slow(0.3),
    faults.ANSWER_LOST,
    faults.LINE_CUT,
    faults.SERVER_ERROR,
    replace(faults.SERVER_ERROR, processed=True),
    faults.HTML,
    faults.HTML_AFTERWARDS,
    faults.TOO_MANY_REQUESTS,
    faults.UNAUTHORIZED,
    faults.NOT_JSON,
    replace(faults.NOT_JSON, processed=True),
    faults.EMPTY_RESPONSE,
    faults.TRUNCATED,
    faults.REDIRECT,
)
LANDING_LATE = (faults.LINE_CUT, faults.SERVER_ERROR, faults.HTML, faults.NOT_JSON)
"""Behind each of these, what was asked is done all the same, after everybody has hung up."""
STUCK = faults.slow(20.0, processed_after=10.0)
"""Issued after the caller had to hang up."""

REFUSED_CARDS = (
    "0000-2000-0000-0001",
    "0000-4000-0000-0001",
    "0000-4000-0000-0002",
    "0000-4000-0000-0003",
    "0000-4000-0000-0005",
)
"""The last one is paid and keeps no key."""
MOST_SENDS = 18
"""Of one attempt in a fresh container: fingerprints' key, secret, token, begin, look-ups, note, issue, charge, finish;
a body goes out after its head."""
IDENTITIES = {
    "open": {"CUSTOMER_IDENTITY": "open"},
    "signed": {"CUSTOMER_IDENTITY": "signed"},
    "again": {"CUSTOMER_IDENTITY": "signed", "FIRST_PAYMENT": "again"},
}
"""By their containers' settings: what they have in common is one ledger, and one Iamport."""


@dataclass
class Result:
    attempts: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    by_others: Counter[str] = field(default_factory=Counter)
    kills: int = 0
    verdict: Verdict = field(default_factory=Verdict)


class Chaos:
    def __init__(self, attempts: int, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311 (the same run again, where it is wanted)
        self.lock = threading.Lock()
        self.result = Result(attempts)
        self.told: list[Told] = []
        self.at_work: dict[str, int] = {}
        """The process id of the container that has an attempt under way, by customer_uid."""
        self.queue: queue.SimpleQueue[Task] = queue.SimpleQueue()
        self.customers = max(1, attempts // 2)
        tasks: list[Task] = []
        for number in range(attempts):
            tasks.append(self._task(number, tasks))
            self.queue.put(tasks[-1])
        self.orders = {task.order: task.customer_uid for task in tasks if task.order is not None}

    def _task(self, number: int, earlier: list[Task]) -> Task:
        chance, customers = self.chance, self.customers
        dies = chance.randint(1, MOST_SENDS) if chance.random() < 0.08 else None
        if earlier and chance.random() < 0.2:
            return replace(chance.choice(earlier[-8:]), number=number, dies_before_send=dies)
        identity = chance.choice(tuple(IDENTITIES))
        customer_uid = f"{identity}-{chance.randrange(customers)}"
        card = chance.choice(REFUSED_CARDS) if chance.random() < 0.15 else f"0000-5000-{number:04}-{number:04}"
        if identity == "open":
            fields = form_fields(customer_uid=customer_uid, card_number=card)
            return Task(number, identity, customer_uid, card, None, False, fields, dies)
        is_known = any(task.customer_uid == customer_uid for task in earlier)
        claims: dict[str, Any] = {"replace": chance.random() < 0.4, "new": not is_known and chance.random() < 0.5}
        order = None
        if chance.random() < 0.5:
            # Some are tried under several uids, as by a shop that makes a uid per card.
            whose = chance.randrange(customers) if chance.random() < 0.3 else int(customer_uid.partition("-")[2])
            order = f"order-{whose}-{chance.randrange(2)}"
            claims["payment"] = {"merchant_uid": order, "amount": AMOUNT, "name": "chaos"}
        fields = signed_fields(customer_uid, card, **claims)
        return Task(number, identity, customer_uid, card, order, claims["replace"], fields, dies)

    def choose_fault(self, call: Call) -> Fault | None:
        with self.lock:
            what = self.chance.random()
            if what < 0.02 and (killed := self._kill_caller(call)) is not None:
                return killed
            if call.endpoint in ("issue", "pay_onetime", "pay_again") and what < 0.12:
                late = faults.landing(self.chance.choice(LANDING_LATE), self.chance.uniform(*LANDING_SECONDS))
                fault = STUCK if what < 0.025 else late
            elif what < 0.20:
                fault = self.chance.choice(FAULTS)
            else:
                return None
            self.result.faults[f"{call.endpoint} {fault.kind}{' (processed)' if fault.processed else ''}"] += 1
            return fault

    def _kill_caller(self, call: Call) -> Fault | None:
        """While its request is under way: it may or may not be processed all the same."""
        customer_uid = call.customer_uid or self.orders.get(call.merchant_uid or "")
        pid = self.at_work.pop(customer_uid or "", None)
        if pid is None:
            return None
        os.kill(pid, signal.SIGKILL)
        return self.chance.choice((faults.ANSWER_LOST, faults.LINE_CUT))

    def meddle(self, simulator: Simulator, over: threading.Event) -> None:
        """What others do at Iamport, to one customer in ten and their orders."""
        chance = random.Random(0)  # noqa: S311 (as above)
        while not over.wait(0.05):
            identity, number = (
                chance.choice(tuple(IDENTITIES)),
                MEDDLED_WITH * chance.randrange(1 + self.customers // 10),
            )
            customer_uid, order = f"{identity}-{number}", f"order-{number}-{chance.randrange(2)}"
            what = chance.choice(("register", "revoke", "pay", "cancel"))
            with suppress(LookupError):
                match what:
                    case "register":
                        simulator.register(customer_uid, f"0000-6000-0000-{chance.randrange(10_000):04}")
                    case "revoke":
                        simulator.revoke(customer_uid)
                    case "pay":
                        uid, amount = chance.choice((customer_uid, None)), chance.choice((AMOUNT, 5))
                        simulator.pay(order, amount, uid, chance.choice(PAYMENTS_BY_OTHERS))
                    case "cancel":
                        simulator.cancel(order)
                self.result.by_others[what] += 1

    def work(self, places: Containers) -> None:
        """One container's place: always a live one in it for each identity, until the tasks are done."""
        containers: dict[str, Container] = {}
        try:
            while (task := self._next_task()) is not None:
                if task.identity not in containers:
                    containers[task.identity] = places.start(IDENTITIES[task.identity])
                told = self._ask(containers[task.identity], task)
                if told.code is None:
                    containers.pop(task.identity).end()
                with self.lock:
                    self.told.append(told)
                    self.result.outcomes[told.code or "killed"] += 1
                    self.result.kills += told.code is None
        finally:
            for container in containers.values():
                container.end()

    def _next_task(self) -> Task | None:
        try:
            return self.queue.get_nowait()
        except queue.Empty:
            return None

    def _ask(self, container: Container, task: Task) -> Told:
        with self.lock:
            self.at_work[task.customer_uid] = container.process_id
        asked_at = time.monotonic()
        answer: dict[str, Any] = {"code": None, "body": {}}
        try:
            dies = task.dies_before_send
            line = json.dumps({"fields": dict(task.fields), "request_id": task.request_id, "dies_before_send": dies})
            answer = json.loads(container.ask(line))
        except ProgramEnded:
            pass
        finally:
            with self.lock:
                self.at_work.pop(task.customer_uid, None)
        return Told(task, answer["code"], answer["body"], asked_at, time.monotonic())


def run_storm(chaos: Chaos, at_once: int, backends: Backends) -> Result:
    """Over an empty ledger."""
    simulator, aws = backends.simulator, backends.aws
    template = Template(parameters=LOCAL_PARAMETERS)
    function = talking_to(backends, template.function(template.function_behind_api(), aws.physical_ids))
    environment = lambda_environment(function) | {"ATTEMPTS_PER_CARD": "1000", "ATTEMPTS_PER_CARD_PER_DAY": "1000"}
    environment["PYTHONPATH"] = os.pathsep.join((str(function.code), str(PROJECT)))
    stream = Stream(aws)
    with run_containers(environment) as containers:
        aws.conflict_share(CONFLICTS)
        _run_at_once(chaos, at_once, simulator, containers)
        aws.clear_faults()
        simulator.wait_until_idle()
        with _settler(containers) as settler:
            for _ in range(4):
                settler.ask(json.dumps({"settle_seconds_from_now": 600}))  # past all that was put off
    records = stream.records()
    chaos.result.verdict = judge(
        chaos.told,
        simulator.history,
        simulator.payments,
        [plain(item) for item in items(aws) if item["pk"]["S"].startswith("uid#")],
        _begun(records),
        _events(records),
    )
    return chaos.result


def _run_at_once(chaos: Chaos, at_once: int, simulator: Simulator, containers: Containers) -> None:
    simulator.choose_fault = chaos.choose_fault
    over = threading.Event()
    others = [
        threading.Thread(target=chaos.meddle, args=[simulator, over]),
        threading.Thread(target=_keep_settling, args=[containers, over]),
    ]
    workers = [threading.Thread(target=chaos.work, args=[containers]) for _ in range(at_once)]
    for thread in (*others, *workers):
        thread.start()
    for thread in workers:
        thread.join()
    over.set()
    for thread in others:
        thread.join()
    simulator.choose_fault = no_fault


def _keep_settling(containers: Containers, over: threading.Event) -> None:
    with _settler(containers) as settler:
        while not over.wait(1.0):
            settler.ask(json.dumps({"settle_seconds_from_now": 0}))


@contextmanager
def _settler(containers: Containers) -> Iterator[Container]:
    settler = containers.start(IDENTITIES["open"])
    try:
        yield settler
    finally:
        settler.end()


def _begun(records: list[Record]) -> set[str]:
    """The attempt_ids of all that ever was open."""
    return {image["attempt_id"] for _, image in map(_images, records) if _is_open(image)}


def _events(records: list[Record]) -> list[Event]:
    """What leaves by the pipe in template.yaml."""
    pipe = Template().pipe(EVENT_PIPE)
    return [
        _event(told.detail_type, told.detail, _images(record)[1])
        for record in records
        for told in events_of(pipe, [record])
    ]


def _images(record: Record) -> tuple[dict[str, str], dict[str, str]]:
    before, after = (plain(record["dynamodb"].get(name, {})) for name in ("OldImage", "NewImage"))
    return before, after


def _is_open(image: Mapping[str, str]) -> bool:
    return image.get("pk", "").startswith("uid#") and image["state"] == "open"


def _event(name: str, detail: Mapping[str, str], image: Mapping[str, str]) -> Event:
    """`image`: the item's, which alone has the attempt's times."""
    ahead = time.time() - time.monotonic()
    return Event(
        name=name,
        attempt_id=detail["attempt_id"],
        customer_uid=detail["customer_uid"],
        request_id=detail["request_id"],
        card=detail["card"],
        imp_uid=detail["imp_uid"],
        began_at=int(image["began_at"]) - ahead,
        ended_at=int(image["ended_at"]) + 1 - ahead,
    )
