"""A project as the rest of moonq sees it: entries whose references are full ids.

project = load(Path("shop"))
for entry in project.start_order():
    ...
project.resolve("orders").id          # "app:orders"
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from moonq.errors import Ambiguous, NotFound
from moonq.registry import hidden, names
from moonq.registry.common import Config, Lifecycle
from moonq.registry.lua.text import LuaText
from moonq.registry.origins import Keys, Origin, origins
from moonq.registry.overrides import NOTHING, Said
from moonq.registry.settings import Settings
from moonq.registry.yaml.nodes import Map, locate

C = TypeVar("C", bound=Config)


class Reference(NamedTuple):
    """What an entry refers to, and in which field."""

    field: str
    target: str


@dataclass(frozen=True, eq=False)
class Entry:
    """One declaration: its checked fields, where it stands, and what it needs."""

    id: str
    namespace: str
    config: Config
    file: str
    """The YAML file, relative to the project."""
    node: Map = field(repr=False)
    depends_on: tuple[str, ...] = ()
    """Every entry this one refers to, in whatever field; they start first."""
    references: tuple[Reference, ...] = ()
    """The same with the fields' names, and what its fields name that is only implied."""
    script: LuaText | None = field(default=None, repr=False)
    """For functions and libraries: their text, and where a person reads it."""

    @property
    def source_text(self) -> bytes:
        """The Lua text of a function or library, empty for the other kinds."""
        return self.script.data if self.script else b""

    @property
    def source_name(self) -> str:
        """What Lua calls the chunk: the path of its file below the project."""
        return self.script.shown.file if self.script else ""

    @property
    def name(self) -> str:
        """The part of the id behind the colon."""
        return self.config.name

    @property
    def kind(self) -> str:
        """The entry's type, such as ``queue.queue``."""
        return self.config.kind

    @property
    def meta(self) -> Mapping[str, Any]:
        """Free notes of the project's author."""
        return self.config.meta

    @property
    def shown_meta(self) -> Mapping[str, Any]:
        """The same for people and scripts, without what the environment has filled in."""
        found: Mapping[str, Any] = hidden.written(self.node.get("meta"), self.meta)
        return found

    @property
    def lifecycle(self) -> Lifecycle:
        """When it starts and how long it may take to stop."""
        return self.config.lifecycle

    def fields(self, model: type[C]) -> C:
        """Return the checked fields as the model of this entry's kind.

        Raises:
            TypeError: The entry is of another kind, which the caller should have known.
        """
        if not isinstance(self.config, model):
            raise TypeError(f"{self.id} is a {self.kind}, not a {model.__name__}")
        return self.config

    def target(self, field: str) -> str | None:
        """Return the id that *field* names first, which may be implied; None if it names none."""
        return next((one.target for one in self.references if one.field == field), None)

    def origins(self, profile: str = "") -> dict[Keys, Origin]:
        """Return where each value was written, by its keys; *profile* is that of the project."""
        return origins(self.node, self.file, profile)

    def place(self, *path: str | int) -> tuple[str, int, int]:
        """Return file, line and column of a field, or of the nearest one around it."""
        node = locate(self.node, path)
        return (node.source.file if node.source else self.file, node.line, node.column)


@dataclass(frozen=True)
class Project:
    """All entries of one project, in the order of its files."""

    root: Path
    name: str
    settings: Settings
    entries: Mapping[str, Entry]
    implied: Mapping[str, str] = field(default_factory=dict)
    """Ids that are not written down (a queue's dead letters), and the entry that implies each."""
    path: Path | None = None
    """What was loaded: the folder, or a single file in it."""
    profile: str = ""
    """The profile that is laid over it; empty for none."""
    profiles: tuple[str, ...] = ()
    """All profiles there are to choose from."""
    origins: Mapping[Keys, Origin] = field(default_factory=dict)
    """Where each of the settings was written, by its keys."""
    said: Said = NOTHING
    """What a command has said instead of the files."""

    def of_kind(self, kind: str) -> list[Entry]:
        """Return the entries of *kind*; a prefix that ends with a dot means the whole family."""
        if kind.endswith("."):
            return [entry for entry in self.entries.values() if entry.kind.startswith(kind)]
        return [entry for entry in self.entries.values() if entry.kind == kind]

    def start_order(self) -> list[Entry]:
        """Return drivers, queues, consumers and stores, each behind everything it needs."""
        order: dict[str, Entry] = {}
        for entry in self.entries.values():
            self._add(entry, order)
        return [entry for entry in order.values() if entry.config.is_service]

    def _add(self, entry: Entry, order: dict[str, Entry]) -> None:
        waiting = [(entry, iter(entry.depends_on))]
        while waiting:
            current, needed = waiting[-1]
            following = next((self.entries[id_] for id_ in needed if id_ not in order), None)
            if following is None:
                order[current.id] = current
                waiting.pop()
            else:
                waiting.append((following, iter(following.depends_on)))

    def needs(self, name: str) -> set[str]:
        """Return the ids of an entry and of everything that it needs, however indirectly."""
        found: set[str] = set()
        waiting = [name]
        while waiting:
            current = waiting.pop()
            if current not in found:
                found.add(current)
                waiting += self.entries[current].depends_on
        return found

    def resolve(self, name: str) -> Entry:
        """Return the entry *name*: a full id, or a bare name that only one entry has.

        Raises:
            NotFound: No entry has that name, or several have.
        """
        found = self.entries.get(name)
        return found or self.entries[names.meant(name, self.entries, self.name)]

    def id_of(self, name: str, *kinds: str) -> str:
        """Return the full id of *name*, an entry of *kinds* (see `of_kind`) or implied by one.

        Raises:
            NotFound: None has that name, or several have; names what of these kinds there is.
        """
        declared = dict.fromkeys(entry.id for kind in kinds for entry in self.of_kind(kind))
        implied = [id_ for id_, owner in self.implied.items() if owner in declared]
        try:
            return names.meant(name, [*declared, *implied], self.name)
        except Ambiguous:
            raise
        except NotFound as problem:
            others = [one for one in self.entries.values() if name in (one.id, one.name)]
            if len(others) != 1:
                raise
            wanted = " or ".join(kind.rstrip(".") for kind in kinds)
            raise NotFound(
                f"{others[0].id} is of kind {others[0].kind}, not {wanted}", hint=problem.hint
            ) from None
