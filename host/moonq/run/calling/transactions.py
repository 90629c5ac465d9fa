"""Transactions of a running call: each holds one connection, and none outlives its call."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from itertools import count
from typing import Any

from moonq.databases.database import Session
from moonq.databases.faults import Failed, invalid
from moonq.databases.wire import Result
from moonq.errors import MoonqError
from moonq.run.calling.lending import Caller

# One count for all calls: the number of a transaction that is over is never another's.
_NUMBERS = count(1)


class Transaction:
    """One that is open, or a part of one that can fail for itself (a savepoint)."""

    def __init__(self, caller: Caller, session: Session, above: Transaction | None = None) -> None:
        self.number = next(_NUMBERS)
        self.session = session
        self._caller, self._above = caller, above
        self._below: Transaction | None = None
        self._failure: MoonqError | None = None
        self._stack = ExitStack()
        caller.opened[self.number] = self

    @property
    def holds(self) -> str:
        """The database that it is open at."""
        return self.session.spec.id

    def begin(self, isolation: str) -> None:
        """Take a connection and begin; whatever ends the call ends this."""
        session, left = self.session, self._caller.remaining()
        self._caller.when_over(self._give_up)
        self._stack.enter_context(self._caller.interruptible(session.stop))
        try:
            session.open(left)
            session.begin(session.bounds(left), isolation)
        except BaseException:
            self._give_up()
            raise

    def nest(self) -> Transaction:
        """Begin a part of it."""
        self._refuse_unless_open()
        part = Transaction(self._caller, self.session, self)
        try:
            self._command(f"SAVEPOINT moonq_{part.number}")
        except BaseException:
            del self._caller.opened[part.number]
            raise
        self._below = part
        return part

    def run(self, text: bytes, values: Mapping[str, Any]) -> Result:
        """Run a statement in it; one that fails spoils all of it, or of the part."""
        self._refuse_unless_open()
        bounds = self.session.bounds(self._caller.remaining())
        try:
            return self.session.run(text, values, bounds)
        except MoonqError as problem:
            self._failure = problem
            raise

    def end(self, *, commits: bool) -> None:
        """Commit, or roll back.

        Raises:
            Failed: It could not be committed, and was rolled back.
        """
        if self._below is not None:
            self._below.end(commits=False)
        try:
            if commits and self._failure is not None:
                raise _spoilt(self._failure, "so nothing was committed")
            if self._above is not None:
                self._end_part(commits)
            elif commits:
                self._commit()
        finally:
            self._close()

    def _commit(self) -> None:
        try:
            self._command("COMMIT")
        except Failed as problem:
            if problem.ends:
                problem.hint = "whether it was committed is not known"
            raise

    def _end_part(self, commits: bool) -> None:
        name = f"moonq_{self.number}"
        try:
            if not commits:
                self._command(f"ROLLBACK TO SAVEPOINT {name}")
            self._command(f"RELEASE SAVEPOINT {name}")
        except MoonqError as problem:
            # Some errors end a transaction with all its savepoints.
            assert self._above is not None
            self._above._failure = self._failure or problem
            if commits:
                raise

    def _command(self, text: str) -> None:
        self.session.command(text, self.session.bounds(self._caller.remaining()))

    def _refuse_unless_open(self) -> None:
        if self._below is not None:
            raise invalid(
                "a transaction inside this one is open",
                "use the one that its function was given",
            )
        if self._failure is not None:
            raise _spoilt(self._failure, "and what may fail belongs into tx:transaction(fn)")

    def _close(self) -> None:
        self._caller.opened.pop(self.number, None)
        if self._above is not None:
            self._above._below = None
            return
        try:
            self.session.close()
        finally:
            self._stack.close()

    def _give_up(self) -> None:
        """Roll back what nobody ends any more."""
        if self._below is not None:
            self._below._give_up()
        if self.number in self._caller.opened:
            self._close()


def _spoilt(failure: MoonqError, more: str) -> Failed:
    return Failed(
        failure.kind,
        f"a statement of the transaction has failed, {more}: {failure.message}",
        retryable=bool(failure.retryable),
    )


def found(caller: Caller, number: int) -> Transaction:
    """Return the open transaction of that number.

    Raises:
        Failed: It is over.
    """
    known = caller.opened.get(number)
    if not isinstance(known, Transaction):
        raise invalid("the transaction is over", "use it inside of its function only")
    return known


def refuse_beside(caller: Caller, database: str) -> None:
    """Refuse a second connection to a database that a transaction is open at.

    Raises:
        Failed: The statement belongs into the transaction.
    """
    for one in caller.opened.values():
        if isinstance(one, Transaction) and one.holds == database:
            raise invalid(
                f"a transaction of {database} is open here",
                "make it a part of that: tx:query, tx:execute, tx:transaction",
            )
    # It would wait for what the call above holds, which waits for it.
    if database in caller.context.held:
        raise invalid(
            f"a transaction of {database} is open in a call above",
            "call this function before or behind that, or do its work with the `tx` there",
        )
