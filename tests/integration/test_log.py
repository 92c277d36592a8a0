"""The log's line of a request: a complaint that names a request_id leads to its attempt, and to what Iamport said."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from infra.local.aws import Aws
from infra.local.iamport import Simulator, faults
from infra.local.iamport.faults import Fault
from infra.local.service import IMP_KEY, IMP_SECRET
from tests.attempts_table import item_of, plain
from tests.integration.door import Door, form_fields, signed_fields

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Lines:
    """Those that say how requests ended, since this was last asked."""

    def lines() -> list[dict[str, Any]]:
        written = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
        return [line for line in written if line.get("message") == "request ended"]

    return lines


NOTHING = {"reason": None, "http_status": None, "iamport_code": None, "iamport_message": None}


@pytest.mark.usefixtures("door")
@pytest.mark.parametrize(
    ("endpoint", "fault", "said"),
    [
        pytest.param("issue", None, {}, id="issued"),
        pytest.param(
            "issue",
            faults.refusing(200, -1, "한도초과 0000-1111-2222-3333"),
            {"http_status": 200, "iamport_code": -1, "iamport_message": "한도초과 000011******3333"},
            id="declined",
        ),
        pytest.param(
            "issue",
            faults.refusing(200, 1, "no channel for 0000-1111-2222-3333"),
            {
                "reason": "code_1",
                "http_status": 200,
                "iamport_code": 1,
                "iamport_message": "no channel for 000011******3333",
            },
            id="not accepted",
        ),
        pytest.param(
            "look_up",
            faults.refusing(403, -1, "this address"),
            {
                "reason": "look_up_refused",
                "http_status": 403,
                "iamport_code": -1,
                "iamport_message": "this address",
            },
            id="a look that is not accepted",
        ),
        pytest.param("issue", faults.TOO_MANY_REQUESTS, {"reason": "http_429", "http_status": 429}, id="not processed"),
        pytest.param("issue", faults.HTML, {"reason": "http_502", "http_status": 502}, id="a 502, nothing found"),
        pytest.param("issue", faults.LINE_CUT, {"reason": "ConnectionError"}, id="a line that was cut"),
    ],
)
def test_a_requests_line_has_its_attempt_and_what_iamport_said(
    lines: Lines, iamport: Simulator, aws: Aws, endpoint: str, fault: Fault | None, said: dict[str, object]
) -> None:
    door, fields = Door(), form_fields()
    if fault is not None:
        iamport.fail_next(endpoint, fault)
    answer = door.post_json(fields, seconds_left=15)
    (line,) = lines()
    item = plain(item_of(aws, fields["customer_uid"]))
    assert {name: line.get(name) for name in NOTHING} == {**NOTHING, **said}
    assert line["attempt_id"] == item["attempt_id"]
    assert line["correlation_id"] == item["request_id"] == answer.body["request_id"]


@pytest.mark.usefixtures("signed_door")
def test_a_claim_that_is_not_known_is_named(lines: Lines, iamport: Simulator) -> None:
    payment = {"merchant_uid": "order-1", "amount": 9_900, "name": "구독", "amonut": 1}
    assert Door().post_json(signed_fields("mine", payment=payment)).outcome == (401, "invalid_customer_token")
    assert iamport.calls == []
    assert [line["reason"] for line in lines()] == ["payment_unknown: amonut"]


@pytest.mark.usefixtures("door")
def test_a_line_names_no_attempt_of_an_earlier_request(lines: Lines) -> None:
    door, fields = Door(), form_fields()
    for body in (fields, {}, fields):
        door.post_json(body)
    issued, invalid, repeated = lines()
    assert "attempt_id" not in invalid
    assert issued["attempt_id"] == repeated["attempt_id"], "a repeat is of the first one's attempt"


@pytest.mark.usefixtures("door")
def test_who_is_in_the_way_and_cannot_be_looked_at_is_told_with_the_reason(lines: Lines, iamport: Simulator) -> None:
    door, fields = Door(), form_fields()
    iamport.fail_next("issue", faults.LINE_CUT)
    door.post_json(fields, seconds_left=15)
    iamport.choose_fault = lambda call: faults.SERVER_ERROR if call.endpoint == "look_up" else None
    assert door.post_json(fields, seconds_left=15).code == "in_progress"
    assert lines()[-1]["reason"] == "iamport_not_answering: http_500"


@pytest.mark.usefixtures("door")
@pytest.mark.parametrize("words", ["한도\ud83d초과", "한도초과" * 200_000], ids=["half a letter", "endless"])
def test_words_that_nothing_can_keep_keep_no_refusal_from_being_told(
    lines: Lines, iamport: Simulator, aws: Aws, words: str
) -> None:
    """Lambda sends answer and log as UTF-8, and an item of the ledger has 400 kB at the most."""
    fields = form_fields()
    iamport.fail_next("issue", faults.refusing(200, -1, words))
    answer = Door().post_json(fields)
    assert answer.outcome == (200, "declined")
    assert len(answer.body["message"].encode()) < 10_000
    assert [line["iamport_message"] for line in lines()] == [answer.body["message"]]
    assert plain(item_of(aws, fields["customer_uid"]))["message"] == answer.body["message"]


@pytest.mark.usefixtures("door")
@pytest.mark.parametrize(
    ("endpoint", "fault"),
    [
        ("token", faults.refusing(403, -1, f"who is {IMP_KEY}, {IMP_SECRET}?")),
        ("look_up", faults.refusing(403, -1, "who is Bearer {token}?")),
        ("issue", faults.refusing(200, -1, "who is Bearer {token}?")),
    ],
)
def test_neither_key_nor_token_that_iamport_quotes_is_told_or_logged(
    iamport: Simulator, capsys: pytest.CaptureFixture[str], endpoint: str, fault: Fault
) -> None:
    token = iamport._account.tokens.hand_out(int(time.time())).access_token
    assert fault.answer is not None
    quoting = replace(fault.answer, body=fault.answer.body.replace(b"{token}", token.encode()))
    iamport.fail_next(endpoint, replace(fault, answer=quoting))
    told = str(Door().post_json(form_fields()).body) + capsys.readouterr().out
    assert "who is" in told
    assert [secret for secret in (IMP_KEY, IMP_SECRET, token) if secret in told] == []
