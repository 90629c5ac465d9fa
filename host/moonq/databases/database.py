"""One database: its connections, at most so many, each used by one call at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from moonq.databases.address import Address
from moonq.databases.bounds import Bounds
from moonq.databases.faults import Failed, ReadsOnly, ended_transaction, too_slow
from moonq.databases.link import Link, Make
from moonq.databases.statement import read
from moonq.databases.wire import Result, Value
from moonq.text.extras import client
from moonq.text.secrets import masked

#: Seconds between two looks whether a wait for a connection was stopped.
_LOOK = 0.05
_LINK = "moonq"


class Spec(NamedTuple):
    """What an entry says of its database."""

    id: str
    address: Address
    root: Path
    pool: int = 5
    read_only: bool = False
    timeout: float = 30.0
    connect_timeout: float = 5.0
    max_rows: int = 10_000
    max_bytes: int = 4 * 1024 * 1024
    is_fleeting: bool = False
    """Whether it is a test's own, which need not outlast the process."""


class _Patience(threading.local):
    """What this thread's call leaves of the time to connect: a pool asks for it without a word."""

    seconds = 1.0


class Database:
    """Lends connections to calls."""

    #: Whether it stands for one that a test may not reach.
    is_shut = False

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self._free = threading.BoundedSemaphore(spec.pool)
        self._make, arguments = _made(spec)
        self._mine = _Patience()
        self._pools = [self._pool(True, arguments)]
        # SQLite's have a way of their own to open a file for reading.
        both = spec.address.make != "sqlite" or spec.read_only
        self._pools.append(self._pools[0] if both else self._pool(False, arguments))

    def _pool(self, reads_only: bool, url: Any) -> Any:
        alchemy = _alchemy()
        return alchemy.create_engine(
            url,
            creator=lambda: self._make.connect(self._mine.seconds, reads_only=reads_only),
            poolclass=alchemy.QueuePool,
            pool_size=self.spec.pool,
            max_overflow=0,
            pool_use_lifo=True,
            pool_reset_on_return=None,
            skip_autocommit_rollback=True,
        )

    def session(self, *, reads_only: bool) -> Session:
        """Return what one call uses; it opens with its first use as a context manager."""
        return Session(self, reads_only=reads_only or self.spec.read_only)

    def about(self) -> tuple[str, list[str]]:
        """Return what is at the other end, in words, and notes for people."""
        session = self.session(reads_only=True)
        with session:
            return session.link.about()

    def close(self) -> None:
        """Close what lies idle; what is in use closes when it comes back."""
        for pool in self._pools:
            pool.dispose()

    @contextmanager
    def slot(self, patience: float, is_stopped: Callable[[], bool]) -> Iterator[None]:
        """Wait for the right to have a connection, at most *patience* seconds."""
        give_up = time.monotonic() + patience
        while not self._free.acquire(timeout=_LOOK):
            if is_stopped():
                raise too_slow("it was stopped while it waited for a connection")
            if time.monotonic() > give_up:
                raise Failed(
                    "UNAVAILABLE",
                    f"all {self.spec.pool} connections of {self.spec.id} are in use",
                    retryable=True,
                    hint="raise `pool` of the entry, or hold transactions for less time",
                )
        try:
            yield
        finally:
            self._free.release()

    def connection(self, seconds: float, *, reads_only: bool) -> tuple[Any, Link]:
        """Return a connection from the pool, one made in about *seconds*, and what works on it."""
        self._mine.seconds = min(seconds, self.spec.connect_timeout)
        pool = self._pools[0 if reads_only else 1]
        while True:
            with self.speaking():
                taken = pool.raw_connection()
                link: Link = taken.info.get(_LINK)
                if link is None:
                    link = taken.info[_LINK] = self._make.link(taken.dbapi_connection)
                    return taken, link
            if link.is_fresh():
                return taken, link
            taken.invalidate()
            taken.close()

    @contextmanager
    def speaking(self) -> Iterator[None]:
        """Tell every failure in moonq's words, without secrets."""
        try:
            yield
        except Failed as problem:
            problem.message = f"{self.spec.id}: {masked(problem.message)}"
            raise
        except ReadsOnly:
            raise
        except _errors(self.spec.address.make) as problem:
            told = self._make.meaning(problem)
            told.message = f"{self.spec.id}: {masked(told.message)}"  # type: ignore[attr-defined]
            raise told from None


