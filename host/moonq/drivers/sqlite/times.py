"""The time of a file: what its moments are measured with, whatever happens to the wall clock.

It starts with the wall clock, goes on with the monotonic one, and never goes back: a process that
opens the file begins behind the newest moment in it, or goes on with the time of another process
that has it open. So a delay lasts as long as was said, and who was first stays first, when
somebody sets the clock.
"""

from __future__ import annotations

import math

from moonq.clock import Clock


class FileTime:
    """See the module; a `moment` is in this time, what people see is in that of the wall clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.zero = -math.inf
        """The moment at which the machine's monotonic clock stood at zero."""

    def begin(self, newest: float, neighbour: float | None) -> None:
        """Begin behind the *newest* moment, or with the `zero` of a *neighbour* that is at work."""
        ticks = self._clock.monotonic()
        ours = self._clock.now() - ticks
        self.zero = max(self.zero, newest - ticks, ours if neighbour is None else neighbour)

    def now(self) -> float:
        """Return the present moment."""
        return self._clock.monotonic() + self.zero

    def wall(self, moment: float) -> float:
        """Return what the wall clock shows at *moment*, as it goes now."""
        return moment - self.now() + self._clock.now()

    def moment(self, shown: float | None) -> float | None:
        """Return the moment at which the wall clock shows so much, as it goes now."""
        return None if shown is None else shown - self._clock.now() + self.now()

    def shown(self, moment: float | None) -> float | None:
        """Return the same of a moment that may be none."""
        return None if moment is None else self.wall(moment)
