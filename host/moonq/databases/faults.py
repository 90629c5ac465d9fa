"""What a database refuses, in moonq's words."""

from __future__ import annotations

from moonq.errors import MoonqError

#: Characters of a database's own words.
_LONGEST = 500


class Failed(MoonqError):
    """A statement or a connection failed; `kind` and `retryable` say what a handler can do."""

    def __init__(
        self,
        kind: str,
        message: str,
        *,
        retryable: bool = False,
        hint: str = "",
        ends: bool = False,
    ) -> None:
        super().__init__(message[:_LONGEST], hint=hint)
        self.kind = kind
        self.retryable = retryable
        self.ends = ends
        """Whether the connection is of no more use."""


def invalid(message: str, hint: str = "") -> Failed:
    """Return the caller's mistake."""
    return Failed("INVALID", message, hint=hint)


def away(message: str, hint: str = "") -> Failed:
    """Return that the database does not answer: worth another try."""
    return Failed("UNAVAILABLE", message, retryable=True, hint=hint, ends=True)


def too_slow(message: str) -> Failed:
    """Return that a statement was ended for its time; the connection goes with it."""
    return Failed("TIMEOUT", message, retryable=True, ends=True)


def ended_transaction() -> Failed:
    """Return that a statement ended the transaction that it ran in, or began one."""
    return Failed(
        "INVALID",
        "the statement began or ended a transaction by itself",
        hint="leave that to sql.transaction; what changes tables may have to stand outside of one",
        ends=True,
    )


class ReadsOnly(Failed):
    """A connection for reading was to change something."""

    def __init__(self, words: str) -> None:
        super().__init__("PERMISSION_DENIED", f"the database is opened for reading only: {words}")
        self.words = words

    def in_query(self) -> Failed:
        """Return it as one who could have written is told."""
        return invalid(
            f"only sql.execute changes something: {self.words}",
            "run the statement with sql.execute",
        )
