"""A run as a drawing: time goes down, Iamport and others have the first column, each process its own."""

import json

from tests.simulation.explore import Found, replay
from tests.simulation.iamport import Reply, card_of

WIDTH = 44


def draw(found: Found) -> str:
    """What happened, and how to have it happen again."""
    lines: list[tuple[float, int | None, str, object]] = []
    state, violation = replay(found.world, found.limits, found.choices, lambda *line: lines.append(line))
    columns = sorted({column for _, column, _, _ in lines if column is not None})
    names = ["Iamport, others", *(f"{column + 1}: {state.processes[column].name}" for column in columns)]
    rows = [" " * 8 + "".join(name.ljust(WIDTH) for name in names)]
    for time, column, text, answer in lines:
        indent = 0 if column is None else columns.index(column) + 1
        rows.append(f"{time:7.1f} " + " " * WIDTH * indent + text + _told(answer))
    replayed = f'--world "{found.world.name}" --choices {",".join(map(str, found.choices))}'
    limits = f"--faults {found.limits.faults} --switches {found.limits.switches}"
    rows += [f"        ✗ {violation}", f"        again: {replayed} {limits}"]
    return "\n".join(row.rstrip() for row in rows)


def _told(answer: object) -> str:
    """What Iamport's answer, or the table's refusal, says in short."""
    if isinstance(answer, Exception):
        return " (refused)"
    if not isinstance(answer, Reply) or not answer.content.startswith(b"{"):
        return ""
    response = json.loads(answer.content)["response"]
    match response:
        case None:
            return ": none"
        case {"list": payments}:
            return ": " + (", ".join(f"{each['status']} {each['imp_uid']}" for each in payments) or "none")
        case {"status": status, "imp_uid": imp_uid}:
            return f": {status} {imp_uid}"
        case {"card_number": str(number)}:
            return f": key {card_of(number)}"
    return ""
