"""MariaDB and MySQL, over PyMySQL. Rows come one by one; `max_allowed_packet` bounds each."""

from __future__ import annotations

import contextlib
import math
import socket
import threading
from collections.abc import Mapping
from typing import Any

from moonq.databases.bounds import Bounds
from moonq.databases.faults import Failed, ReadsOnly, away, invalid, too_slow
from moonq.databases.link import GRACE
from moonq.databases.statement import Statement
from moonq.databases.wire import Result, Value
from moonq.text.extras import client

#: What the server says of its state, in every answer without rows.
_IN_TRANSACTION, _NO_BACKSLASHES, _IN_READING = 1, 512, 8192
#: Settings, variables, tables and locks of a session are forgotten: COM_RESET_CONNECTION.
_RESET = 0x1F
_LEVELS = {
    "read_committed": "READ COMMITTED",
    "repeatable_read": "REPEATABLE READ",
    "serializable": "SERIALIZABLE",
}
_CHANGES = {"delete", "insert", "load", "replace", "update", "with"}
#: What a transaction that reads may begin with. MariaDB commits one for whatever changes tables,
#: and runs that; and compound statements may say that the next one is for writing.
_LOOKS = {"checksum", "desc", "describe", "explain", "help", "select", "show", "values", "with"}
_UNIQUE = {1062, 1169, 1586}
_BROKEN_RULE = {1048, 1216, 1217, 1364, 1451, 1452, 1557, 1761, 1762, 3819, 4025}
_WORTH_AGAIN = {1020, 1205, 1213}
_FORBIDDEN = {1044, 1045, 1142, 1143, 1148, 1227, 1290, 1370, 1410, 1698, 4166}
_KINDS = {
    "ALREADY_EXISTS": _UNIQUE,
    "CONFLICT": _BROKEN_RULE | _WORTH_AGAIN,
    "PERMISSION_DENIED": _FORBIDDEN,
}
_READ_ONLY = {1792, 1836}
_TIMED_OUT = {1317, 1969, 3024}
_AWAY = {1021, 1037, 1040, 1053, 1077, 1079, 1152, 1158, 1159, 1160, 1161, 1203, 1226, 1927}


class Mysql:
    """See `Make`; *arguments* are those of `pymysql.connect`, *timeout* is that of statements."""

    def __init__(self, arguments: Mapping[str, Any], *, timeout: float, reads_only: bool) -> None:
        self._arguments = {
            **arguments,
            "charset": "utf8mb4",
            "autocommit": True,
            "local_infile": False,
            "read_timeout": timeout + 2 * GRACE,
            "write_timeout": timeout + 2 * GRACE,
        }
        self.timeout, self.reads_only = timeout, reads_only

    def connect(self, seconds: float, *, reads_only: bool) -> Any:
        """Connect: one connection is for both. A server may accept it and then say nothing."""
        pymysql = client("mysql", "pymysql", "the client for MariaDB and MySQL")
        limits = dict.fromkeys(("connect_timeout", "read_timeout", "write_timeout"), seconds)
        connection = pymysql.connect(**{**self._arguments, **limits})
        connection._read_timeout = self._arguments["read_timeout"]
        connection._write_timeout = self._arguments["write_timeout"]
        return connection

    def link(self, connection: Any) -> MysqlLink:
        """Return what works on a connection."""
        return MysqlLink(connection, self)

    def meaning(self, problem: Exception) -> Failed:
        """Return what an error of PyMySQL means."""
        code, *rest = problem.args or (0,)
        words = str(rest[0] if rest else problem)
        if not isinstance(code, int) or not code:
            return away(words)
        words = f"{words} [{code}]"
        if code in _READ_ONLY:
            return ReadsOnly(words)
        if code in _TIMED_OUT:
            return too_slow(words)
        # From 2000 on they are the client's: the connection is lost, or was never there.
        if code in _AWAY or 2000 <= code < 3000:
            return away(words)
        kind = next((kind for kind, codes in _KINDS.items() if code in codes), "INVALID")
        return Failed(kind, words, retryable=code in _WORTH_AGAIN)

    def kill(self, thread: int) -> None:
        """End what another connection does, over one of its own."""
        pymysql = client("mysql", "pymysql")
        brief = dict.fromkeys(("connect_timeout", "read_timeout", "write_timeout"), 1)
        with pymysql.connect(**{**self._arguments, **brief}) as connection:
            connection.query(f"KILL QUERY {int(thread)}")


