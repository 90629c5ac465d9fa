"""`sql.database`: a database that scripts reach with the module `sql`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import Field, field_validator, model_validator

from moonq.databases import address
from moonq.databases.database import Database, Spec
from moonq.registry.common import Config
from moonq.registry.draft import Draft, Drafts
from moonq.registry.fields import (
    Flag,
    Limit,
    Size,
    Whole,
    between,
    bytes_between,
    seconds_between,
    wrong,
)
from moonq.registry.project import Entry
from moonq.registry.sources import FILE
from moonq.run.parts import Parts, Renewal, Service, ServiceKind
from moonq.text.findings import Finding, error

KIB, MIB = 1024, 1024**2
#: What SQLite puts beside a file.
_BESIDE = ("", "-journal", "-shm", "-wal")


class SqlDatabase(Config):
    """`sql.database`: a database that scripts reach with the module `sql`."""

    example: ClassVar[str] = """\
name: shop
kind: sql.database
url: sqlite:///shop.db
create: true
schema: file://schema.sql
"""

    is_service: ClassVar[bool] = True

    url: Annotated[str, Field(min_length=1, max_length=4096)] = Field(
        description="Where it is: `sqlite:///shop.db`, `postgresql://user:password@host/shop`."
    )
    pool: Annotated[Whole, between(1, 1000)] = Field(
        5, description="How many connections there are at most."
    )
    read_only: Flag = Field(
        False, description="True: nothing can be changed, and the connection sees to it."
    )
    timeout: Annotated[Limit, seconds_between(0.01, 86_400)] = Field(
        30.0, description="How long one statement may take."
    )
    connect_timeout: Annotated[Limit, seconds_between(1, 600)] = Field(
        5.0, description="How long connecting may take."
    )
    max_rows: Annotated[Whole, between(1, 1_000_000)] = Field(
        10_000, description="How many rows one result may have."
    )
    max_bytes: Annotated[Size, bytes_between(KIB, 3 * MIB)] = Field(
        MIB, description="What one result may weigh."
    )
    schema_file: Annotated[str, Field(max_length=4096)] | None = Field(
        None,
        alias="schema",
        description="SQL that makes the tables of an empty database: `file://schema.sql`.",
    )
    create: Flag = Field(False, description="Whether SQLite makes the file where there is none.")

    @field_validator("url")
    @classmethod
    def _is_known(cls, url: str) -> str:
        try:
            address.parse(url)
        except address.Wrong as problem:
            raise wrong(str(problem), help=problem.help) from None
        return url

    @field_validator("schema_file")
    @classmethod
    def _is_a_file(cls, schema: str | None) -> str | None:
        if schema is not None and not schema.startswith(FILE):
            raise wrong("`schema` must be `file://` and a path", help="write `file://schema.sql`")
        return schema

    @model_validator(mode="after")
    def _only_files_are_made(self) -> SqlDatabase:
        if self.create and not self.url.startswith("sqlite:"):
            raise wrong(
                "`create` is for SQLite, whose database is a file",
                help="make the database at its server, and leave `create` out",
            )
        if self.create and self.read_only:
            raise wrong("`create` makes a file, and `read_only` changes none", help="keep one")
        return self

    def file(self, root: Path) -> Path:
        """Return the file of SQLite's."""
        return address.parse(self.url).file(root)

    def spec(self, id_: str, root: Path) -> Spec:
        """Return what it says of its database."""
        return Spec(
            id_,
            address.parse(self.url),
            root,
            self.pool,
            self.read_only,
            self.timeout,
            self.connect_timeout,
            self.max_rows,
            self.max_bytes,
        )


def schema_of(entry: Entry, root: Path) -> Path | None:
    """Return where the schema of a database is, seen from its YAML file; None without one."""
    schema = entry.fields(SqlDatabase).schema_file
    return _schema(root, entry.place("schema")[0], schema) if schema else None


def _schema(root: Path, file: str, schema: str) -> Path:
    return (root / file).parent / schema.removeprefix(FILE)


