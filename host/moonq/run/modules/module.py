"""A Python module at work: it is loaded, opened, called within the time of its callers, and closed.

    module = Module(entry, spec)
    module.open()
    module.call(caller, "charge", arguments)        # bytes, see `crossing`
    module.close(None)

A call that does not come back in time answers TIMEOUT shortly before its handler would be stopped,
so that the handler can still say so. Its thread is lost to the module until it returns.
"""

from __future__ import annotations

import inspect
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from moonq import durations, log
from moonq.errors import MoonqError, NotFound, Unavailable
from moonq.run.calling.lending import Caller
from moonq.run.modules import crossing, loading, raising
from moonq.run.modules.loop import LOOP
from moonq.run.modules.pool import Job, Pool
from moonq.run.modules.shapes import Shapes

_log = log.get("moonq.modules")
#: How long a call waits for a thread to become free, in seconds.
PATIENCE = 1.0
#: What is left of a handler's time for what it does about a TIMEOUT: a share, and at most seconds.
MARGIN, MOST_MARGIN = 0.2, 0.25


class Settings(NamedTuple):
    """What an entry says about its module."""

    entry: str
    root: Path
    names: tuple[str, ...]
    max_threads: int
    options: Mapping[str, Any]
    errors: Mapping[str, raising.Told]
    path: Path | None = None
    """Of its own file."""
    text: bytes = b""
    dotted: str = ""
    """What is imported instead."""
    timeout: float | None = None
    """Seconds that one call may take; None: those of its handler."""


class TimedOut(MoonqError):
    """A function has not come back in time; what it does goes on, and may have its effect."""

    kind = "TIMEOUT"
    retryable = True


class Canceled(MoonqError):
    """The handler that called was stopped."""

    kind = "CANCELED"
    retryable = None


class _Lent(NamedTuple):
    function: Callable[..., Any]
    shapes: Shapes
    is_async: bool


