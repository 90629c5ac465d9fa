"""Stops scripts whose time is over, from outside.

One thread looks at every running call. Past its deadline it arms a hook in the call's state
through Lua's C API, which the lupa wheels export: `lua_sethook(L, luaL_error, LUA_MASKCOUNT, 1)`.
From then on every instruction raises, so nothing the script catches outlives it. Until then the
watchdog costs nothing inside the state.
"""

from __future__ import annotations

import ctypes
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

import lupa.lua54

from moonq import log, threads

if TYPE_CHECKING:
    from moonq.sandbox.process.children import Child

_log = log.get("moonq.sandbox")
#: `LUA_MASKCOUNT` of lua.h.
_MASK_COUNT = 8
#: How often running calls are looked at, in seconds.
_PERIOD = 0.01
_PERIOD_IDLE = 0.05
_NEVER = float("inf")
#: A call that still runs this long after its hook was armed sits in a C function: give it up.
ABANDON_AFTER = 2.0


class Api:
    """The three functions of Lua's C API that stop a script; called with the GIL held."""

    def __init__(self) -> None:
        library = ctypes.PyDLL(lupa.lua54.__file__)
        self._sethook = library.lua_sethook
        self._sethook.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_int]
        self._sethook.restype = None
        self._error = ctypes.cast(library.luaL_error, ctypes.c_void_p)
        self._count = library.lua_gethookcount
        self._count.argtypes = [ctypes.c_void_p]
        self._mask = library.lua_gethookmask
        self._mask.argtypes = [ctypes.c_void_p]

    def arm(self, state: int) -> None:
        """Let every instruction of *state* raise from now on."""
        # luaL_error as a hook: its format argument is the lua_Debug, whose first int is the
        # event number 3, so the message is the one character "\\3".
        self._sethook(state, self._error, _MASK_COUNT, 1)

    def clear(self, state: int) -> None:
        """Let *state* run freely again."""
        self._sethook(state, None, 0, 0)

    def sees(self, state: int, count: int) -> bool:
        """Whether *state* has a count hook of *count*: proof that the address is the state."""
        return bool(self._count(state) == count and self._mask(state) == _MASK_COUNT)


@cache
def api() -> Api | None:
    """Return the C API, or None where the wheel does not export it."""
    try:
        return Api()
    except (AttributeError, OSError):
        return None


def sees_hook(address: bytes, count: int) -> bool:
    """Whether the state at *address* (hexadecimal) shows a count hook of *count*."""
    lua = api()
    return lua is not None and lua.sees(int(address, 16), count)


class Interrupt:
    """What ends a wait of the host once the call that waits is stopped."""

    def __init__(self, stop: Callable[[str], None]) -> None:
        self._stop = stop
        self._lock = threading.Lock()
        self._is_over = False

    def set_off(self, reason: str) -> None:
        """Call it, in a thread of its own: it may take long, or fail."""
        thread = threading.Thread(
            target=self._run, args=(reason,), name="moonq-interrupt", daemon=True
        )
        if not threads.has_started(thread):
            self._run(reason)

    def end(self) -> None:
        """Let it not be called any more; waits for it where it is at work."""
        with self._lock:
            self._is_over = True

    def _run(self, reason: str) -> None:
        with self._lock:
            if self._is_over:
                return
            self._is_over = True
            try:
                self._stop(reason)
            except Exception as problem:  # noqa: BLE001 - it was only to be quicker
                _log.warning("a call that was stopped could not be cut short: %s", problem)


