"""A small storm; `make chaos` runs a large one."""

from infra.local.service import Backends
from tests.chaos.run import Chaos, run_storm


def test_after_faults_and_kills_the_ledger_agrees_with_iamport(backends: Backends) -> None:
    result = run_storm(Chaos(attempts=80, seed=1), at_once=3, backends=backends)
    assert result.outcomes.total() == 80
    assert result.faults.total() > 10
    assert result.kills > 2
    assert result.disagreements == []
    assert result.double_charges == 0
    assert result.open_attempts == 0
