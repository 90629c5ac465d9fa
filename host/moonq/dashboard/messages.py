"""Draws what lies in a queue, and one message with its story, as lines of text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from moonq.dashboard.table import Column, Line, Table
from moonq.dashboard.text import age, count, error, width
from moonq.text import plain

Fields = Mapping[str, Any]


def listing(messages: Sequence[Fields], selected: int, columns: int, rows: int) -> list[Line]:
    """Return a table of *messages* with the selected one in sight."""
    table = Table(
        [
            Column[Fields]("ID", 15, lambda one: (_short(one["id"]), ""), left=True),
            Column("STATE", 9, lambda one: (one["state"], ""), 3, left=True),
            Column("AGE", 8, lambda one: (age(one["age"]), "")),
            Column("TRY", 5, lambda one: (count(one["attempt"]), ""), 2),
            Column("SIZE", 9, lambda one: (f"{count(one['size'])} B", ""), 4),
            Column("LAST ERROR OR BODY", 16, _gist, left=True, stretch=True),
        ],
        columns,
    )
    first = max(0, min(selected - rows // 2, len(messages) - rows))
    lines = [table.head()]
    for number in range(first, min(first + rows, len(messages))):
        line = table.line(messages[number], "class:selected" if number == selected else "")
        if number == selected:
            line[0] = (line[0][0], f"▸{line[0][1][1:]}")
        lines.append(line)
    return lines


def _short(message_id: str) -> str:
    return message_id if len(message_id) <= 13 else f"{message_id[:4]}…{message_id[-8:]}"


def _gist(one: Fields) -> tuple[str, str]:
    errors = one.get("errors")
    if errors:
        return _failure(errors[-1]), "class:bad"
    return _body(one, None), ""


def _failure(record: Fields) -> str:
    return error(f"{record['kind']} {record['message']}")


def _body(one: Fields, indent: int | None) -> str:
    if "body" in one:
        return json.dumps(one["body"], ensure_ascii=False, indent=indent)
    text = one.get("text") or one.get("base64") or ""
    return f"{text}…" if one.get("cut") else str(text)


def story(one: Fields, columns: int) -> list[Line]:
    """Return all that is known of one message, wrapped."""
    lines: list[Line] = []
    for style, text in _story(one):
        shown = plain.visible(text.replace("\t", "  "))
        lines += [[(style, f" {part}")] for part in _wrapped(shown, columns - 1)]
    return lines


def _story(one: Fields) -> Iterator[tuple[str, str]]:
    yield "class:head", f"{one['id']}  in {one['queue']}"
    interrupted = f" · {one['interruptions']} interruptions" if one["interruptions"] else ""
    yield "", f"{one['state']} · {age(one['age'])} old · try {one['attempt']}{interrupted}"
    for name, value in one["headers"].items():
        yield "class:dim", f"{name}: {value}"
    yield "", ""
    for text in _body(one, 2).splitlines():
        yield "", text
    for record in one.get("errors", ()):
        yield "", ""
        when = f"{datetime.fromtimestamp(record['time']):%Y-%m-%d %H:%M:%S}"
        yield "class:bad", f"{when}  {_failure(record)}"
        for text in record["traceback"].splitlines():
            yield "class:dim", text


def _wrapped(text: str, room: int) -> Iterator[str]:
    """Break *text* where the line is full; a body has no better place."""
    while width(text) > room:
        end = room
        while width(text[:end]) > room:
            end -= 1
        yield text[:end]
        text = text[end:]
    yield text
