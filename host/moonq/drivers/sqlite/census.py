"""What lies in a file, by queue: those that nobody serves, and what takes the room."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from moonq.drivers.sqlite.session import is_dead

_UNSERVED = (
    "SELECT name, length FROM queue WHERE length > 0 AND id NOT IN"
    " (SELECT q FROM seat WHERE n > 0 AND sess IN (SELECT value FROM json_each(?))) ORDER BY name"
)


def unserved(connection: sqlite3.Connection, path: Path) -> dict[str, int]:
    """Return how many messages lie in each queue that no consumer of a living process serves."""
    sessions = [number for (number,) in connection.execute("SELECT id FROM session")]
    living = [number for number in sessions if not is_dead(path, number)]
    return dict(connection.execute(_UNSERVED, (str(living),)))
