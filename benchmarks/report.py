"""The rows as a table for the terminal and for docs/benchmarks.md, and as a picture."""

import os
import platform
from collections.abc import Sequence
from pathlib import Path

from benchmarks.figures import HEADINGS, Limit, Row, Unit, shown
from benchmarks.picture import draw
from infra.local.template import PROJECT

PAGE = PROJECT / "docs/benchmarks.md"
PICTURE = PROJECT / "docs/benchmarks.svg"

BEGIN, END = "<!-- measured by `make bench` -->", "<!-- end of what `make bench` measured -->"
"""What stands between them in the page is written anew by each run."""

COLUMNS = ("figure", *HEADINGS, "must be", "verdict")


def text(rows: Sequence[Row]) -> str:
    cells = [COLUMNS, *map(_cells, rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(COLUMNS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    return "\n".join(lines)


def write(rows: Sequence[Row], page: Path = PAGE, picture: Path = PICTURE) -> None:
    before, _, rest = page.read_text("utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n\n{_markdown(rows)}\n\n{_machine()}\n\n{END}{after}", "utf-8")
    picture.write_text(draw(rows), "utf-8")


def _markdown(rows: Sequence[Row]) -> str:
    cells = [COLUMNS, ("---", "--:", "--:", "--:", "---", "---"), *map(_cells, rows)]
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)


def _machine() -> str:
    return (
        f"Measured on {os.cpu_count()} processors ({platform.machine()}), {platform.system()}, "
        f"Python {platform.python_version()}."
    )


def _cells(row: Row) -> tuple[str, ...]:
    figures = (row.ours, row.official_client, row.guide)
    shown_figures = ("–" if figure is None else shown(figure, row.unit) for figure in figures)
    limits = "; ".join(_limit(limit, row.unit) for limit in row.limits)
    verdict = ("falls short" if row.falls_short() else "holds") if row.limits else ""
    return (row.figure, *shown_figures, limits, verdict)


def _limit(limit: Limit, unit: Unit) -> str:
    return f"≤ {shown(limit.most, unit)}" + (f" ({limit.because})" if limit.because else "")
