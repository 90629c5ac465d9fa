"""Makes an SQLite database of a schema file, which is the project's own and may say anything."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from contextlib import closing, suppress
from pathlib import Path

from moonq.databases.faults import Failed, away


def fill(file: Path, schema: Path | None) -> None:
    """Make *file* with the tables of *schema*, unless it is there; it is there whole or not at all.

    Raises:
        Failed: The schema is none, or the file cannot be made.
    """
    if file.exists():
        return
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
        os.close(handle)
    except OSError as problem:
        raise away(f"{file} cannot be made: {problem.strerror}") from None
    made = Path(name)
    try:
        _run(made, schema)
        # Not over one that another process has made meanwhile.
        with suppress(FileExistsError):
            os.link(made, file)
    except OSError as problem:
        raise away(f"{file} cannot be made: {problem.strerror}") from None
    finally:
        for suffix in ("", "-wal", "-shm", "-journal"):
            Path(f"{name}{suffix}").unlink(missing_ok=True)


def _run(file: Path, schema: Path | None) -> None:
    text = schema_text(schema) if schema else ""
    with closing(sqlite3.connect(file)) as connection:
        try:
            connection.executescript(text)
        except sqlite3.Error as problem:
            shown = schema.name if schema else ""
            raise Failed("INVALID", f"{shown} is no schema for SQLite: {problem}") from None


def schema_text(schema: Path) -> str:
    """Return what a schema file says.

    Raises:
        Failed: It cannot be read.
    """
    try:
        return schema.read_text("utf-8")
    except OSError as problem:
        raise Failed("NOT_FOUND", f"{schema.name}: {problem.strerror}") from None
    except UnicodeDecodeError as problem:
        raise Failed("INVALID", f"{schema.name} is no UTF-8 at byte {problem.start + 1}") from None
