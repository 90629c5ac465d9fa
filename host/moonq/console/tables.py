"""Plain data as aligned columns."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from moonq.console.ink import Ink
from moonq.text import wording
from moonq.text.plain import visible

#: Columns that a table of values may have, and characters of one cell.
MOST = 8
CELL = 40


def table(
    heads: Sequence[str], rows: Sequence[Sequence[str]], ink: Ink, right: Collection[int] = ()
) -> list[str]:
    """Return *rows* below *heads*; the columns in *right* are numbers."""
    head, *lines = wording.table([heads, *rows], right=right).split("\n")
    return [ink.paint("dim", head), *map(ink.plain, lines)]


def value_table(value: Any, ink: Ink) -> str:
    """Return a list of objects, or one object, as a table; nothing for any other value."""
    if isinstance(value, dict) and value:
        rows = [[visible(str(key)), _cell(item)] for key, item in value.items()]
        return "\n".join(table(["key", "value"], rows, ink))
    if not (isinstance(value, list) and value and all(isinstance(one, dict) for one in value)):
        return ""
    heads = list(dict.fromkeys(str(key) for one in value for key in one))[:MOST]
    rows = [[_cell(one.get(head, "")) for head in heads] for one in value]
    numbers = [
        column
        for column, head in enumerate(heads)
        if all(isinstance(one.get(head, 0), int | float) for one in value)
    ]
    return "\n".join(table([visible(head) for head in heads], rows, ink, numbers))


def _cell(value: Any) -> str:
    text = value if isinstance(value, str) else lua(value)
    text = visible(text)
    return text if len(text) <= CELL else f"{text[: CELL - 1]}…"


def lua(value: Any) -> str:
    """Return JSON data as a Lua literal on one line."""
    if value is None:
        return "json.null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, dict):
        fields = ", ".join(f"{_key(key)} = {lua(item)}" for key, item in sorted(value.items()))
        return f"{{ {fields} }}" if fields else "{}"
    if isinstance(value, list):
        items = ", ".join(lua(item) for item in value)
        return f"{{ {items} }}" if items else "{}"
    return str(value)


def quoted(text: str) -> str:
    """Return *text* as Lua writes it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    shown = "".join(
        char if char.isprintable() else f"\\u{{{ord(char):x}}}"
        for char in escaped.replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")
    )
    return f'"{shown}"'


def _key(key: str) -> str:
    is_name = key.isascii() and key.isidentifier() and key not in KEYWORDS
    return key if is_name else f"[{quoted(key)}]"


_WORDS = """
    and break do else elseif end false for function goto if in
    local nil not or repeat return then true until while
"""
KEYWORDS = frozenset(_WORDS.split())
