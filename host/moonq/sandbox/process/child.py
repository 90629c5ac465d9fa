"""One child: does what its host asks, one thing at a time, and asks back for what scripts are lent.

While a script waits for a lent function, the host may ask something else of another state: that is
how `funcs.call` runs a function in its caller's child. A second thread hears when a running call is
to stop.
"""

from __future__ import annotations

import mmap
import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn

from moonq.sandbox.lend import Bound
from moonq.sandbox.process import frames, walls
from moonq.sandbox.process.frames import Channel, Ended, Value
from moonq.sandbox.state import (
    CODES,
    RESERVE,
    Limits,
    LuaSource,
    LuaState,
    Outcome,
    ScriptFault,
    Stopped,
)
from moonq.sandbox.watchdog import Guard

#: Bytes that a child and its host share: which message of a batch runs, and how those before ended.
MARKS = mmap.PAGESIZE
CLEAN, UNCLEAN = 1, 2
#: Why a child ends: its host has gone, or something in it has failed.
ORPHANED, FAILED = 0, 70
#: Seconds between two tries to stop a call that is only about to begin.
_AGAIN = 0.001
#: A frame from the host may be as large as the bodies that fit into a state.
_ANY_SIZE = 2**32 - 1

#: What a child lends beside its host; tests put in what misbehaves.
OWN: dict[str, Bound] = {}


