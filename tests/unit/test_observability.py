"""What the operator sees of an attempt that the settler closed."""

import pytest
from aws_lambda_powertools.metrics import MetricUnit

from billing.observability import metrics, note_settled
from tests.unit.conftest import Counted, Lines


@pytest.mark.parametrize(
    ("outcome", "level", "more"),
    [
        ("issued", "INFO", {}),
        ("declined", "INFO", {}),
        ("not_issued", "INFO", {}),
        ("paid_without_key", "ERROR", {"PaidWithoutKey": 1}),
    ],
)
def test_a_payment_without_a_key_rings_whoever_found_it(
    logged: Lines,
    counted: Counted,
    monkeypatch: pytest.MonkeyPatch,
    outcome: str,
    level: str,
    more: dict[str, int],
) -> None:
    monkeypatch.setattr(metrics.provider, "namespace", "CardDoor")
    metrics.add_metric("AttemptSettled", MetricUnit.Count, 1)
    note_settled("attempt-1", outcome)
    metrics.flush_metrics()
    (line,) = logged()
    assert (line["level"], line["message"]) == (level, "attempt settled")
    assert (line["attempt_id"], line["outcome"]) == ("attempt-1", outcome)
    assert counted() == {"AttemptSettled": 1, **more}
