"""Everything moonq raises on purpose.

* MoonqError
  * ProjectInvalid      the project's files say something moonq cannot do
  * NotFound            no such entry or message
    * Ambiguous         several entries have that name, in different namespaces
    * NoHost            no host of the project is running
    * SeveralHosts      more than one runs, and only one can be meant
  * NoTestMatched       nothing that was named has a test
  * ScriptError         a script does not load, or broke its contract
  * StopTimeout         handlers did not end before the stop limit
  * IdleTimeout         a run until idle waits for what does not move
  * ConfirmationNeeded  it would overwrite or destroy, and nobody said yes
    * Unconfirmed       the same, where code asked for it
  * Failure             what a Python module tells the script that called it
  * AlreadyRunning      another host serves the project
  * HostSilent          a host is there and does not answer (worth another try)
  * QueueError          a publish, a settle or an inspection was refused
    * Invalid           the caller's mistake
      * TooLarge
      * Unsupported     this driver cannot do what was asked
    * QueueNotFound
    * Denied            a policy says no
      * ReadOnly        the session may only look
    * CutShort          the call that waited for it is to end
    * QueueFull         (worth another try)
    * Unavailable       nothing was sent (worth another try)
      * Held            another process has the store for a moment
      * Hopeless        until somebody does something about it
        * Unopened      the store cannot be opened
        * Refused       the broker turns us away: credentials, TLS, rights
    * Uncertain         sent, no answer: may have been stored (worth another try)
    * Conflict          the broker has another declaration
    * LeaseLost

A message says what is so, in lower case and without a full stop; the hint is the next step, as an
order. Leave the hint empty rather than guess.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

Severity = Literal["error", "warning", "info", "note"]


@dataclass(frozen=True, slots=True)
class Span:
    """A place in a file and what is to be said about it; lines and columns count from 1."""

    file: str
    line: int
    column: int = 0
    """0 when it is not known: the whole line is marked then."""
    length: int = 1
    label: str = ""
    lines: tuple[tuple[int, str], ...] = ()
    """The lines to show, numbered; a span without any is drawn as one row: label and place."""
    primary: bool = True


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of a file: what stands between two places, which may be one, becomes `text`."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int
    """The first column that stays."""
    text: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem, with everything a person needs to solve it."""

    severity: Severity
    code: str
    message: str
    spans: tuple[Span, ...] = ()
    notes: tuple[str, ...] = ()
    helps: tuple[str, ...] = ()
    edits: tuple[Edit, ...] = ()
    """What `moonq check --fix` does about it; empty where it takes a person."""
    profiles: tuple[str, ...] = ()
    """The profiles in which it is so; empty where it is so without any."""

    @property
    def place(self) -> tuple[str, int, int]:
        """File, line and column of the first span; an empty file and zeros without one."""
        if not self.spans:
            return ("", 0, 0)
        first = self.spans[0]
        return (first.file, first.line, first.column)


class MoonqError(Exception):
    """One line that says what is so, and a hint: the next step, as an order."""

    exit_code: ClassVar[int] = 1
    kind: str = "INTERNAL"
    retryable: bool | None = False
    """Whether the same call may succeed later: what a handler is told."""
    code: ClassVar[str] = ""
    """The code under which it can be looked up, such as ``A801``; most have none."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  hint: {self.hint}" if self.hint else self.message

    @property
    def is_worth_waiting(self) -> bool:
        """Whether the same call may succeed later, and nobody need do anything for that."""
        return bool(self.retryable)

    def in_one_line(self) -> str:
        """Return all of it as one text, which is what an error in Lua has."""
        code = f" [{self.code}]" if self.code else ""
        return "; ".join(filter(None, (self.message + code, self.hint)))


class ProjectInvalid(MoonqError):
    """The project's files say something moonq cannot do; carries every finding."""

    exit_code = 3
    kind = "INVALID"

    def __init__(self, findings: Sequence[Finding], *, hint: str = "") -> None:
        errors = sum(1 for finding in findings if finding.severity == "error")
        super().__init__(f"{errors} error{'s' if errors != 1 else ''} in the project", hint=hint)
        self.findings = tuple(findings)


class NotFound(MoonqError):
    """No such entry or message."""

    exit_code = 4
    kind = "NOT_FOUND"


class Ambiguous(NotFound):
    """A bare name that several entries have; names them."""

    code = "R203"


class NoHost(NotFound):
    """No host of the project is running, and what was asked needs one."""

    code = "A801"


class SeveralHosts(NotFound):
    """Several hosts of the project are running, and only one can be meant; names them."""

    code = "A804"


class NoTestMatched(MoonqError):
    """Nothing that was named has a test."""

    exit_code = 9
    kind = "NOT_FOUND"


