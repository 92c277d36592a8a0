"""Runs attempts in containers, breaks lines and kills containers on the way, settles, and compares."""

import json
import os
import queue
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from infra.local.iamport import Simulator, faults
from infra.local.iamport.faults import Fault
from infra.local.iamport.simulator import Call, no_fault
from infra.local.lambda_environment import lambda_environment
from infra.local.program import Program, ProgramEnded
from infra.local.service import LOCAL_PARAMETERS, Backends, talking_to
from infra.local.template import PROJECT, Template
from tests.attempts_table import items, plain
from tests.integration.door import form_fields, settle, signed_fields

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
STUCK = faults.slow(20.0, processed_after=6.0)
"""Issued after the caller had to hang up."""

REFUSED_CARDS = ("0000-2000-0000-0001", "0000-4000-0000-0001", "0000-4000-0000-0002", "0000-4000-0000-0003")
MOST_SENDS = 12
"""Of one attempt in a fresh container: secret, token, begin, look-up, find, issue or pay, finish; a body goes out after
its head."""


@dataclass
class Result:
    attempts: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    kills: int = 0
    disagreements: list[str] = field(default_factory=list)
    double_charges: int = 0
    open_attempts: int = 0

    def is_clean(self) -> bool:
        return not self.disagreements and not self.double_charges and not self.open_attempts


@dataclass(frozen=True)
class Task:
    identity: str
    customer_uid: str
    fields: Mapping[str, str]
    dies_before_send: int | None


