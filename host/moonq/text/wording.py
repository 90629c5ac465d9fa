"""Numbers, ages and tables as people read them.

table([["queue", "ready"], ["app:orders", "1 204"]], right={1})
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from moonq import durations
from moonq.cli.narrator import counted
from moonq.log import visible

UNKNOWN, NONE = "·", "-"


def number(value: Any) -> str:
    """Return a number with gaps between thousands; what is not known is a dot, never a zero."""
    return UNKNOWN if value is None else counted(int(value))


def rate(value: Any) -> str:
    """Return a rate per second."""
    return NONE if value is None else f"{value:.1f}"


def age(seconds: Any) -> str:
    """Return a length of time as ``3m12s``, rounded to what matters."""
    if seconds is None:
        return NONE
    return durations.show(float(seconds) if seconds < 1 else float(round(seconds)))


def size(count: int) -> str:
    """Return bytes as ``142 B``, ``1.2 KB``."""
    if count < 1000:
        return f"{count} B"
    value = float(count)
    for unit in ("KB", "MB", "GB"):
        value /= 1024
        if value < 1000 or unit == "GB":
            return f"{value:.1f} {unit}" if value < 10 else f"{value:.0f} {unit}"
    return f"{count} B"


def short(message_id: str) -> str:
    """Return an id as log lines show it; commands understand it."""
    return message_id if len(message_id) <= 20 else f"{message_id[:4]}…{message_id[-6:]}"


def table(rows: Sequence[Sequence[str]], *, right: Collection[int] = (), indent: str = "") -> str:
    """Return *rows* (the first is the heading) as columns; those in *right* end together."""
    shown = [[visible(cell) for cell in row] for row in rows]
    widths = [max(columns(row[at]) for row in shown) for at in range(len(shown[0]))]
    return "\n".join(_line(row, widths, right, indent) for row in shown)


def _line(row: Sequence[str], widths: Sequence[int], right: Collection[int], indent: str) -> str:
    cells = []
    for at, (cell, width) in enumerate(zip(row, widths, strict=True)):
        gap = " " * (width - columns(cell))
        cells.append(gap + cell if at in right else cell + gap)
    return (indent + "  ".join(cells)).rstrip()


def columns(text: str) -> int:
    """Return how many columns *text* takes on a terminal."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return len(text) + wide - sum(unicodedata.combining(char) > 0 for char in text)


def plural(count: int, noun: str) -> str:
    """Return ``1 message``, ``2 messages``."""
    return f"{counted(count)} {noun}{'' if count == 1 else 's'}"


def written(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what a call wrote, or would have written, with a name before the first of a kind."""
    publications = [f"{one['queue']}  {one['body']}" for one in found["published"]]
    unsent = [f"{one['queue']}  {one['body']}" for one in found["would_publish"]]
    changes = [_change(one) for one in found["would_write"]]
    kinds = {"published": publications, "not sent": unsent, "not written": changes}
    for what, lines in kinds.items():
        for index, line in enumerate(lines):
            yield ("" if index else what), line


def _change(one: Mapping[str, Any]) -> str:
    value = f" = {json.dumps(one['value'], ensure_ascii=False)}" if "value" in one else ""
    return f"{one['store']}  {one['action']} {one['key']}{value}"
