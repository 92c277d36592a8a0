"""The failure table at each step of an attempt, for issuing and for the first payment, and a kill between any two.

Each row is one attempt of one customer; afterwards the settler runs, and the ledger has to agree with Iamport.
"""

import pytest

from infra.local.iamport.faults import Fault
from infra.local.iamport.simulator import Call
from infra.local.service import Backends
from tests.chaos.run import FAULTS, MOST_SENDS, Chaos, run_storm
from tests.chaos.truth import Task, Verdict
from tests.integration.door import CARD_NUMBER, form_fields, signed_fields

STEPS = {False: ("token", "look_up", "issue"), True: ("token", "find_payments", "look_up", "pay_onetime")}


def task(customer_uid: str, with_payment: bool, dies_before_send: int | None = None) -> Task:
    if not with_payment:
        fields = form_fields(customer_uid=customer_uid)
        return Task(0, "open", customer_uid, CARD_NUMBER, None, False, fields, dies_before_send)
    order = f"order-{customer_uid}-0"
    fields = signed_fields(customer_uid, payment={"merchant_uid": order, "amount": 9900, "name": "first"})
    return Task(0, "signed", customer_uid, CARD_NUMBER, order, False, fields, dies_before_send)


class Rows(Chaos):
    """One fault for one customer at one step, or one kill, instead of chance."""

    def __init__(self, step: str | None, with_payment: bool) -> None:
        super().__init__(attempts=0, seed=0)
        self.step, self.waiting = step, {f"fault-{number}": fault for number, fault in enumerate(FAULTS)}
        if step is None:
            rows = [task(f"dies-{send}", with_payment, send) for send in range(1, MOST_SENDS + 1)]
        else:
            rows = [task(customer_uid, with_payment) for customer_uid in self.waiting]
        for row in rows:
            self.queue.put(row)
        self.result.attempts = len(rows)

    def choose_fault(self, call: Call) -> Fault | None:
        if call.endpoint != self.step:
            return None
        customer_uid = call.customer_uid or (call.merchant_uid or "").removeprefix("order-").rpartition("-")[0]
        with self.lock:
            # A token belongs to no customer: there, the faults come in turn.
            struck = customer_uid or next(iter(self.waiting), "")
            fault = self.waiting.pop(struck, None)
            self.result.faults[self.step] += fault is not None
            return fault


@pytest.mark.parametrize(
    ("with_payment", "step"), [(with_payment, step) for with_payment, steps in STEPS.items() for step in (*steps, None)]
)
def test_after_a_failure_at_any_step_the_ledger_agrees_with_iamport(
    backends: Backends, with_payment: bool, step: str | None
) -> None:
    result = run_storm(Rows(step, with_payment), at_once=2, backends=backends)
    assert result.outcomes.total() == result.attempts
    if step is None:
        assert result.kills >= 6, "of the sends, some only fresh containers make"
    else:
        assert result.faults[step] > 0
    assert result.verdict == Verdict()
