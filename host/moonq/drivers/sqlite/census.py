"""Who has a file open, and what lies in it by queue that nobody serves."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from moonq.drivers.base import Peer
from moonq.drivers.sqlite.session import introduction, is_dead

_UNSERVED = (
    "SELECT name, length FROM queue WHERE length > 0 AND id NOT IN"
    " (SELECT q FROM seat WHERE n > 0 AND sess IN (SELECT value FROM json_each(?))) ORDER BY name"
)
_SESSIONS = (
    "SELECT id, pid, began, (SELECT count(*) FROM msg INDEXED BY msg_held WHERE sess = session.id)"
    " FROM session ORDER BY began, id"
)


def unserved(connection: sqlite3.Connection, path: Path) -> dict[str, int]:
    """Return how many messages lie in each queue that no consumer of a living process serves."""
    living = [number for number, *_ in _living(connection, path)]
    return dict(connection.execute(_UNSERVED, (str(living),)))


def peers(connection: sqlite3.Connection, path: Path) -> list[Peer]:
    """Return the living processes that have the file open; `since` is in the file's own time."""
    return [
        Peer(*introduction(path, number), pid, began, busy)
        for number, pid, began, busy in _living(connection, path)
    ]


def _living(connection: sqlite3.Connection, path: Path) -> Iterator[tuple[int, int, float, int]]:
    for row in connection.execute(_SESSIONS).fetchall():
        if not is_dead(path, row[0]):
            yield row
