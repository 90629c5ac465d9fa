"""Entries while they are being read, and what they refer to.

A draft whose fields are wrong stays known by its id, so that one mistake does not make every
reference to it a second one.
"""

from __future__ import annotations

import pathlib
from dataclasses import dataclass, field
from pathlib import Path as Folder
from typing import Any

from moonq.registry import names
from moonq.registry.common import Config
from moonq.registry.lua.text import LuaText
from moonq.registry.settings import Settings
from moonq.registry.yaml.nodes import Map, Node, Path, locate
from moonq.text.findings import Source, Span


@dataclass(frozen=True, slots=True)
class Edge:
    """One reference: the place it stands in, the field's name, and what it leads to."""

    path: Path
    field: str
    target: str
    needs: str
    """The entry that must be there for it, which for an implied target is the one that implies it;
    empty where an entry refers to what it implies itself."""


@dataclass(eq=False)
class Draft:
    """One entry on its way to be an `Entry`."""

    source: Source
    node: Map
    namespace: str
    name: str
    kind: str
    config: Config | None = None
    partial: Config | None = None
    """Of a faulty entry the fields that are right: their references are checked all the same."""
    options: Any = None
    """The written `options`, where only another entry's model can check them."""
    edges: list[Edge] = field(default_factory=list)
    script: LuaText | None = None
    parts: tuple[str, ...] = ()
    """What in it policies may name: the functions of a module, `app:bank.charge`."""

    @property
    def id(self) -> str:
        """The full id."""
        return f"{self.namespace}:{self.name}"

    @property
    def fields(self) -> Config | None:
        """Whatever is known of the fields."""
        return self.config or self.partial

    @property
    def place(self) -> str:
        """File and line, for a hint that points here."""
        return f"{self.source.file}:{(self.node.get('name') or self.node).line}"

    def source_of(self, node: Node | None) -> Source:
        """Return the file that *node* stands in: a profile may have brought it from elsewhere."""
        return (node and node.source) or self.source

    def full(self, written: str) -> str:
        """Return the full id of what a field of this entry names."""
        return names.full(written, self.namespace)

    def span(self, node: Node | None, label: str = "", **more: Any) -> Span:
        """Return the span of *node*, or of the entry's name without one."""
        at = node or self.node.get("name") or self.node
        return self.source.at(at, label, **more)

    def span_of(self, *path: str | int, label: str = "", **more: Any) -> Span:
        """Return the span of a field, or of the nearest one around it."""
        return self.span(locate(self.node, path), label, **more)


class Drafts(dict[str, Draft]):
    """All drafts by id, with the entries that others imply."""

    #: The folder of the project.
    root = Folder()

    def __init__(self) -> None:
        super().__init__()
        self.settings = Settings()
        """Those of the project."""
        self.implied: dict[str, Draft] = {}
        """Ids that were not written down, and the drafts that imply them."""
        self.root = pathlib.Path()
        """The project's folder."""

    def find(self, id_: str) -> Draft | None:
        """Return the draft of *id_*, or of the entry that implies it."""
        return self.get(id_) or self.implied.get(id_)

    def config(self, id_: str) -> Config | None:
        """Return the checked fields of *id_*, or of the entry that implies it."""
        draft = self.find(id_)
        return draft.config if draft else None

    def kind_of(self, id_: str) -> str:
        """Return the kind of *id_*, which is that of the entry that implies it."""
        draft = self.find(id_)
        return draft.kind if draft else ""
