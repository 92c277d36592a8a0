"""A marked card is pushed down every path; afterwards everything that came out is searched for it."""

import json

import pytest

from infra.local.aws import Aws
from infra.local.iamport import Simulator, faults
from tests.attempts_table import items
from tests.integration.door import FORM, PLURAL, Door, form_fields, settle

NUMBER = "0000987698769876"
MARKED = {"card_number": NUMBER, "birth": "851231", "pwd_2digit": "73", "customer_name": "marked-name"}
SECRETS = (NUMBER, "0000-9876-9876-9876", "851231", "marked-name", "local-imp-secret")


def found_in(text: str) -> list[str]:
    return [secret for secret in SECRETS if secret in text]


@pytest.fixture(autouse=True)
def every_switch_is_on_that_makes_powertools_talk(monkeypatch: pytest.MonkeyPatch, door: Door) -> None:  # noqa: ARG001
    for switch in ("POWERTOOLS_LOGGER_LOG_EVENT", "POWERTOOLS_DEV", "POWERTOOLS_DEBUG"):
        monkeypatch.setenv(switch, "true")
    monkeypatch.setenv("POWERTOOLS_LOG_LEVEL", "DEBUG")
    # Else POWERTOOLS_DEV keeps the metrics back: they would go unsearched, and into the log of a later test.
    monkeypatch.setenv("POWERTOOLS_METRICS_DISABLED", "false")


EVERY_FAULT = [fault for name, fault in vars(faults).items() if isinstance(fault, faults.Fault) and name.isupper()]


@pytest.mark.parametrize("endpoint", ["token", "look_up", "issue"])
def test_through_every_failure_of_the_gateway(
    iamport: Simulator, aws: Aws, capsys: pytest.CaptureFixture[str], endpoint: str
) -> None:
    door, came_out = Door(), []
    for fault in EVERY_FAULT:
        iamport.fail_next(endpoint, fault, times=2)
        came_out.append(json.dumps(door.post_json(form_fields(**MARKED), seconds_left=13).body, ensure_ascii=False))
    settle()
    written = capsys.readouterr()
    assert '"outcome"' in written.out
    assert found_in("".join(came_out) + written.out + written.err + json.dumps(items(aws))) == []


def test_through_every_kind_of_bad_input(capsys: pytest.CaptureFixture[str]) -> None:
    door, good = Door(), json.dumps(form_fields(**MARKED))
    bodies: list[str | bytes] = [
        good[:-1],
        good[1:],
        f"[{good}]",
        good.replace('"customer_uid": "', f'"customer_uid": "{NUMBER}'),
        good.replace('"851231"', "851231"),
        good.replace("2099-12", "2001-01"),
        good + " " * 20_000,
        good.encode() + b"\xff",
        json.dumps({**MARKED, "card_number": [NUMBER]}),
        json.dumps({**MARKED, NUMBER: "851231"}),
    ]
    answers = [door.post(body) for body in bodies]
    answers += [door.post(good, content_type=content_type) for content_type in ("text/plain", FORM, "")]
    answers += [door.post(good, path="/elsewhere"), door.post(good, path=PLURAL, method="PUT")]
    assert all(answer.status >= 400 for answer in answers)
    written = capsys.readouterr()
    assert found_in("".join(json.dumps(answer.body) for answer in answers) + written.out + written.err) == []


def test_through_an_unforeseen_failure(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def break_down(*arguments: object) -> None:
        raise RuntimeError(f"broken by {NUMBER} {arguments}")

    monkeypatch.setattr("billing.issuance.begin", break_down)
    answer = Door().post_json(form_fields(**MARKED))
    assert (answer.status, answer.body["code"]) == (500, "internal_error")
    assert answer.body["request_id"]
    written = capsys.readouterr()
    line = next(json.loads(line) for line in written.out.splitlines() if "internal_error" in line)
    assert line["exception_type"] == "RuntimeError"
    assert "break_down" in line["place"][-1]
    assert found_in(json.dumps(answer.body) + written.out + written.err) == []
