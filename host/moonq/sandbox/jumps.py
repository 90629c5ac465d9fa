"""Refuses texts whose jumps Lua's compiler would take seconds to link, where nothing stops it.

    excess(b"return a" + b" and a" * 3000)  # (1, "more than 2000 'and' and 'or' in ...")

The compiler keeps the open jumps of an expression, and those of an `if`, in a list that it walks
for every further one: 512 KiB of `a or a or ...` took it 12 s. Other constructs stay below 0.1 s,
as Lua itself bounds them; only whole numbers chosen to collide took 2 s.
"""

from __future__ import annotations

import re

MOST_OPERATORS = 2000
MOST_BRANCHES = 1000

#: Texts with less in all need no closer look.
_COUNTED = re.compile(rb"\b(?:and|or|elseif)\b")
_WORD = re.compile(
    rb"""
      (?P<skipped>--(?:\[(?P<deep>=*)\[.*?(?:\](?P=deep)\]|\Z)|[^\n]*)
        | \[(?P<level>=*)\[.*?(?:\](?P=level)\]|\Z)
        | "(?:\\z\s*|\\.|[^"\\\n])*"? | '(?:\\z\s*|\\.|[^'\\\n])*'?)
    | (?P<operator>\b(?:and|or|not)\b)
    | (?P<call>\w\s*\(|(?<=[\])}"'])\()
    | (?P<opens>\b(?:function|if|do|repeat)\b|[({\[])
    | (?P<closes>\b(?:end|until)\b|[)}\]])
    | (?P<next>\b(?:elseif|else|then|return|local|while|for|in|goto|break)\b|[;,]|(?<![=~<>])=(?!=))
    """,
    re.VERBOSE | re.DOTALL,
)


def excess(source: bytes) -> tuple[int, str] | None:
    """Return the line where *source* has too many jumps, and what it has too many of."""
    if sum(1 for _ in _COUNTED.finditer(source)) <= MOST_BRANCHES:
        return None
    found = _first_excess(source)
    return (source.count(b"\n", 0, found[0]) + 1, found[1]) if found else None


def _first_excess(source: bytes) -> tuple[int, str] | None:
    """Count within blocks and brackets; what stands in `(...)` belongs to what is around it too."""
    operators, branches = 0, 0
    outer: list[tuple[int, int, bool]] = []
    for match in _WORD.finditer(source):
        kind, word = match.lastgroup, match[0]
        if kind == "operator":
            operators += word != b"not"
        elif kind in {"opens", "call"}:
            outer.append((operators, branches, word == b"(" and kind == "opens"))
            operators, branches = 0, 0
        elif kind == "closes":
            inner = operators
            operators, branches, joined = outer.pop() if outer else (0, 0, False)
            operators = 0 if word == b"until" else operators + inner * joined
        elif kind == "next":
            operators = 0
            branches += word == b"elseif"
        if operators > MOST_OPERATORS:
            return match.start(), f"more than {MOST_OPERATORS} 'and' and 'or' in one expression"
        if branches > MOST_BRANCHES:
            return match.start(), f"more than {MOST_BRANCHES} 'elseif' in one statement"
    return None
