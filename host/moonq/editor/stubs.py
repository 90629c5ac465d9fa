"""What an editor reads of a Lua module: its annotations, and functions without bodies.

stub("queue", text)
# ---@meta queue
# local queue = {}
# ---@param queue_id moonq.QueueId
# …
# function queue.publish(queue_id, body, headers, options) end
# return queue
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_FUNCTION = re.compile(r"function ([A-Za-z_]\w*)(?:\.\w+)?[.:][A-Za-z_]\w*\(")
_TABLE = re.compile(r"local ([A-Za-z_]\w*) = \{")
_OBJECT = re.compile(r"local ([A-Za-z_]\w*) = (?:\{|.*\.__index$)")
_FIELD = re.compile(r"(([A-Za-z_]\w*)\.[\w.]+) = (.+)")
_CLASS = re.compile(r"---@class (?:\(\w+\) )?([\w.]+)")
_SHAPES = ("---@class", "---@alias", "---@enum")


def stub(name: str, text: str, *beside: str) -> str:
    """Return what an editor needs of the module *name*, whose file says *text*.

    *beside* are the files of the objects that it answers: their classes and methods.
    """
    head, *blocks = _blocks(text)
    own = _Own(name)
    lines = [f"---@meta {name}", *head[0], ""]
    lines += [line for block in blocks for line in own.kept(*block)]
    for other in beside:
        of_objects = _Own("")
        lines += [line for block in _blocks(other) for line in of_objects.kept(*block)]
    return "\n".join([*lines, *own.end(), ""])


def _blocks(text: str) -> Iterator[tuple[list[str], list[str]]]:
    """Every statement at the left margin with the comment right above it.

    Statements are told by stylua's layout: what belongs to one is indented, or is the line that
    closes it.
    """
    comment: list[str] = []
    code: list[str] = []
    for line in [*text.splitlines(), ""]:
        if line[:1] in (" ", "}", ")") or line.startswith(("end", "else")):
            code.append(line)
            continue
        if code:
            yield comment, code
            comment, code = [], []
        if line.startswith("---"):
            comment.append(line)
        elif line:
            code.append(line)
        elif comment:
            yield comment, []
            comment = []


class _Own:
    """Knows what of a file is seen from outside: its own table, and objects of its classes."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._owners = {name}
        self._shape = ""
        self._is_table = False

    def kept(self, comment: list[str], code: list[str]) -> Iterator[str]:
        """Yield what stays of one statement."""
        is_shape = any(line.startswith(_SHAPES) for line in comment)
        first = code[0] if code else ""
        table, function, field = (one.match(first) for one in (_TABLE, _FUNCTION, _FIELD))
        if is_shape:
            yield from self._classes(comment, _OBJECT.match(first))
        elif table and table[1] == self._name:
            self._is_table = True
            yield from [*code, ""]
        elif function and function[1] in self._owners:
            yield from [*comment, f"{_head(code)} end", ""]
        elif field and field[2] == self._name and (value := _value(comment, field)):
            yield from [*comment, f"{field[1]} = {value}", ""]

    def _classes(self, comment: list[str], methods: re.Match[str] | None) -> Iterator[str]:
        named = next(filter(None, map(_CLASS.match, comment)), None)
        if named and named[1].partition(".")[0] == self._name:
            self._shape = self._shape or named[1]
        yield from comment
        if methods:
            self._owners.add(methods[1])
            yield f"local {methods[1]} = {{}}"
        yield ""

    def end(self) -> Iterator[str]:
        """Yield what the file answers; without a table of its own it is the object of its class."""
        if not self._is_table:
            yield from (f"---@type {self._shape}", f"local {self._name}")
        yield f"return {self._name}"


def _head(code: list[str]) -> str:
    """The head of a function, which may go over several lines."""
    text = " ".join(line.strip() for line in code)
    return text[: text.index(")") + 1].replace("( ", "(").replace(" )", ")")


def _value(comment: list[str], field: re.Match[str]) -> str:
    """What stands for a field of the module: its type counts, or it is another name of a field."""
    if any(line.startswith("---@type") for line in comment):
        return "nil"
    is_other_name = field[3].startswith(f"{field[2]}.")
    return field[3] if is_other_name or field[3] == "{}" else ""
