"""Time that is passed in, so that a test can hold it.

Every wait in moonq goes through a `Clock`; a test takes a `ManualClock` and advances it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol


class Clock(Protocol):
    """What moonq asks of time."""

    @property
    def rate(self) -> float:
        """How many of its seconds pass in a real one: what a store measures is scaled by it."""
        ...

    def now(self) -> float:
        """Seconds since the epoch."""
        ...

    def monotonic(self) -> float:
        """Seconds since some moment; never goes back."""
        ...

    def wait(self, condition: threading.Condition, timeout: float | None) -> bool:
        """Wait on *condition* (held by the caller) at most *timeout* seconds.

        Returns False when the time was up first. May wake early: check again.
        """
        ...


def pause(
    clock: Clock, changed: threading.Condition, seconds: float, is_over: Callable[[], bool]
) -> bool:
    """Wait *seconds*; False when *is_over*, looked at whenever *changed*, cut it short."""
    deadline = clock.monotonic() + seconds
    with changed:
        while not is_over():
            left = deadline - clock.monotonic()
            if left <= 0:
                return True
            clock.wait(changed, left)
    return False


#: Real seconds after which a wait looks whether it is to go on.
STEP = 0.05
#: How many looks a second all waits of the process make together: a thousand look more rarely.
LOOKS = 2000
# The threads that wait and look.
_looking: set[int] = set()


class Waits(threading.local):
    """The waits of one thread.

    So whatever waits on behalf of a call, in a driver for a place in a full queue or for a broker
    that is away, ends with the call.
    """

    look: Callable[[], None] | None = None
    """Called now and then in each of them; it raises what ends the wait. Put back what was here."""


#: Those of the running thread.
waits = Waits()


def step(seconds: float | None) -> float | None:
    """Return for how many of real *seconds* this thread may wait before it looks again."""
    look = waits.look
    if look is None:
        return None if seconds is None else min(seconds, threading.TIMEOUT_MAX)
    look()
    longest = max(STEP, len(_looking) / LOOKS)
    return longest if seconds is None else min(seconds, longest)


class SystemClock:
    """The machine's own time."""

    rate = 1.0
    now = staticmethod(time.time)
    monotonic = staticmethod(time.monotonic)

    def wait(self, condition: threading.Condition, timeout: float | None) -> bool:
        """Wait in real time."""
        seconds, me = step(timeout), threading.get_ident()
        if waits.look is not None:
            _looking.add(me)
        try:
            return condition.wait(seconds) or seconds != timeout
        finally:
            _looking.discard(me)


class ManualClock:
    """Time that stands still until `advance` moves it; wakes who waits for it."""

    rate = 1.0

    def __init__(self, start: float = 1_700_000_000.0) -> None:
        self._now = start
        self._shift = 0.0
        self._lock = threading.Lock()
        self._waiting: dict[int, threading.Condition] = {}

    def now(self) -> float:
        """Seconds since the epoch, as set."""
        return self._now + self._shift

    def monotonic(self) -> float:
        """The same number, unless `shift` has set the wall clock: this one does not go back."""
        return self._now

    def shift(self, seconds: float) -> None:
        """Set the wall clock so far off the monotonic one, as somebody at the machine might."""
        self._shift = seconds

    def wait(self, condition: threading.Condition, timeout: float | None) -> bool:
        """Wait until notified or until `advance` has reached the deadline."""
        deadline = None if timeout is None else self._now + timeout
        step(None)
        with self._lock:
            self._waiting[id(condition)] = condition
        # Only now: an `advance` before it was registered would not have woken this one.
        if deadline is not None and deadline <= self._now:
            return False
        # Wakes early now and then, for what no clock tells: what another process wrote.
        condition.wait(0.05)
        return deadline is None or self._now < deadline

    def advance(self, seconds: float) -> None:
        """Move time forward and wake everybody who waits for it."""
        if seconds < 0:
            raise ValueError("time does not go back")
        self._now += seconds
        with self._lock:
            waiting, self._waiting = list(self._waiting.values()), {}
        for condition in waiting:
            with condition:
                condition.notify_all()
