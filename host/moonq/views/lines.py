"""The lines that ran in a call, in order: the time of each, its text, and what it set."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

from moonq.text.wording import counted, cut, lasted
from moonq.views.screen import Screen
from moonq.views.tables import Cell, Column, Found, table

#: Columns of a line's text that are shown at least, and in a pipe: what it set is next to it.
LEAST, WIDEST = 24, 80


def ran(found: Found, screen: Screen) -> Iterator[str]:
    """Yield the `lines` of a traced call, then an empty line."""
    steps, room = found["lines"], max(LEAST, screen.width // 3) if screen.width else WIDEST
    columns = [
        Column("line", _place, is_id=True),
        Column("took", _took, right=True),
        Column("", lambda one: cut(one["text"].expandtabs(2).rstrip(), room)),
        Column("", _values, wraps=True),
    ]
    if not steps:
        yield screen.paint("dim", "no line of a script ran")
    else:
        yield from table(columns, steps, screen, has_head=False)
    if found["lines_left_out"]:
        yield screen.paint("dim", f"… {counted(found['lines_left_out'])} more lines ran")
    yield ""


def _place(step: Found) -> Cell:
    return f"{PurePath(step['chunk']).name}:{step['line']}", "dim"


def _took(step: Found) -> Cell:
    seconds = step["took_ms"] / 1000
    return lasted(seconds) if seconds >= 0.000_001 else "·", "warn" if seconds >= 0.1 else "dim"


def _values(step: Found) -> Cell:
    return "  ".join(f"{one['name']} = {one['value']}" for one in step["values"]), "lua"