class ScriptError(MoonqError):
    """A script does not load, or broke its contract; the finding shows where."""

    exit_code = 3
    kind = "INVALID"

    def __init__(self, message: str, *, hint: str = "", finding: Finding | None = None) -> None:
        super().__init__(message, hint=hint)
        self.finding = finding


class StopTimeout(MoonqError):
    """Handlers did not end before the stop limit; names them."""

    exit_code = 8
    kind = "TIMEOUT"


class IdleTimeout(MoonqError):
    """A run until idle has waited long enough; says what for."""

    exit_code = 8
    kind = "TIMEOUT"


class ConfirmationNeeded(MoonqError):
    """It would overwrite or destroy something, and nobody said yes."""

    exit_code = 7
    kind = "CONFLICT"


class Unconfirmed(ConfirmationNeeded):
    """Code asked for something destructive without naming what it destroys."""

    kind = "PERMISSION_DENIED"
    code = "S603"


#: What an error value in Lua may be.
Kind = Literal[
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "INVALID",
    "PERMISSION_DENIED",
    "UNAVAILABLE",
    "INTERNAL",
    "CANCELED",
    "CONFLICT",
    "TIMEOUT",
    "RATE_LIMITED",
    "UNKNOWN",
]
KINDS: tuple[str, ...] = get_args(Kind)


class Failure(MoonqError):
    """What a function of a Python module tells the script that called it.

    *kind* is one of `KINDS`. Without *retryable* the kind decides: what is UNAVAILABLE, a TIMEOUT
    or RATE_LIMITED is worth another try, of the rest nothing is said. False sends a message to the
    dead letters at once.
    """

    retryable = None

    def __init__(
        self, message: str, *, kind: Kind = "UNKNOWN", retryable: bool | None = None, hint: str = ""
    ) -> None:
        super().__init__(message, hint=hint)
        if kind not in KINDS:
            raise ValueError(f"{kind!r} is no kind of error; there are {', '.join(KINDS)}")
        self.kind = kind
        self.retryable = retryable


class AlreadyRunning(MoonqError):
    """Another host serves the project."""

    kind = "CONFLICT"
    code = "A802"


class HostSilent(MoonqError):
    """A host is there, and does not answer."""

    exit_code = 5
    kind = "UNAVAILABLE"
    retryable = True
    code = "A803"


class QueueError(MoonqError):
    """A publish, a settle or an inspection was refused."""


class Invalid(QueueError):
    """The caller's mistake: the same call will fail again."""

    kind = "INVALID"


class TooLarge(Invalid):
    """A message is larger than its queue takes."""


class Unsupported(Invalid):
    """This driver cannot do what was asked."""


class QueueNotFound(QueueError):
    """No queue of that id."""

    exit_code = 4
    kind = "NOT_FOUND"


class Denied(QueueError):
    """A security policy says no, or none says yes."""

    exit_code = 6
    kind = "PERMISSION_DENIED"

    def __init__(
        self, message: str, *, hint: str = "", decision: Mapping[str, str | None] | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.decision = decision
        """Who was to do what with what, and the policy that says no: what the log keeps of it."""


class ReadOnly(Denied):
    """The session may only look."""

    code = "S602"


class CutShort(QueueError):
    """A wait was ended, since the call that waits is to end; nothing was done."""

    kind = "CANCELED"


class QueueFull(QueueError):
    """The queue holds as many messages as it may."""

    kind = "RATE_LIMITED"
    retryable = True


class Unavailable(QueueError):
    """The broker is away and nothing was sent: safe to try again."""

    exit_code = 5
    kind = "UNAVAILABLE"
    retryable = True


class Held(Unavailable):
    """Another process has the store, perhaps for a moment only."""


class Hopeless(Unavailable):
    """It stays away until somebody does something about it.

    No message is to blame: one whose handler met this is tried again as its queue says. A host
    that starts does not wait for it.
    """

    @property
    def is_worth_waiting(self) -> bool:
        """It is not."""
        return False


class Unopened(Hopeless):
    """The store cannot be opened: it is damaged, or another program's."""


class Refused(Hopeless):
    """The broker turns us away, for credentials, TLS or rights: only a change of them helps.

    What cannot start for it is given up: to knock again with the same credentials may lock the
    account.
    """

    exit_code = 6


class Uncertain(QueueError):
    """Sent without an answer: it may have been stored, so repeat with the same id."""

    exit_code = 8
    kind = "TIMEOUT"
    retryable = True


class Conflict(QueueError):
    """The broker knows this queue with another declaration."""

    kind = "CONFLICT"


class LeaseLost(QueueError):
    """The lease ran out first; the message is not ours any more."""

    kind = "CONFLICT"
