"""What nobody foresaw ends in the contract's own JSON: not known where something was sent, and without its message."""

import json
import sys
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import pytest

from billing.model.billing_key import Issued
from billing.model.errors import (
    AlreadyPaid,
    BillingError,
    Declined,
    GatewayError,
    InProgress,
    OutcomeUnknown,
    PaidWithoutKey,
    TooManyAttempts,
    Unavailable,
)
from tests.integration.door import FORM, JSON, SINGULAR, Door, JsonAnswer, event_of, form_fields, told
from tests.unit.conftest import Counted, Lines
from tests.unit.fakes import (
    ATTEMPT,
    ATTEMPT_ID,
    OWN,
    TAKEN,
    FakeIamport,
    FakeLedger,
    gives,
    services_of,
)


def bug() -> TypeError:
    """A new one each time, as an exception remembers the way that it came."""
    return TypeError("0000-1111-2222-3333 is not JSON serializable")


NOT_KNOWN, OURS = (504, "outcome_unknown"), (500, "internal_error")


def broken(*_: object, **__: object) -> Any:
    raise bug()


def answer_to(
    door: Door, fields: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
) -> JsonAnswer:
    body = json.dumps(form_fields() if fields is None else fields)
    return told(door.handle(event_of("POST", SINGULAR, {"Content-Type": JSON, **(headers or {})}, body)))


def holds_nothing_of_the_failure(answer: JsonAnswer, logged: Lines) -> bool:
    return "3333" not in json.dumps([answer.body, answer.headers, logged()])


@pytest.mark.parametrize(
    "place",
    ["billing.web.answers.describe_success", "billing.web.answers.respond", "app.note_outcome", "app._caller"],
)
def test_what_breaks_after_the_key_was_issued_is_not_known(
    door: Door, monkeypatch: pytest.MonkeyPatch, logged: Lines, counted: Counted, place: str
) -> None:
    asked_for = gives(monkeypatch, Issued(OWN))
    module, _, name = place.rpartition(".")
    monkeypatch.setattr(sys.modules[module], name, broken)
    answer = answer_to(door)
    assert len(asked_for) == 1
    assert answer.outcome == NOT_KNOWN
    assert (answer.headers["retry-after"], answer.headers["content-type"]) == ("5", f"{JSON}; charset=utf-8")
    assert answer.headers["access-control-allow-origin"]
    assert answer.headers["cache-control"] == "no-store"
    assert answer.body["status"] == "failed"
    assert answer.body["message"]
    assert answer.body["request_id"]
    assert answer.body["attempt_id"] == ATTEMPT_ID
    assert holds_nothing_of_the_failure(answer, logged)
    assert counted()["InternalError"] >= 1, "it is a bug, whatever is answered"


def with_a_key(not_charged: BillingError) -> BillingError:
    """By way of `again`: something was sent before what was not."""
    not_charged.key_stays = "this_card"
    return not_charged


@pytest.mark.parametrize(
    ("outcome", "told_as"),
    [
        (Declined("한도초과"), NOT_KNOWN),
        (PaidWithoutKey(TAKEN), NOT_KNOWN),
        (OutcomeUnknown("time_out"), NOT_KNOWN),
        (InProgress(), NOT_KNOWN),
        (Unavailable("down"), OURS),
        (GatewayError("http_429"), OURS),
        (with_a_key(GatewayError("http_429")), NOT_KNOWN),
        (AlreadyPaid(), OURS),
        (TooManyAttempts(60, "attempts_per_card"), OURS),
    ],
    ids=lambda value: getattr(value, "code", None),
)
@pytest.mark.parametrize("place", ["describe_error", "respond"])
def test_an_error_that_cannot_be_shaped_is_told_by_whether_something_was_sent(
    door: Door,
    monkeypatch: pytest.MonkeyPatch,
    logged: Lines,
    outcome: Exception,
    told_as: tuple[int, str],
    place: str,
) -> None:
    gives(monkeypatch, outcome)
    monkeypatch.setattr(sys.modules["billing.web.answers"], place, broken)
    answer = answer_to(door)
    assert (answer.outcome, answer.body["attempt_id"]) == (told_as, ATTEMPT_ID)
    assert holds_nothing_of_the_failure(answer, logged)


@pytest.mark.parametrize(
    ("laid_out", "failing", "told_as"),
    [
        pytest.param({"prepare": bug()}, {}, OURS, id="the token"),
        pytest.param({"look_up": bug()}, {}, OURS, id="the look before"),
        pytest.param({"look_up": None}, {"note_seen": bug()}, OURS, id="saying what was seen"),
        pytest.param({"look_up": None, "issue": bug()}, {}, NOT_KNOWN, id="sending"),
        pytest.param({"look_up": [None, bug()], "issue": OutcomeUnknown("cut")}, {}, NOT_KNOWN, id="finding out"),
        pytest.param({"look_up": None, "issue": OWN}, {"finish": bug()}, NOT_KNOWN, id="writing it down"),
    ],
)
def test_a_failure_on_the_way_is_told_by_whether_the_card_was_sent(
    door: Door,
    monkeypatch: pytest.MonkeyPatch,
    logged: Lines,
    laid_out: dict[str, Any],
    failing: dict[str, Exception],
    told_as: tuple[int, str],
) -> None:
    iamport, ledger = FakeIamport(**{"prepare": None, **laid_out}), FakeLedger(ATTEMPT, failing=failing)
    monkeypatch.setattr(sys.modules["app"], "services", services_of(iamport, ledger))
    answer = answer_to(door, form_fields(customer_uid="mine"))
    assert answer.outcome == told_as
    assert answer.body.get("attempt_id", "") == ("" if "prepare" in laid_out else ATTEMPT.attempt_id)
    assert holds_nothing_of_the_failure(answer, logged)
    assert logged()[-1]["exception_type"] == "TypeError"


def test_a_page_that_cannot_be_made_is_told_as_json(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    asked_for = gives(monkeypatch, Issued(OWN))
    door.show_card_form()  # imports the page
    for name in ("show", "lead_to_outcome"):
        monkeypatch.setattr(sys.modules["card_form.page"], name, broken)
    headers = {"Content-Type": FORM, "Accept": "text/html"}
    posted = door.handle(event_of("POST", SINGULAR, headers, urlencode(form_fields())))
    assert (len(asked_for), told(posted).outcome) == (1, NOT_KNOWN)
    assert told(door.handle(event_of("GET", SINGULAR, {"Accept": "text/html"}, None))).outcome == OURS


@pytest.mark.parametrize(
    "headers",
    [{"Accept": None}, {"Accept-Language": ["ko"]}, {"Origin": 7}, {"Content-Type": {}}],
    ids=lambda headers: next(iter(headers)),
)
def test_headers_of_another_type_are_no_function_error(door: Door, headers: dict[str, Any]) -> None:
    answer = told(door.handle(event_of("POST", SINGULAR, {"Content-Type": JSON, **headers}, "{}")))
    assert answer.status in (400, 403, 415, 500)
    assert answer.body["status"] == "failed"
