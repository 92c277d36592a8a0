"""The client that PyPI has (iamport-rest-client) meets here what its own tests meet at the real Iamport."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.contenders import install_official_client
from infra.local.iamport import Simulator
from infra.local.template import PROJECT
from tests.integration.iamport_simulator.client import CARD, Client

CARD_PAID = CARD | {"merchant_uid": "order-1", "amount": 1000}
NOBODY = {"customer_uid": "nobody", "amount": 1000, "name": "구독"}


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """It wants an old `requests`: in an environment of its own, from its own lock."""
    return install_official_client(tmp_path_factory.mktemp("packages"))


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


def ask(packages: Path, simulator: Simulator, *calls: tuple[str, dict[str, Any]]) -> list[Any]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join((str(packages), str(PROJECT)))}
    answers = subprocess.run(
        [sys.executable, "-m", "tests.integration.iamport_simulator.official_calls"],
        input=json.dumps([simulator.url, calls]),
        capture_output=True,
        check=True,
        text=True,
        timeout=60,
        cwd=PROJECT,
        env=environment,
    )
    outcomes: list[Any] = json.loads(answers.stdout)
    return outcomes


def test_it_meets_every_refusal_that_is_known_of_the_real_iamport(packages: Path, simulator: Simulator) -> None:
    paid, expired, unknown_to_charge, used_up, unknown, unknown_to_revoke, unknown_to_cancel, unknown_order = ask(
        packages,
        simulator,
        ("pay_onetime", CARD_PAID),
        ("customer_create", CARD | {"customer_uid": "member-1", "expiry": "2020-01"}),
        ("pay_again", NOBODY | {"merchant_uid": "order-2"}),
        ("pay_again", NOBODY | {"merchant_uid": "order-1"}),
        ("customer_get", {"customer_uid": "nobody"}),
        ("customer_delete", {"customer_uid": "nobody"}),
        ("cancel", {"merchant_uid": "order-2", "reason": "test"}),
        ("find", {"merchant_uid": "order-2"}),
    )

    assert (paid[0], paid[1]["status"]) == ("done", "paid")
    assert expired[:2] == ["refused", -1]
    assert expired[2].endswith("유효기간오류")
    assert unknown_to_charge == ["refused", 1, "등록되지 않은 구매자입니다."]
    assert used_up[:2] == ["refused", -1]
    assert used_up[2].startswith("이미 주문이 이루어진 건입니다.")
    nothing = "요청하신 customer_uid(nobody)로 등록된 정보를 찾을 수 없습니다."
    assert unknown == unknown_to_revoke == ["refused", 1, nothing]
    assert unknown_to_cancel == ["refused", 1, "취소할 결제건이 존재하지 않습니다."]
    assert unknown_order == ["http", 404]


def test_it_issues_charges_puts_off_cancels_and_revokes(packages: Path, simulator: Simulator) -> None:
    later = {"merchant_uid": "order-2", "schedule_at": 4_000_000_000, "amount": 9900, "name": "구독"}
    outcomes = ask(
        packages,
        simulator,
        ("customer_create", CARD | {"customer_uid": "member-1"}),
        ("pay_again", {"customer_uid": "member-1", "merchant_uid": "order-1", "amount": 9900, "name": "구독"}),
        ("pay_schedule", {"customer_uid": "member-1", "schedules": [later]}),
        ("pay_schedule_get", {"merchant_id": "order-2"}),
        ("pay_unschedule", {"customer_uid": "member-1"}),
        ("cancel", {"merchant_uid": "order-1", "reason": "test"}),
        ("customer_delete", {"customer_uid": "member-1"}),
    )

    assert [outcome[0] for outcome in outcomes] == ["done"] * 7
    assert outcomes[1][1]["status"] == "paid"
    assert outcomes[3][1]["schedule_status"] == "scheduled"
    assert outcomes[4][1][0]["schedule_status"] == "revoked"
    assert outcomes[5][1]["status"] == "cancelled"
    client = Client(simulator)
    client.log_in()
    with client.session:
        assert client.look_up().json()["code"] == 1
