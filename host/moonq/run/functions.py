"""Lua states with a project's functions open in them: fresh ones for workers, a pool for calls.

A state is on a thread of this process, or in a child where `isolation: process` says so. What is
called from a child runs in the same one.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain

from moonq.errors import Invalid
from moonq.registry.project import Entry, Project
from moonq.registry.script import Runnable, Script
from moonq.run.aliases import importable, libraries
from moonq.run.calling.context import CallContext
from moonq.run.calling.lending import Caller
from moonq.run.calling.lends import lent_functions
from moonq.run.calling.services import HostServices
from moonq.run.calling.stubbed import StubFile, source_of
from moonq.sandbox.lend import Bound
from moonq.sandbox.process.children import CHILDREN, Child
from moonq.sandbox.process.remote import RemoteState
from moonq.sandbox.state import Limits, LuaSource, LuaState
from moonq.sandbox.states import PROCESS, Isolation, State

#: The kind of entries that are modules in Python, and what makes a module in Lua of them.
PYTHON = "module.python"
LENT_MODULE = "host.run.lent_module"
#: How many idle states are kept per function.
MAX_IDLE = 4
#: Bytes without which no state can work.
LEAST = 512 * 1024
Pool = dict[str, list[tuple[State, Caller]]]


class Functions:
    """Opens functions of one project in states that are lent *services*."""

    #: A test uses states with its stubs instead, all of them in its own process.
    state_type: Callable[..., State] = LuaState
    isolates = True

    def __init__(self, project: Project, services: HostServices) -> None:
        self._project = project
        self._services = services
        self._idle: Pool = {}
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
        isolation: Isolation | None = None,
    ) -> State:
        """Return a new state with *function* open; the caller closes it.

        Without *isolation* the function's own holds.

        Raises:
            Invalid: The calls above have left it no memory.
            NotFound: There is no such function.
            ScriptFault: Its file does not load.
            Stopped: Loading took longer than *timeout* seconds, or too much memory.
            Unavailable: It is to have a process of its own, and none can be started.
        """
        entry, limits = self._entry(function), self.limits(function)
        wanted = isolation or entry.fields(Runnable).isolation
        state = self._new_state(function, caller, wanted, on_abandoned)
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

    def stub_file(self, file: str, text: str, caller: Caller) -> StubFile:
        """Return the stubs of a Lua file, run; the caller closes them.

        Raises:
            Invalid: It does not load, or has something else in it.
        """
        known = libraries(self._project, None)
        return StubFile(
            source_of(file, text, known),
            map(chunk, importable(self._project)),
            known,
            lent_functions(self._services, caller),
        )

    def _new_state(
        self,
        function: str,
        caller: Caller,
        isolation: Isolation,
        on_abandoned: Callable[[], None],
    ) -> State:
        limits = self.limits(function)
        limits = limits._replace(memory=_left(function, limits.memory, caller.context))
        lends = lent_functions(self._services, caller)
        home = _home(caller.context)
        if home is not None:
            return RemoteState(lends, limits, child=home, is_guest=True, on_abandoned=on_abandoned)
        made = caller.sink.state_type or self.state_type
        if isolation != PROCESS or not self.isolates or made is not self.state_type:
            return made(lends, limits, on_abandoned=on_abandoned)
        return self._isolated(function, caller.context, lends, limits, on_abandoned)

    def _isolated(
        self,
        function: str,
        context: CallContext,
        lends: Mapping[str, Bound],
        limits: Limits,
        on_abandoned: Callable[[], None],
    ) -> State:
        """Return a state in a child of its own; where many were lost of late, some time later."""
        pause = CHILDREN.losses.pause(function)
        if pause:
            context.sleep(pause)
        child = CHILDREN.spawn()
        try:
            return RemoteState(
                lends,
                limits,
                child=child,
                about=function,
                on_abandoned=on_abandoned,
            )
        except BaseException:
            child.close()
            raise

    @contextmanager
    def borrow(self, function: str, context: CallContext, timeout: float | None) -> Iterator[State]:
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
    ) -> tuple[State, Caller]:
        idle = self._pool(context)
        with self._lock:
            # What a dry run leaves in the variables of a state must not be seen by real calls.
            pool = None if context.is_dry else idle.get(function)
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

    def _put(self, function: str, state: State, caller: Caller) -> None:
        if not (state.spent or caller.context.is_dry):
            idle = self._pool(caller.context)
            with self._lock:
                pool = idle.setdefault(function, [])
                if len(pool) < MAX_IDLE and not self._closed:
                    pool.append((state, caller))
                    return
        state.close()

    def _pool(self, context: CallContext) -> Pool:
        """Return the idle states of the process that a call in *context* is made in."""
        home = _home(context)
        if home is None:
            return self._idle
        if home.idle_of is not self:
            # They are of an older version of the project.
            for state, _ in chain(*home.idle.values()):
                state.close()
            home.idle_of, home.idle = self, {}
        return home.idle

    def _entry(self, function: str) -> Entry:
        return self._project.entries[self._project.id_of(function, "function.lua")]

    def with_imports(self, entry: Entry) -> list[Entry]:
        """Return *entry* and every library and module that it loads."""
        found: dict[str, Entry] = {}
        waiting = [entry]
        while waiting:
            part = waiting.pop()
            if part.id not in found:
                found[part.id] = part
                fields = part.config
                imports = fields.imports.values() if isinstance(fields, Script) else ()
                waiting += [self._project.entries[target] for target in imports]
        return list(found.values())


def _home(context: CallContext) -> Child | None:
    """Return the child that the caller runs in; None: it runs in this process."""
    return context.above.child if context.above is not None else None


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
    """Return the text of a function or library as a state takes it.

    That of a Python module is a line that makes the module's functions out of their names.
    """
    if entry.kind == PYTHON:
        names = json.dumps(getattr(entry.config, "functions", None) or [])
        text = f"return require({LENT_MODULE!r})({json.dumps(entry.id)}, {json.dumps(names)})"
        return LuaSource(entry.id, f"[moonq: {entry.name}]", text.encode(), (LENT_MODULE,))
    script = entry.fields(Script)
    return LuaSource(
        entry.id,
        entry.source_name,
        entry.source_text,
        tuple(script.modules),
        script.imports,
        entry.namespace,
    )
