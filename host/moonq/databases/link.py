"""What each make of database does in its own way, over one connection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from moonq.databases.bounds import Bounds
from moonq.databases.statement import Statement
from moonq.databases.wire import Result, Value

#: Seconds that a stopped statement may take to end, before its connection is cut.
GRACE = 0.7


class Link(Protocol):
    """One connection. Statements run one at a time; `stop` comes from another thread.

    Whatever fails is raised as `Failed`.
    """

    @property
    def dialect(self) -> str:
        """How statements are read now, one of `statement.DIALECTS`."""
        ...

    def is_fresh(self) -> bool:
        """Whether it can still be used after it lay idle, as far as can be seen at once."""
        ...

    def begin(self, bounds: Bounds, *, reads_only: bool, isolation: str) -> None:
        """Begin a transaction; without *isolation* it has the database's own level."""
        ...

    def run(self, statement: Statement, values: Mapping[str, Value], bounds: Bounds) -> Result:
        """Run one statement."""
        ...

    def command(self, text: str, bounds: Bounds) -> None:
        """Run one of ours: commit, rollback, savepoint."""
        ...

    def in_transaction(self, *, reads_only: bool) -> bool:
        """Whether it still is in a transaction, in one of that sort where the database tells."""
        ...

    def tidy(self) -> bool:
        """Undo what a use has left behind; False where it cannot be used again."""
        ...

    def stop(self) -> None:
        """End what runs on it, or will; takes at most about twice `GRACE`. It is of no more use."""
        ...

    def about(self) -> tuple[str, list[str]]:
        """Return what is at the other end, in words, and what people should know about that."""
        ...


class Make(Protocol):
    """How one make of database is connected to."""

    def connect(self, seconds: float, *, reads_only: bool) -> Any:
        """Return a connection of its driver's own, made in about *seconds*: nothing stops it."""
        ...

    def link(self, connection: Any) -> Link:
        """Return what works on such a connection."""
        ...

    def meaning(self, problem: Exception) -> Exception:
        """Return what an error of its driver means."""
        ...