class Module:
    """One module with its threads."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._pool = Pool(settings.entry, settings.max_threads)
        self._module: ModuleType | None = None
        self._lent: dict[str, _Lent] = {}
        self._cancelling: set[Job] = set()
        self._lock = threading.Lock()
        self._opening = threading.Lock()
        self._is_open = False
        # Callers that are inside, on its threads or on the loop; none comes in once it is closed.
        self._changed = threading.Condition()
        self._inside = 0
        self._is_closed = False

    def open(self) -> None:
        """Load it, and let it open what it needs, unless that is done.

        Raises:
            MoonqError: It cannot be loaded, lacks a function, or its `open` raised.
        """
        with self._opening:
            if not self._is_open:
                self._open()
                self._is_open = True

    def _open(self) -> None:
        settings = self._settings
        if settings.path is not None:
            module = loading.of_source(settings.entry, settings.path, settings.text, settings.root)
        else:
            module = loading.of_import(settings.entry, settings.dotted, settings.root)
        found = loading.functions(settings.entry, module, settings.names)
        self._lent = {
            name: _Lent(one, Shapes.of(one), inspect.iscoroutinefunction(one))
            for name, one in found.items()
        }
        self._module = module
        self._do("open", settings.options)

    def close(self, timeout: float | None) -> None:
        """Wait for the calls that run, at most *timeout* seconds; let it close what it opened."""
        with self._changed:
            self._is_closed = True
            is_left = self._changed.wait_for(lambda: not self._inside, timeout)
        if not (self._pool.close(timeout if is_left else 0.0) and is_left):
            names = ", ".join(sorted(job.called for job in self._pool.lost()))
            _log.warning("%s is closed while it runs %s", self._settings.entry, names or "calls")
        if self._is_open:
            self._is_open = False
            try:
                self._do("close")
            except MoonqError as problem:
                _log.error("%s", problem.in_one_line())

    def retire(self) -> None:
        """Close it as soon as the calls that run have ended, and do not wait for that."""
        name = f"moonq-{self._settings.entry}-old"
        threading.Thread(target=self.close, args=(None,), name=name, daemon=True).start()

    def health(self) -> list[str]:
        """Return what keeps it from doing all that it should."""
        now = time.monotonic()
        with self._lock:
            self._cancelling = {job for job in self._cancelling if not job.is_over}
            stuck = [*self._cancelling]
        lost = self._pool.lost()
        told = [f"{one.called} for {now - (one.left_at or now):.0f}s" for one in [*lost, *stuck]]
        if not told:
            return []
        threads = f"{len(lost)} of {self._pool.most} threads lost" if lost else "not cancelled"
        return [f"{threads}: {', '.join(sorted(told)[:3])} past the deadline"]

    def call(self, caller: Caller, name: str, data: bytes) -> bytes:
        """Call a function with the arguments in *data*, and return its results.

        Raises:
            MoonqError: It raised, did not come back, or its values cannot cross.
        """
        with self._entered():
            return self._call(caller, name, data)

    @contextmanager
    def _entered(self) -> Iterator[None]:
        """Keep it from being closed.

        Raises:
            Unavailable: It is closed already, since another has taken its place or the host ends.
        """
        with self._changed:
            if self._is_closed:
                raise Unavailable(f"{self._settings.entry} has just been closed; try again")
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    def _call(self, caller: Caller, name: str, data: bytes) -> bytes:
        called = f"{self._settings.entry}.{name}"
        self.open()
        lent = self._lent.get(name)
        if lent is None:
            raise NotFound(f"{self._settings.entry} lends no function {name!r}")
        arguments = crossing.arguments(data, called, lent.shapes)
        job = self._finished(caller, lent, arguments, called)
        if job.problem is not None:
            raise raising.told(job.problem, called, self._settings.errors)
        return crossing.results(job.value, called)

    def _finished(self, caller: Caller, lent: _Lent, arguments: list[Any], called: str) -> Job:
        left = time_of(caller, self._settings.timeout)
        began = time.monotonic()
        job = self._begin(
            lent, arguments, called, PATIENCE if left is None else min(left, PATIENCE)
        )
        with caller.interruptible(job.cut):
            rest = None if left is None else max(0.0, left - (time.monotonic() - began))
            job.wait(rest)
            if not job.leave():
                return job
        if lent.is_async:
            with self._lock:
                self._cancelling = {one for one in self._cancelling if not one.is_over} | {job}
        took = time.monotonic() - began
        if left is not None and took >= left:
            raise TimedOut(f"{called} has not come back in {durations.show(round(left, 1))}")
        raise Canceled(f"{called} was given up: its caller was stopped")

    def _begin(self, lent: _Lent, arguments: list[Any], called: str, within: float) -> Job:
        function = lent.function
        if lent.is_async:
            return LOOP.begin(lambda: function(*arguments), called)
        return self._pool.begin(lambda: function(*arguments), called, within)

    def _do(self, name: str, *arguments: Any) -> None:
        """Call `open` or `close`, if there is one.

        Raises:
            Unloadable: It raised.
        """
        function = getattr(self._module, name, None)
        if function is None:
            return
        called = f"{self._settings.entry}: {name}"
        try:
            if Shapes.of(function).most == 0:
                arguments = ()
            answer = function(*arguments)
            if inspect.iscoroutine(answer):
                job = LOOP.begin(lambda: answer, called)
                job.wait(None)
                if job.problem is not None:
                    raise job.problem
        except BaseException as problem:  # noqa: BLE001 - whatever it does, the host goes on
            _log.error("%s raised", called, exc_info=problem)
            words = f"{type(problem).__name__}: {problem}".rstrip(": ")
            raise loading.Unloadable(f"{called} raised {words}") from None


def time_of(caller: Caller, own: float | None) -> float | None:
    """Return the seconds that a call may take, less than its handler has left; None: any."""
    left = caller.guard.remaining() if caller.guard is not None else None
    if left is not None:
        left -= min(left * MARGIN, MOST_MARGIN)
    return min((one for one in (left, own) if one is not None), default=None)
