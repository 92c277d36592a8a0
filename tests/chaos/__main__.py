"""`make chaos`: at size. Exits non-zero where the ledger and Iamport disagree."""

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
    print(f"kills               {result.kills}")
    print(f"disagreements       {len(result.disagreements)}")
    for disagreement in result.disagreements:
        print(f"  {disagreement}")
    print(f"double charges      {result.double_charges}")
    print(f"open attempts       {result.open_attempts}")
    if not result.is_clean():
        sys.exit(1)


if __name__ == "__main__":
    main()
