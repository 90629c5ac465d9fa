"""What `moonq publish` reads: one body, or a line for each message."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from moonq.cli import arguments
from moonq.errors import Invalid
from moonq.text.json_in import parsed
from moonq.text.reading import lines_of

#: A line with these keys is a whole message, as backups have them; any other one is a body.
ENVELOPE = {"body", "base64", "headers", "options", "state", "story"}


@dataclass(frozen=True)
class Template:
    """What all messages of one command have in common."""

    headers: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)

    def message(self, text: str) -> dict[str, Any]:
        """Return the message with the JSON *text* as its body."""
        return {"json": text, "headers": dict(self.headers), "options": dict(self.options)}

    def of_bytes(self, data: bytes) -> dict[str, Any]:
        """Return the message with the body *data*: JSON, a Lua literal, or bytes that are no text.

        Raises:
            Invalid: It begins like a literal, and is neither that nor JSON.
        """
        try:
            return self.message(arguments.as_json(data.decode()))
        except UnicodeDecodeError:
            bare = {"headers": dict(self.headers), "options": dict(self.options)}
            return {"base64": base64.b64encode(data).decode(), **bare}

    def of_line(self, number: int, line: str) -> dict[str, Any]:
        """Return the message of line *number*.

        Raises:
            Invalid: It is not JSON; names the line.
        """
        try:
            value = parsed(line)
        except ValueError as problem:
            raise Invalid(f"line {number} is not JSON: {problem}") from None
        whole = isinstance(value, dict) and "options" in value and value.keys() <= ENVELOPE
        if not whole or ("body" in value) == ("base64" in value):
            return self.message(line.strip())
        headers = _merged(value.get("headers"), self.headers)
        options = _merged(value["options"], self.options)
        if "base64" in value:
            return {"base64": value["base64"], "headers": headers, "options": options}
        text = json.dumps(value["body"], ensure_ascii=False, separators=(",", ":"))
        return {"json": text, "headers": headers, "options": options}


def _merged(found: Any, given: Mapping[str, Any]) -> Any:
    """Return what a line says, and what was *given* over it; what is no object is left as it is."""
    if not found:
        return dict(given)
    return {**found, **given} if isinstance(found, dict) else found


def messages_of(source: str, template: Template) -> Iterator[dict[str, Any]]:
    """Yield a message for each line of the file *source*; `-` is stdin.

    Raises:
        MoonqError: It cannot be read.
        Invalid: A line is no message, or not UTF-8.
    """
    for number, line in enumerate(lines_of(source), 1):
        if line.strip():
            yield template.of_line(number, line)
