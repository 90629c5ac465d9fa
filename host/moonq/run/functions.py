"""Lua states with a project's functions open in them: fresh ones for workers, a pool for calls."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from moonq.errors import Invalid
from moonq.registry.project import Entry, Project
from moonq.registry.script import Runnable, Script
from moonq.run.calling.context import CallContext
from moonq.run.calling.lending import Caller
from moonq.run.calling.lends import lent_functions
from moonq.run.calling.services import HostServices
from moonq.sandbox.state import Limits, LuaSource, LuaState

#: How many idle states are kept per function.
MAX_IDLE = 4
#: Bytes without which no state can work.
LEAST = 512 * 1024


class Functions:
    """Opens functions of one project in states that are lent *services*."""

    #: A test uses states with its stubs instead.
    state_type: Callable[..., LuaState] = LuaState

    def __init__(self, project: Project, services: HostServices) -> None:
        self._project = project
        self._services = services
        self._idle: dict[str, list[tuple[LuaState, Caller]]] = {}
        self._lock = threading.Lock()
        self._closed = False

    def limits(self, function: str) -> Limits:
        """Return what one call of *function* may use."""
        limits = self._entry(function).fields(Runnable).limits
        return Limits(limits.timeout, limits.memory)

    def open(
        self,
        function: str,
        caller: Caller,
        *,
        decodes: bool = True,
        on_abandoned: Callable[[], None] = lambda: None,
        timeout: float | None = None,
    ) -> LuaState:
        """Return a new state with *function* open; the caller closes it.

        Raises:
            Invalid: The calls above have left it no memory.
            NotFound: There is no such function.
            ScriptFault: Its file does not load.
            Stopped: Loading took longer than *timeout* seconds, or too much memory.
        """
        entry, limits = self._entry(function), self.limits(function)
        memory = _left(function, limits.memory, caller.context)
        lends = lent_functions(self._services, caller)
        state = self.state_type(lends, limits._replace(memory=memory), on_abandoned=on_abandoned)
        caller.limit, caller.memory_used = limits.memory, state.memory_used
        caller.enter(caller.context, state.guard)
        try:
            for part in self.with_imports(entry):
                state.define(chunk(part))
            method = entry.fields(Runnable).method or ""
            state.open(function, method, decodes=decodes, timeout=timeout)
        except BaseException:
            state.close()
            raise
        return state

    @contextmanager
    def borrow(
        self, function: str, context: CallContext, timeout: float | None
    ) -> Iterator[LuaState]:
        """Lend a pooled state of *function* for one call in *context*, opened within *timeout*."""
        state, caller = self._take(function, context, timeout)
        try:
            yield state
        finally:
            self._put(function, state, caller)

    def close(self) -> None:
        """Close every idle state, and keep none that comes back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, {}
        for pool in idle.values():
            for state, _ in pool:
                state.close()

    def _take(
        self, function: str, context: CallContext, timeout: float | None
    ) -> tuple[LuaState, Caller]:
        with self._lock:
            # What a dry run leaves in the variables of a state must not be seen by real calls.
            pool = None if context.is_dry else self._idle.get(function)
            pooled = pool.pop() if pool else None
        if pooled is None:
            caller = Caller(context)
            return self.open(function, caller, timeout=timeout), caller
        state, caller = pooled
        try:
            state.limit_memory(_left(function, self.limits(function).memory, context))
        except BaseException:
            state.close()
            raise
        caller.enter(context, state.guard)
        return state, caller

    def _put(self, function: str, state: LuaState, caller: Caller) -> None:
        if not (state.spent or caller.context.is_dry):
            with self._lock:
                pool = self._idle.setdefault(function, [])
                if len(pool) < MAX_IDLE and not self._closed:
                    pool.append((state, caller))
                    return
        state.close()

    def _entry(self, function: str) -> Entry:
        return self._project.entries[self._project.id_of(function, "function.lua")]

    def with_imports(self, entry: Entry) -> list[Entry]:
        """Return *entry* and every library that it loads."""
        found: dict[str, Entry] = {}
        waiting = [entry]
        while waiting:
            part = waiting.pop()
            if part.id not in found:
                found[part.id] = part
                imports = part.fields(Script).imports
                waiting += [self._project.entries[target] for target in imports.values()]
        return list(found.values())


def _left(function: str, memory: int, context: CallContext) -> int:
    """Return how much *memory* the state of *function* may have below the calls of *context*."""
    share = context.share
    if share is None:
        return memory
    if share.left < LEAST:
        raise Invalid(
            f"there is no memory left for {function}: {share.told()}",
            hint=f"raise `limits.memory` of {share.owner}, or hand over less",
        )
    return min(memory, share.left)


def chunk(entry: Entry) -> LuaSource:
    """Return the text of a function or library as a state takes it."""
    script = entry.fields(Script)
    return LuaSource(
        entry.id,
        entry.source_name,
        entry.source_text,
        tuple(script.modules),
        script.imports,
        entry.namespace,
    )
