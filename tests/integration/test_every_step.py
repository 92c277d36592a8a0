"""The failure table at each step of an attempt, for issuing and for either way of a first payment, and a kill between
any two.

Each row is one attempt of one customer; afterwards the settler runs, and the ledger has to agree with Iamport.
"""

import itertools
import threading
from collections.abc import Mapping

import pytest

from infra.local.iamport import Simulator
from infra.local.iamport.faults import Fault
from infra.local.iamport.simulator import Call
from infra.local.service import Backends
from tests.chaos.run import FAULTS, MOST_SENDS, Chaos, run_storm
from tests.chaos.truth import Task, Verdict
from tests.integration.door import CARD_NUMBER, form_fields, signed_fields

STEPS = {
    "open": ("look_up", "issue"),
    "signed": ("find_payments", "look_up", "pay_onetime"),
    "again": ("find_payments", "look_up", "issue", "pay_again"),
}
"""For issuing and for the two ways of a first payment. A token belongs to no customer: its rows are storms of their
own."""


NUMBERS = itertools.count()
"""Each request has one of its own."""


def task(customer_uid: str, way: str, dies_before_send: int | None = None) -> Task:
    number = next(NUMBERS)
    if way == "open":
        fields = form_fields(customer_uid=customer_uid)
        return Task(number, "open", customer_uid, CARD_NUMBER, None, False, fields, dies_before_send)
    order = f"order-{customer_uid}"
    fields = signed_fields(customer_uid, payment={"merchant_uid": order, "amount": 9900, "name": "first"})
    return Task(number, way, customer_uid, CARD_NUMBER, order, False, fields, dies_before_send)


class Rows(Chaos):
    """Tasks that were laid out, and one fault for each customer at its step, instead of chance."""

    def __init__(self, tasks: list[Task], faults: Mapping[tuple[str, str], Fault]) -> None:
        super().__init__(attempts=0, seed=0)
        self.waiting = dict(faults)
        self.orders = {task.order: task.customer_uid for task in tasks if task.order is not None}
        for row in tasks:
            self.queue.put(row)
        self.result.attempts = len(tasks)

    def choose_fault(self, call: Call) -> Fault | None:
        customer_uid = call.customer_uid or self.orders.get(call.merchant_uid or "", "")
        with self.lock:
            fault = self.waiting.pop((call.endpoint, customer_uid), None)
            self.result.faults[call.endpoint] += fault is not None
            return fault

    def meddle(self, simulator: Simulator, over: threading.Event) -> None:
        """Nobody else is there."""


class TokenRows(Rows):
    """Whoever asks for a token gets the next fault."""

    def choose_fault(self, call: Call) -> Fault | None:
        if call.endpoint != "token" or not self.waiting:
            return None
        with self.lock:
            self.result.faults["token"] += 1
            return self.waiting.pop(next(iter(self.waiting)))


def faults_at(step: str) -> dict[tuple[str, str], Fault]:
    return {(step, f"{step}-{number}"): fault for number, fault in enumerate(FAULTS)}


@pytest.mark.parametrize("way", STEPS)
def test_after_a_failure_at_any_step_every_answer_is_true(backends: Backends, way: str) -> None:
    faults = {place: fault for step in STEPS[way] for place, fault in faults_at(step).items()}
    rows = Rows([task(customer_uid, way) for _, customer_uid in faults], faults)
    result = run_storm(rows, at_once=2, backends=backends)
    assert result.outcomes.total() == result.attempts
    assert +result.faults == dict.fromkeys(STEPS[way], len(FAULTS))
    assert result.verdict == Verdict()


@pytest.mark.parametrize("way", STEPS)
def test_after_a_failure_to_get_a_token_every_answer_is_true(backends: Backends, way: str) -> None:
    faults = faults_at("token")
    rows = TokenRows([task(customer_uid, way) for _, customer_uid in faults], faults)
    result = run_storm(rows, at_once=2, backends=backends)
    assert result.outcomes.total() == result.attempts
    assert result.faults["token"] > 0
    assert result.verdict == Verdict()


@pytest.mark.parametrize("way", STEPS)
def test_after_a_kill_between_any_two_steps_every_answer_is_true(backends: Backends, way: str) -> None:
    tasks = [task(f"dies-{send}", way, send) for send in range(1, MOST_SENDS + 1)]
    result = run_storm(Rows(tasks, {}), at_once=2, backends=backends)
    assert result.outcomes.total() == result.attempts
    assert result.kills >= 6, "of the sends, some only fresh containers make"
    assert result.verdict == Verdict()
