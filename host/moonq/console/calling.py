"""The brackets that are open where the caret is, and so the call whose arguments are being typed.

opened(tokens('queue.publish("app:mail", {}, { '))
# [Open("(", "queue.publish", 2), Open("{", "", 0)]
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from moonq.registry.lua.tokens import Token


class Open(NamedTuple):
    """A bracket that is not closed yet."""

    bracket: str
    name: str = ""
    """What is called, such as `queue.info` or `msg:ack`; empty: nothing with a name."""
    commas: int = 0
    """How many stand behind it, not counting those in brackets within."""


def opened(found: Iterable[Token]) -> list[Open]:
    """Return the brackets that *found* leaves open, the innermost last."""
    stack: list[Open] = []
    name = ""
    for token in found:
        if token.text in ("(", "{", "["):
            stack.append(Open(token.text, name if token.text == "(" else ""))
        elif token.text in (")", "}", "]"):
            stack = stack[:-1]
        elif token.text == "," and stack:
            stack[-1] = stack[-1]._replace(commas=stack[-1].commas + 1)
        name = _grown(name, token)
    return stack


def _grown(name: str, token: Token) -> str:
    """The dotted name that ends with *token*, where *name* ended before it."""
    is_open = name.endswith((".", ":"))
    if token.text in (".", ":"):
        return "" if is_open or not name else name + token.text
    if token.kind != "name":
        return ""
    return name + token.text if is_open else token.text
