"""`make chaos`: at size. Exits non-zero where an answer, the ledger or an event is not so."""

import os
import sys
from contextlib import redirect_stdout
from pathlib import Path

from infra.local.service import run_backends
from infra.local.template import Template
from tests.chaos.run import Chaos, run_storm

ATTEMPTS, AT_ONCE, SEED = 2_000, 8, 7


def main() -> None:
    with (
        Path(os.devnull).open("w") as nowhere,
        redirect_stdout(nowhere),  # the settler's own log
        run_backends(Template()) as backends,
    ):
        result = run_storm(Chaos(ATTEMPTS, SEED), AT_ONCE, backends)
    print(f"attempts            {result.attempts}")
    for outcome, count in result.outcomes.most_common():
        print(f"  {outcome:24}{count}")
    print(f"faults              {result.faults.total()}")
    for fault, count in sorted(result.faults.items()):
        print(f"  {fault:44}{count}")
    for what, count in sorted(result.by_others.items()):
        print(f"by others: {what:33}{count}")
    print(f"kills               {result.kills}")
    for name, found in vars(result.verdict).items():
        print(f"{name.replace('_', ' '):20}{len(found)}")
        for line in found:
            print(f"  {line}")
    if not result.verdict.is_clean():
        sys.exit(1)


if __name__ == "__main__":
    main()
