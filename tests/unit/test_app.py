"""From what the use case gives or raises to the answer, the log line and the metric."""

import json
import sys
import time

import jwt
import pytest

from billing.model.billing_key import Issued
from billing.model.deadline import Deadline
from billing.model.errors import (
    AlreadyPaid,
    AlreadyRegistered,
    Declined,
    GatewayError,
    GatewayRefused,
    InProgress,
    OutcomeUnknown,
    PaidWithoutKey,
    TooManyAttempts,
    Unavailable,
)
from tests.integration.door import Door, form_fields
from tests.unit.conftest import Counted, Lines
from tests.unit.fakes import ATTEMPT_ID, ENVIRONMENT, OWN, TAKEN, FakeSecretsManager, StoppedClock, gives

OLD_KEY, NEW_KEY, FORGED_KEY = "o" * 32, "n" * 32, "f" * 32


@pytest.mark.parametrize(
    ("outcome", "status", "logged_as", "metric"),
    [
        (Issued(OWN), 200, ("INFO", "issued", None), "BillingKeyIssued"),
        (Declined("한도초과"), 200, ("INFO", "declined", None), "BillingKeyDeclined"),
        (PaidWithoutKey(TAKEN), 200, ("ERROR", "paid_without_key", None), "PaidWithoutKey"),
        (AlreadyPaid(), 409, ("INFO", "already_paid", None), "AlreadyPaid"),
        (InProgress(), 409, ("INFO", "in_progress", None), "InProgress"),
        (AlreadyRegistered(OWN), 409, ("INFO", "already_registered", None), "AlreadyRegistered"),
        (
            TooManyAttempts(60, "attempts_per_card"),
            429,
            ("INFO", "too_many_attempts", "attempts_per_card"),
            "TooManyAttempts",
        ),
        (GatewayError("http_429"), 502, ("ERROR", "gateway_error", "http_429"), "GatewayError"),
        (GatewayRefused("code_1"), 502, ("ERROR", "gateway_refused", "code_1"), "GatewayRefused"),
        (Unavailable("wrong_key"), 503, ("ERROR", "unavailable", "wrong_key"), "GatewayUnavailable"),
        (OutcomeUnknown("time_out"), 504, ("ERROR", "outcome_unknown", "time_out"), "OutcomeUnknown"),
    ],
)
def test_an_outcome_is_answered_logged_and_counted(
    door: Door,
    monkeypatch: pytest.MonkeyPatch,
    logged: Lines,
    counted: Counted,
    outcome: Exception | Issued,
    status: int,
    logged_as: tuple[str, str, str | None],
    metric: str,
) -> None:
    gives(monkeypatch, outcome)
    assert door.post_json(form_fields()).status == status
    (line,) = logged()
    assert (line["message"], line["level"], line["outcome"], line.get("reason")) == ("request ended", *logged_as)
    assert counted() == {metric: 1}


@pytest.mark.parametrize(("came_seconds_ago", "left"), [(None, 28), (0.7, 28), (6.0, 23), (3_600.0, 28)])
def test_the_time_of_a_cold_start_is_taken_from_the_attempts(
    door: Door, monkeypatch: pytest.MonkeyPatch, came_seconds_ago: float | None, left: float
) -> None:
    given: list[float] = []

    def issue_billing_key(
        _customer: object, _card: object, _services: object, deadline: Deadline, _request_id: object
    ) -> Issued:
        given.append(deadline.left())
        return Issued(OWN, attempt_id=ATTEMPT_ID)

    monkeypatch.setattr(sys.modules["app"], "issue_billing_key", issue_billing_key)
    door.post_json(form_fields(), came_seconds_ago=came_seconds_ago)
    assert given == [pytest.approx(left, abs=0.2)]


def test_a_bug_is_answered_by_500_and_logged_without_its_message(
    door: Door, monkeypatch: pytest.MonkeyPatch, logged: Lines, counted: Counted
) -> None:
    gives(monkeypatch, KeyError("0000-1111-2222-3333"))
    answer = door.post_json(form_fields())
    assert (answer.status, answer.body["code"]) == (500, "internal_error")
    (line,) = logged()
    assert (line["level"], line["outcome"], line["exception_type"]) == ("ERROR", "internal_error", "KeyError")
    assert line["place"][-1].endswith(" issue_billing_key")
    assert "3333" not in json.dumps([line, answer.body])
    assert counted() == {"InternalError": 1}


