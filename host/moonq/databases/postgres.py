"""PostgreSQL, over libpq as psycopg offers it.

Statements go by the extended protocol, so one call is one statement and parameters never are part
of its text; rows come one by one, and a row that is too large is noticed while it arrives.
"""

from __future__ import annotations

import array
import fcntl
import select
import termios
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

from moonq.databases.bounds import Bounds
from moonq.databases.faults import Failed, away, too_slow
from moonq.databases.link import GRACE
from moonq.databases.pgtext import bound, reader
from moonq.databases.sqlstate import meaning_of
from moonq.databases.statement import Statement
from moonq.databases.wire import Result, Value
from moonq.text.extras import client

#: Seconds between two looks whether the statement was stopped.
_LOOK = 0.05
#: Bytes that may lie unread in the system beside the row that is waited for.
_BACKLOG = 8 * 1024 * 1024
#: Undoes what a use may have left behind, in one go.
_TIDY = (
    "ROLLBACK; RESET ALL; CLOSE ALL; UNLISTEN *; DEALLOCATE ALL;"
    " SELECT pg_advisory_unlock_all(); DISCARD TEMP"
)
_LEVELS = {
    "": "",
    "read_committed": " ISOLATION LEVEL READ COMMITTED",
    "repeatable_read": " ISOLATION LEVEL REPEATABLE READ",
    "serializable": " ISOLATION LEVEL SERIALIZABLE",
}


class Postgres:
    """See `Make`; *arguments* are those of `psycopg.connect`, *timeout* is that of statements."""

    def __init__(self, arguments: Mapping[str, Any], *, timeout: float, reads_only: bool) -> None:
        settings = {
            "statement_timeout": f"{timeout * 1000:.0f}",
            "datestyle": "ISO",
            "intervalstyle": "iso_8601",
            "timezone": "UTC",
            "bytea_output": "hex",
            "extra_float_digits": "1",
            "standard_conforming_strings": "on",
            "default_transaction_read_only": "on" if reads_only else "off",
        }
        told = " ".join(f"-c {name}={value}" for name, value in settings.items())
        given = arguments.get("options", "")
        self._arguments = {
            "client_encoding": "utf8",
            "application_name": "moonq",
            **arguments,
            "options": f"{given} {told}".strip(),
        }

    def connect(self, seconds: float, *, reads_only: bool) -> Any:
        """Connect: one connection is for both. The client takes whole seconds, two at least."""
        psycopg = client("postgres", "psycopg", "the client for PostgreSQL")
        limit = max(1, round(seconds))
        return psycopg.connect(**{**self._arguments, "connect_timeout": limit}, autocommit=True)

    def link(self, connection: Any) -> PostgresLink:
        """Return what works on a connection."""
        return PostgresLink(connection)

    def meaning(self, problem: Exception) -> Failed:
        """Return why there is no connection."""
        return away(" ".join(str(problem).split()))