class MysqlLink:
    """See `Link`."""

    def __init__(self, connection: Any, make: Mysql) -> None:
        self._connection, self._make = connection, make
        connection.use_unicode = False  # texts stay the bytes that they came as
        connection.decoders = _decoders()
        self._is_stopped, self._only_looks = False, False
        self._idle = threading.Event()
        self._idle.set()
        self._settle()

    @property
    def dialect(self) -> str:
        """Whether a backslash is one depends on a mode of the session."""
        plain = self._connection.server_status & _NO_BACKSLASHES
        return "mysql_plain" if plain else "mysql"

    def _settle(self) -> None:
        """Say how the session is to be."""
        seconds = self._make.timeout
        is_maria = "mariadb" in str(self._connection.get_server_info()).lower()
        limit = f"max_statement_time = {seconds:.3f}"
        if not is_maria:
            limit = f"max_execution_time = {seconds * 1000:.0f}"
        self._connection.query(f"SET SESSION time_zone = '+00:00', {limit}")
        if self._make.reads_only:
            self._connection.query("SET SESSION TRANSACTION READ ONLY")

    def is_fresh(self) -> bool:
        """A server that has hung up has something to be read."""
        found = self._socket()
        if found is None:
            return False
        found.setblocking(False)
        try:
            found.recv(1, socket.MSG_PEEK) if not hasattr(found, "pending") else found.pending()
        except (BlockingIOError, InterruptedError):
            return True
        except OSError:
            return False
        finally:
            with contextlib.suppress(OSError):
                found.settimeout(self._make.timeout + 2 * GRACE)
        return hasattr(found, "pending")

    def begin(self, bounds: Bounds, *, reads_only: bool, isolation: str) -> None:
        """Begin one."""
        if isolation:
            self.command(f"SET TRANSACTION ISOLATION LEVEL {_LEVELS[isolation]}", bounds)
        self._only_looks = reads_only
        self.command("START TRANSACTION READ ONLY" if reads_only else "START TRANSACTION", bounds)

    def command(self, text: str, bounds: Bounds) -> None:
        """Run one of ours."""
        self._gathered(text, bounds)

    def run(self, statement: Statement, values: Mapping[str, Value], bounds: Bounds) -> Result:
        """Run a statement, with its parameters written as literals: PyMySQL knows no other way."""
        if self._only_looks and (statement.first not in _LOOKS or statement.has_code):
            shown = "a comment with code in it" if statement.has_code else statement.first.upper()
            raise ReadsOnly(f"{shown} is not only for reading")
        literals = {name: self._literal(name, value) for name, value in values.items()}
        out = [statement.parts[0]]
        for name, part in zip(statement.names, statement.parts[1:], strict=True):
            out += (literals[name], part)
        result = self._gathered("".join(out), bounds)
        return result if statement.first in _CHANGES else result._replace(affected=0)

    def _literal(self, name: str, value: Value) -> str:
        if isinstance(value, list):
            raise invalid(
                f":{name} is a list, which only PostgreSQL takes",
                "give json.encode(list), and read it with JSON_TABLE",
            )
        if isinstance(value, float) and not math.isfinite(value):
            raise invalid(f":{name} is {value}, a number that MariaDB cannot keep")
        return str(self._connection.literal(value))

    def _gathered(self, text: str, bounds: Bounds) -> Result:
        from pymysql.cursors import SSCursor

        self._refuse_stopped()
        self._idle.clear()
        cursor = SSCursor(self._connection)
        try:
            cursor.execute(text)
            found = _rows(cursor, bounds)
            while cursor.nextset():
                _rows(cursor, bounds)
            cursor.close()
        except Failed:
            self._drop(cursor)
            raise
        except Exception as problem:  # noqa: BLE001 - PyMySQL raises a RuntimeError, too
            self._drop(cursor, is_lost=not self._is_answered(problem))
            self._refuse_stopped(problem)
            raise self._make.meaning(problem) from None
        finally:
            self._idle.set()
        return found

    def _is_answered(self, problem: Exception) -> bool:
        """Whether the server said it, so that the connection is as before."""
        return not self._make.meaning(problem).ends

    def _drop(self, cursor: Any, *, is_lost: bool = True) -> None:
        """Let go of a cursor: one with rows left to come would read them all."""
        if is_lost:
            if cursor._result is not None:
                cursor._result.unbuffered_active = False
            cursor.connection = None
            self._cut()
        else:
            cursor.close()

    def _refuse_stopped(self, problem: Exception | None = None) -> None:
        if self._is_stopped:
            raise too_slow(f"it was stopped: {problem}" if problem else "it was stopped") from None

    def in_transaction(self, *, reads_only: bool) -> bool:
        """Whether it is in a transaction; one for writing is none for reading."""
        status = self._connection.server_status
        return bool(status & (_IN_READING if reads_only else _IN_TRANSACTION))

    def tidy(self) -> bool:
        """Roll back, and have the server forget the session's settings."""
        if self._is_stopped or self._socket() is None:
            return False
        try:
            self._connection._execute_command(_RESET, b"")
            self._connection._read_ok_packet()
            self._settle()
        except Exception:  # noqa: BLE001 - then it is not used again
            return False
        return True

    def stop(self) -> None:
        """Have the server end the statement; where that does not help, hang up."""
        self._is_stopped = True
        if self._idle.is_set():
            return
        with contextlib.suppress(Exception):
            self._make.kill(self._connection.thread_id())
        if not self._idle.wait(GRACE):
            self._cut()

    def _cut(self) -> None:
        found = self._socket()
        if found is not None:
            with contextlib.suppress(OSError):
                found.shutdown(socket.SHUT_RDWR)

    def _socket(self) -> Any:
        return getattr(self._connection, "_sock", None)

    def about(self) -> tuple[str, list[str]]:
        """Say which server it is, and what it lets us do that it better did not."""
        bounds = Bounds(100, 100_000, self._make.timeout)
        version, user, base = self._gathered(
            "SELECT VERSION(), CURRENT_USER(), COALESCE(DATABASE(), '')", bounds
        ).rows[0]
        grants = self._gathered("SHOW GRANTS", bounds).rows
        told = b" ".join(one for (one,) in grants if isinstance(one, bytes)).decode()
        is_mighty = "GRANT FILE" in told or ", FILE" in told or "ALL PRIVILEGES ON *.*" in told
        note = f"{_text(user)} may read and write files of the server; give moonq a lesser user"
        words = f"{_text(version)} as {_text(user)} at {_text(base)}"
        return words, [note] if is_mighty else []


def _rows(cursor: Any, bounds: Bounds) -> Result:
    if cursor.description is None:
        return Result((), (), cursor.rowcount, cursor.lastrowid or None)
    columns = [column[0] for column in cursor.description]
    rows = []
    while (row := cursor.fetchone()) is not None:
        bounds.take(row)
        rows.append(row)
    return Result(columns, rows, len(rows))


def _moment(text: bytes) -> bytes:
    return text.replace(b" ", b"T", 1)


def _decoders() -> dict[int, Any]:
    from pymysql.constants import FIELD_TYPE as kinds  # noqa: N811

    whole = (kinds.TINY, kinds.SHORT, kinds.LONG, kinds.LONGLONG, kinds.INT24, kinds.YEAR)
    return {
        **dict.fromkeys(whole, int),
        **dict.fromkeys((kinds.FLOAT, kinds.DOUBLE), float),
        kinds.DATETIME: _moment,
        kinds.TIMESTAMP: lambda text: _moment(text) + b"Z",
    }


def _text(value: Value) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
