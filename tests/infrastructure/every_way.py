"""Every way in which a request can end, and every way in which the settler can close an attempt, by the real functions.

Tests watch what comes out meanwhile: metrics, calls to AWS.
"""

import time
from dataclasses import dataclass

import pytest

from infra.local.iamport import Simulator, faults
from infra.local.iamport.cards import number_of
from infra.local.iamport.simulator import no_fault
from infra.local.token import new_token
from tests.conftest import ClockAhead
from tests.integration.door import Door, form_fields, settle, signed_fields

OTHER_CARD = "0000-9999-9999-9999"
DECLINED_CARD = "0000-2000-0000-0001"
NEVER_FOUND = "never-found"
ATTEMPTS_PER_CUSTOMER = 10
MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR


@dataclass(frozen=True)
class Surroundings:
    open_door: Door
    signed_door: Door
    iamport: Simulator
    clock: ClockAhead
    monkeypatch: pytest.MonkeyPatch


def issue_in_every_way(around: Surroundings) -> None:
    send_what_is_refused(around)
    register_cards(around)
    take_payments(around)
    leave_attempts_open(around)
    try_too_often(around)
    break_down(around)


def settle_in_every_way(around: Surroundings) -> None:
    """Of what `leave_attempts_open` left: not due yet, found out, not to be found out yet, given up."""
    around.iamport.choose_fault = lambda call: faults.SERVER_ERROR if call.customer_uid == NEVER_FOUND else None
    for seconds in (0, 2 * MINUTE, DAY):
        around.clock.advance(seconds)
        settle()


def send_what_is_refused(around: Surroundings) -> None:
    door = around.open_door
    door.show_card_form()
    door.post_json({})
    door.post_json(form_fields(), path="/elsewhere")
    door.post("{}" + " " * 20_000)
    door.post("{}", content_type="text/plain")
    now = time.monotonic()
    with around.monkeypatch.context() as patch:
        patch.setattr(time, "monotonic", lambda: now + 3600)  # the secret is old enough to be read anew
        around.signed_door.post_json({**form_fields(), "customer_token": "forged"})


def register_cards(around: Surroundings) -> None:
    """Issued, the same again, registered already; declined; not accepted; replaced, which the token allows."""
    fields = form_fields()
    for card_number in (fields["card_number"], fields["card_number"], OTHER_CARD):
        answer = around.open_door.post_json({**fields, "card_number": card_number})
    for attempt_id in (answer.body["attempt_id"], "an old one"):
        around.open_door.get({"attempt": attempt_id, "customer_uid": fields["customer_uid"]})
    around.open_door.post_json(form_fields(card_number=DECLINED_CARD))
    around.open_door.post_json(form_fields(card_number=number_of("no_channel")))
    for card_number in (fields["card_number"], OTHER_CARD):
        around.signed_door.post_json(signed_fields("replacing", card_number, replace=True))


def take_payments(around: Surroundings) -> None:
    """Paid, the same again, claimed by somebody else; refused; paid by a PG that keeps no key."""
    for customer_uid in ("payer", "payer", "somebody-else"):
        around.signed_door.post_json(signed_fields(customer_uid, payment=payment("paid")))
    around.signed_door.post_json(signed_fields("poor", number_of("payment_failed"), payment=payment("failed")))
    around.signed_door.post_json(signed_fields("keyless", number_of("paid_without_key"), payment=payment("keyless")))


def leave_attempts_open(around: Surroundings) -> None:
    """Answers lost on the way, of what was done and of what was not; a payment's, whose order somebody else asks for
    meanwhile; a card that was never sent.
    """
    iamport, door = around.iamport, around.signed_door
    iamport.choose_fault = lambda call: faults.SERVER_ERROR if call.endpoint == "look_up" else None
    for customer_uid, lost in {"found": faults.ANSWER_LOST, NEVER_FOUND: faults.LINE_CUT}.items():
        iamport.fail_next("issue", lost)
        for _ in range(2):  # the second finds the first under way
            answer = door.post_json(signed_fields(customer_uid, new=True))
        door.get({"attempt": answer.body["attempt_id"], "customer_token": new_token(customer_uid)})
    for customer_uid in ("paying", "somebody-else"):  # who finds the order held
        lost_on_the_way = number_of("payment_answer_lost")
        door.post_json(signed_fields(customer_uid, lost_on_the_way, new=True, payment=payment("lost")))
    iamport.choose_fault = no_fault
    fields = form_fields()
    iamport.fail_next("issue", faults.TOO_MANY_REQUESTS)
    for _ in range(2):  # the second is sent: certainly the first was not processed
        around.open_door.post_json(fields)
    iamport.fail_next("issue", faults.TOO_MANY_REQUESTS)
    around.open_door.post_json(form_fields())
    iamport.fail_next("issue", faults.UNAUTHORIZED, times=3)  # with the token, a new token, a new secret
    around.open_door.post_json(form_fields())


def try_too_often(around: Surroundings) -> None:
    around.clock.advance_to_whole(HOUR)
    fields = form_fields(card_number=DECLINED_CARD)
    for _ in range(ATTEMPTS_PER_CUSTOMER + 1):
        around.open_door.post_json(fields)


def break_down(around: Surroundings) -> None:
    def bug(*_: object) -> None:
        raise RuntimeError

    with around.monkeypatch.context() as patch:
        patch.setattr("billing.issuance.begin", bug)
        around.open_door.post_json(form_fields())


def payment(merchant_uid: str) -> dict[str, str | int]:
    return {"merchant_uid": merchant_uid, "amount": 9900, "name": "first"}
