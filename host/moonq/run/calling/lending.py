"""How a function that the host lends to scripts is declared.

    @lent(action="queue.publish", writes=True, captured=True, waits=False, holds=True)
    def publish(caller, queue, body, headers, options): ...

Whatever must treat some of them in a special way reads the flags: Lua and the watchdog when they
wait, policies and read-only sessions by their action, dry runs when they write.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from moonq.errors import Denied, MoonqError
from moonq.run.calling.context import CallContext, Scope, Share
from moonq.run.calling.services import HostServices
from moonq.run.calling.sinks import WARN, HostSink, Line
from moonq.sandbox.lend import Bound, name, safe
from moonq.sandbox.watchdog import Guard

#: The logger of what policies refuse.
DENIALS = "moonq.security"


@dataclass(slots=True)
class Caller:
    """The script of one state, as lent functions see it; a pooled state serves many contexts."""

    context: CallContext
    host: HostServices = field(init=False)
    """What the functions that it is lent work on."""
    guard: Guard | None = None
    """The time limit of the running call."""
    limit: int = 0
    """The bytes that its function may use; 0 for what is no function."""
    memory_used: Callable[[], int] = field(default=lambda: 0)
    """Counts the bytes that its state holds."""
    settle: Callable[[int, str, float, str], bool] = field(default=lambda *_: False)
    """Settles message number n of the running call early; False when it was settled before."""
    message: Callable[[int], bytes] = field(default=lambda _: b"{}")
    """Everything about message number n of the running call, as JSON."""
    waits: Callable[[tuple[Any, ...]], None] = field(default=lambda _: None)
    """Called when the handler of one of several messages waits; gets how far it came."""
    log_context: Callable[[int], dict[str, object]] = field(default=lambda _: {})
    """What a log line says of message number n of the running call."""
    is_held: bool = False
    """Whether a lent function is at work that may take seconds, and ends by itself."""

    def enter(self, context: CallContext, guard: Guard) -> None:
        """Let the state of *guard* run on behalf of *context* from now on."""
        guard.above = context.above
        guard.is_waiting = self._is_waiting
        self.context, self.guard = context, guard

    def below(self, entry: str, size: int) -> CallContext:
        """Return the context of *entry*, which the script calls with arguments of *size* bytes."""
        share = self.context.share
        if share is None and self.limit:
            share = Share(self.context.entry, self.limit, self.limit)
        if share is not None:
            share = share._replace(left=share.left - self.memory_used() - size)
        return self.context.below(entry, self.guard, share)

    @property
    def sink(self) -> HostSink:
        """Where its writes go."""
        return self.context.sink or self.host.sink

    def permit(self, scope: Scope, action: str, resource: str) -> None:
        """Let the script do *action* with *resource*; that it may not is logged.

        Raises:
            Denied: It may not.
        """
        try:
            scope.require(action, resource)
        except Denied as refusal:
            if refusal.decision is not None:
                fields = json.dumps(refusal.decision).encode()
                entry = self.context.entry
                line = Line(WARN, DENIALS, f"denied: {refusal.message}", fields, entry, {})
                self.sink.write_denial(line)
            raise

    def remaining(self) -> float | None:
        """Return the seconds that are left to the running call; None without a limit."""
        return self.guard.remaining() if self.guard is not None and self.host.is_timed else None

    def heed(self) -> None:
        """End the running call now where its time is over, or that of a call above it."""
        if self.guard is not None:
            self.guard.heed()

    def _is_waiting(self) -> bool:
        return self.is_held


@dataclass(frozen=True, slots=True)
class Lent:
    """One lent function, which takes its caller and what the script gives."""

    name: str
    function: Callable[..., Any]
    action: str | None
    """What policies call it; None for what changes and shows nothing of the host."""
    resource: str | None
    """On what the action is; None: on what the script names first."""
    names: str | None
    """The kind of entry that the script names first, see `HostServices.entry_id`; None: none."""
    writes: bool
    """Whether it changes something: a read-only session is refused it."""
    captured: bool
    """Whether the sink keeps what it writes in a dry run; else a dry run ends there."""
    waits: bool
    """Whether it may take so long that the messages behind the running one go to others."""
    holds: bool
    """Whether it may take seconds and ends by itself: the watchdog then has patience."""

    def bound(self, caller: Caller) -> Bound:
        """Return it for the script of *caller*: it checks, answers, and never raises."""
        function, called = self.function, self.name
        action, resource = self.action, self.resource
        is_untried, holds = self.writes and not self.captured, self.holds
        kind = self.names

        def call(*arguments: Any) -> Any:
            context = caller.context
            scope = context.scope
            # Who may do everything speaks from a namespace, see `Unrestricted`: that was a full id,
            # and what is done finds out itself whether there is such an entry.
            if scope is not None and kind is not None:
                entry = caller.host.entry_id(name(arguments[0]), kind)
                arguments = (entry.encode("utf-8", "replace"), *arguments[1:])
            if action is not None and scope is not None:
                caller.permit(scope, action, resource or name(arguments[0]))
            if is_untried and context.is_dry:
                if caller.guard is not None:
                    caller.guard.fire_all("unknown")
                raise Untried(f"{called} is not done in a dry run, so its answer is unknown")
            if not holds:
                return function(caller, *arguments)
            caller.is_held = True
            try:
                return function(caller, *arguments)
            finally:
                caller.is_held = False

        return Bound(safe(call), self.waits)


def lent(
    *,
    action: str | None,
    writes: bool,
    waits: bool,
    captured: bool = False,
    holds: bool = False,
    resource: str | None = None,
    names: str | None = None,
) -> Callable[[Callable[..., Any]], Lent]:
    """Declare a function as lent under its own name; see `Lent` for the flags.

    Raises:
        ValueError: It writes, and no action of the policy stands for that.
    """

    def declared(function: Callable[..., Any]) -> Lent:
        called = function.__name__.strip("_")
        if writes and action is None:
            raise ValueError(f"{called} writes, so it needs an action that policies can refuse")
        return Lent(called, function, action, resource, names, writes, captured, waits, holds)

    return declared


class Untried(MoonqError):
    """A dry run came to something that it cannot try."""

    kind = "UNKNOWN"
