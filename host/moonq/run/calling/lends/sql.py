"""Statements in SQL databases, alone or in transactions."""

from __future__ import annotations

from moonq.databases.wire import Result, parameters
from moonq.run.calling.lending import Caller, Flags, lent
from moonq.run.calling.services import DATABASE
from moonq.run.calling.transactions import Transaction, found, refuse_beside
from moonq.sandbox.lend import name, text

#: Characters of a statement that a dry run shows.
_SHOWN = 200


def _would(_caller: Caller, database: bytes, _number: int, statement: bytes, *_: bytes) -> str:
    words = " ".join(text(statement[: 4 * _SHOWN]).split())
    shown = words if len(words) <= _SHOWN else f"{words[:_SHOWN]}…"
    return f"run at {name(database)}: {shown}"


def _would_begin(_caller: Caller, database: bytes, *_: bytes) -> str:
    return f"begin a transaction at {name(database)}"


def _line(database: bytes, *_: object) -> str:
    return f'test.sql("{name(database)}")'


def _is_a_tests_own(caller: Caller, database: bytes, *_: object) -> bool:
    found = caller.host.databases.get(name(database))
    return found is None or not found.is_shut


#: What all of them are.
_STATEMENT = Flags(
    names=DATABASE, outside=True, stub=_line, stands_in=_is_a_tests_own, would=_would
)
_BEGINNING = Flags(
    names=DATABASE, outside=True, stub=_line, stands_in=_is_a_tests_own, would=_would_begin
)


@lent(action="sql.query", writes=False, waits=True, **_STATEMENT)
def sql_query(caller: Caller, database: bytes, number: int, query: bytes, values: bytes) -> bytes:
    """Run a statement that only reads; in transaction *number*, or alone (0)."""
    if number:
        return found(caller, number).run(query, parameters(values)).packed()
    return _once(caller, name(database), query, values, reads_only=True).packed()


@lent(action="sql.execute", writes=True, waits=True, **_STATEMENT)
def sql_execute(caller: Caller, database: bytes, number: int, query: bytes, values: bytes) -> bytes:
    """Run any statement; in transaction *number*, or alone (0)."""
    if number:
        return found(caller, number).run(query, parameters(values)).packed()
    return _once(caller, name(database), query, values, reads_only=False).packed()


# It writes nothing itself: a dry run goes on to the first statement that would.
@lent(action="sql.execute", writes=False, waits=True, **_BEGINNING)
def sql_begin(caller: Caller, database: bytes, isolation: bytes) -> int:
    """Begin a transaction; answers its number."""
    is_tried = caller.context.is_dry and not caller.sink.is_real
    return _begun(caller, name(database), isolation, reads_only=is_tried)


@lent(action="sql.query", writes=False, waits=True, **_BEGINNING)
def sql_begin_reading(caller: Caller, database: bytes, isolation: bytes) -> int:
    """Begin a transaction that only reads; answers its number."""
    return _begun(caller, name(database), isolation, reads_only=True)


@lent(action=None, writes=False, waits=False)
def sql_nest(caller: Caller, number: int) -> int:
    """Begin a part of a transaction; answers its number."""
    return found(caller, number).nest().number


@lent(action=None, writes=False, waits=True)
def sql_end(caller: Caller, number: int, commits: bool) -> bool:
    """Commit a transaction, or roll it back."""
    found(caller, number).end(commits=commits)
    return True


def _once(
    caller: Caller, database: str, query: bytes, values: bytes, *, reads_only: bool
) -> Result:
    given = parameters(values)
    refuse_beside(caller, database)
    session = caller.host.database(database).session(reads_only=reads_only)
    with caller.interruptible(session.stop):
        session.open(caller.remaining())
        try:
            bounds = session.bounds(caller.remaining())
            session.begin(bounds)
            result = session.run(query, given, bounds, may_end=not reads_only)
            # What changes tables commits by itself in MariaDB.
            if not reads_only and session.in_transaction():
                session.command("COMMIT", bounds)
        finally:
            session.close()
    return result


def _begun(caller: Caller, database: str, isolation: bytes, *, reads_only: bool) -> int:
    refuse_beside(caller, database)
    session = caller.host.database(database).session(reads_only=reads_only)
    transaction = Transaction(caller, session)
    transaction.begin(text(isolation))
    return transaction.number
