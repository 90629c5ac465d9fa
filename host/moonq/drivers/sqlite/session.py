"""One process's standing at the file: alive for as long as it holds its lock.

A session's row says that it may hold messages; the lock on `<file>.s<id>` proves that its process
lives. The system takes the lock away with the process, whatever ended it, so the
process that gets the lock has the proof of death, and no clock is asked.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from pathlib import Path


class Session:
    """A number of our own in the file, and the lock that says we live."""

    def __init__(self, path: Path, number: int) -> None:
        self.number = number
        self._handle = os.open(_file(path, number), os.O_RDWR | os.O_CREAT, 0o644)
        fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def __del__(self) -> None:
        """Let the lock go with the object, as it goes with the process."""
        if hasattr(self, "_handle"):
            os.close(self._handle)


def resume(connection: sqlite3.Connection, path: Path, mine: Session | None, now: float) -> Session:
    """Go on with the session that still holds messages, or make one; in the caller's transaction.

    No other process sees its row before the commit, and by then the lock is held.
    """
    if mine is not None and mine.number in others(connection, 0):
        return mine
    cursor = connection.execute("INSERT INTO session(pid, began) VALUES(?, ?)", (os.getpid(), now))
    assert cursor.lastrowid is not None
    return Session(path, cursor.lastrowid)


def others(connection: sqlite3.Connection, mine: int) -> list[int]:
    """Return the sessions that are not *mine*."""
    return [row[0] for row in connection.execute("SELECT id FROM session WHERE id <> ?", (mine,))]


def is_dead(path: Path, number: int) -> bool:
    """Whether no process holds the session's lock."""
    try:
        handle = os.open(_file(path, number), os.O_RDWR)
    except FileNotFoundError:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    else:
        return True
    finally:
        os.close(handle)


def clear(path: Path, number: int) -> None:
    """Remove what a session that has ended leaves in the folder."""
    _file(path, number).unlink(missing_ok=True)


def _file(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.s{number}")