class PostgresLink:
    """See `Link`."""

    dialect = "postgres"

    def __init__(self, connection: Any) -> None:
        from psycopg import pq

        self._connection, self._pq = connection, pq
        self._pg = connection.pgconn
        self._poll = select.poll()
        self._poll.register(self._pg.socket, select.POLLIN)
        self._stopped_at: float | None = None
        self._idle = threading.Event()
        self._idle.set()

    def is_fresh(self) -> bool:
        """A server that has hung up has something to be read."""
        return not self._poll.poll(0) and self._pg.status == self._pq.ConnStatus.OK

    def begin(self, bounds: Bounds, *, reads_only: bool, isolation: str) -> None:
        """Begin one; behind a query of ours no statement can make it one for writing."""
        sort = " READ ONLY; SELECT" if reads_only else ""
        self.command(f"BEGIN{_LEVELS[isolation]}{sort}", bounds)

    def command(self, text: str, bounds: Bounds) -> None:
        """Run one of ours, or several."""
        self._idle.clear()
        self._pg.send_query(text.encode())
        for _ in self._results(bounds):
            pass

    def run(self, statement: Statement, values: Mapping[str, Value], bounds: Bounds) -> Result:
        """Run a statement."""
        order = dict.fromkeys(statement.names)
        numbers = {name: f"${number}" for number, name in enumerate(order, 1)}
        out = [statement.parts[0]]
        for name, part in zip(statement.names, statement.parts[1:], strict=True):
            out += (numbers[name], part)
        given = [bound(name, values[name]) for name in order]
        self._pg_send("".join(out).encode(), given, bounds)
        return self._gathered(bounds)

    def _gathered(self, bounds: Bounds) -> Result:
        columns: list[str] = []
        readers: list[Any] = []
        rows: list[list[Value]] = []
        affected = 0
        for result in self._results(bounds):
            if not readers and result.nfields:
                columns = [_name(result.fname(n)) for n in range(result.nfields)]
                readers = [reader(result.ftype(n)) for n in range(result.nfields)]
            for number in range(result.ntuples):
                cells = (result.get_value(number, n) for n in range(len(readers)))
                row = [
                    None if cell is None else read(cell)
                    for read, cell in zip(readers, cells, strict=True)
                ]
                bounds.take(row)
                rows.append(row)
            affected = _affected(result, affected)
        return Result(columns, rows, affected)

    def _pg_send(self, text: bytes, given: list[Any], bounds: Bounds) -> None:
        from psycopg import OperationalError

        self._idle.clear()
        try:
            values = [one.value for one in given]
            types, formats = [one.oid for one in given], [one.format for one in given]
            self._pg.send_query_params(text, values, types, formats)
            self._pg.set_single_row_mode()
            while self._pg.flush():
                self._wait(bounds, select.POLLIN | select.POLLOUT)
                self._pg.consume_input()
        except OperationalError as problem:
            raise self._lost(problem) from None

    def _results(self, bounds: Bounds) -> Iterator[Any]:
        """Yield the results of what was sent; raises what the server refuses, all read then."""
        from psycopg import OperationalError

        status = self._pq.ExecStatus
        refused: Failed | None = None
        try:
            while (result := self._next(bounds)) is not None:
                if result.status in {status.COPY_IN, status.COPY_OUT, status.COPY_BOTH}:
                    hint = "read rows with SELECT, write them with INSERT"
                    raise Failed("INVALID", "COPY is not for statements", hint=hint, ends=True)
                if result.status in {status.FATAL_ERROR, status.BAD_RESPONSE}:
                    refused = meaning_of(result, self._pq.DiagnosticField, self._is_stopped)
                elif refused is None:
                    yield result
        except OperationalError as problem:
            raise self._lost(problem) from None
        self._idle.set()
        if refused is not None:
            raise refused

    def _next(self, bounds: Bounds) -> Any:
        """Wait for one result, which with rows has one of them."""
        received = 0
        while self._pg.is_busy():
            self._wait(bounds, select.POLLIN)
            received += _pending(self._pg.socket)
            if received > bounds.max_bytes + _BACKLOG:
                raise bounds.too_large()
            self._pg.consume_input()
        return self._pg.get_result()

    def _wait(self, bounds: Bounds, what: int) -> None:
        self._poll.modify(self._pg.socket, what)
        while not self._poll.poll(_LOOK * 1000):
            since = self._stopped_at
            if since is not None and time.monotonic() > since + 2 * GRACE:
                raise too_slow("it was stopped, and the server did not hear of it")
            # The server ends it itself; this is for one that has fallen silent.
            if time.monotonic() > bounds.deadline + 2 * GRACE:
                raise too_slow("the server does not answer")

    @property
    def _is_stopped(self) -> bool:
        return self._stopped_at is not None

    def _lost(self, problem: Exception) -> Failed:
        words = " ".join(str(problem).split())
        return too_slow(words) if self._is_stopped else away(words)

    def in_transaction(self, *, reads_only: bool) -> bool:
        """Whether it is in a transaction, a failed one too."""
        state = self._pq.TransactionStatus
        return self._pg.transaction_status in {state.INTRANS, state.INERROR}

    def tidy(self) -> bool:
        """Roll back, and let go of what a session keeps: settings, locks, cursors, tables."""
        if self._is_stopped or not self._idle.is_set():
            return False
        bounds = Bounds(10, 10_000, GRACE)
        try:
            self.command(_TIDY, bounds)
        except Failed:
            return False
        return not self.in_transaction(reads_only=False)

    def stop(self) -> None:
        """Ask the server to cancel; `_wait` gives up on one that does not hear of it."""
        self._stopped_at = time.monotonic()
        if not self._idle.is_set():
            self._connection.cancel_safe(timeout=GRACE)

    def about(self) -> tuple[str, list[str]]:
        """Say which PostgreSQL it is, and what it lets us do that it better did not."""
        row = self._connection.execute(
            "SELECT current_setting('server_version'), current_user::text,"
            " current_database()::text, current_setting('is_superuser') = 'on'"
            " OR pg_has_role('pg_execute_server_program', 'MEMBER')"
            " OR pg_has_role('pg_write_server_files', 'MEMBER')"
            " OR pg_has_role('pg_read_server_files', 'MEMBER')"
        ).fetchone()
        version, user, database, is_mighty = row
        note = (
            f"{user} may read files of the server or run programs there; give moonq a lesser role"
        )
        return f"PostgreSQL {version} as {user} at {database}", [note] if is_mighty else []


def _affected(result: Any, before: int) -> int:
    tag = (result.command_status or b"").split()
    changes = tag[:1] in ([b"INSERT"], [b"UPDATE"], [b"DELETE"], [b"MERGE"])
    return result.command_tuples or 0 if changes else before


def _name(name: bytes | None) -> str:
    return (name or b"").decode("utf-8", "replace")


def _pending(socket: int) -> int:
    """Return how many bytes have arrived and were not read yet."""
    count = array.array("i", [0])
    fcntl.ioctl(socket, termios.FIONREAD, count)
    return count[0]
