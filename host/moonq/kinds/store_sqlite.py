"""`store.sqlite`: keys and values in a file, which outlast the process."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from moonq.drivers.sqlite.entry import SqliteFields, check_path
from moonq.kinds.store import StoreKind
from moonq.registry.common import Config
from moonq.registry.draft import Draft, Drafts
from moonq.registry.fields import FilePath, SizeOrNone, bytes_between
from moonq.registry.project import Entry
from moonq.run.parts import Parts
from moonq.run.stores.base import Store
from moonq.text.findings import Finding, error


class Sqlite(Config):
    """`store.sqlite`: keys and values in a file, which several stores and hosts may share."""

    example: ClassVar[str] = """\
name: seen
kind: store.sqlite
path: .moonq/seen.db
"""

    is_service: ClassVar[bool] = True

    path: Annotated[FilePath, check_path] = Field(
        ".moonq/stores.db", description="The file, seen from the project's folder."
    )
    durability: Literal["full", "normal"] = Field(
        "full", description="`normal` is faster; it survives a kill, but perhaps not a power cut."
    )
    max_bytes: Annotated[SizeOrNone, bytes_between(1024, 1024**4)] = Field(
        None, description="What keys and values may weigh in all; unset: no bound."
    )


class SqliteStoreKind(StoreKind):
    """Its file is nobody else's."""

    def finish(self, mine: Iterable[Draft], drafts: Drafts) -> list[Finding]:
        """Find files that a driver keeps its messages in."""
        taken = {
            other.config.path: other.id
            for other in drafts.values()
            if isinstance(other.config, SqliteFields)
        }
        return [
            _taken(draft, taken[draft.config.path])
            for draft in mine
            if isinstance(draft.config, Sqlite) and draft.config.path in taken
        ]


def _taken(draft: Draft, owner: str) -> Finding:
    return error(
        "R227",
        f"this is the file of `{owner}`",
        draft.span_of("path", label="messages lie there"),
        help="give the store a file of its own, or leave `path` out",
    )


def _make(parts: Parts, entry: Entry) -> Store:
    from moonq.run.stores.sqlite import SqliteStore

    fields = entry.fields(Sqlite)
    path = parts.project.root / fields.path
    return SqliteStore(entry.id, parts.clock, path, fields.max_bytes, fields.durability)


KIND = SqliteStoreKind("store.sqlite", Sqlite, _make, aliases={"kv": "Keys and values in a file"})
