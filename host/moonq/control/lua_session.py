"""The Lua state of one session: its own world, with the host's services and a limit on time.

Unlike a handler's state it outlives a statement that was stopped: its variables are what the person
at the keyboard is working on. Only running out of memory, or sitting in a C function that nothing
can stop, costs it.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from moonq.assets import stdlib_modules
from moonq.errors import ReadOnly
from moonq.operations.mq import functions_of
from moonq.operations.verbs import VERBS
from moonq.registry.project import Project
from moonq.run.aliases import importable
from moonq.run.calling.context import CallContext
from moonq.run.calling.lending import Caller
from moonq.run.calling.lends import changing, lent_functions
from moonq.run.calling.services import HostServices
from moonq.run.functions import chunk
from moonq.run.security import EVERYTHING, Actor, Scope
from moonq.sandbox.lend import Bound, Several, bounded, own, text
from moonq.sandbox.state import Limits, LuaState, ScriptFault, Stopped
from moonq.sandbox.watchdog import Guard
from moonq.text.wording import plural

MEMORY = 64 * 1024 * 1024
TIMEOUT = 30.0
#: Tables inside tables that are shown: usually, and at the most.
DEPTH, MOST_DEPTH = 8, 50
#: Modules that mean something under `moonq test` only.
NOT_HERE = {"test"}
#: Bytes that one `print` may show: with all its escapes it still fits a frame.
PRINTED = 512 * 1024

#: Takes what code prints; it may wait for who reads it while the function that it gets says so.
Output = Callable[[str, Callable[[], bool]], None]
#: Does one kind of request on behalf of the session's code; fields and answer are JSON.
Operate = Callable[[str, dict[str, Any]], dict[str, Any]]


class Text(NamedTuple):
    """Lua text that a client wants to be run."""

    source: str
    width: int = 80
    """Columns of its terminal."""
    marked: bool = False
    """Whether a person reads the answer: else a value that JSON cannot carry is an error."""
    file: str = ""
    """The name of the file that it is all of; empty for a statement, whose values are told."""
    depth: int = DEPTH
    """Tables inside tables that are shown of a value."""


class SessionWatch:
    """Lets code look at everything and, while its session is read-only, change nothing.

    Whatever it changes, in functions that it calls too, goes to *changed* as action and resource:
    the first time at once, and at the end of a statement how often besides.
    """

    def __init__(
        self, is_read_only: Callable[[], bool], changed: Callable[[str, str], None]
    ) -> None:
        self._is_read_only = is_read_only
        self._changed = changed
        self._times: Counter[tuple[str, str]] = Counter()

    def about_to(self, action: str, resource: str) -> None:
        """Let the session do *action* with *resource*.

        Raises:
            ReadOnly: It would change something.
        """
        if action not in changing():
            return
        if self._is_read_only():
            raise ReadOnly(
                f"{action} on {resource}: this session is read-only",
                hint="\\write asks for write access, `moonq eval --yes` has it; the host logs both",
            )
        self._times[action, resource] += 1
        if self._times[action, resource] == 1:
            self._changed(action, resource)

    def end_statement(self) -> None:
        """Tell what was done more than once."""
        times, self._times = self._times, Counter()
        for (action, resource), number in times.items():
            if number > 1:
                self._changed(action, f"{resource}, {plural(number - 1, 'more time')}")


class ConsoleState(LuaState):
    """A state that evaluates one text after another; see `lua/console/session.lua`."""

    module = "host.console.session"

    def prepare(self, project: Project) -> None:
        """Give it the standard library, and what scripts of the project may import by its name."""
        names = sorted(stdlib_modules() - NOT_HERE)
        libraries = importable(project)
        for entry in libraries:
            self.define(chunk(entry))
        aliases = {entry.name: entry.id for entry in libraries if entry.name not in names}
        opened = (names, aliases, functions_of(VERBS.values()))
        self.ask(None, b"open", *(json.dumps(one).encode() for one in opened))

    def evaluate(self, text: Text, timeout: float) -> dict[str, Any]:
        """Run one text and return what came of it.

        Raises:
            Stopped: It took too much time or memory, or was cancelled.
            ScriptFault: Lua itself gave up.
        """
        data = text.source.encode("utf-8", "surrogatepass")
        self._make_room(2 * len(data))
        asked: tuple[Any, ...] = (b"evaluate", data, text.width, text.marked, text.depth)
        if text.file:
            asked = (b"execute", data, text.file.encode("utf-8", "replace"))
        try:
            (answer,) = self.ask(timeout, *asked)
        except Stopped as stopped:
            self.spent = stopped.reason == "memory"
            raise
        if self.memory_used() > self.limits.memory:
            # What its variables hold leaves no room for another statement.
            self.spent = self._collect() > self.limits.memory
        return dict(json.loads(answer))

    def complete(self, path: str) -> list[dict[str, str]]:
        """Return what could follow *path*; none of a script's code runs."""
        (answer,) = self.ask(1.0, b"complete", path.encode())
        return list(json.loads(answer))


