"""Looks at a file from outside: what lies in it, how large it is and why; and makes it anew.

A look changes nothing, not even the time of a file, and works beside a running host.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from moonq.drivers.descriptors import Resting
from moonq.drivers.sqlite.census import unserved
from moonq.drivers.sqlite.file import meaning, open_writer, refuse_folder, speaking_of
from moonq.drivers.sqlite.schema import check_owner
from moonq.drivers.sqlite.session import is_dead
from moonq.drivers.sqlite.shrinking import KEPT
from moonq.errors import Conflict
from moonq.text.wording import size

#: Queues that are named with their bytes.
NAMED = 5
_BY_QUEUE = (
    "SELECT name, sum(length(body)) AS bytes FROM msg JOIN queue ON queue.id = msg.q"
    " GROUP BY q ORDER BY bytes DESC LIMIT ?"
)


def rest(path: Path) -> Resting | None:
    """Return what lies in the file; None: there is none.

    Raises:
        MoonqError: It cannot be read, or is another program's.
    """
    with speaking_of(path):
        try:
            path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
    refuse_folder(path)
    with _reading(path) as connection:
        check_owner(connection, str(path))
        if _pragma(connection, "user_version") == 0:
            return Resting({}, _size(path))
        parts = _parts(connection, path)
        notes = tuple(_notes(connection, parts))
        return Resting(unserved(connection, path), sum(map(_size, _files(path))), parts, notes)


def compact(path: Path) -> None:
    """Make the file anew without its free pages, able to shrink from now on.

    Raises:
        Conflict: A host has it open.
        MoonqError: It cannot be done, for want of room perhaps; the file is as it was.
    """
    with closing(open_writer(path)) as connection:
        sessions = [number for (number,) in connection.execute("SELECT id FROM session")]
        if any(not is_dead(path, number) for number in sessions):
            raise Conflict(f"{path} is in use by a host", hint="stop it first: `moonq stop`")
        try:
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        except sqlite3.Error as error:
            raise meaning(error, path) from None


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    # Without a log nobody has it open; to make one for a look would be to write.
    mode = "mode=ro" if _size(_beside(path, "-wal")) else "mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?{mode}", uri=True)) as connection:
            yield connection
    except sqlite3.Error as error:
        raise meaning(error, path) from None


def _parts(connection: sqlite3.Connection, path: Path) -> Mapping[str, int]:
    page = _pragma(connection, "page_size")
    free = _pragma(connection, "freelist_count") * page
    bodies = dict(connection.execute(_BY_QUEUE, (NAMED,)))
    used = _pragma(connection, "page_count") * page - free
    found = {
        **{f"bodies in {name}": count for name, count in bodies.items()},
        "the rest of messages, indexes": max(0, used - sum(bodies.values())),
        "free pages": free,
        "write-ahead log": _size(_beside(path, "-wal")),
        "ballast": _size(_beside(path, ".ballast")),
    }
    return {name: count for name, count in found.items() if count}


def _notes(connection: sqlite3.Connection, parts: Mapping[str, int]) -> Iterator[str]:
    free = parts.get("free pages", 0)
    if _pragma(connection, "auto_vacuum") == 0:
        yield (
            "the file keeps its size, for an earlier moonq made it: stop the host and make it anew"
            " with --compact"
        )
    elif free > KEPT * _pragma(connection, "page_size"):
        yield (
            f"{size(free)} are free for messages to come, and given back to the disk while"
            " nobody publishes"
        )


def _files(path: Path) -> Iterator[Path]:
    yield path
    yield from (_beside(path, suffix) for suffix in ("-wal", "-shm", ".ballast"))


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])
