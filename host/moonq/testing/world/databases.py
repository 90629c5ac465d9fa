"""Databases of tests: shut, or empty ones that the project's own schema file makes."""

from __future__ import annotations

import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import NoReturn

from moonq.databases.address import Address
from moonq.databases.database import Database
from moonq.databases.faults import Failed
from moonq.databases.filling import fill, schema_text
from moonq.kinds.database import SqlDatabase, schema_of
from moonq.registry.project import Entry, Project


class ShutDatabase(Database):
    """One that a test has not opened."""

    is_shut = True

    def __init__(self, entry: Entry) -> None:
        self._id = entry.id

    def session(self, *, reads_only: bool) -> NoReturn:
        """Refuse, and say what to write."""
        raise Failed(
            "PERMISSION_DENIED",
            f"{self._id} is shut in tests",
            hint=f'write test.sql("{self._id}") for an empty one, or run with --real',
        )

    def close(self) -> None:
        """There is nothing to be closed."""


class EmptyDatabases:
    """The databases that one test has opened."""

    def __init__(self) -> None:
        self._folder: Path | None = None

    def database(self, entry: Entry, project: Project) -> Database:
        """Return one in SQLite, with the tables of the schema and nothing in them.

        Raises:
            Failed: The schema is none, or not for SQLite.
        """
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="moonq-test-"))
        name = f"{entry.id.replace(':', '-').replace('/', '-')}.db"
        (self._folder / name).write_bytes(_emptied(schema_of(entry, project.root)))
        config = entry.fields(SqlDatabase)
        spec = config.spec(entry.id, self._folder)._replace(
            address=Address(f"sqlite:///{name}", "sqlite", name), is_fleeting=True
        )
        return Database(spec)

    def close(self) -> None:
        """Remove them."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


def _emptied(schema: Path | None) -> bytes:
    return _made(schema, schema_text(schema) if schema else "")


@cache
def _made(schema: Path | None, _text: str) -> bytes:
    """Return the file that a schema makes: each test begins with a copy."""
    folder = Path(tempfile.mkdtemp(prefix="moonq-schema-"))
    try:
        fill(folder / "empty.db", schema)
        return (folder / "empty.db").read_bytes()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