class Session:
    """One connection in the hands of one call; `stop` comes from another thread."""

    link: Link

    def __init__(self, database: Database, *, reads_only: bool) -> None:
        self.database, self.reads_only = database, reads_only
        self.spec = database.spec
        self._lock = threading.Lock()
        self._is_stopped = False
        self._is_spoilt = False
        self._taken: Any = None
        self._slot: Any = None

    def open(self, patience: float | None = None) -> None:
        """Take a connection; waits for one at most *patience* seconds."""
        most = self.spec.timeout if patience is None else min(patience, self.spec.timeout)
        until = time.monotonic() + most
        self._slot = self.database.slot(most, lambda: self._is_stopped)
        self._slot.__enter__()
        try:
            left = max(0.1, until - time.monotonic())
            taken, link = self.database.connection(left, reads_only=self.reads_only)
            with self._lock:
                self._taken, self.link = taken, link
        except BaseException:
            self._slot.__exit__(None, None, None)
            raise
        if self._is_stopped:
            self.close()
            raise too_slow(f"{self.spec.id}: it was stopped")

    def bounds(self, patience: float | None = None) -> Bounds:
        """Return what one statement may use."""
        seconds = self.spec.timeout if patience is None else min(patience, self.spec.timeout)
        return Bounds(self.spec.max_rows, self.spec.max_bytes, seconds)

    def begin(self, bounds: Bounds, isolation: str = "") -> None:
        """Begin a transaction."""
        with self._speaking():
            self.link.begin(bounds, reads_only=self.reads_only, isolation=isolation)

    def run(
        self, text: bytes, values: Mapping[str, Value], bounds: Bounds, *, may_end: bool = False
    ) -> Result:
        """Run one statement in the transaction.

        Raises:
            Failed: It was refused, or it has ended the transaction, which only one may that is
                alone in it and changes tables (*may_end*).
        """
        with self._speaking():
            statement = read(text, self.link.dialect)
            statement.check(values)
            result = self.link.run(statement, values, bounds)
            _refuse_twins(result)
            is_in = self.link.in_transaction(reads_only=self.reads_only)
            if not is_in and not (may_end and self.spec.address.make == "mysql"):
                raise ended_transaction()
        return result

    def command(self, text: str, bounds: Bounds) -> None:
        """Run one of ours: COMMIT, ROLLBACK, SAVEPOINT."""
        with self._speaking():
            self.link.command(text, bounds)

    def in_transaction(self) -> bool:
        """Whether it is in a transaction that it may go on with."""
        return not self._is_spoilt and self.link.in_transaction(reads_only=self.reads_only)

    def stop(self, _reason: str = "") -> None:
        """End what it does and will do."""
        self._is_stopped = True
        with self._lock:
            link = self.link if self._taken is not None else None
        if link is not None:
            link.stop()

    def close(self) -> None:
        """Give the connection back, or throw it away; what was not committed is rolled back."""
        with self._lock:
            taken, self._taken = self._taken, None
        if taken is None:
            return
        try:
            is_usable = not (self._is_spoilt or self._is_stopped)
            with suppress(Exception):
                is_usable = is_usable and self.link.tidy()
                if is_usable and not self._is_stopped:
                    return
            with suppress(Exception):
                taken.invalidate()
        finally:
            with suppress(Exception):
                taken.close()
            self._slot.__exit__(None, None, None)

    def __enter__(self) -> Session:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _speaking(self) -> Iterator[None]:
        try:
            with self.database.speaking():
                yield
        except ReadsOnly as problem:
            raise problem if self.spec.read_only else problem.in_query() from None
        except Failed as problem:
            self._is_spoilt = self._is_spoilt or problem.ends
            raise
        except BaseException:
            self._is_spoilt = True
            raise


def _refuse_twins(result: Result) -> None:
    seen: set[str] = set()
    for column in result.columns:
        if column in seen:
            raise Failed(
                "INVALID",
                f"two columns are called {column!r}",
                hint=f"give one another name: … AS other_{column}"
                if column.isidentifier()
                else "give each a name with AS",
            )
        seen.add(column)


def _alchemy() -> Any:
    client("sql", "sqlalchemy", "the library behind the module `sql`")
    import sqlalchemy
    from sqlalchemy import pool

    class Alchemy(NamedTuple):
        create_engine: Any
        make_url: Any
        QueuePool: Any

    return Alchemy(sqlalchemy.create_engine, sqlalchemy.make_url, pool.QueuePool)


def _made(spec: Spec) -> tuple[Make, Any]:
    """Return what connects, and the URL for SQLAlchemy."""
    alchemy = _alchemy()
    address = spec.address
    url = alchemy.make_url(address.for_library())
    if address.make == "sqlite":
        from moonq.databases.sqlite import Sqlite

        file = address.file(spec.root)
        return Sqlite(file, spec.max_bytes, is_fleeting=spec.is_fleeting), "sqlite://"
    extra, module, what = _CLIENTS[address.make]
    client(extra, module, what)
    (_, arguments) = url.get_dialect()().create_connect_args(url)
    if address.make == "postgresql":
        from moonq.databases.postgres import Postgres

        return Postgres(arguments, timeout=spec.timeout, reads_only=spec.read_only), url
    from moonq.databases.mysql import Mysql

    return Mysql(arguments, timeout=spec.timeout, reads_only=spec.read_only), url


_CLIENTS = {
    "postgresql": ("postgres", "psycopg", "the client for PostgreSQL"),
    "mysql": ("mysql", "pymysql", "the client for MariaDB and MySQL"),
}


def _errors(make: str) -> type[Exception]:
    """Return what a driver raises."""
    if make == "sqlite":
        import sqlite3

        return sqlite3.Error
    if make == "postgresql":
        import psycopg

        return psycopg.Error
    import pymysql

    return pymysql.Error
