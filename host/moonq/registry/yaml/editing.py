"""Adds an item to a list or map of an entry, and takes one out, as a person would: comments and
layout stay.

    added(source, entry, "modules", "json")      # `[queue]` becomes `[queue, json]`
    removed(source, entry, "modules", "json")    # and back

Where that takes a person (an anchor that others share, a comment in the midst) there is no edit.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from moonq.errors import Edit
from moonq.registry.yaml.nodes import List, Map, Node, Scalar
from moonq.text.findings import Source

#: An item of a list, or a key and its value.
Item = str | tuple[str, str]
Edits = tuple[Edit, ...]


def added(source: Source, entry: Map, field: str, item: Item) -> Edits:
    """Return what adds *item* to the list or map at *field*, which may not be there yet."""
    return _Field(source, entry, field).added(item)


def removed(source: Source, entry: Map, field: str, name: str) -> Edits:
    """Return what takes *name* out of the list or map at *field*, with the field if it was all."""
    return _Field(source, entry, field).removed(name)


class _Field:
    """One field of one entry."""

    def __init__(self, source: Source, entry: Map, field: str) -> None:
        self._entry = entry
        self._field = field
        self._key, self._node = entry.key(field), entry.get(field)
        # A profile may have brought the field from another file.
        self._source = (self._node and self._node.source) or source

    # Adding -------------------------------------------------------------------------------------

    def added(self, item: Item) -> Edits:
        if self._node is None:
            return self._new_field(item)
        items = self._items()
        if items is None:
            return ()
        if isinstance(self._node, List) and isinstance(item, tuple):
            item = item[1]
        if self._is_flow(self._node):
            if not items:
                return self._insert(self._node.line, self._node.column + 1, _written(item))
            return self._insert(*_end(items[-1][1]), f", {_written(item)}")
        first, last = items[-1]
        before = self._source.line(first.line)[: first.column - 1]
        if before.strip(" -") or last.line != first.line:
            return ()
        return self._insert(last.line + 1, 1, f"{before}{_written(item)}\n")

    def _new_field(self, item: Item) -> Edits:
        """A line below the source, or above it where that is a text of many lines."""
        key, value = self._entry.key("source"), self._entry.get("source")
        if key is None or not isinstance(value, Scalar) or key.line != value.line or key.source:
            return ()
        brackets = "{%s}" if isinstance(item, tuple) else "[%s]"
        line = f"{self._field}: {brackets % _written(item)}"
        if self._is_flow(self._entry):
            return self._insert(*_end(value), f", {line}")
        margin = self._source.line(key.line)[: key.column - 1]
        is_long = value.content_line != value.line
        if is_long and margin.strip():
            return ()
        at = key.line if is_long else value.line + 1
        return self._insert(at, 1, f"{' ' * len(margin)}{line}\n")

    def _insert(self, line: int, column: int, text: str) -> Edits:
        return (Edit(self._source.file, line, column, line, column, text),)

    # Taking away --------------------------------------------------------------------------------

    def removed(self, name: str) -> Edits:
        items = self._items() or []
        at = next((at for at, one in enumerate(items) if _name(one[0]) == name), None)
        if at is None or self._node is None or self._key is None:
            return ()
        if len(items) == 1:
            return self._whole(items[0])
        if not self._is_flow(self._node):
            return self._lines(items[at][0].line, items[at][1].line)
        if at:
            return self._cut(_end(items[at - 1][1]), _end(items[at][1]))
        return self._cut(_start(items[0][0]), _start(items[1][0]))

    def _whole(self, item: tuple[Scalar, Scalar]) -> Edits:
        """The only item goes with its field, unless something else stands on the line."""
        assert self._node is not None
        assert self._key is not None
        own = rf"\s*{self._field}:\s*"
        if self._is_flow(self._node):
            closed = re.compile(rf"{own}[\[{{][^\]}}#]*[\]}}]\s*")
            if closed.fullmatch(self._source.line(self._key.line)):
                return self._lines(self._key.line, self._key.line)
            return self._cut(_start(item[0]), _end(item[1]))
        is_below = item[0].line == self._key.line + 1
        if is_below and re.fullmatch(own, self._source.line(self._key.line)):
            return self._lines(self._key.line, item[1].line)
        return ()

    def _lines(self, first: int, last: int) -> Edits:
        is_one = first == last or last == first + 1
        return (Edit(self._source.file, first, 1, last + 1, 1, ""),) if is_one else ()

    def _cut(self, start: tuple[int, int], end: tuple[int, int]) -> Edits:
        between = [self._source.line(number) for number in range(start[0], end[0])]
        if any("#" in line for line in between):
            return ()
        return (Edit(self._source.file, *start, *end, ""),)

    # Looking ------------------------------------------------------------------------------------

    def _items(self) -> list[tuple[Scalar, Scalar]] | None:
        """The items, each as what it begins and what it ends with; None where they are shared."""
        node, key = self._node, self._key
        if node is None or key is None:
            return None
        behind = self._source.line(key.line)[key.column - 1 + key.length :].lstrip(" :")
        if behind.startswith(("*", "&")):
            return None
        pairs: Sequence[tuple[Node, Node]]
        if isinstance(node, List):
            pairs = [(one, one) for one in node.items]
        elif isinstance(node, Map):
            pairs = list(node.items.values())
        else:
            return None
        found = [(a, b) for a, b in pairs if isinstance(a, Scalar) and isinstance(b, Scalar)]
        is_of_one_file = all(one.source is node.source for pair in pairs for one in pair)
        return found if len(found) == len(pairs) and is_of_one_file else None

    def _is_flow(self, node: Node) -> bool:
        return self._source.line(node.line)[node.column - 1 :][:1] in ("[", "{")


def _name(item: Scalar) -> str:
    """An import that is listed by its id is known by the last part of it."""
    return item.text.rpartition(":")[2]


def _start(node: Node) -> tuple[int, int]:
    return node.line, node.column


def _end(node: Node) -> tuple[int, int]:
    return node.line, node.column + node.length


def _written(item: Item) -> str:
    return item if isinstance(item, str) else f"{item[0]}: {item[1]}"
