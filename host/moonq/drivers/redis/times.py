"""The time of a store: its server's, or that of a clock that was passed in to be moved by hand.

Every moment that is stored is in it, so the clocks of hosts may be off as they like: what a host
says in its own time, or shows to people, is reckoned over.
"""

from __future__ import annotations

import math

from moonq.clock import Clock, SystemClock

#: Seconds after which a measurement is no more trusted: clocks drift.
FRESH = 60.0


class StoreTime:
    """See the module; a `moment` is in this time, what people see is in that of the wall clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._is_servers = isinstance(clock, SystemClock)
        self._zero = math.inf if self._is_servers else 0.0
        """The moment at which the machine's monotonic clock stood at zero."""
        self._measured = -math.inf

    def given(self) -> str:
        """Return the moment as an argument of a script; empty: the server's own time holds."""
        return "" if self._is_servers else repr(self._clock.monotonic())

    def learn(self, sent: float, told: bytes) -> None:
        """Note that the server's time was *told* to what was sent at the monotonic moment *sent*.

        Of several measurements the quickest is the best; none makes our time slower than theirs.
        """
        if not self._is_servers or not told:
            return
        zero = float(told) - sent
        if zero < self._zero or sent > self._measured + FRESH:
            self._zero, self._measured = zero, sent

    def now(self) -> float:
        """Return the present moment; before the first answer of a server it is this machine's."""
        if self._zero == math.inf:
            return self._clock.now()
        return self._clock.monotonic() + self._zero

    def wall(self, moment: float) -> float:
        """Return what the wall clock shows at *moment*, as it goes now."""
        return round(moment - self.now() + self._clock.now(), 3)

    def moment(self, shown: float | None) -> float | None:
        """Return the moment at which the wall clock shows so much, as it goes now."""
        return None if shown is None else shown - self._clock.now() + self.now()

    def shown(self, moment: float | None) -> float | None:
        """Return the same of a moment that may be none."""
        return None if moment is None else self.wall(moment)