@pytest.fixture
def monotonic_clock(monkeypatch: pytest.MonkeyPatch) -> StoppedClock:
    """The wall clock goes on: PyJWT has one of its own."""
    clock = StoppedClock()
    monkeypatch.setattr(time, "monotonic", lambda: clock.monotonic)
    return clock


def secret_with(customer_token_key: str) -> str:
    return json.dumps({"imp_key": "key", "imp_secret": "made-up", "customer_token_key": customer_token_key})


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch, monotonic_clock: StoppedClock) -> FakeSecretsManager:  # noqa: ARG001
    """What a container of `signed` identity reads: first the old key, then the new one."""
    for name, value in {**ENVIRONMENT, "CUSTOMER_IDENTITY": "signed"}.items():
        monkeypatch.setenv(name, value)
    return FakeSecretsManager(secret_with(OLD_KEY), secret_with(NEW_KEY))


@pytest.fixture
def signed_door(secrets: FakeSecretsManager) -> Door:
    door = Door()
    vars(sys.modules["app"].services.aws)["secrets_manager"] = secrets
    return door


def signed_by(key: str, **claims: object) -> dict[str, str]:
    token = jwt.encode({"sub": "mine", "exp": time.time() + 600, **claims}, key, algorithm="HS256")
    return form_fields(customer_token=token, customer_uid="somebody else's")


def test_a_token_of_a_rotated_key_is_taken_after_a_minute(
    signed_door: Door, monkeypatch: pytest.MonkeyPatch, secrets: FakeSecretsManager, monotonic_clock: StoppedClock
) -> None:
    asked_for = gives(monkeypatch, Issued(OWN))
    assert signed_door.post_json(signed_by(OLD_KEY)).status == 200
    assert signed_door.post_json(signed_by(NEW_KEY)).status == 401
    monotonic_clock.advance(61)
    assert signed_door.post_json(signed_by(NEW_KEY)).status == 200
    assert asked_for == ["mine", "mine"]
    assert secrets.times_read == 2


def test_forged_tokens_have_the_secret_read_once_a_minute(
    signed_door: Door, monkeypatch: pytest.MonkeyPatch, secrets: FakeSecretsManager, monotonic_clock: StoppedClock
) -> None:
    asked_for = gives(monkeypatch, Issued(OWN))
    for _ in range(30):
        assert signed_door.post_json(signed_by(FORGED_KEY)).status == 401
        monotonic_clock.advance(10)
    assert asked_for == []
    assert secrets.times_read == 5


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"exp": str(int(time.time()) + 600)}, "exp_not_a_number"),
        ({"nbf": "1"}, "nbf_not_a_number"),
        ({"replace": "true"}, "replace_not_a_boolean"),
        ({"payment": {"merchant_uid": "order-1", "amount": "9900", "name": "구독"}}, "payment_amount"),
    ],
)
def test_a_claim_of_the_wrong_type_is_named_in_the_log_alone(
    signed_door: Door, monkeypatch: pytest.MonkeyPatch, logged: Lines, claims: dict[str, object], reason: str
) -> None:
    asked_for = gives(monkeypatch, Issued(OWN))
    answer = signed_door.post_json(signed_by(OLD_KEY, **claims))
    assert answer.outcome == (401, "invalid_customer_token")
    assert asked_for == []
    assert [(line["outcome"], line["reason"]) for line in logged()] == [("invalid_customer_token", reason)]
    assert reason not in json.dumps(answer.body)


PAYMENT = {"merchant_uid": "order-1", "amount": 9900, "name": "구독"}


@pytest.mark.parametrize("written", ["0000111122223333", "0000-1111-2222-3333", "００００１１１１２２２２３３３３"])
@pytest.mark.parametrize("place", ["sub", "merchant_uid", "name", "buyer_addr"])
def test_a_card_number_in_a_token_is_refused_as_in_a_field(
    signed_door: Door, monkeypatch: pytest.MonkeyPatch, logged: Lines, place: str, written: str
) -> None:
    asked_for = gives(monkeypatch, Issued(OWN))
    text = f"no. {written}"
    claims = {"sub": text} if place == "sub" else {"payment": {**PAYMENT, place: text}}
    answer = signed_door.post_json(signed_by(OLD_KEY, **claims))
    assert answer.outcome == (400, "invalid_request")
    assert [error["field"] for error in answer.body["errors"]] == ["customer_token"]
    assert asked_for == []
    assert "3333" not in json.dumps([answer.body, logged()])
