"""`make page-hash`: the scripts of the hosted page, why it is there, and its hash (PCI DSS 6.4.3)."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "functions" / "issue_billing"))
from card_form.assets import SCRIPT, hash_source

REASON = "checks and groups what is typed, sends it once to this service alone, tells what became of it"


def main() -> None:
    print(f"card_form/grouping.js + page.js, inline  {hash_source(SCRIPT)}\n  {REASON}")


if __name__ == "__main__":
    main()
