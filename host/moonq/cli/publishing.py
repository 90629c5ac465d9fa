"""What `moonq publish` reads: one body, or a line for each message."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import click

from moonq.errors import Invalid

#: A line with these keys is a whole message, as backups have them; any other one is a body.
ENVELOPE = {"body", "base64", "headers", "options", "state", "story"}
#: Messages and bytes of one request.
BATCH = 500
BATCH_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Template:
    """What all messages of one command have in common."""

    headers: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)

    def message(self, text: str) -> dict[str, Any]:
        """Return the message with the JSON *text* as its body."""
        return {"json": text, "headers": dict(self.headers), "options": dict(self.options)}

    def of_line(self, number: int, line: str) -> dict[str, Any]:
        """Return the message of line *number*.

        Raises:
            Invalid: It is not JSON; names the line.
        """
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as problem:
            raise Invalid(f"line {number} is not JSON: {problem}") from None
        whole = isinstance(value, dict) and "options" in value and value.keys() <= ENVELOPE
        if not whole or ("body" in value) == ("base64" in value):
            return self.message(line.strip())
        headers = {**(value.get("headers") or {}), **self.headers}
        options = {**value["options"], **self.options}
        if "base64" in value:
            return {"base64": value["base64"], "headers": headers, "options": options}
        text = json.dumps(value["body"], ensure_ascii=False, separators=(",", ":"))
        return {"json": text, "headers": headers, "options": options}


def body_text(value: str) -> str:
    """Return what was typed as JSON: it is that already, or a Lua literal.

    Raises:
        BadParameter: It is neither.
    """
    try:
        json.loads(value)
    except (ValueError, RecursionError) as problem:
        if not value.lstrip().startswith("{"):
            raise click.BadParameter(
                f"not JSON: {problem} (a string needs its quotes: '\"text\"')"
            ) from None
        from moonq.sandbox.literals import Literals

        try:
            return Literals().read(value)
        except Invalid as complaint:
            raise click.BadParameter(complaint.message) from None
    return value


def lines_of(source: str, template: Template) -> Iterator[dict[str, Any]]:
    """Yield a message for each line of the file *source*; `-` is stdin.

    Raises:
        Invalid: A line is no message.
    """
    if source == "-":
        yield from _messages(sys.stdin, template)
        return
    with Path(source).open(encoding="utf-8") as file:
        yield from _messages(file, template)


def _messages(file: IO[str], template: Template) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(file, 1):
        if line.strip():
            yield template.of_line(number, line)


def batches(
    messages: Iterable[dict[str, Any]], largest: int = BATCH
) -> Iterator[list[dict[str, Any]]]:
    """Yield *messages* in lists that fit one request."""
    batch: list[dict[str, Any]] = []
    room = BATCH_BYTES
    for message in messages:
        size = len(message.get("json") or message.get("base64") or "")
        if batch and (len(batch) >= largest or size > room):
            yield batch
            batch, room = [], BATCH_BYTES
        batch.append(message)
        room -= size
    if batch:
        yield batch
