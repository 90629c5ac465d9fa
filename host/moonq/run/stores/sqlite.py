"""Values by key in one file of this machine, which several hosts may share."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path
from typing import Literal

from moonq import private
from moonq.clock import Clock
from moonq.drivers.sqlite.file import speaking_of
from moonq.errors import Conflict
from moonq.run.stores.base import MAX_LISTED, added, check, full, is_same, no_room, size

#: "mqst": whose file it is.
APPLICATION = 0x6D717374
#: Seconds that a call waits for another process.
PATIENCE = 2.0
#: Values that are over, removed at each write.
_SWEEP = 50
_SCHEMA = """
CREATE TABLE IF NOT EXISTS item(
  store TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, until REAL, size INTEGER NOT NULL,
  PRIMARY KEY(store, key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS item_until ON item(store, until) WHERE until IS NOT NULL;
CREATE TABLE IF NOT EXISTS held(store TEXT PRIMARY KEY, bytes INTEGER NOT NULL) WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS item_in AFTER INSERT ON item BEGIN
  INSERT INTO held VALUES(new.store, new.size)
    ON CONFLICT(store) DO UPDATE SET bytes = bytes + new.size;
END;
CREATE TRIGGER IF NOT EXISTS item_out AFTER DELETE ON item BEGIN
  UPDATE held SET bytes = bytes - old.size WHERE store = old.store;
END;
"""


class SqliteStore:
    """JSON texts by key in the table of a file; each change is on the disk when it returns."""

    is_quick = False

    def __init__(
        self,
        store_id: str,
        clock: Clock,
        path: Path,
        max_bytes: int | None,
        durability: Literal["full", "normal"] = "full",
    ) -> None:
        """Open the file, made where it is not there.

        Raises:
            Conflict: It is another program's.
            Unavailable: It cannot be made or written.
        """
        self.id = store_id
        self.max_bytes = max_bytes
        self._clock = clock
        self._path = path
        self._lock = threading.Lock()
        with speaking_of(path):
            self._connection = _opened(path, durability)

    def get(self, key: str) -> bytes | None:
        """Return the value, or None when there is none or it is over."""
        with self._lock, speaking_of(self._path):
            return self._value(key)

    def set(self, key: str, value: bytes, ttl: float | None) -> None:
        """Keep *value* for *ttl* seconds, or for good.

        Raises:
            Invalid: The key or the value is too large.
            QueueFull: The store holds as many bytes as it may.
        """
        with self._writing():
            self._put(key, value, self._until(ttl))

    def delete(self, key: str) -> bool:
        """Forget a key; False when there was none."""
        with self._writing():
            found = self._value(key) is not None
            self._forget(key)
        return found

    def cas(self, key: str, expected: bytes | None, value: bytes | None, ttl: float | None) -> bool:
        """Set *value* if the key has the value *expected*, in one step; None stands for none."""
        with self._writing():
            if not is_same(self._value(key), expected):
                return False
            if value is None:
                self._forget(key)
            else:
                self._put(key, value, self._until(ttl))
        return True

    def keys(self, prefix: str, after: str = "", limit: int = MAX_LISTED) -> list[str]:
        """Return the first *limit* keys behind *after* that begin with *prefix*, sorted."""
        sql = (
            "SELECT key FROM item WHERE store = ? AND key >= ? AND key > ?"
            " AND (until IS NULL OR until > ?) ORDER BY key LIMIT ?"
        )
        what = (self.id, prefix, after, self._clock.now(), limit)
        with self._lock, speaking_of(self._path):
            keys = (row[0] for row in self._connection.execute(sql, what))
            # Sorted as they are, those with the prefix come first.
            return list(takewhile(lambda key: key.startswith(prefix), keys))

    def incr(self, key: str, by: float, ttl: float | None) -> int | float:
        """Add to a number, atomically; a missing one is 0, and then the ttl counts.

        Raises:
            Invalid: The value or *by* is not a finite number, or the sum is none that fits.
        """
        with self._writing():
            row = self._row(key)
            total = added(self.id, key, row[0] if row else None, by)
            self._put(key, repr(total).encode(), row[1] if row else self._until(ttl))
        return total

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    # Inside a transaction ------------------------------------------------------------------------

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._lock, speaking_of(self._path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                self._sweep()
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def _row(self, key: str) -> tuple[bytes, float | None] | None:
        sql = (
            "SELECT value, until FROM item WHERE store = ? AND key = ?"
            " AND (until IS NULL OR until > ?)"
        )
        row = self._connection.execute(sql, (self.id, key, self._clock.now())).fetchone()
        return (bytes(row[0]), row[1]) if row else None

    def _value(self, key: str) -> bytes | None:
        row = self._row(key)
        return row[0] if row else None

    def _put(self, key: str, value: bytes, until: float | None) -> None:
        check(self.id, key, value)
        self._forget(key)
        wanted = size(key, value)
        if self.max_bytes is not None and self._held() + wanted > self.max_bytes:
            self._sweep(-1)
            held = self._held()
            if held + wanted > self.max_bytes:
                raise full(self.id, no_room(wanted, held, self.max_bytes))
        what = (self.id, key, value, until, wanted)
        self._connection.execute("INSERT INTO item VALUES(?, ?, ?, ?, ?)", what)

    def _held(self) -> int:
        sql = "SELECT bytes FROM held WHERE store = ?"
        row = self._connection.execute(sql, (self.id,)).fetchone()
        return int(row[0]) if row else 0

    def _forget(self, key: str) -> None:
        self._connection.execute("DELETE FROM item WHERE store = ? AND key = ?", (self.id, key))

    def _sweep(self, most: int = _SWEEP) -> None:
        """Remove values that are over: so many, or all."""
        sql = (
            "DELETE FROM item WHERE store = ? AND key IN"
            " (SELECT key FROM item WHERE store = ? AND until <= ? LIMIT ?)"
        )
        self._connection.execute(sql, (self.id, self.id, self._clock.now(), most))

    def _until(self, ttl: float | None) -> float | None:
        return None if ttl is None else self._clock.now() + ttl


def _opened(path: Path, durability: str) -> sqlite3.Connection:
    private.folder(path.parent)
    # SQLite's other files have the mode of this one.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, private.FILE))
    connection = sqlite3.connect(
        path, timeout=PATIENCE, isolation_level=None, check_same_thread=False
    )
    try:
        _check_owner(connection, path)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {durability}")
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT;")
    except BaseException:
        connection.close()
        raise
    return connection


def _check_owner(connection: sqlite3.Connection, path: Path) -> None:
    (owner,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if owner != APPLICATION and tables:
        raise Conflict(
            f"{path} is another program's database", hint="give the store a `path` of its own"
        )
