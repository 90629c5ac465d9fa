"""Whose turn it is to take: one worker at a time waits at the queue, and quick ones come back.

    limit = turns.enter(worker, 10.0)       # waits until it is its turn
    taken = subscription.take(limit, 10.0)
    turns.leave(worker, len(taken), limit)  # the next one may enter

A worker whose handler takes its time leaves the turn to the next one at once, so that slow handlers
spread over all workers. A quick one is back within a slice: to wake another worker for what is
behind would cost more than it gains, unless there is a backlog, a core that is free, and more work
in Lua than in Python. A quick one that is not back in time counts as slow: its handler waits
(`Caller.waits`), or the watchdog has seen it twice in the same call. What it has taken is still
its own then, so a lone one never takes all of the prefetch: the others go on with the rest.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from moonq.sandbox.watchdog import WATCHDOG

if TYPE_CHECKING:
    from moonq.run.worker import Worker

#: Seconds that a message and a slice of them cost in Python, of which one thread runs at a time:
#: take, start and ack; and waking up, the crossing, the way back, and what threads pay each other
#: for the interpreter. With slices of five, two workers drain 130 000/s where one drains 240 000.
MESSAGE, CROSSING = 1e-6, 60e-6
#: So many full takes in a row are a backlog, and no burst; after as many it is looked at again.
BACKLOG = 4
#: The part of the prefetch that a lone quick worker leaves to the others, one for each at most: if
#: it took all and then computed for long, they could not go on. Several share all of it.
LEFT = 4
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

# Quick workers that are at work, whoever they belong to: they share the cores.
_at_work: set[Worker] = set()


class Turns:
    """The turns of up to *concurrency* workers, which together may hold *prefetch* messages."""

    def __init__(
        self, concurrency: int, prefetch: int, free_cores: Callable[[], int] | None = None
    ) -> None:
        self._concurrency, self._prefetch = concurrency, prefetch
        left = min(concurrency - 1, max(1, prefetch // LEFT))
        self._alone = max(1, prefetch - left)
        self._free_cores = free_cores or _free_cores
        self._lock = threading.Lock()
        self._free = threading.Condition(self._lock)
        self._taking = self._closed = False
        self._quick: set[Worker] = set()
        # How many messages each has taken, and all of them together.
        self._taken: dict[Worker, int] = {}
        self._held = 0
        # How many quick ones may be at work, and of how many messages each.
        self._most, self._share = 1, self._alone
        self._full = 0
        self._waiting = 0

    def enter(self, worker: Worker, timeout: float) -> int:
        """Wait until *worker* may take, at most *timeout* seconds.

        Returns how many messages make a slice for it, within its share of the prefetch and what the
        others have left of that; 0: it may not take now.
        """
        with self._lock:
            self._forget(worker)
            self._held -= self._taken.pop(worker, 0)
            if not self._is_free():
                self._await(timeout)
            if self._closed or not self._is_free():
                return 0
            self._taking = True
            return max(1, min(self._slice(worker), self._prefetch - self._held))

    def leave(self, worker: Worker, taken: int, limit: int) -> None:
        """Let the next one enter; a quick *worker* that has *taken* some is expected back."""
        with self._lock:
            self._taking = False
            # No more than the others have left is no sign of a backlog.
            self._full = self._full + 1 if taken == limit == self._slice(worker) else 0
            self._taken[worker] = taken
            self._held += taken
            if taken and worker.pace.is_quick():
                self._quick.add(worker)
                _at_work.add(worker)
                if self._full % BACKLOG == 0:
                    self._let_work(self._worth(worker) if self._full else 1)
            self._wake()

    def expect_no_longer(self, worker: Worker) -> None:
        """Count *worker*, which is not back in time, as slow: the next one may enter."""
        if worker in self._quick:
            with self._lock:
                self._forget(worker)
                self._wake()

    def forget(self, worker: Worker) -> None:
        """Count on *worker* no longer, which has left."""
        with self._lock:
            self._forget(worker)
            self._held -= self._taken.pop(worker, 0)
            self._wake()

    def close(self) -> None:
        """Let nobody enter any more."""
        with self._lock:
            self._closed = True
            self._free.notify_all()

    def _await(self, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        self._waiting += 1
        while not (self._closed or self._is_free()) and timeout > 0:
            self._free.wait(timeout)
            timeout = deadline - time.monotonic()
        self._waiting -= 1

    def _slice(self, worker: Worker) -> int:
        return min(worker.pace.batch(), self._share)

    def _is_free(self) -> bool:
        return not self._taking and len(self._quick) < self._most

    def _forget(self, worker: Worker) -> None:
        self._quick.discard(worker)
        _at_work.discard(worker)

    def _wake(self) -> None:
        if self._waiting and self._is_free():
            self._free.notify()

    def _let_work(self, workers: int) -> None:
        self._most = workers
        self._share = self._alone if workers == 1 else max(1, self._prefetch // workers)

    def _worth(self, worker: Worker) -> int:
        """Return how many quick workers pay off at the pace of *worker*."""
        cores = self._free_cores() - len(_at_work) + len(self._quick)
        cores = min(cores, self._concurrency)
        most, seconds = 1, worker.pace.seconds
        while most < cores:
            python = MESSAGE + CROSSING / max(1, self._prefetch // (most + 1))
            if (most + 1) * python > python + seconds:
                break
            most += 1
        return most


def _free_cores() -> int:
    """Return how many cores no long call of Lua keeps busy."""
    return CORES - WATCHDOG.long_calls