def _clock() -> Several:
    """Return seconds that pass, and those that this thread has worked."""
    return Several((time.perf_counter(), time.thread_time()))


def stopped_answer(reason: str, stack: str = "") -> dict[str, Any]:
    """Return the answer about a text that was stopped."""
    return {
        "status": "stopped",
        "reason": reason,
        "stack": stack,
        "n": 0,
        "texts": [],
        "values": [],
    }


class LuaSession:
    """One person's Lua: evaluates in one thread, and is cancelled from any other."""

    def __init__(
        self,
        project: Callable[[], Project],
        services: HostServices,
        user: str,
        is_read_only: Callable[[], bool],
        changed: Callable[[str, str], None],
        operate: Operate,
        on_output: Output,
        on_abandoned: Callable[[], None] = lambda: None,
    ) -> None:
        self._project = project
        self._services = services
        self._user = user
        self._watch = SessionWatch(is_read_only, changed)
        self._operate = operate
        self._on_output = on_output
        self._on_abandoned = on_abandoned
        self._changed = threading.Condition()
        self._state: ConsoleState | None = None
        # Fired by a cancel, and with it all that runs below.
        self._switch = Guard(None, lambda: None)
        self._arm()
        self._cancelled = False

    def evaluate(self, text: Text, timeout: float = TIMEOUT) -> dict[str, Any]:
        """Run one text; whatever comes of it is an answer, also that it was stopped."""
        state = self._ready()
        began = time.monotonic()
        with self._changed:
            if self._cancelled:
                return stopped_answer("cancel")
        try:
            found = state.evaluate(text, timeout)
        except Stopped as stopped:
            found = stopped_answer(stopped.reason, stopped.stack)
        except ScriptFault as raised:
            fault = {"kind": raised.fault.kind, "message": raised.fault.message}
            found = {"status": "raised", "n": 0, "fault": fault, "texts": [], "values": []}
        self._watch.end_statement()
        found["took_ms"] = round((time.monotonic() - began) * 1000, 3)
        if state.spent:
            self.reset()
            found["lost"] = True
        return found

    def complete(self, path: str) -> list[dict[str, str]]:
        """Return what could follow *path*."""
        self._arm()
        try:
            return self._ready().complete(path)
        except (Stopped, ScriptFault):
            return []

    def expect(self) -> None:
        """A text is about to be evaluated: a cancel from now on is about that one."""
        with self._changed:
            self._cancelled = False
            self._arm()

    def cancel(self) -> None:
        """Stop what was expected or runs, wherever it is; harmless when nothing does."""
        # What is on its way into Lua, or below, the watchdog stops for the switch's sake; what
        # sleeps wakes up stopped.
        self._switch.fire("cancel")
        state = self._state
        if state is not None:
            state.guard.fire("cancel")
        with self._changed:
            self._cancelled = True
            self._changed.notify_all()

    def reset(self) -> None:
        """Forget every variable; the next text begins in a new state."""
        with self._changed:
            state, self._state = self._state, None
        if state is not None:
            state.close()

    def _arm(self) -> None:
        self._switch.end()
        self._switch.begin(None)

    def _ready(self) -> ConsoleState:
        if self._state is None:
            caller = Caller(self._context())
            state = ConsoleState(
                self._lends(caller), Limits(TIMEOUT, MEMORY), on_abandoned=self._on_abandoned
            )
            caller.enter(caller.context, state.guard)
            state.prepare(self._project())
            self._state = state
        return self._state

    def _context(self) -> CallContext:
        return CallContext(
            self._user,
            actor=Actor(self._user),
            scope=Scope((EVERYTHING,)),
            observer=self._watch,
            is_stopping=lambda: self._cancelled,
            sleep=self._sleep,
            above=self._switch,
        )

    def _lends(self, caller: Caller) -> Mapping[str, Bound]:
        mine = own(
            {"operate": self._operated, "console_print": self._print, "console_clock": _clock}
        )
        return {**lent_functions(self._services, caller), **mine}

    def _operated(self, kind: bytes, fields: bytes) -> bytes:
        answer = self._operate(text(kind), json.loads(fields))
        return bounded(json.dumps(answer, ensure_ascii=False).encode("utf-8", "surrogatepass"))

    def _print(self, words: bytes) -> None:
        left_out = len(words) - PRINTED
        more = f"… ({left_out} bytes more)" if left_out > 0 else ""
        self._on_output(text(words[:PRINTED]) + more, self._may_print)

    def _may_print(self) -> bool:
        state = self._state
        return not self._cancelled and state is not None and not state.guard.is_over()

    def _sleep(self, seconds: float) -> bool:
        """Wait in real time, until it is over or cancelled."""
        with self._changed:
            return not self._changed.wait_for(lambda: self._cancelled, seconds)
