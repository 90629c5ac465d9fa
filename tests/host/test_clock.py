"""Waits by the clock: how long they may be, and what ends them."""

from __future__ import annotations

import threading
import time

import pytest

from moonq import clock
from moonq.clock import ManualClock, SystemClock
from moonq.errors import CutShort


def test_no_wait_is_too_long_for_the_machine() -> None:
    changed = threading.Condition()
    threading.Timer(0.05, lambda: notify(changed)).start()
    with changed:
        assert SystemClock().wait(changed, 1e300)


def notify(changed: threading.Condition) -> None:
    with changed:
        changed.notify_all()


@pytest.mark.parametrize("waits_by", [SystemClock(), ManualClock()], ids=["real", "virtual"])
def test_a_wait_ends_with_what_it_is_for(waits_by: clock.Clock) -> None:
    changed, began, looks = threading.Condition(), time.monotonic(), iter((False, False, True))

    def look() -> None:
        if next(looks):
            raise CutShort("that is over")

    assert clock.waits.look is None
    clock.waits.look = look
    try:
        with pytest.raises(CutShort, match="that is over"):
            clock.pause(waits_by, changed, 60.0, lambda: False)
    finally:
        clock.waits.look = None
    assert time.monotonic() - began < 5
