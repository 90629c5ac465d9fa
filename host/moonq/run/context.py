"""What holds for one call and is inherited by all calls below it.

    context = CallContext("app:orders", serves=b"app:tasks", scope=scope, sleep=sleep)
    below = context.below("app:total_of", guard)   # what `funcs.call` gives the function it calls
    below.scope is context.scope                   # True, and so with queue, sink and waits

`CallContext.below` is the one place where a callee's context is made from its caller's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from moonq.errors import Invalid
from moonq.run.sinks import HostSink
from moonq.sandbox.watchdog import Guard

#: How many calls of `funcs.call` may lie above each other.
MAX_DEPTH = 16


class Scope(Protocol):
    """An actor with the policies that hold for it."""

    def require(self, action: str, resource: str) -> None:
        """Let the actor do *action* with *resource*, or raise `Denied`."""
        ...


class CallContext(NamedTuple):
    """On whose behalf a script runs, and what that allows."""

    entry: str
    """The id that logs see, such as ``app:process_order``."""
    serves: bytes = b""
    """The queue whose messages are handled; a publish into that one never blocks."""
    scope: Scope | None = None
    """What may be done; None restricts nothing."""
    sink: HostSink | None = None
    """Where writes go; None is the host's own way."""
    is_stopping: Callable[[], bool] = lambda: False
    sleep: Callable[[float], bool] = lambda _: True
    """Waits; False when it was woken early because the worker is to stop."""
    above: Guard | None = None
    """The time limit of the call above: what stops that one stops this one."""
    depth: int = 0
    """How many calls of `funcs.call` lie above it."""

    def below(self, entry: str, guard: Guard | None) -> CallContext:
        """Return the context of *entry*, which a script of this one calls in the time of *guard*.

        Raises:
            Invalid: Too many calls lie above each other.
        """
        if self.depth >= MAX_DEPTH:
            raise Invalid(f"functions call each other more than {MAX_DEPTH} deep at {entry!r}")
        return self._replace(entry=entry, above=guard, depth=self.depth + 1)


@dataclass(slots=True)
class Caller:
    """The script of one state, as lent functions see it; a pooled state serves many contexts."""

    context: CallContext
    guard: Guard | None = None
    """The time limit of the running call; None where no real time bounds it."""
    settle: Callable[[int, str, float, str], bool] = field(default=lambda *_: False)
    """Settles message number n of the running call early; False when it was settled before."""
    message: Callable[[int], bytes] = field(default=lambda _: b"{}")
    """Everything about message number n of the running call, as JSON."""
    waits: Callable[[tuple[Any, ...]], None] = field(default=lambda _: None)
    """Hears that the handler of one of several messages waits, and what became of those before."""
    log_context: Callable[[int], dict[str, object]] = field(default=lambda _: {})
    """What a log line says of message number n of the running call."""
    is_held: bool = False
    """Whether a lent function is at work that may take seconds, and ends by itself."""

    def enter(self, context: CallContext, guard: Guard) -> None:
        """Let the state of *guard* run on behalf of *context* from now on."""
        guard.above = context.above
        guard.is_waiting = self._is_waiting
        self.context, self.guard = context, guard

    def below(self, entry: str) -> CallContext:
        """Return the context of *entry*, which the script calls."""
        return self.context.below(entry, self.guard)

    def remaining(self) -> float | None:
        """Return the seconds that are left to the running call; None without a limit."""
        return None if self.guard is None else self.guard.remaining()

    def _is_waiting(self) -> bool:
        return self.is_held