class DatabaseKind(ServiceKind):
    """Connections are made when they are first needed, so a database that is away stops no host."""

    def service(self, parts: Parts, entry: Entry) -> Service:
        """Return what makes a database known to scripts."""

        def start() -> None:
            parts.services.databases[entry.id] = parts.new_database(
                entry, lambda: _made(parts, entry)
            )

        def stop(_timeout: float | None) -> None:
            found = parts.services.databases.pop(entry.id, None)
            if found is not None:
                found.close()

        return Service(start, stop, detail=entry.kind)

    def prepare(self, renewal: Renewal, entry: Entry) -> None:
        """Make what has changed; the one that was lives on until its last call is done with it."""
        if renewal.is_new(entry) or _says(renewal.old, entry) != _says(renewal.new, entry):
            renewal.made[entry.id] = _made(renewal.new, entry)

    def switch(self, renewal: Renewal, entry: Entry) -> None:
        """Let scripts have the new one from now on."""
        if entry.id in renewal.made:
            self.remove(renewal, entry)
            renewal.new.services.databases[entry.id] = renewal.made[entry.id]

    def remove(self, renewal: Renewal, entry: Entry) -> None:
        """Close what is idle of it, and the rest when it comes back."""
        found = renewal.old.services.databases.pop(entry.id, None)
        if found is not None:
            found.close()

    def finish(self, mine: Iterable[Draft], drafts: Drafts) -> list[Finding]:
        """Find files that are moonq's own, and schemas that are not there."""
        findings: list[Finding] = []
        root = drafts.root
        taken = dict(_files(drafts, root))
        for draft in mine:
            if isinstance(draft.config, SqlDatabase):
                findings += _own_file(draft, draft.config, root, taken)
                findings += _no_schema(draft, draft.config, root)
        return findings


def _made(parts: Parts, entry: Entry) -> Database:
    config, root = entry.fields(SqlDatabase), parts.project.root
    spec = config.spec(entry.id, root)
    if config.create:
        from moonq.databases.filling import fill

        fill(spec.address.file(root), schema_of(entry, root))
    return Database(spec)


def _says(parts: Parts, entry: Entry) -> Any:
    found = parts.project.entries.get(entry.id)
    return found and found.kind == entry.kind and found.fields(SqlDatabase).model_dump()


def _files(drafts: Drafts, root: Path) -> Iterator[tuple[str, str]]:
    """Yield the files that drivers and stores keep, and whose they are."""
    for draft in drafts.values():
        path = getattr(draft.config, "path", None)
        if draft.kind.startswith(("queue.driver.", "store.")) and isinstance(path, str):
            for suffix in _BESIDE:
                yield os.path.realpath(f"{root / path}{suffix}"), draft.id


def _own_file(
    draft: Draft, config: SqlDatabase, root: Path, taken: dict[str, str]
) -> Iterator[Finding]:
    found = address.parse(config.url)
    if found.make != "sqlite":
        return
    owner = taken.get(os.path.realpath(found.file(root)))
    if owner is not None:
        yield error(
            "R227",
            f"this is the file of `{owner}`",
            draft.span_of("url", label="moonq keeps messages or values there"),
            help="give the database a file of its own",
        )


def _no_schema(draft: Draft, config: SqlDatabase, root: Path) -> Iterator[Finding]:
    if config.schema_file is None:
        return
    path = _schema(root, draft.source_of(draft.node.get("schema")).file, config.schema_file)
    if not path.resolve().is_relative_to(root.resolve()):
        message, help_ = "a schema must lie inside the project", "move the file below the project"
    elif not path.is_file():
        message, help_ = "schema file not found", f"make {os.path.relpath(path, root)}"
    else:
        return
    yield error("P120", message, draft.span_of("schema"), help=help_)


KIND = DatabaseKind(
    "sql.database",
    SqlDatabase,
    aliases={"database": "A database", "sql": "A database"},
)
