"""What holds for one call and is inherited by all calls below it.

    context = CallContext("app:orders", serves=b"app:tasks", actor=clerk, scope=scope, sleep=sleep)
    below = context.below("app:total_of", guard, share)   # what `funcs.call` gives its function
    below.scope is context.scope                   # True, and so with actor, queue, sink and waits

`CallContext.below` is the one place where a callee's context is made from its caller's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from moonq.errors import Invalid
from moonq.run.calling.sinks import HostSink
from moonq.run.security import Actor, Rights, Scope
from moonq.sandbox.watchdog import Guard
from moonq.text import sizes

#: How many calls of `funcs.call` may lie above each other.
MAX_DEPTH = 16


class Observer(Protocol):
    """Hears of what is about to be done, where that is allowed."""

    def about_to(self, action: str, resource: str) -> None:
        """*action* is to be done with *resource*; raise `Denied`, and it is not."""
        ...


class Share(NamedTuple):
    """What the calls above leave of the memory of the first of them."""

    owner: str
    """The function that was called first."""
    limit: int
    """Its `limits.memory`, in bytes."""
    left: int
    """What its state, those of the calls below, and all arguments on the way leave of it."""

    def told(self) -> str:
        """Return why there is no more, in words."""
        return f"{self.owner} and all that it calls share {sizes.show(self.limit)}"


class CallContext(NamedTuple):
    """On whose behalf a script runs, and what that allows."""

    entry: str
    """The id that logs see, such as ``app:process_order``."""
    serves: bytes = b""
    """The queue whose messages are handled; a publish into that one never blocks."""
    actor: Actor | None = None
    """In whose name it runs; None: nobody's."""
    scope: Scope | None = None
    """What the actor may do. Without it, or without an actor, `security.strict_mode` decides."""
    sink: HostSink | None = None
    """Where writes go; None is the host's own way."""
    is_stopping: Callable[[], bool] = lambda: False
    sleep: Callable[[float], bool] = lambda _: True
    """Waits; False when it was woken early because the worker is to stop."""
    above: Guard | None = None
    """The time limit of the call above: what stops that one stops this one."""
    share: Share | None = None
    """The memory that is left to it; None: all that its function may have."""
    depth: int = 0
    """How many calls of `funcs.call` lie above it."""
    held: tuple[str, ...] = ()
    """Databases at which a call above has a transaction open."""
    observer: Observer | None = None
    """Hears of all that is done."""

    @property
    def rights(self) -> Rights:
        """In whose name it runs, and what that allows."""
        return Rights(self.actor, self.scope)

    @property
    def is_dry(self) -> bool:
        """Whether what is written is thrown away."""
        return self.sink is not None and self.sink.is_dry

    def below(
        self,
        entry: str,
        guard: Guard | None,
        share: Share | None = None,
        held: tuple[str, ...] = (),
    ) -> CallContext:
        """Return the context of *entry*, which a script of this one calls.

        It runs in the time of *guard* and in the memory of *share*; the script holds *held*.

        Raises:
            Invalid: Too many calls lie above each other.
        """
        if self.depth >= MAX_DEPTH:
            raise Invalid(f"functions call each other more than {MAX_DEPTH} deep at {entry!r}")
        held = self.held + held
        return self._replace(entry=entry, above=guard, share=share, held=held, depth=self.depth + 1)
