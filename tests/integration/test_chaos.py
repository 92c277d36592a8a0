"""A small storm; `make chaos` runs a large one."""

from tests.chaos.run import run_chaos


def test_after_faults_and_kills_the_ledger_agrees_with_iamport() -> None:
    result = run_chaos(attempts=80, at_once=3, seed=1)
    assert result.outcomes.total() == 80
    assert result.faults.total() > 10
    assert result.kills > 2
    assert result.disagreements == []
    assert result.double_charges == 0
    assert result.open_attempts == 0
