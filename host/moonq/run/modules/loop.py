"""The one event loop of the process, on which every `async def` of a module runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any

from moonq import log
from moonq.run.modules.pool import Job

if TYPE_CHECKING:
    import asyncio

_log = log.get("moonq.modules")
Work = Callable[[], Coroutine[Any, Any, Any]]


class AsyncJob(Job):
    """A call on the loop: who leaves it cancels it."""

    def __init__(self, called: str, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(called)
        self._loop = loop
        self._task: asyncio.Task[Any] | None = None

    def start(self, work: Work) -> None:
        """Begin; called on the loop."""
        try:
            self._task = self._loop.create_task(work())
        except Exception as problem:  # noqa: BLE001 - it is its caller's
            self.end(problem=problem)
        else:
            self._task.add_done_callback(self._done)

    def leave(self) -> bool:
        """Cancel it; False when it is over already."""
        left = super().leave()
        if left:
            self._loop.call_soon_threadsafe(self._cancel)
        return left

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _done(self, task: asyncio.Task[Any]) -> None:
        if not task.cancelled():
            problem = task.exception()
            self.end(None if problem else task.result(), problem)
        elif self.left_at is None:
            self.end(problem=_cancelled("it cancelled itself"))
        else:
            self.is_over = True


def _cancelled(words: str) -> BaseException:
    from asyncio import CancelledError

    return CancelledError(words)


class Loop:
    """Begins with the first call, in a thread of its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    def begin(self, work: Work, called: str) -> AsyncJob:
        """Run the coroutine that *work* makes."""
        loop = self._running()
        job = AsyncJob(called, loop)
        loop.call_soon_threadsafe(job.start, work)
        return job

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                import asyncio

                self._loop = asyncio.new_event_loop()
                run = partial(_run, self._loop)
                threading.Thread(target=run, name="moonq-async", daemon=True).start()
            return self._loop


def _run(loop: asyncio.AbstractEventLoop) -> None:
    """Run *loop* for ever: what would end a program ends one call."""
    while True:
        try:
            loop.run_forever()
        except (SystemExit, KeyboardInterrupt) as problem:
            _log.warning(
                "%s was raised in an `async def`; the host goes on", type(problem).__name__
            )


#: One for the process, as there is one for all hosts in it to wait on.
LOOP = Loop()
