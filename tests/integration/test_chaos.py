"""A small storm; `make chaos` runs a large one."""

from infra.local.service import Backends
from tests.chaos.run import Chaos, run_storm
from tests.chaos.truth import Verdict


def test_after_faults_kills_and_what_others_do_every_answer_is_true(backends: Backends) -> None:
    result = run_storm(Chaos(attempts=80, seed=1), at_once=3, backends=backends)
    assert result.outcomes.total() == 80
    assert result.faults.total() > 10
    assert result.kills > 2
    assert result.by_others.total() > 10
    assert result.verdict == Verdict()
