"""One process's standing at the file: alive for as long as it holds its lock.

A session's row says that it may hold messages; the lock on `<file>.s<id>` proves that its process
lives. The system takes the lock away with the process, whatever ended it, so the
process that gets the lock has the proof of death, and no clock is asked. In the locked file stands
what its host is called, and on which machine it runs.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import sqlite3
from pathlib import Path

from moonq.drivers.base import machine
from moonq.drivers.sqlite.times import FileTime
from moonq.private import FILE


class Session:
    """A number of our own in the file, and the lock that says we live."""

    def __init__(self, path: Path, number: int) -> None:
        self.number = number
        self._handle = os.open(_file(path, number), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE)
        fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def introduce(self, name: str) -> None:
        """Say what the host is called; a full disk is no reason not to run."""
        text = json.dumps({"name": name, "machine": machine()}).encode()
        with contextlib.suppress(OSError):
            os.pwrite(self._handle, text, 0)
            os.ftruncate(self._handle, len(text))

    def is_in_place(self, path: Path) -> bool:
        """Whether the locked file is where others look for it."""
        try:
            return os.path.samestat(_file(path, self.number).stat(), os.fstat(self._handle))
        except OSError:
            return False

    def renew(self, path: Path) -> None:
        """Make the locked file anew: it was deleted with the folder."""
        before, text = self._handle, os.pread(self._handle, 1 << 16, 0)
        self._handle = os.open(_file(path, self.number), os.O_RDWR | os.O_CREAT, FILE)
        os.close(before)
        fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with contextlib.suppress(OSError):
            os.pwrite(self._handle, text, 0)

    def __del__(self) -> None:
        """Let the lock go with the object, as it goes with the process."""
        if hasattr(self, "_handle"):
            os.close(self._handle)


def resume(
    connection: sqlite3.Connection, path: Path, mine: Session | None, time: FileTime
) -> Session:
    """Go on with the session that still holds messages, or make one; in the caller's transaction.

    No other process sees its row before the commit, and by then the lock is held.
    """
    time.begin(_newest(connection), _neighbour(connection, path, mine))
    if mine is not None and mine.number in others(connection, 0):
        connection.execute("UPDATE session SET zero = ? WHERE id = ?", (time.zero, mine.number))
        return mine
    cursor = connection.execute(
        "INSERT INTO session(pid, began, zero) VALUES(?, ?, ?)",
        (os.getpid(), time.now(), time.zero),
    )
    assert cursor.lastrowid is not None
    return Session(path, cursor.lastrowid)


def _newest(connection: sqlite3.Connection) -> float:
    """Return the newest moment in the file: it is written down each second, a row's at once."""
    (written,) = connection.execute("SELECT newest FROM moment").fetchone()
    row = connection.execute("SELECT pos FROM msg ORDER BY id DESC LIMIT 1").fetchone()
    return max(float(written), float(row[0]) if row else 0.0)


def _neighbour(connection: sqlite3.Connection, path: Path, mine: Session | None) -> float | None:
    """Return the `zero` of a process that has the file open: all go by the same time."""
    number = mine.number if mine is not None else 0
    sql = "SELECT id, zero FROM session WHERE id <> ? AND zero IS NOT NULL ORDER BY id"
    zeros = (zero for other, zero in connection.execute(sql, (number,)) if not is_dead(path, other))
    return next(zeros, None)


def others(connection: sqlite3.Connection, mine: int) -> list[int]:
    """Return the sessions that are not *mine*."""
    return [row[0] for row in connection.execute("SELECT id FROM session WHERE id <> ?", (mine,))]


def has_lock(path: Path, number: int) -> bool:
    """Whether the session's locked file is there; a process that dies leaves it."""
    return _file(path, number).exists()


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


def introduction(path: Path, number: int) -> tuple[str, str]:
    """Return what a session's host is called, and its machine; one that says nothing is on ours."""
    try:
        told = json.loads(_file(path, number).read_bytes())
        return str(told["name"]), str(told["machine"])
    except (OSError, ValueError, KeyError, TypeError):
        return "", machine()


def clear(path: Path, number: int) -> None:
    """Remove what a session that has ended leaves in the folder."""
    _file(path, number).unlink(missing_ok=True)


def _file(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.s{number}")