class Chaos:
    def __init__(self, attempts: int, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311 (the same run again, where it is wanted)
        self.lock = threading.Lock()
        self.result = Result(attempts)
        self.at_work: dict[str, int] = {}
        """The process id of the container that has an attempt under way, by customer_uid."""
        self.tasks: queue.SimpleQueue[Task] = queue.SimpleQueue()
        for number in range(attempts):
            self.tasks.put(self._task(number, max(1, attempts * 2 // 3)))

    def _task(self, number: int, customers: int) -> Task:
        chance = self.chance
        identity = chance.choice(("open", "signed"))
        customer_uid = f"{identity}-{chance.randrange(customers)}"
        refused = chance.random() < 0.15
        card_number = chance.choice(REFUSED_CARDS) if refused else f"0000-5000-0000-{chance.randrange(10_000):04}"
        fields = form_fields(customer_uid=customer_uid, card_number=card_number)
        if identity == "signed":
            claims: dict[str, Any] = {"replace": chance.random() < 0.4}
            if chance.random() < 0.5:
                order = f"order-{customer_uid}-{chance.randrange(2)}"
                claims["payment"] = {"merchant_uid": order, "amount": 1000 + number, "name": "chaos"}
            fields = signed_fields(customer_uid, card_number, **claims)
        dies = chance.randint(1, MOST_SENDS) if chance.random() < 0.08 else None
        return Task(identity, customer_uid, fields, dies)

    def choose_fault(self, call: Call) -> Fault | None:
        with self.lock:
            what = self.chance.random()
            if what < 0.02 and (killed := self._kill_caller(call)) is not None:
                return killed
            if what < 0.025 and call.endpoint in ("issue", "pay_onetime"):
                fault = STUCK
            elif what < 0.20:
                fault = self.chance.choice(FAULTS)
            else:
                return None
            self.result.faults[f"{call.endpoint} {fault.kind}{' (processed)' if fault.processed else ''}"] += 1
            return fault

    def _kill_caller(self, call: Call) -> Fault | None:
        """While its request is under way: it may or may not be processed all the same."""
        customer_uid = call.customer_uid or (call.merchant_uid or "").removeprefix("order-").rpartition("-")[0]
        pid = self.at_work.pop(customer_uid, None)
        if pid is None:
            return None
        os.kill(pid, signal.SIGKILL)
        return self.chance.choice((faults.ANSWER_LOST, faults.LINE_CUT))

    def work(self, environments: Mapping[str, dict[str, str]]) -> None:
        """One container's place: always a live one in it for each identity, until the tasks are done."""
        containers: dict[str, Program] = {}
        try:
            while (task := self._next_task()) is not None:
                if task.identity not in containers:
                    environment = environments[task.identity]
                    containers[task.identity] = Program("-m", "tests.chaos.mortal_container", environment=environment)
                outcome = self._ask(containers[task.identity], task)
                if outcome is None:
                    containers.pop(task.identity).end()
                with self.lock:
                    self.result.outcomes[outcome or "killed"] += 1
                    self.result.kills += outcome is None
        finally:
            for container in containers.values():
                container.end()

    def _next_task(self) -> Task | None:
        try:
            return self.tasks.get_nowait()
        except queue.Empty:
            return None

    def _ask(self, container: Program, task: Task) -> str | None:
        """The answer's code; None: the container is dead."""
        with self.lock:
            self.at_work[task.customer_uid] = container.process_id
        try:
            return container.ask(json.dumps({"fields": dict(task.fields), "dies_before_send": task.dies_before_send}))
        except ProgramEnded:
            return None
        finally:
            with self.lock:
                self.at_work.pop(task.customer_uid, None)


def run_storm(chaos: Chaos, at_once: int, backends: Backends) -> Result:
    """Over an empty ledger."""
    simulator, aws = backends.simulator, backends.aws
    template = Template(parameters=LOCAL_PARAMETERS)
    function = talking_to(backends, template.function(template.function_behind_api(), aws.physical_ids))
    environment = lambda_environment(function)
    modules = os.pathsep.join((str(function.code), str(PROJECT)))
    environments = {
        identity: {**environment, "PYTHONPATH": modules, "CUSTOMER_IDENTITY": identity}
        for identity in ("open", "signed")
    }
    simulator.choose_fault = chaos.choose_fault
    threads = [threading.Thread(target=chaos.work, args=[environments]) for _ in range(at_once)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    simulator.choose_fault = no_fault
    simulator.wait_until_idle()
    with _a_while_later(environment):
        for _ in range(4):
            settle()
    attempts = [plain(item) for item in items(aws) if item["pk"]["S"].startswith("uid#")]
    compare(chaos.result, simulator, attempts)
    return chaos.result


def compare(result: Result, simulator: Simulator, attempts: list[dict[str, str]]) -> None:
    customers, ledger = simulator.customers, {attempt["customer_uid"]: attempt for attempt in attempts}
    paid = Counter(payment.merchant_uid for payment in simulator.payments if payment.status == "paid")
    result.double_charges = sum(count - 1 for count in paid.values())
    result.open_attempts = sum(attempt["state"] == "open" for attempt in attempts)
    for customer_uid in customers.keys() | ledger.keys():
        there = customers[customer_uid].card_number if customer_uid in customers else None
        written = ledger.get(customer_uid, {}).get("registered_card_number")
        if there != written:
            state = ledger.get(customer_uid, {}).get("state")
            result.disagreements.append(f"{customer_uid}: Iamport has {there}, the ledger {written} ({state})")
    for attempt in attempts:
        if attempt["merchant_uid"] and attempt["state"] == "issued" and not paid[attempt["merchant_uid"]]:
            result.disagreements.append(f"{attempt['customer_uid']}: {attempt['merchant_uid']} is not paid")
        if attempt["merchant_uid"] and attempt["state"] in ("declined", "not_issued") and paid[attempt["merchant_uid"]]:
            result.disagreements.append(f"{attempt['customer_uid']}: {attempt['merchant_uid']} is paid")


@contextmanager
def _a_while_later(environment: dict[str, str]) -> Iterator[None]:
    """In this process, and only for the ledger's own times."""
    real_time = time.time
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        patch.setattr(time, "time", lambda: real_time() + 120)
        yield
