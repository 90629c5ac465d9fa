"""YAML as moonq sees it: scalars, lists and maps that remember where they stand.

A tree of nodes is turned into plain values only when everything about its places has been said;
`locate` finds the way back from a path such as ``("lifecycle", "depends_on", 0)`` to its node.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from moonq.text.findings import Source

Path = tuple[str | int, ...]


@dataclass(slots=True)
class Node:
    """Something at a place; lines and columns count from 1."""

    line: int
    column: int
    length: int
    source: Source | None = field(default=None, kw_only=True, repr=False)
    """The file, where it is another one than that of the tree around it."""


@dataclass(slots=True)
class Scalar(Node):
    """One value as it is written; quotes and block marks are gone."""

    text: str
    plain: bool
    """Written without quotes, so that it may be a number, true, false or null."""
    content_line: int
    """Where the text begins: below the `|` of a block, else the node's own line."""
    by_field: bool = False
    """Whether its field decides if it is a number: on a command line quotes are the shell's."""


@dataclass(slots=True)
class List(Node):
    """A sequence of nodes."""

    items: list[Node] = field(default_factory=list)


@dataclass(slots=True)
class Map(Node):
    """Keys and values in the order of the file; no key comes twice."""

    items: dict[str, tuple[Scalar, Node]] = field(default_factory=dict)

    def get(self, key: str) -> Node | None:
        """Return the value of *key*."""
        pair = self.items.get(key)
        return pair[1] if pair else None

    def key(self, key: str) -> Scalar | None:
        """Return the place where *key* itself is written."""
        pair = self.items.get(key)
        return pair[0] if pair else None


def locate(node: Node, path: Sequence[str | int]) -> Node:
    """Return the node at *path*, or the nearest one above it that exists."""
    for step in path:
        below = _step(node, step)
        if below is None:
            return node
        node = below
    return node


def locate_key(node: Node, path: Sequence[str | int]) -> Node:
    """Return the key that *path* ends with, or the nearest node above it."""
    parent = locate(node, path[:-1])
    if isinstance(parent, Map) and path:
        return parent.key(str(path[-1])) or parent
    return parent


def _step(node: Node, step: str | int) -> Node | None:
    if isinstance(node, Map):
        return node.get(str(step))
    if not isinstance(node, List):
        return None
    if isinstance(step, int):
        return node.items[step] if step < len(node.items) else None
    # Imports may be written as a list of ids; the alias is then the last part of one.
    named = (item for item in node.items if isinstance(item, Scalar))
    return next((item for item in named if item.text.rpartition(":")[2] == step), None)


def keys(node: Node) -> Iterator[str]:
    """Yield the keys of a map; nothing for other nodes."""
    if isinstance(node, Map):
        yield from node.items
