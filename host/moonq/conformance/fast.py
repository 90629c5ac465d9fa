"""A clock for the suite on which time passes really, but faster than it does.

A driver whose store has no clock but its own cannot be told what time it is. Its cases run in real
time, which a `FastClock` shows `RATE` times as fast as it is: a minute takes twelve seconds. Such a
driver is made with that clock and scales by its `rate` whatever the store measures itself.
"""

from __future__ import annotations

import threading
import time
from typing import Protocol

from moonq.clock import Clock, step

#: Faster is too fast: what a store needs for a round trip would look like seconds.
RATE = 5.0
#: The longest wait of a case, in its own seconds, that is waited for in real time.
LONGEST = 120.0


class TooLong(Exception):
    """The case would have to wait for hours."""


class SuiteClock(Clock, Protocol):
    """A clock of the suite."""

    def advance(self, seconds: float) -> None:
        """Let time pass."""

    def shift(self, seconds: float) -> None:
        """Set the wall clock so far off the monotonic one."""


class FastClock:
    """A real clock that runs *rate* times as fast."""

    def __init__(self, rate: float = RATE) -> None:
        self.rate = rate
        self._began, self._zero = time.monotonic(), time.time()
        self._shift = 0.0

    def now(self) -> float:
        """Seconds since the epoch, if time had always gone that fast since the clock began."""
        return self._zero + self._shift + self.monotonic()

    def monotonic(self) -> float:
        """Seconds since the clock began."""
        return (time.monotonic() - self._began) * self.rate

    def wait(self, condition: threading.Condition, timeout: float | None) -> bool:
        """Wait in real time, which is shorter."""
        wanted = None if timeout is None else timeout / self.rate
        seconds = step(wanted)
        return condition.wait(seconds) or seconds != wanted

    def advance(self, seconds: float) -> None:
        """Wait until so many seconds have passed.

        Raises:
            TooLong: Nobody would wait for that.
        """
        if seconds > LONGEST:
            raise TooLong(f"it would take {seconds / self.rate:.0f} s")
        time.sleep(seconds / self.rate)

    def shift(self, seconds: float) -> None:
        """Set the wall clock so far off the monotonic one."""
        self._shift = seconds
