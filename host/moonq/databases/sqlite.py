"""SQLite, in a file: connections for reading open it with `mode=ro`."""

from __future__ import annotations

import math
import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

from moonq.databases.bounds import Bounds
from moonq.databases.faults import Failed, ReadsOnly, away, invalid, too_slow
from moonq.databases.statement import Statement
from moonq.databases.walls import Walls
from moonq.databases.wire import Result, Value

#: Seconds between two tries for a lock that another connection has, and two looks at the time.
_BUSY = 0.05
#: Steps of SQLite's machine between two looks whether time is over.
_STEPS = 20_000
_UNIQUE = {
    sqlite3.SQLITE_CONSTRAINT_UNIQUE,
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY,
    sqlite3.SQLITE_CONSTRAINT_ROWID,
}
#: Primary code -> kind, whether trying again can help, whether the connection is of no more use.
_MEANINGS = {
    sqlite3.SQLITE_CONSTRAINT: ("CONFLICT", False, False),
    sqlite3.SQLITE_BUSY: ("CONFLICT", True, False),
    sqlite3.SQLITE_LOCKED: ("CONFLICT", True, False),
    sqlite3.SQLITE_IOERR: ("UNAVAILABLE", True, True),
    sqlite3.SQLITE_FULL: ("UNAVAILABLE", True, True),
    sqlite3.SQLITE_CORRUPT: ("INTERNAL", False, True),
    sqlite3.SQLITE_NOTADB: ("INTERNAL", False, True),
}
#: What is not to cost time or memory that nothing interrupts, as SQLite names it.
_LIMITS = {
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 250,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 200,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 100,
    sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 50,
}
#: How a statement is said to begin a transaction that may write: nobody else does meanwhile.
_WRITES, _READS = "BEGIN IMMEDIATE", "BEGIN"
_INSERTS = {"insert", "replace"}


class Sqlite:
    """See `Make`; *path* is the file, and no row or value has more than *max_bytes*."""

    def __init__(self, path: Path, max_bytes: int, *, is_fleeting: bool = False) -> None:
        self._path, self._max_bytes = path, max_bytes
        self._is_fleeting = is_fleeting
        """Whether nothing of it need outlast the process."""

    def connect(self, _seconds: float = 0.0, *, reads_only: bool) -> sqlite3.Connection:
        """Open the file."""
        mode = "ro" if reads_only else "rw"
        connection = sqlite3.connect(
            f"file:{quote(str(self._path))}?mode={mode}",
            uri=True,
            timeout=_BUSY,
            isolation_level=None,
            check_same_thread=False,
        )
        connection.text_factory = bytes
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA cell_size_check = ON")
        if self._is_fleeting and not reads_only:
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute("PRAGMA journal_mode = MEMORY")
        for limit, most in _LIMITS.items():
            connection.setlimit(limit, most)
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, self._max_bytes + 1024)
        defensive = getattr(sqlite3, "SQLITE_DBCONFIG_DEFENSIVE", None)
        if defensive is not None:  # from Python 3.12 on
            setconfig: Any = getattr(connection, "setconfig")  # noqa: B009 - older ones lack it
            setconfig(defensive, True)
        return connection

    def link(self, connection: Any) -> SqliteLink:
        """Return what works on a connection."""
        return SqliteLink(connection, self)

    def meaning(self, problem: Exception, denied: str = "") -> Failed:
        """Return what *problem* means; *denied* is what the walls have refused."""
        extended = int(getattr(problem, "sqlite_errorcode", 0) or 0)
        code, words = extended & 0xFF, str(problem)
        if code == sqlite3.SQLITE_AUTH or denied:
            return Failed("PERMISSION_DENIED", denied or words)
        if code == sqlite3.SQLITE_READONLY:
            return ReadsOnly(words)
        if code == sqlite3.SQLITE_CANTOPEN:
            return away(f"{self._path}: {words}", "make the file, or write `create: true`")
        if extended in _UNIQUE:
            return Failed("ALREADY_EXISTS", words)
        kind, retryable, ends = _MEANINGS.get(code, ("INVALID", False, False))
        told = f"{self._path}: {words}" if ends else words
        return Failed(kind, told, retryable=retryable, ends=ends)