class Child:
    """See above; the files are a stream of frames, one of stops, and the shared marks."""

    def __init__(self, link: int, control: int, marks: int) -> None:
        self._channel = Channel(socket.socket(fileno=link), _ANY_SIZE)
        self._control = Channel(socket.socket(fileno=control))
        self._marks = mmap.mmap(marks, MARKS)
        self._states: dict[int, LuaState] = {}
        self._depth = 0
        self._noted = 0
        self._lock = threading.Lock()
        self._latest = 0
        self._running: dict[int, Guard] = {}

    def run(self, lacks: list[str]) -> NoReturn:
        """Serve the host until it is gone."""
        threading.stack_size(256 * 1024)
        threading.Thread(target=self._hear, daemon=True).start()
        with suppress(Ended):
            self._channel.send(frames.HELLO, *(one.encode() for one in lacks))
            while True:
                self._obey(*self._channel.receive())
        os._exit(ORPHANED)

    # What the host asks ---------------------------------------------------------------------------

    def _obey(self, what: int, serial: int, number: int, *arguments: Any) -> None:
        self._depth += 1
        status, values = self._answered(what, serial, number, arguments)
        self._depth -= 1
        state = self._states.get(number)
        spent, used = (True, 0) if state is None else (state.spent, state.memory_used())
        self._channel.send(frames.RESULT, serial, spent, used, status, *values)

    def _answered(
        self, what: int, serial: int, number: int, arguments: tuple[Any, ...]
    ) -> tuple[int, tuple[Value, ...]]:
        try:
            if what == frames.MAKE:
                self._make(number, *arguments)
                return frames.DONE, ()
            state = self._states[number]
            with self._lock:
                self._latest, self._running[serial] = serial, state.guard
            try:
                return frames.DONE, _DOES[what](self, state, number, *arguments)
            finally:
                with self._lock:
                    del self._running[serial]
        except Stopped as stopped:
            return frames.STOPPED, (stopped.reason.encode(), _bytes(stopped.stack))
        except ScriptFault as raised:
            kind, message, retryable, trace = raised.fault
            return frames.FAULT, (_bytes(kind), _bytes(message), retryable, _bytes(trace))

    def _make(self, number: int, timeout: float | None, memory: int, *table: bytes | bool) -> None:
        """Make a state; *table* has the names of what is lent, and whether each waits."""
        names, waits = table[::2], table[1::2]
        lends = {
            bytes(name).decode(): Bound(self._asking(number, place), waiting is True)
            for place, (name, waiting) in enumerate(zip(names, waits, strict=True))
        }
        self._allow(Limits(timeout, memory))
        own = {"begins": Bound(self._begins), **OWN}
        self._states[number] = LuaState({**lends, **own}, Limits(timeout, memory))

    def _allow(self, *more: Limits) -> None:
        """Let the address space have room for all states, their reserves and what is copied."""
        limits = [*more, *(state.limits for state in self._states.values())]
        with suppress(OSError, ValueError):
            walls.limit_memory(sum(2 * (one.memory + RESERVE) for one in limits))

    def _limit_cpu(self, seconds: float | None) -> None:
        # What runs in the time of another call is within that call's limit.
        if self._depth == 1:
            with suppress(OSError, ValueError):
                walls.limit_cpu(seconds)

    def _define(self, state: LuaState, _: int, *fields: bytes) -> tuple[Value, ...]:
        id_, path, source, modules, imports, namespace = fields
        pairs = (pair.split("=", 1) for pair in imports.decode().split("\n") if pair)
        names = tuple(modules.decode().split("\n")) if modules else ()
        state.define(
            LuaSource(id_.decode(), path.decode(), source, names, dict(pairs), namespace.decode())
        )
        return ()

    def _open(
        self, state: LuaState, _: int, function: bytes, method: bytes, decodes: bool, limit: Any
    ) -> tuple[Value, ...]:
        self._limit_cpu(limit)
        state.open(function.decode(), method.decode(), decodes=decodes, timeout=limit)
        return ()

    def _deliver(self, state: LuaState, _: int, limit: Any, *bodies: bytes) -> tuple[Value, ...]:
        self._limit_cpu(limit)
        self._noted = 0
        done, outcomes, stopped = state.deliver(limit, bodies)
        told: list[Value] = [done, None, b""]
        if stopped is not None:
            told[1:] = stopped.reason.encode(), _bytes(stopped.stack)
        for outcome in outcomes:
            told += _flat(outcome)
        return tuple(told)

    def _call(self, state: LuaState, _: int, arguments: bytes, limit: Any) -> tuple[Value, ...]:
        self._limit_cpu(limit)
        return (state.call(arguments, limit),)

    def _keep(self, state: LuaState, _: int) -> tuple[Value, ...]:
        state.keep_results()
        return ()

    def _results(self, state: LuaState, _: int) -> tuple[Value, ...]:
        return (state.results(),)

    def _policy(self, state: LuaState, _: int, queue: bytes) -> tuple[Value, ...]:
        state.use_policy(queue)
        return ()

    def _decide(self, state: LuaState, _: int, *event: Any) -> tuple[Value, ...]:
        return state.decide(*event)

    def _limit(self, state: LuaState, _: int, memory: int) -> tuple[Value, ...]:
        state.limit_memory(memory)
        self._allow()
        return ()

    def _close(self, state: LuaState, number: int) -> tuple[Value, ...]:
        del self._states[number]
        state.close()
        self._allow()
        return ()

    # What scripts ask -----------------------------------------------------------------------------

    def _asking(self, number: int, place: int) -> Callable[..., tuple[Any, ...]]:
        """Return what asks the host for the lent function at *place*."""

        def call(*arguments: Any) -> tuple[Any, ...]:
            memory = self._states[number].memory_used()
            self._channel.send(frames.LENT, number, memory, place, *arguments)
            while True:
                what, *rest = self._channel.receive()
                if what == frames.REPLY:
                    break
                self._obey(what, *rest)
            reason, *answer = rest
            if reason is not None:
                self._states[number].guard.fire(reason.decode())
            return tuple(answer)

        return _or_end(call)

    def _begins(self, index: int, noted: int) -> tuple[Any, ...]:
        """Mark that a message of a batch begins, *noted* being the length of the report so far."""
        if index > 1:
            self._marks[index - 1] = CLEAN if noted == self._noted else UNCLEAN
        self._marks[0], self._noted = index, noted
        return (True,)

    # What is to stop ------------------------------------------------------------------------------

    def _hear(self) -> None:
        with suppress(Ended):
            while True:
                serial, reason = self._control.receive()
                while not self._stopped(serial, reason.decode()):
                    time.sleep(_AGAIN)
        os._exit(ORPHANED)

    def _stopped(self, serial: int, reason: str) -> bool:
        """Stop one call, if it runs; False when that is yet to be seen."""
        with self._lock:
            if serial > self._latest:
                return False
            guard = self._running.get(serial)
            return guard is None or guard.is_over() or guard.fire(reason)


def _or_end(call: Callable[..., tuple[Any, ...]]) -> Callable[..., tuple[Any, ...]]:
    """Let the process end where *call* fails: nothing may cross into Lua as an exception."""

    def safe(*arguments: Any) -> tuple[Any, ...]:
        try:
            return call(*arguments)
        except Ended:
            os._exit(ORPHANED)
        except BaseException:  # noqa: BLE001 - see above
            os._exit(FAILED)

    return safe


def _flat(outcome: Outcome) -> tuple[Value, ...]:
    kind, message, retryable, trace = outcome.fault
    code = CODES[outcome.kind]
    words = (_bytes(kind), _bytes(message), retryable, _bytes(trace))
    return outcome.number, code, *words, outcome.delay


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")


_DOES: dict[int, Callable[..., tuple[Value, ...]]] = {
    frames.DEFINE: Child._define,
    frames.OPEN: Child._open,
    frames.DELIVER: Child._deliver,
    frames.CALL: Child._call,
    frames.KEEP: Child._keep,
    frames.RESULTS: Child._results,
    frames.POLICY: Child._policy,
    frames.DECIDE: Child._decide,
    frames.LIMIT: Child._limit,
    frames.CLOSE: Child._close,
}
