"""A look at a queue of the SQLite driver that changes nothing, through its own connection."""

# ruff: noqa: S608 - what is put into statements are our own names and numbers
from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from moonq.drivers import paging
from moonq.drivers.base import Peer
from moonq.drivers.buffered import BufferedQueue
from moonq.drivers.sqlite import rows as sqlite_rows
from moonq.drivers.sqlite.census import peers, unserved
from moonq.drivers.sqlite.file import identity, meaning, open_reader
from moonq.drivers.sqlite.heads import OLDEST
from moonq.drivers.sqlite.line import sections, unclaimed
from moonq.drivers.sqlite.rows import MESSAGE
from moonq.drivers.sqlite.schema import LEASED, RUNNING, STATES
from moonq.drivers.sqlite.times import FileTime
from moonq.drivers.story import errors
from moonq.model import MessageState, Page, QueueInfo, Stored

_HELD = (
    "SELECT state, count(*) FROM msg INDEXED BY msg_held"
    " WHERE q = ? AND sess IS NOT NULL GROUP BY state"
)
_DELAYED = "SELECT count(*) FROM msg WHERE q = ? AND due IS NOT NULL"
_SEATS = "SELECT coalesce(sum(n), 0) FROM seat WHERE q = ?"
_DEAD = "SELECT count(*) FROM msg WHERE q = ? AND origin = ?"
_ONE = f"SELECT state, att, lost, due, errs, exp, snz, lost_at, {MESSAGE} FROM msg WHERE id = ?"
_WAITING = "SELECT id FROM msg WHERE id > ? AND q = ? AND sess IS NULL ORDER BY id LIMIT ?"
_ROW = "SELECT id, grp, origin FROM msg WHERE id = ?"
_NAMED = (
    "SELECT id, grp, origin FROM msg WHERE q = ?1 AND sess IS NULL AND"
    " (id IN (SELECT value FROM json_each(?2)) OR mid IN (SELECT value FROM json_each(?3)))"
    " ORDER BY id"
)


class View:
    """See the module."""

    def __init__(self, path: Path, time: FileTime) -> None:
        self._path = path
        self._time = time
        self._lock = threading.Lock()
        self._connection = open_reader(path)
        self._opened = identity(path)

    def close(self) -> None:
        """Give the connection back."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def away(self) -> Iterator[None]:
        """Let go of the file while another is put in its place; looks wait for that."""
        with self._lock:
            self._connection.close()
            yield
            self._connection = open_reader(self._path)
            self._opened = identity(self._path)

    @contextmanager
    def _looking(self) -> Iterator[sqlite3.Connection]:
        """One moment of the file, whatever others write meanwhile."""
        with self._lock:
            try:
                self._connection.execute("BEGIN")
                yield self._connection
            except sqlite3.Error as error:
                raise meaning(error, self._path, self._opened) from None
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    def info(self, queue: BufferedQueue, now: float) -> QueueInfo:
        """Count the messages of *queue* by state."""
        number = queue.number
        with self._looking() as connection:

            def one(sql: str, *values: Any) -> Any:
                return connection.execute(sql, values).fetchone()[0]

            look = "SELECT length, paused, bytes, dead_bytes FROM queue WHERE id = ?"
            length, paused, weight, dead_weight = connection.execute(look, (number,)).fetchone()
            held = dict(connection.execute(_HELD, (number,)))
            delayed = one(_DELAYED, number)
            oldest = one(OLDEST, number)
            return QueueInfo(
                ready=length - delayed - sum(held.values()),
                delayed=delayed,
                leased=held.get(LEASED, 0),
                running=held.get(RUNNING, 0),
                dead=one(_DEAD, queue.dead.number, number) if queue.dead else 0,
                consumer_count=one(_SEATS, number),
                oldest_age=None if oldest is None else max(0.0, now - oldest),
                paused=bool(paused),
                bytes=weight + dead_weight,
                dead_bytes=dead_weight,
            )

    def peek(
        self, queue: BufferedQueue, limit: int, cursor: str, state: MessageState | None
    ) -> Page:
        """Show up to *limit* messages from where *cursor* says."""
        with self._looking() as connection:
            rows, show = sections(connection, queue), partial(_stored, connection, self._time)
            return paging.peek(queue.spec.name, rows, limit, cursor, state, show)

    def find(self, queue: BufferedQueue, message_id: str) -> Stored | None:
        """Show one message."""
        sql = (
            "SELECT id FROM msg INDEXED BY msg_mid WHERE q = ? AND mid = ?"
            " ORDER BY state DESC, id LIMIT 1"
        )
        with self._looking() as connection:
            row = connection.execute(sql, (queue.number, message_id)).fetchone()
            return None if row is None else _stored(connection, self._time, row[0])

    def unclaimed(
        self, queue: BufferedQueue, ids: Sequence[str | int] | None
    ) -> list[tuple[int, str | None, int | None]]:
        """Row, group and origin of those of *ids*, or all, that are not leased, in order."""
        with self._looking() as connection:
            if ids is None:
                rows = paging.every(unclaimed(connection, queue))
                return [connection.execute(_ROW, (row,)).fetchone() for row in rows]
            numbers = json.dumps([one for one in ids if not isinstance(one, str)])
            names = json.dumps([one for one in ids if isinstance(one, str)])
            return connection.execute(_NAMED, (queue.number, numbers, names)).fetchall()

    def waiting(self, queue: BufferedQueue, limit: int, after: int) -> list[Stored]:
        """Show up to *limit* messages that are not leased, by number, behind *after*."""
        with self._looking() as connection:
            rows = connection.execute(_WAITING, (after, queue.number, limit)).fetchall()
            return [_stored(connection, self._time, row) for (row,) in rows]

    def unserved(self) -> dict[str, int]:
        """Count the messages of queues that no consumer serves."""
        with self._looking() as connection:
            return unserved(connection, self._path)

    def peers(self) -> list[Peer]:
        """Return who has the file open."""
        with self._looking() as connection:
            found = peers(connection, self._path)
            return [one._replace(since=self._time.wall(one.since)) for one in found]

    def number(self, name: str) -> int | None:
        """Return the number of a queue that is in the file, declared here or not."""
        with self._looking() as connection:
            found = connection.execute("SELECT id FROM queue WHERE name = ?", (name,)).fetchone()
            return None if found is None else int(found[0])


def _stored(connection: sqlite3.Connection, time: FileTime, row: int) -> Stored:
    values = connection.execute(_ONE, (row,)).fetchone()
    state, attempt, lost, due, errs, expires, snoozes, lost_at, *columns = values
    return Stored(
        sqlite_rows.message(columns),
        STATES[state],
        attempt,
        lost,
        time.shown(due),
        errors(errs),
        time.shown(expires),
        row,
        snoozes,
        time.shown(lost_at),
    )
