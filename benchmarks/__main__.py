"""`make bench`: measures, prints one table, and exits non-zero where a row falls short.

`python -m benchmarks warm cold package growth`, any of them, measures only that. All of them together also write
docs/benchmarks.md's table and picture.
"""

import argparse
import sys
from collections.abc import Sequence

from benchmarks import cold, growth, package, report, warm
from benchmarks.contenders import run_surroundings
from benchmarks.figures import Row

SECTIONS = {"warm": warm.measure, "cold": cold.measure, "package": package.measure, "growth": growth.measure}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("sections", nargs="*", metavar="|".join(SECTIONS), help="what to measure; all, where not said")
    wanted = parser.parse_args().sections or list(SECTIONS)
    if unknown := set(wanted) - set(SECTIONS):
        parser.error(f"no such section: {', '.join(sorted(unknown))}")
    with run_surroundings() as surroundings:
        rows = [row for name in wanted for row in SECTIONS[name](surroundings)]
    if wanted == list(SECTIONS):
        report.write(rows)
    sys.exit(conclude(rows))


def conclude(rows: Sequence[Row]) -> int:
    """Prints the table and gives the exit code."""
    print(report.text(rows))
    return 1 if any(row.falls_short() for row in rows) else 0


if __name__ == "__main__":
    main()
