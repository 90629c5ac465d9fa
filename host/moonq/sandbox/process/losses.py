"""Who has lost children of late, so that no storm of new ones arises."""

from __future__ import annotations

import threading
import time
from collections import deque

from moonq import log

_log = log.get("moonq.sandbox")
#: Children of one function that may be lost within so many seconds before further ones wait for
#: each other, so long.
FREE_LOSSES, WITHIN, PACE = 20, 10.0, 1.0


class Losses:
    """Counts the lost children of each function."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lost: dict[str, deque[float]] = {}
        self._next: dict[str, float] = {}

    def note(self, about: str) -> None:
        """Remember that a child of *about* was lost."""
        with self._lock:
            self._lost.setdefault(about, deque(maxlen=FREE_LOSSES)).append(time.monotonic())

    def pause(self, about: str) -> float:
        """Return the seconds that the next child of *about* is to wait."""
        now = time.monotonic()
        with self._lock:
            lost = self._lost.get(about)
            if lost is None or len(lost) < FREE_LOSSES or now - lost[0] > WITHIN:
                self._next.pop(about, None)
                return 0.0
            is_new = about not in self._next
            at = self._next[about] = max(now, self._next.get(about, now) + PACE)
        if is_new:
            words = "%s: %d of its processes were lost within %g s; from now on one starts per %g s"
            _log.error(words, about, FREE_LOSSES, WITHIN, PACE)
        return at - now
