"""The clock, and waiting."""

from __future__ import annotations

from moonq.errors import MoonqError
from moonq.run.calling.lending import Caller, lent

#: A sleeper wakes this long after its time limit, to be stopped.
LATE = 0.2


@lent(action=None, writes=False, waits=False)
def now(caller: Caller) -> float:
    """Return the seconds since the epoch."""
    return caller.host.clock.now()


@lent(action=None, writes=False, waits=False)
def monotonic(caller: Caller) -> float:
    """Return the seconds of a clock that never goes back."""
    return caller.host.clock.monotonic()


@lent(action=None, writes=False, waits=False)
def time_left(caller: Caller) -> float | None:
    """Return the seconds that are left to the running call; None without a limit."""
    return caller.remaining()


@lent(action=None, writes=False, waits=True, holds=True)
def sleep(caller: Caller, seconds: float) -> bool:
    """Wait, no longer than the caller's time limit allows."""
    left = caller.remaining()
    if left is not None:
        seconds = min(seconds, left + LATE)
    if not caller.context.sleep(seconds):
        raise Canceled("the worker is to stop")
    caller.heed()
    return True


class Canceled(MoonqError):
    """A wait was cut short because the worker is to stop."""

    kind = "CANCELED"
