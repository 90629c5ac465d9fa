"""Makes a file anew that was deleted while it was open, with all that it held.

Who has a deleted file open can read and write it as before, but nobody else will ever find it. So
what is in it is copied, and the copy put in its place.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path


class Place:
    """Knows whether the file at *path* was deleted since; closing it costs SQLite no lock."""

    def __init__(self, path: Path) -> None:
        self._path = path
        # Where the system has no such handle, a deleted file cannot be told from a moved one.
        flag = getattr(os, "O_PATH", None)
        self._handle = None if flag is None else os.open(path, flag | os.O_CLOEXEC)

    def was_deleted(self) -> bool:
        """Say whether it has no name any more, and its old one nobody else's."""
        if self._handle is None or os.fstat(self._handle).st_nlink:
            return False
        return not os.path.lexists(self._path)

    def close(self) -> None:
        """Look no more."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def copied(connection: sqlite3.Connection, path: Path) -> Path:
    """Return a copy of what *connection* sees, beside *path*, whose folder is made if it is gone.

    Raises:
        OSError: The folder cannot be made.
        sqlite3.Error: The copy cannot be written.
    """
    path.parent.mkdir(0o700, parents=True, exist_ok=True)
    copy = path.with_name(f"{path.name}.restored")
    _remove(copy)
    try:
        os.close(os.open(copy, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with closing(sqlite3.connect(copy)) as target:
            connection.backup(target)
    except BaseException:
        _remove(copy)
        raise
    return copy


def put(copy: Path, path: Path) -> None:
    """Put *copy* in the place of *path*.

    Raises:
        OSError: Somebody else has made a file there, or it is no place for one.
    """
    os.link(copy, path)
    _remove(copy)


def _remove(copy: Path) -> None:
    for end in ("", "-wal", "-shm", "-journal"):
        with suppress(OSError):
            Path(f"{copy}{end}").unlink()
