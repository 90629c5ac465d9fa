"""What a run until idle waits for: said once it stands still, and not for ever.

patience = Patience(clock, told=print, limit=30.0)
patience.look(Left(delayed=1), 12, lambda: 480.0)     # print("waiting: 1 delayed, next in 8m")
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from typing import NamedTuple

from moonq import durations
from moonq.clock import Clock
from moonq.errors import IdleTimeout

#: Seconds without a change after which it is said what is waited for.
QUIET = 1.0
#: Services that are named; whatever needs one that failed is not up either.
NAMED = 3


class Left(NamedTuple):
    """What is still to be done."""

    ready: int = 0
    delayed: int = 0
    running: int = 0
    uncounted: tuple[str, ...] = ()
    """Queues whose driver cannot say how much they hold."""
    paused: tuple[str, ...] = ()
    """Queues and consumers that let messages wait."""
    down: tuple[str, ...] = ()
    """Services that are not up."""

    @property
    def is_nothing(self) -> bool:
        """Whether all is done; what could not start has done nothing."""
        return not (self.ready or self.delayed or self.running or self.uncounted or self.down)

    def text(self, due_in: float | None) -> str:
        """Return it as people read it; the next delayed message is *due_in* so many seconds."""
        counts = (("ready", self.ready), ("delayed", self.delayed), ("running", self.running))
        parts = [f"{count} {name}" for name, count in counts if count]
        parts += [] if due_in is None else [f"next in {durations.show(max(1, ceil(due_in)))}"]
        parts += [f"{name} cannot count its messages" for name in self.uncounted]
        parts += [f"{name} is paused" for name in self.paused]
        parts += [f"{name} is not up" for name in self.down[:NAMED]]
        parts += [f"{len(self.down) - NAMED} more are not up"] if len(self.down) > NAMED else []
        return f"waiting: {', '.join(parts)}"


class Patience:
    """Watches whether anything moves."""

    def __init__(self, clock: Clock, told: Callable[[str], None], limit: float | None) -> None:
        self._clock = clock
        self._told = told
        self._limit = limit
        self._last: object = None
        self._since = clock.monotonic()
        self._is_told = False

    def look(self, left: Left, progress: object, due_in: Callable[[], float | None]) -> None:
        """Take note of what is *left*, and of how far the work has come.

        Raises:
            IdleTimeout: Nothing has moved for longer than the limit.
        """
        now = self._clock.monotonic()
        if left.running or self._last != (left, progress):
            self._last, self._since, self._is_told = (left, progress), now, False
            return
        quiet = now - self._since
        if self._limit is not None and quiet >= self._limit:
            raise IdleTimeout(
                f"nothing has moved for {durations.show(self._limit)}: {left.text(due_in())}",
                hint="raise --idle-timeout, or see to what is waited for",
            )
        if quiet >= QUIET and not self._is_told:
            self._is_told = True
            self._told(left.text(due_in()))
