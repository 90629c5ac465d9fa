"""Lua text as a tree of tree-sitter's nodes; the grammar is loaded when the first text is read."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node, Parser


@cache
def _parser() -> Parser:
    import tree_sitter_lua
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_lua.language()))


def parsed(data: bytes) -> Node:
    """Return the tree of a text that Lua has compiled already: here nothing is complained about."""
    return _parser().parse(data).root_node


def text(node: Node) -> str:
    """Return what *node* is written as."""
    return (node.text or b"").decode("utf-8", "replace")


def children(node: Node) -> Iterator[Node]:
    """Yield the nodes in *node*, without punctuation and comments."""
    return (child for child in node.named_children if child.type != "comment")


def all_of(node: Node | None, *path: str) -> list[Node]:
    """Return the nodes in the lists of the given types below *node*, such as an expression list."""
    for kind in path:
        inner = children(node) if node else iter(())
        node = next((child for child in inner if child.type == kind), None)
    return list(children(node)) if node else []


def keys(node: Node) -> Iterator[Node]:
    """Yield the names of the fields that a table is written with; nothing for other nodes."""
    if node.type == "table_constructor":
        for one in children(node):
            name = one.child_by_field_name("name")
            if name is not None and name.type == "identifier" and one.children[0].type != "[":
                yield name


def literal(node: Node | None) -> str | None:
    """Return the text of a plain string without escapes; None for everything else."""
    if node is None or node.type != "string":
        return None
    content = node.child_by_field_name("content")
    if content is None:
        return ""
    return None if content.named_child_count else text(content)
