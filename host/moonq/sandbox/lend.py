"""The functions that Python lends to a Lua state, and how each is declared.

    @lent(action="queue.publish", writes=True, captured=True, waits=False, holds=True)
    def publish(host, caller, queue, body, headers, options): ...

A lent function takes bytes, numbers and booleans, and answers a tuple: `(True, value...)` or
`(False, kind, message, retryable)`. It never raises, for an exception that reached a script's
`pcall` would be a live Python object; and it never calls back into the state that called it.

Whatever must treat some of them in a special way reads their flags: Lua and the watchdog when
they wait, policies and read-only sessions by their action, dry runs when they write.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from moonq import log
from moonq.errors import MoonqError
from moonq.sandbox.context import CallContext, Caller

_log = log.get("moonq.sandbox")
#: The largest answer that may cross into a state: the reserve above its soft limit, halved.
MAX_ANSWER = 4 * 1024 * 1024
#: Bytes of a name that are looked at: all of the longest key of a store, and one more.
MAX_NAME = 4 * 1024 + 1
#: Characters of a refusal that a script is told.
MAX_WORDS = 8192
_PLAIN = (int, bool, float)


class Bound(NamedTuple):
    """A lent function as one state gets it."""

    call: Callable[..., tuple[Any, ...]]
    waits: bool = False


@dataclass(frozen=True, slots=True)
class Lent:
    """One lent function, which takes what it works on, its caller, and what the script gives."""

    name: str
    function: Callable[..., Any]
    action: str | None
    """What policies call it; None for what changes and shows nothing of the host."""
    resource: str | None
    """On what the action is; None: on what the script names first."""
    writes: bool
    """Whether it changes something: a read-only session is refused it."""
    captured: bool
    """Whether the sink keeps what it writes in a dry run; else a dry run is refused it."""
    waits: bool
    """Whether it may take so long that the messages behind the running one go to others."""
    holds: bool
    """Whether it may take seconds and ends by itself: the watchdog then has patience."""

    def bound(self, host: Any, caller: Caller) -> Bound:
        """Return it for the script of *caller*: it checks, answers, and never raises."""
        function, name_, action, resource = self.function, self.name, self.action, self.resource
        is_untried, holds = self.writes and not self.captured, self.holds

        def call(*arguments: Any) -> tuple[Any, ...]:
            try:
                context = caller.context
                if action is not None and context.scope is not None:
                    context.scope.require(action, resource or name(arguments[0]))
                if is_untried and context.sink is not None and context.sink.is_dry:
                    raise Untried(f"{name_} is not done in a dry run, so its answer is unknown")
                if not holds:
                    return True, _crossing(function(host, caller, *arguments))
                caller.is_held = True
                try:
                    return True, _crossing(function(host, caller, *arguments))
                finally:
                    caller.is_held = False
            except MoonqError as problem:
                return False, _words(problem.kind), _words(problem.message), problem.retryable
            except BaseException as problem:  # noqa: BLE001 - nothing may cross as an exception
                _log.error("a lent function failed", exc_info=problem)
                return False, b"INTERNAL", b"moonq failed inside; see its log", None

        return Bound(call, self.waits)


def lent(
    *,
    action: str | None,
    writes: bool,
    waits: bool,
    captured: bool = False,
    holds: bool = False,
    resource: str | None = None,
) -> Callable[[Callable[..., Any]], Lent]:
    """Declare a function as lent under its own name; see `Lent` for the flags.

    Raises:
        ValueError: It writes, and no action of the policy stands for that.
    """

    def declared(function: Callable[..., Any]) -> Lent:
        called = function.__name__.strip("_")
        if writes and action is None:
            raise ValueError(f"{called} writes, so it needs an action that policies can refuse")
        return Lent(called, function, action, resource, writes, captured, waits, holds)

    return declared


def own(functions: Mapping[str, Callable[..., Any]]) -> dict[str, Bound]:
    """Lend what only tests and consoles have, which judge for themselves who may call it."""
    caller = Caller(CallContext(""))
    return {
        name: Lent(
            name,
            lambda function, _, *given: function(*given),
            action=None,
            resource=None,
            writes=False,
            captured=False,
            waits=False,
            holds=False,
        ).bound(function, caller)
        for name, function in functions.items()
    }


def name(value: bytes) -> str:
    """Return an id or a key as text; one that is too long to be any is cut, and stays too long.

    To read megabytes that a script calls a name would hold up every other worker.
    """
    return text(value[:MAX_NAME])


def text(value: bytes) -> str:
    """Return a Lua string as text; what is not UTF-8 is shown as such."""
    return value.decode("utf-8", "replace")


def _crossing(answer: Any) -> Any:
    """Return *answer* if Lua makes a value of its own of it; else it would be a live object."""
    kind = type(answer)
    if kind is bytes:
        return bounded(answer)
    if kind is int and not -(2**63) <= answer < 2**63:
        raise MoonqError("the answer is a number that does not fit 64 bits")
    if answer is not None and kind not in _PLAIN:
        raise TypeError(f"a lent function answered a {kind.__name__}")
    return answer


def _words(value: str) -> bytes:
    return value[:MAX_WORDS].encode("utf-8", "replace")


def bounded(answer: bytes) -> bytes:
    """Return *answer*, which must fit into a state.

    Raises:
        MoonqError: It is too large.
    """
    if len(answer) > MAX_ANSWER:
        raise MoonqError(f"the answer has {len(answer)} bytes, more than {MAX_ANSWER}")
    return answer


class Canceled(MoonqError):
    """A wait was cut short because the worker is to stop."""

    kind = "CANCELED"


class Untried(MoonqError):
    """A dry run came to something that it cannot try."""

    kind = "UNKNOWN"
