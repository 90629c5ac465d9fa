"""The time of tests: virtual, where it stands still until it is advanced, or real."""

from __future__ import annotations

import threading
import time
from typing import Protocol

from moonq.clock import Clock, SystemClock
from moonq.errors import Unsupported

#: In virtual time every test begins at this moment: 2026-01-01T00:00:00Z.
BEGINNING = 1_767_225_600.0


class TimeOfTests(Clock, Protocol):
    """A clock that tests can move."""

    def reset(self) -> None:
        """Begin anew."""
        ...

    def advance(self, seconds: float) -> None:
        """Let *seconds* pass."""
        ...

    def set_now(self, now: float) -> None:
        """Make it *now*."""
        ...


class VirtualClock:
    """See `TimeOfTests`; one thread does everything, so there is none to wake."""

    rate = 1.0

    def __init__(self) -> None:
        self._elapsed = 0.0
        self._epoch = BEGINNING

    def reset(self) -> None:
        """Begin anew."""
        self._elapsed, self._epoch = 0.0, BEGINNING

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._epoch + self._elapsed

    def monotonic(self) -> float:
        """Seconds since the test began."""
        return self._elapsed

    def wait(self, condition: threading.Condition, timeout: float | None) -> bool:
        """Let the whole *timeout* pass: no other thread could notify."""
        if timeout is None:
            raise Unsupported("a wait without end, in a test where nobody could end it")
        self.advance(timeout)
        return False

    def advance(self, seconds: float) -> None:
        """Let *seconds* pass."""
        self._elapsed += max(0.0, seconds)

    def set_now(self, now: float) -> None:
        """Make it *now*; a moment ahead lets the time until then pass, one behind passes none."""
        ahead = now - self.now()
        if ahead >= 0:
            self.advance(ahead)
        else:
            self._epoch += ahead


class RealClock(SystemClock):
    """See `TimeOfTests`; for tests against the drivers that a project declares."""

    def reset(self) -> None:
        """Real time goes on."""

    def advance(self, seconds: float) -> None:
        """Wait."""
        time.sleep(max(0.0, seconds))

    def set_now(self, now: float) -> None:
        """Wait until it is *now*.

        Raises:
            Unsupported: It is later already.
        """
        ahead = now - self.now()
        if ahead < 0:
            raise Unsupported("test.clock.set: with the declared drivers time does not go back")
        self.advance(ahead)
