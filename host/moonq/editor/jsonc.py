"""JSON as people write it for editors, with comments and commas before brackets, and edits in it.

file = Jsonc('{\\n  // mine\\n  "runtime": {"version": "Lua 5.4"},\\n}')
file.value                           # {"runtime": {"version": "Lua 5.4"}}
file.added({"a.b": True})            # the same text with one line more, comments kept
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

_TOKEN = re.compile(
    r"""(?P<blank>\s+|//[^\n]*|/\*.*?\*/)
    |(?P<text>"(?:[^"\\\n]|\\.)*")
    |(?P<word>-?[A-Za-z0-9.+-]+)
    |(?P<sign>[{}\[\],:])""",
    re.VERBOSE | re.DOTALL,
)


class NotJson(ValueError):
    """The text cannot be read, or not be added to; says why."""


@dataclass
class Node:
    """A value and where it stands."""

    value: Any
    inside: int = 0
    """For a map or a list, the place behind its opening bracket."""
    members: dict[str, Node] = field(default_factory=dict)


class Jsonc:
    """One text, which is a map."""

    def __init__(self, text: str) -> None:
        """Read *text*.

        Raises:
            NotJson: It cannot be read, or is no map.
        """
        self.text = text
        self._tokens = _tokens(text)
        self._at = 0
        self.root = self._node()
        if self._peek() or not isinstance(self.root.value, dict):
            raise self._wrong()

    @property
    def value(self) -> dict[str, Any]:
        """What it says."""
        found: dict[str, Any] = self.root.value
        return found

    def dotted(self) -> dict[str, Node]:
        """Return every node by its names with dots between, however they are nested."""
        return dict(_dotted(self.root, ""))

    def added(self, members: Mapping[str, Any], node: Node | None = None) -> str:
        """Return the text with *members* put in front of those of a map, by default the whole."""
        into = node or self.root
        lines = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in members.items()]
        return self._put(into, lines, is_root=into is self.root)

    def appended(self, item: Any, node: Node) -> str:
        """Return the text with *item* put in front of those of a list."""
        return self._put(node, [json.dumps(item)], is_root=False)

    def _put(self, into: Node, parts: list[str], *, is_root: bool) -> str:
        if not parts:
            return self.text
        glue = ",\n  " if is_root else ", "
        more = "" if not into.value else "," if is_root else ", "
        before = "\n  " if is_root else ""
        after = "\n" if is_root and not into.value else ""
        written = f"{before}{glue.join(parts)}{more}{after}"
        return f"{self.text[: into.inside]}{written}{self.text[into.inside :]}"

    def _node(self) -> Node:
        kind, text, end = self._next()
        if text == "{":
            return self._map(end)
        if text == "[":
            return self._list(end)
        if kind == "sign":
            raise self._wrong()
        try:
            return Node(json.loads(text))
        except ValueError:
            raise self._wrong() from None

    def _map(self, inside: int) -> Node:
        made = Node({}, inside)
        while self._peek() != "}":
            kind, name, _ = self._next()
            if kind != "text" or self._next()[1] != ":":
                raise self._wrong()
            node = made.members[json.loads(name)] = self._node()
            made.value[json.loads(name)] = node.value
            self._comma("}")
        self._next()
        return made

    def _list(self, inside: int) -> Node:
        made = Node([], inside)
        while self._peek() != "]":
            made.value.append(self._node().value)
            self._comma("]")
        self._next()
        return made

    def _comma(self, end: str) -> None:
        if self._peek() == ",":
            self._next()
        elif self._peek() != end:
            raise self._wrong()

    def _peek(self) -> str:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else ""

    def _next(self) -> tuple[str, str, int]:
        if self._at == len(self._tokens):
            raise self._wrong()
        self._at += 1
        return self._tokens[self._at - 1]

    def _wrong(self) -> NotJson:
        place = self._tokens[self._at - 1][2] if self._at else 0
        return _unreadable(self.text, place)


def _unreadable(text: str, place: int) -> NotJson:
    line = text.count("\n", 0, place) + 1
    return NotJson(f"line {line} is no JSON")


def _tokens(text: str) -> list[tuple[str, str, int]]:
    """Every token with its kind and the place where it ends."""
    found, at = [], 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            raise _unreadable(text, at)
        at = token.end()
        if token.lastgroup != "blank":
            found.append((str(token.lastgroup), token[0], at))
    return found


def _dotted(node: Node, path: str) -> Iterator[tuple[str, Node]]:
    for name, inner in node.members.items():
        whole = f"{path}.{name}" if path else name
        yield whole, inner
        yield from _dotted(inner, whole)
