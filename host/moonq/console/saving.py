"""Writes what was typed as a Lua file: one that a session can load, or a test that runs.

    as_test("typed", ["queue.info('app:orders').ready"])
    # local test = require("test")
    # local queue = require("queue")
    # …
    #     _ = queue.info('app:orders').ready

In a session every statement stands alone: an expression is one, `return` may come anywhere, modules
are there by name and globals are free. In a file none of that is so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from moonq import assets
from moonq.console import chunk
from moonq.registry.lua.tokens import Token, tokens

#: What only a session has.
ONLY_HERE = {"mq", "out", "__", "_err"}
_OPENS, _CLOSES = {"function", "do", "then", "repeat"}, {"end", "until", "elseif"}
_BRACKETS = {"(": 1, "{": 1, "[": 1, ")": -1, "}": -1, "]": -1}


def as_lua(entered: Sequence[str]) -> str:
    """Return what was *entered* as a file for `\\\\load`."""
    return "".join(f"{_statement(text)}\n" for text in entered)


def as_test(name: str, entered: Sequence[str]) -> str:
    """Return what was *entered* as a test file, without what only a session has."""
    kept = [text for text in entered if not ONLY_HERE & _free(text)]
    used = set().union(*map(_free, kept))
    modules = sorted(used & assets.stdlib_modules() - {"test", "errors"})
    names = sorted({"_"}.union(*map(_assigned, kept)) - {"test", *modules})
    lines = ['local test = require("test")']
    lines += [f'local {module} = require("{module}")' for module in modules]
    lines += [
        "",
        f'test.describe("{name}", function()',
        '  test.it("does what was typed", function()',
    ]
    lines.append(f"    local {', '.join(names)}")
    for text in entered:
        if text in kept:
            lines += [f"    {line}".rstrip() for line in _statement(text).split("\n")]
        else:
            lines += [f"    -- only in a session: {line}" for line in text.split("\n")]
    return "\n".join([*lines, "  end)", "end)", ""])


def _statement(text: str) -> str:
    """Return one piece as a statement among others."""
    if chunk.judge(text).is_expression:
        return f"_ = {text.strip()}"
    found = list(tokens(text))
    depth = 0
    for at, token in enumerate(found):
        depth += (token.text in _OPENS) - (token.text in _CLOSES)
        if token.text == "return" and depth == 0:
            has_values = [one.text for one in found[at + 1 :]] not in ([], [";"])
            start = token.end - len(token.text)
            return f"{text[:start]}{'_ =' if has_values else ''}{text[token.end :]}".rstrip()
    return text.strip("\n")


def _free(text: str) -> set[str]:
    """The names in a piece that are no fields."""
    found = list(tokens(text))
    return {
        token.text
        for before, token in zip([None, *found], found, strict=False)
        if token.kind == "name" and not (before and before.text in (".", ":"))
    }


def _assigned(text: str) -> Iterator[str]:
    """The globals that a piece assigns."""
    found = list(tokens(text))
    depth = 0
    for at, token in enumerate(found):
        depth += _BRACKETS.get(token.text, 0)
        before, *behind = [one.text for one in (found[at - 1], *found[at + 1 : at + 3])]
        if token.text == "=" and depth == 0:
            yield from _names_before(found, at)
        elif token.text == "function" and before != "local" and behind[1:] == ["("]:
            yield behind[0]


def _names_before(found: Sequence[Token], at: int) -> list[str]:
    """The plain names in front of a `=`; none where they are declared there."""
    names = []
    while at > 0 and found[at - 1].kind == "name":
        names.append(found[at - 1].text)
        at -= 2
        if at < 0 or found[at].text != ",":
            break
    before = found[at].text if at >= 0 else ""
    if before in ("local", "for"):
        return []
    return names[:-1] if before in (".", ":") else names