class SqliteLink:
    """See `Link`."""

    dialect = "sqlite"

    def __init__(self, connection: sqlite3.Connection, make: Sqlite) -> None:
        self._connection, self._make = connection, make
        self._is_stopped, self._deadline = False, float("inf")
        # SQLAlchemy gives every connection a `regexp` of Python's, which nothing could interrupt.
        connection.create_function("regexp", 2, None)
        self._walls = Walls()
        self._walls.bound_functions(connection)
        # Statements that were prepared before are prepared anew, so these hold for all.
        connection.set_authorizer(self._walls.authorize)
        connection.set_progress_handler(self._is_over, _STEPS)

    def is_fresh(self) -> bool:
        """A file does not hang up."""
        return True

    def begin(self, bounds: Bounds, *, reads_only: bool, isolation: str) -> None:
        """Begin one; all of SQLite's are serializable."""
        self.command(_READS if reads_only else _WRITES, bounds)

    def command(self, text: str, bounds: Bounds) -> None:
        """Run one of ours."""
        self._within(bounds, lambda: self._connection.execute(text).close())

    def run(self, statement: Statement, values: Mapping[str, Value], bounds: Bounds) -> Result:
        """Run a statement; values keep the types that SQLite has."""
        text = _named(statement)
        for name, value in values.items():
            _check(name, value)
        result: Result = self._within(bounds, lambda: self._fetch(text, values, bounds))
        if result.affected and statement.first in _INSERTS:
            return result
        # SQLite tells of the last insert on the connection, however long ago.
        return result._replace(last_id=None)

    def _fetch(self, text: str, values: Mapping[str, Value], bounds: Bounds) -> Result:
        self._walls.denied = ""
        with closing(self._connection.cursor()) as cursor:
            cursor.execute(text, values)
            if cursor.description is None:
                return Result((), (), max(0, cursor.rowcount), cursor.lastrowid)
            rows = []
            for row in cursor:
                bounds.take(row)
                rows.append(row)
            columns = [column[0] for column in cursor.description]
            return Result(columns, rows, max(0, cursor.rowcount), cursor.lastrowid)

    def _within(self, bounds: Bounds, work: Callable[[], Any]) -> Any:
        """Do *work*, again while another connection has the file, as long as it may take."""
        self._deadline = bounds.deadline
        try:
            while True:
                try:
                    return work()
                except sqlite3.Error as problem:
                    self._judge(problem)
        finally:
            self._deadline = float("inf")

    def _judge(self, problem: sqlite3.Error) -> None:
        """Raise what *problem* means, unless it is worth another try at once."""
        if self._is_stopped or self._is_late():
            words = "it was stopped" if self._is_stopped else "its time was over"
            raise too_slow(f"{words}: {problem}") from None
        # What writes has begun so, and what reads has read nothing yet: nobody waits for us.
        if int(getattr(problem, "sqlite_errorcode", 0) or 0) & 0xFF == sqlite3.SQLITE_BUSY:
            return
        denied, self._walls.denied = self._walls.denied, ""
        raise self._make.meaning(problem, denied) from None

    def _is_over(self) -> bool:
        return self._is_stopped or self._is_late()

    def _is_late(self) -> bool:
        return time.monotonic() > self._deadline

    def in_transaction(self, *, reads_only: bool) -> bool:
        """Whether it is in a transaction."""
        return self._connection.in_transaction

    def tidy(self) -> bool:
        """Roll back; temporary tables would be there for whoever comes next."""
        if self._is_stopped:
            return False
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        return not self._walls.has_temporary

    def stop(self) -> None:
        """Interrupt it; the progress handler sees to it where nothing runs yet."""
        self._is_stopped = True
        self._connection.interrupt()

    def about(self) -> tuple[str, list[str]]:
        """Say which SQLite it is, having read the file."""
        bounds = Bounds(1, 1000, 5.0)
        self._within(
            bounds,
            lambda: self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone(),
        )
        return f"SQLite {sqlite3.sqlite_version}", []


def _named(statement: Statement) -> str:
    out = [statement.parts[0]]
    for name, part in zip(statement.names, statement.parts[1:], strict=True):
        out += (":", name, part)
    return "".join(out)


def _check(name: str, value: Value) -> None:
    if isinstance(value, list):
        raise invalid(
            f":{name} is a list, which only PostgreSQL takes",
            f"give json.encode(list), and write: IN (SELECT value FROM json_each(:{name}))",  # noqa: S608
        )
    if isinstance(value, float) and math.isnan(value):
        raise invalid(f":{name} is not a number (NaN), which SQLite cannot keep")