class Guard:
    """The time limit of one state's calls; `begin` and `end` enclose each of them."""

    #: The process that the state is in, where that is not this one: what it calls runs there too.
    child: Child | None = None

    def __init__(self, address: int | None, on_abandoned: Callable[[], None]) -> None:
        self.address = address
        """Where the state's main coroutine is; None leaves the stop to its permanent hook."""
        self.on_abandoned = on_abandoned
        self.above: Guard | None = None
        """The limit of the call that this one was made in: when that is stopped, this one is."""
        self.is_waiting: Callable[[], bool] = lambda: False
        """Whether the call waits in the host, which ends by itself."""
        self.is_away: Callable[[], bool] = lambda: False
        """Whether that is for something outside, which needs no core."""
        self.on_long: Callable[[], None] = lambda: None
        """Called by the watchdog while a call runs that it has seen before; must not wait."""
        self._seen: float | None = None
        self._below: weakref.ref[Guard] | None = None
        self.deadline: float | None = None
        self.fired_at: float | None = None
        self.reason = ""
        self.abandoned = False
        self._lock = threading.Lock()
        self._interrupts: list[Interrupt] = []
        self._afterwards: list[Callable[[], None]] = []

    def when_over(self, clean: Callable[[], None]) -> None:
        """Call *clean* once the running call is over, on its thread, however it ends."""
        self._afterwards.append(clean)

    @contextmanager
    def interruptible(self, stop: Callable[[str], None]) -> Iterator[None]:
        """Call *stop* with the reason, once, when the running call is stopped meanwhile."""
        interrupt = Interrupt(stop)
        with self._lock:
            if self.fired_at is not None:
                interrupt.set_off(self.reason)
            else:
                self._interrupts.append(interrupt)
        try:
            yield
        finally:
            with self._lock:
                if interrupt in self._interrupts:
                    self._interrupts.remove(interrupt)
            interrupt.end()

    def begin(self, limit: float | None) -> None:
        """A call starts; it may take *limit* seconds."""
        # A number of its own for each call, by which the watchdog knows it again.
        self.deadline = float("inf") if limit is None else time.monotonic() + limit

    def remaining(self) -> float | None:
        """Return the seconds that are left to the running call; None without a limit."""
        deadline = self.deadline
        if deadline is None or deadline == _NEVER:
            return None
        return max(0.0, deadline - time.monotonic())

    def end(self) -> str:
        """The call is over. Returns why it was stopped, "" when it was not."""
        while self._afterwards:
            try:
                self._afterwards.pop()()
            except Exception as problem:  # noqa: BLE001 - the call is over all the same
                _log.warning("what a call had opened could not be closed: %s", problem)
        with self._lock:
            self.deadline = None
            if self.fired_at is None:
                return ""
            if self.address is not None:
                _clear(self.address)
            self.fired_at = None
            reason, self.reason = self.reason, ""
            return reason

    def is_over(self) -> bool:
        """Whether the call was stopped; asked by permanent hooks."""
        return self.fired_at is not None

    def fire(self, reason: str) -> bool:
        """Stop the running call now. False when there is none or it is stopping already."""
        with self._lock:
            if self.deadline is None or self.fired_at is not None:
                return False
            self._stop(reason)
            return True

    def fire_all(self, reason: str) -> None:
        """Stop the running call now, and all those above it, in whose time it runs."""
        guard: Guard | None = self
        while guard is not None:
            guard.fire(reason)
            guard = guard.above

    def is_long(self) -> bool:
        """Whether the running call is the one of the last time; tells `on_long` if it is."""
        before, self._seen = self._seen, self.deadline
        if before is None or before is not self._seen:
            return False
        self.on_long()
        return True

    def look(self, now: float) -> None:
        """Stop the call when its time is over; give it up when that has not helped."""
        deadline = self.deadline
        if deadline is None:
            return
        if self.fired_at is not None:
            if now - self.fired_at > ABANDON_AFTER and not self.abandoned and not self.waits():
                # What it sets off may take long, ask Lua, or fail: not on the watchdog's time.
                teller = threading.Thread(
                    target=self.on_abandoned, name="moonq-abandoned", daemon=True
                )
                # Without a thread it is told at one of the next looks.
                self.abandoned = threads.has_started(teller)
            return
        self.heed(now)

    def waits(self) -> bool:
        """Whether the call, or one that it has made, waits in the host, which ends by itself."""
        if self.is_waiting():
            return True
        below = self._made()
        return below is not None and below.waits()

    def computes(self) -> bool:
        """Whether the running call needs a core, rather than one that it has made."""
        return not self.is_away() and self._made() is None

    def _made(self) -> Guard | None:
        """Return the limit of the call that the running one has made and waits for."""
        below = self._below() if self._below is not None else None
        if below is None or below.above is not self or below.deadline is None:
            return None
        return below

    def call_in(self, above: Guard | None) -> None:
        """Let the calls of this state be made in the one that *above* limits from now on."""
        self.above = above
        if above is not None:
            # Its state may be closed long before the next call is made there.
            above._below = weakref.ref(self)

    def heed(self, now: float | None = None) -> None:
        """Stop the call when its time is over, or when a call above it was stopped."""
        now = time.monotonic() if now is None else now
        if self._due(now):
            with self._lock:
                # Looked at again under the lock: the call may have ended, another begun.
                reason = self._due(now)
                if reason and self.fired_at is None:
                    self._stop(reason)

    def _due(self, now: float) -> str:
        """Return why the running call is to be stopped, "" when it is not."""
        if self.deadline is None:
            return ""
        above = self.above
        while above is not None:
            if above.fired_at is not None:
                return above.reason
            above = above.above
        return "timeout" if now > self.deadline else ""

    def _stop(self, reason: str) -> None:
        self.fired_at, self.reason = time.monotonic(), reason
        if self.address is not None:
            _arm(self.address)
        while self._interrupts:
            self._interrupts.pop().set_off(reason)


def _arm(address: int) -> None:
    lua = api()
    assert lua is not None
    lua.arm(address)


def _clear(address: int) -> None:
    lua = api()
    assert lua is not None
    lua.clear(address)


class Watchdog:
    """The thread that looks at every guard."""

    def __init__(self) -> None:
        self._guards: set[Guard] = set()
        self._wake = threading.Condition()
        self._thread: threading.Thread | None = None
        self.long_calls = 0
        """How many calls of scripts keep a core busy for longer than a look takes to come back."""

    def add(self, guard: Guard) -> None:
        """Look at *guard* from now on.

        Raises:
            Unavailable: There is no thread to do it.
        """
        with self._wake:
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="moonq-watchdog", daemon=True)
                threads.start(thread)
                self._thread = thread
            self._guards.add(guard)
            self._wake.notify()

    def remove(self, guard: Guard) -> None:
        """Forget *guard*."""
        with self._wake:
            self._guards.discard(guard)

    def _run(self) -> None:
        while True:
            with self._wake:
                while not self._guards:
                    self._wake.wait()
                guards = tuple(self._guards)
            now = time.monotonic()
            busy, long = False, 0
            for guard in guards:
                if guard.deadline is not None:
                    busy = True
                    guard.look(now)
                    long += guard.is_long() and guard.computes()
            self.long_calls = long
            time.sleep(_PERIOD if busy else _PERIOD_IDLE)


#: One for the process: states are watched wherever they are made.
WATCHDOG = Watchdog()
