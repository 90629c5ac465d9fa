"""Gives pages in which nothing lies back to the disk, a few at a time while nobody waits."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable

#: Pages that are left in the file for the next messages: to grow costs more than to reuse.
KEPT = 1024
#: Pages of one step, and real seconds of all steps in a round.
STEP, SHARE = 64, 0.1
_INCREMENTAL = 2


def spare_bytes(connection: sqlite3.Connection) -> int:
    """Return how many bytes of the file are free for messages to come."""
    return _pragma(connection, "freelist_count") * _pragma(connection, "page_size")


def shrink(connection: sqlite3.Connection, kept: int, is_wanted: Callable[[], bool]) -> None:
    """Give pages back but for *kept*: one step of them, more if *is_wanted* says that nobody waits.

    A file from before version 3 cannot shrink until it is made anew; see `compacting`.
    """
    if _pragma(connection, "auto_vacuum") != _INCREMENTAL:
        return
    spare = _pragma(connection, "freelist_count") - kept
    give_up = time.monotonic() + SHARE
    # A full disk may have no room for the log; a neighbour may hold the file. Then later.
    with contextlib.suppress(sqlite3.OperationalError):
        while spare > 0:
            # As a script: each page is a row without columns, of which `execute` takes one only.
            connection.executescript(f"PRAGMA incremental_vacuum({min(STEP, spare)})")
            spare -= STEP
            if time.monotonic() > give_up or not is_wanted():
                break
        else:
            # The file gets shorter when the log is taken into it.
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])
