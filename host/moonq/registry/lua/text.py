"""Lua text and the file a person reads it in: a Lua file, or a few lines of YAML."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from moonq.registry.lua.tokens import Token, tokens
from moonq.text.findings import Source, Span

#: Lua writes the end of a long chunk name behind this.
_CUT = "..."


@dataclass(frozen=True)
class LuaText:
    """What Lua compiles and what to show of it; both count the same lines.

    Text inside YAML begins further to the right than Lua knows, so columns are shifted on the way
    to a span.
    """

    data: bytes
    shown: Source

    @classmethod
    def of_file(cls, name: str, data: bytes) -> LuaText:
        """Return the text of a Lua file."""
        return cls(data, Source.of(name, data))

    @cached_property
    def code(self) -> Source:
        """The text as Lua reads it."""
        return Source.of(self.shown.file, self.data)

    def is_called(self, chunk: str) -> bool:
        """Say whether Lua's messages mean this text by *chunk*, which may have lost its front."""
        name, tail = self.shown.file, chunk.removeprefix(_CUT)
        return name == chunk or (tail != chunk and name.endswith(tail))

    def tokens(self) -> Iterator[Token]:
        """Yield the tokens of the text."""
        return tokens(self.code.text)

    def last_line(self, until: int | None = None) -> int:
        """Return the number of the last line with something on it, of those up to *until*."""
        number = len(self.code.lines) if until is None else until
        while number > 1 and not self.code.line(number).strip():
            number -= 1
        return max(1, number)

    def span(self, line: int, column: int, length: int = 1, label: str = "", **more: Any) -> Span:
        """Return the span of a place that is counted as Lua counts."""
        shift = self.shown.line(line).find(self.code.line(line)) if column else 0
        return self.shown.span(line, column + max(0, shift), length, label, **more)
