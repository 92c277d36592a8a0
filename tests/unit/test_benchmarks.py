"""What the benchmark says of its figures: the verdicts, the table, the page and the picture."""

import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks import report
from benchmarks.__main__ import conclude
from benchmarks.figures import Limit, Row, times
from benchmarks.picture import draw

HOLDS = Row("warm attempt", "ms", 30.0, 40.0, 160.0, (times(0.75, 40.0, "theirs"), times(0.25, 160.0, "the guide's")))
FALLS_SHORT = Row("cold answer", "ms", 600.0, guide=1000.0, limits=(times(0.5, 1000.0, "the guide's"),))
TO_BE_READ = Row("slowest", "ms", 9000.0)


@pytest.mark.parametrize(
    ("ours", "falls_short"), [(9.9, False), (10.0, False), (10.1, True)], ids=["below", "at the limit", "above"]
)
def test_a_figure_may_reach_its_limit_and_no_more(ours: float, falls_short: bool) -> None:
    row = Row("calls", "", ours, limits=(Limit(10.0, "at most"), Limit(20.0, "at most")))
    assert row.falls_short() is falls_short


def test_a_row_without_a_limit_judges_nothing() -> None:
    assert not TO_BE_READ.falls_short()


def test_all_rows_that_hold_end_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert conclude([HOLDS, TO_BE_READ]) == 0
    assert "falls short" not in capsys.readouterr().out


def test_one_row_that_falls_short_fails_the_run_and_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert conclude([HOLDS, FALLS_SHORT]) == 1
    _, warm, cold = capsys.readouterr().out.splitlines()
    assert (warm.startswith("warm attempt"), warm.endswith("holds")) == (True, True)
    assert (cold.startswith("cold answer"), cold.endswith("falls short")) == (True, True)


def test_the_page_gets_the_table_and_keeps_its_prose(tmp_path: Path) -> None:
    page, picture = Path(shutil.copy(report.PAGE, tmp_path)), tmp_path / "picture.svg"
    before, after = page.read_text("utf-8").split(report.BEGIN)[0], page.read_text("utf-8").split(report.END)[1]
    report.write([FALLS_SHORT], page, picture)
    written = page.read_text("utf-8")
    assert written.startswith(before + report.BEGIN)
    assert written.endswith(report.END + after)
    assert "| cold answer | 600.0 ms | – | 1,000.0 ms | ≤ 500.0 ms (0.5 × the guide's) | falls short |" in written


def test_bars_are_as_long_as_their_figures() -> None:
    svg = ElementTree.fromstring(draw([HOLDS, TO_BE_READ]))  # noqa: S314 (our own)
    ours, official, guide = (float(bar.attrib["width"]) for bar in svg.iter("{http://www.w3.org/2000/svg}rect"))
    assert (ours / guide, official / guide) == pytest.approx((30 / 160, 40 / 160), abs=0.01)
