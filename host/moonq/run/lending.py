"""How a function that the host lends to scripts is declared.

    @lent(action="queue.publish", writes=True, captured=True, waits=False, holds=True)
    def publish(host, caller, queue, body, headers, options): ...

Whatever must treat some of them in a special way reads the flags: Lua and the watchdog when they
wait, policies and read-only sessions by their action, dry runs when they write.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from moonq.errors import MoonqError
from moonq.run.context import Caller
from moonq.sandbox.lend import Bound, name, safe


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
        function, called = self.function, self.name
        action, resource = self.action, self.resource
        is_untried, holds = self.writes and not self.captured, self.holds

        def call(*arguments: Any) -> Any:
            context = caller.context
            if action is not None and context.scope is not None:
                context.scope.require(action, resource or name(arguments[0]))
            if is_untried and context.sink is not None and context.sink.is_dry:
                raise Untried(f"{called} is not done in a dry run, so its answer is unknown")
            if not holds:
                return function(host, caller, *arguments)
            caller.is_held = True
            try:
                return function(host, caller, *arguments)
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


class Untried(MoonqError):
    """A dry run came to something that it cannot try."""

    kind = "UNKNOWN"
