"""Values of a session: Lua literals, JSON, YAML, or a table of what is a list of objects."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from moonq.text.plain import harmless, is_harmless, printed, visible
from moonq.views.screen import Screen
from moonq.views.tables import Column, table

#: Columns that a table of values may have.
MOST = 8
#: Columns that say which row it is.
NAMING = ("id", "key", "name")


def value(found: Any, screen: Screen, *, output: str = "lua", text: str = "") -> Iterator[str]:
    """Yield *found* in the format *output*; *text* is its Lua text where there is one already."""
    if output == "table" and (rows := _rows(found)):
        yield from table(_columns(rows, screen), rows, screen)
    elif output == "json":
        yield from harmless(json.dumps(found, ensure_ascii=False, indent=2)).split("\n")
    elif output == "yaml":
        import yaml

        dumped = yaml.safe_dump(found, allow_unicode=True, sort_keys=False)
        if not is_harmless(dumped):
            dumped = harmless(yaml.safe_dump(found, sort_keys=False, default_style='"'))
        yield from dumped.removesuffix("\n").removesuffix("\n...").split("\n")
    else:
        yield from screen.lua(printed(text or screen.value(found, screen.room))).split("\n")


def _rows(found: Any) -> list[dict[str, Any]]:
    if isinstance(found, dict):
        return [{"key": key, "value": item} for key, item in found.items()]
    if isinstance(found, list) and all(isinstance(one, dict) for one in found):
        return found
    return []


def _columns(rows: list[dict[str, Any]], screen: Screen) -> list[Column]:
    """What names a row comes first; where room is scarce the last columns go, but never it."""
    every = {str(name) for row in rows for name in row}
    names = sorted(every, key=lambda name: (name not in NAMING, name))[:MOST]
    return [_column(name, rows, screen, drop) for drop, name in enumerate(names)]


def _column(name: str, rows: list[dict[str, Any]], screen: Screen, drop: int) -> Column:
    def cell(row: dict[str, Any]) -> str:
        item = row.get(name, "")
        return item if isinstance(item, str) else screen.value(item)

    is_number = all(isinstance(row.get(name, 0), int | float) for row in rows)
    return Column(visible(name), cell, right=is_number, drop=drop, is_cut=not is_number)
