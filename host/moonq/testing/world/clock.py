"""The time of tests: virtual, where it stands still until it is advanced, or real but faster."""

from __future__ import annotations

import threading
import time
from typing import Protocol

from moonq.clock import Clock, ManualClock
from moonq.conformance.fast import FastClock
from moonq.errors import Unsupported

#: In virtual time every test begins at this moment: 2026-01-01T00:00:00Z.
BEGINNING = 1_767_225_600.0


class TimeOfTests(Clock, Protocol):
    """A clock that tests can move."""

    is_virtual: bool
    """Whether it stands still by itself."""

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
    is_virtual = True

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


class SharedClock(ManualClock):
    """See `TimeOfTests`; virtual time on which the threads of a driver wait, too.

    It goes on from test to test. A wait of the test's own thread, which nobody else could end, lets
    its time pass; but whatever the driver does at once comes first.
    """

    is_virtual = True
    #: Real seconds that a driver has for what it does at once; less where it waits in small steps.
    GRACE = 0.3

    def __init__(self) -> None:
        super().__init__(BEGINNING)
        self._owner = threading.get_ident()

    def reset(self) -> None:
        """Time goes on."""

    def set_now(self, now: float) -> None:
        """Make it *now*.

        Raises:
            Unsupported: It is later already.
        """
        self.advance(ahead_of(self, now))

    def advance(self, seconds: float) -> None:
        """Let *seconds* pass."""
        super().advance(max(0.0, seconds))

    def wait(self, condition: threading.Condition, timeout: float | None) -> bool:
        """Wait until notified, or until it is time."""
        if threading.get_ident() != self._owner or timeout is None:
            return super().wait(condition, timeout)
        if condition.wait(min(self.GRACE, timeout / 5)):
            return True
        condition.release()
        try:
            self.advance(timeout)
        finally:
            condition.acquire()
        return False


class FastTime(FastClock):
    """See `TimeOfTests`; real time, but faster, for stores that go by a clock of their own."""

    is_virtual = False

    def reset(self) -> None:
        """Time goes on."""

    def advance(self, seconds: float) -> None:
        """Wait."""
        time.sleep(max(0.0, seconds) / self.rate)

    def set_now(self, now: float) -> None:
        """Wait until it is *now*.

        Raises:
            Unsupported: It is later already.
        """
        self.advance(ahead_of(self, now))


def ahead_of(clock: Clock, now: float) -> float:
    """Return for how long *clock* must go on until it is *now*.

    Raises:
        Unsupported: It is later already.
    """
    ahead = now - clock.now()
    if ahead < 0:
        raise Unsupported("test.clock.set: with the declared drivers time does not go back")
    return ahead
