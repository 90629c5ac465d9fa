"""Cuts Lua text into tokens with their places; unfinished text is cut as far as it goes."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

_TOKEN = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<comment>--(?:\[(?P<deep>=*)\[.*?(?:\](?P=deep)\]|\Z)|[^\n]*))
    | (?P<long>\[(?P<level>=*)\[.*?(?:\](?P=level)\]|\Z))
    | (?P<string>"(?:\\z\s*|\\.|[^"\\\n])*"?|'(?:\\z\s*|\\.|[^'\\\n])*'?)
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<number>0[xX][0-9a-fA-F.]*(?:[pP][+-]?)?\w*|\.?[0-9](?:[eE][+-]?|[\w.])*)
    | (?P<op>\.\.\.|\.\.|[=~<>]=|//|::|<<|>>|.)
    """,
    re.VERBOSE | re.DOTALL,
)


class Token(NamedTuple):
    """One word of Lua; lines and columns count from 1."""

    kind: str
    text: str
    line: int
    column: int
    end: int
    """Where it ends, counted from the beginning of the text."""


def tokens(text: str) -> Iterator[Token]:
    """Yield the tokens of *text* without spaces and comments."""
    starts = [0, *(match.end() for match in re.finditer("\n", text))]
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        if kind is not None and kind not in {"space", "comment"}:
            start, end = match.span()
            line = bisect_right(starts, start)
            yield Token(kind, match[0], line, start - starts[line - 1] + 1, end)


def without_text(line: str) -> str:
    """Return one line of code with strings as NULs and comments as spaces, columns kept."""
    return _TOKEN.sub(_blank, line)


def _blank(match: re.Match[str]) -> str:
    if match["comment"]:
        return " " * len(match[0])
    return "\0" * len(match[0]) if match["long"] or match["string"] else match[0]
