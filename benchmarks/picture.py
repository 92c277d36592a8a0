"""The figures that have a peer, as bars: one SVG without scripts, for light and dark pages."""

from collections.abc import Iterator, Sequence

from benchmarks.figures import HEADINGS, Row, shown

WIDTH = 720
LABELS_END = 150
LONGEST_BAR = 460
LINE = 24
HEAD = 34

STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328; }
.figure { font-weight: 600; }
.ours { fill: #0969da; }
.peer { fill: #afb8c1; }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3; } .ours { fill: #4493f8; } .peer { fill: #57606a; } }
"""


def draw(rows: Sequence[Row]) -> str:
    """A group of bars for every time and size that judges us by a peer. Shorter is better."""
    lines: list[str] = []
    top = 0
    for row in rows:
        bars = list(_bars(row))
        if not row.unit or not row.limits or len(bars) < 2:
            continue
        lines += _group(row, bars, top)
        top += HEAD + LINE * len(bars)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top + LINE // 2}" role="img">'
    title = "<title>This service beside the official client and the guide's example; shorter is better</title>"
    return "\n".join([head, title, f"<style>{STYLE}</style>", *lines, "</svg>", ""])


def _bars(row: Row) -> Iterator[tuple[str, float]]:
    for name, figure in zip(HEADINGS, (row.ours, row.official_client, row.guide), strict=True):
        if figure is not None:
            yield name, figure


def _group(row: Row, bars: Sequence[tuple[str, float]], top: int) -> Iterator[str]:
    longest = max(figure for _, figure in bars) or 1.0
    yield f'<text class="figure" x="0" y="{top + HEAD - 12}">{row.figure}</text>'
    for number, (name, figure) in enumerate(bars):
        y, width = top + HEAD + LINE * number, LONGEST_BAR * figure / longest
        yield f'<text x="{LABELS_END - 8}" y="{y + 12}" text-anchor="end">{name}</text>'
        kind = "ours" if number == 0 else "peer"
        yield f'<rect class="{kind}" x="{LABELS_END}" y="{y}" width="{width:.0f}" height="16" rx="2"/>'
        yield f'<text x="{LABELS_END + width + 6:.0f}" y="{y + 12}">{shown(figure, row.unit)}</text>'
