"""The threads of one module: calls run there, and one that does not come back costs a thread.

pool = Pool("app:bank", 8)
job = pool.begin(lambda: charge(order), "app:bank.charge", within=1.0)
job.wait(5.0)                   # False: it has not come back
job.leave()                     # its thread is lost until it does, its result is dropped
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from moonq import log
from moonq.errors import Unavailable

_log = log.get("moonq.modules")


class Job:
    """One call, from both of its ends: the thread that does it, and who waits for it."""

    def __init__(self, called: str, on_left: Callable[[], None] = lambda: None) -> None:
        self.called = called
        self.value: Any = None
        self.problem: BaseException | None = None
        self.is_over = False
        self.left_at: float | None = None
        """When its caller went away without waiting for it any longer."""
        self._changed = threading.Condition()
        self._is_cut = False
        self._on_left = on_left

    def wait(self, seconds: float | None) -> bool:
        """Wait until it is over or cut short, at most so long; whether it is over."""
        with self._changed:
            self._changed.wait_for(lambda: self.is_over or self._is_cut, seconds)
            return self.is_over

    def cut(self, _reason: str = "") -> None:
        """Let nobody wait for it any longer."""
        with self._changed:
            self._is_cut = True
            self._changed.notify_all()

    def leave(self) -> bool:
        """Give up its result, which comes too late; False when it is there already."""
        with self._changed:
            if self.is_over:
                return False
            self.left_at = time.monotonic()
        self._on_left()
        return True

    def end(self, value: Any = None, problem: BaseException | None = None) -> bool:
        """It is over. Whether its caller is still there."""
        with self._changed:
            self.value, self.problem, self.is_over = value, problem, True
            self._changed.notify_all()
        if self.left_at is None:
            return True
        late = time.monotonic() - self.left_at
        became = f"raised {type(problem).__name__}" if problem else "returned"
        _log.warning(
            "%s %s %.1fs after its caller had gone; that is dropped",
            self.called,
            became,
            late,
            exc_info=problem,
        )
        return False


class Pool:
    """At most *most* threads, which begin with the first calls."""

    def __init__(self, name: str, most: int) -> None:
        self._name = name
        self.most = most
        self._jobs: deque[tuple[Job, Callable[[], Any]]] = deque()
        self._changed = threading.Condition()
        self._threads = 0
        self._running: set[Job] = set()
        self._closed = False

    def begin(self, work: Callable[[], Any], called: str, within: float) -> Job:
        """Let a thread do *work*; one that is busy may become free *within* seconds.

        Raises:
            Unavailable: There is no free thread.
        """
        job = Job(called, self._told)
        with self._changed:
            self._changed.wait_for(self._is_decided, within)
            if len(self._running) >= self.most:
                raise self._full()
            self._running.add(job)
            self._jobs.append((job, work))
            if self._threads < len(self._running):
                self._start(job)
            self._changed.notify_all()
        return job

    def lost(self) -> list[Job]:
        """Return the calls whose callers have gone."""
        with self._changed:
            return [job for job in self._running if job.left_at is not None]

    def close(self, timeout: float | None) -> bool:
        """Take no more calls, and wait for those that somebody waits for; whether all have ended.

        What is lost may never end.
        """
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            self._changed.wait_for(
                lambda: all(job.left_at is not None for job in self._running), timeout
            )
            return not self._running

    def _told(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _is_decided(self) -> bool:
        """Whether there is a thread, or none will be free by itself."""
        lost = sum(job.left_at is not None for job in self._running)
        return len(self._running) < self.most or lost >= self.most

    def _full(self) -> Unavailable:
        lost = sum(job.left_at is not None for job in self._running)
        why = f"all {self.most} threads are busy" + (f", {lost} of them lost" if lost else "")
        hint = "raise `max_threads`, or see what its functions wait for"
        return Unavailable(f"{self._name} has no free thread: {why}", hint=hint)

    def _start(self, job: Job) -> None:
        name = f"moonq-{self._name}-{self._threads + 1}"
        try:
            # A daemon: what never comes back must not keep the process from ending.
            threading.Thread(target=self._work, name=name, daemon=True).start()
        except RuntimeError:
            if self._threads == 0:
                self._running.discard(job)
                self._jobs.pop()
                raise Unavailable(f"{self._name}: the system gives no more threads") from None
            return
        self._threads += 1

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._jobs or self._closed)
                if not self._jobs:
                    self._threads -= 1
                    return
                job, work = self._jobs.popleft()
            try:
                job.end(work())
            except BaseException as problem:  # noqa: BLE001 - it is its caller's
                job.end(problem=problem)
            with self._changed:
                self._running.discard(job)
                self._changed.notify_all()
            del job, work
