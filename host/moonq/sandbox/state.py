"""One Lua state: a trusted half, one script with its imports, and limits on time and memory.

    state = LuaState(lends, limits)
    state.define(script); state.open("app:handler")
    state.deliver(delivery...)  -> Outcome

A state belongs to one thread at a time. After a kill, or when it has kept too much memory, it is
`spent`: close it and make a new one.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from typing import Any, Literal, NamedTuple, NoReturn

from lupa.lua54 import LuaError, LuaMemoryError, LuaRuntime

from moonq import log
from moonq.model import DEFAULT_MEMORY, DEFAULT_TIMEOUT
from moonq.sandbox import chunks, hidden_names, jumps, native, watchdog
from moonq.sandbox.lend import Bound

_log = log.get("moonq.sandbox")

#: What the trusted half may use beyond a script's limit, so that it can still finish.
RESERVE = 8 * 1024 * 1024
#: After a message of more bytes a worker collects its garbage at once, instead of some time.
LARGE = 1024 * 1024
#: Bytes of a state that would be closed for a millisecond: a larger one is emptied before.
MANY = 2 * 1024 * 1024
#: Seconds that a retry policy may take: all failures of its queue wait for it.
DECISION = 1.0
#: Seconds that the trusted half may take to tell of a call that was cut off.
AFTERWARDS = 1.0
#: Lua threads recurse at most 200 C levels; the worst of them need half of this.
THREAD_STACK = 1024 * 1024

#: Characters of a text that Lua itself raised.
_LONGEST = 8192

#: What `deliver.lua` answers for each message that was not simply done.
VALUES = 7
OutcomeKind = Literal["failed", "settled", "decode", "memory", "lost"]
# The second of them.
CODES: dict[OutcomeKind, int] = {"failed": 1, "settled": 2, "decode": 3, "memory": 4}
_OUTCOMES = {code: kind for kind, code in CODES.items()}


class Limits(NamedTuple):
    """What one call may use: seconds (None: no limit) and bytes."""

    timeout: float | None = DEFAULT_TIMEOUT
    memory: int = DEFAULT_MEMORY


class LuaSource(NamedTuple):
    """Lua text with the names it may require."""

    id: str
    path: str
    source: bytes
    modules: tuple[str, ...] = ()
    imports: Mapping[str, str] = {}
    namespace: str = ""
    """Where the bare names of entries in it belong; empty: to none."""


class Fault(NamedTuple):
    """What went wrong in a script, in words."""

    kind: str
    message: str
    retryable: bool | None = None
    traceback: str = ""
    """Script frames, innermost first, one per line."""


class Outcome(NamedTuple):
    """What a handler's run led to, when its message was not simply done."""

    number: int
    """Which message of the call, from 1."""
    kind: OutcomeKind
    """As it was told; `lost` is what a process that was killed did not tell any more."""
    fault: Fault = Fault("UNKNOWN", "")
    delay: float | None = None
    """Seconds that the error wants before the next try; None: as the queue says."""


class Progress(NamedTuple):
    """How far a call of `LuaState.deliver` came."""

    done: int
    """How many of its messages were run."""
    outcomes: tuple[Outcome, ...] = ()
    """Those that were not simply done."""
    stopped: Stopped | None = None
    """Why the message behind the last done one was cut off."""


class Stopped(Exception):
    """A call was cut off; `reason` says why: timeout, memory, stop, cancel, killed or unknown."""

    def __init__(self, reason: str, stack: str = "", words: str = "") -> None:
        super().__init__(words or reason)
        self.reason = reason
        self.stack = stack
        self.words = words
        """How a process that was `killed` has ended."""


class ScriptFault(Exception):
    """A script raised, or answered `nil, err`."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


@cache
def _tell_of_copies() -> None:
    _log.warning(
        "this lupa does not let Lua's collector look for other names than __gc and __mode: scripts "
        "get copies of their metatables, and what is added to one counts from the next message"
    )


@cache
def _tell_of_fallback() -> None:
    _log.warning(
        "this lupa does not show Lua's C API: scripts carry their own time hook, "
        "which costs up to 2.4 times the time and does not interrupt slow C functions"
    )


def _deny(*_: object) -> NoReturn:
    raise AttributeError("not available")


def _excess(source: bytes) -> tuple[Any, ...]:
    found = jumps.excess(source)
    return (True, found[0], found[1].encode()) if found else (True,)


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""


class _Functions(NamedTuple):
    """What `boot.lua` answers with, in its order."""

    names_are_hidden: bool
    find_address: Any
    define: Any
    open: Any
    deliver: Any
    progress: Any
    call: Any
    collect: Any
    empty: Any
    limit_memory: Any
    last_trace: Any
    set_policy: Any
    decide: Any
    use_permanent_hook: Any
    unhook: Any
    more: Any


class LuaState:
    """One sandboxed Lua 5.4 state."""

    #: A further module of the trusted half that Python may call in it, such as ``host.x``.
    module = ""

    def __init__(
        self,
        lends: Mapping[str, Bound],
        limits: Limits = Limits(),  # noqa: B008 - an immutable value
        *,
        on_abandoned: Callable[[], None] = lambda: None,
        permanent_hook: bool = False,
    ) -> None:
        self.limits = limits
        self.spent = False
        """After a kill, or with too much memory kept: to be replaced."""
        self._runtime = LuaRuntime(
            encoding=None,
            register_eval=False,
            register_builtins=False,
            unpack_returned_tuples=True,
            attribute_handlers=(_deny, _deny),
            max_memory=limits.memory + RESERVE,
        )
        self.guard = watchdog.Guard(None, on_abandoned)
        # Why the last call was stopped, though it came back by itself.
        self._reason = ""
        self._lua = self._boot(lends)
        self.watched_from_outside = not permanent_hook and self._find_address()
        if not self.watched_from_outside:
            self._lua.use_permanent_hook()
            if not permanent_hook:
                _tell_of_fallback()
        if not self._lua.names_are_hidden:
            _tell_of_copies()
        self._module: Any = self._lua.more(self.module.encode()) if self.module else None
        self._returned: Any = None
        self._noted: Any = None
        watchdog.WATCHDOG.add(self.guard)

    def _boot(self, lends: Mapping[str, Bound]) -> _Functions:
        guard, memory = self.guard, self.limits.memory
        own = {
            "is_over": Bound(lambda: (True, guard.is_over())),
            "memory_limit": Bound(lambda: (True, memory)),
            "excess": Bound(_excess),
            "sees_hook": Bound(lambda address, count: (True, watchdog.sees_hook(address, count))),
        }

        def lend(name: bytes) -> Bound | None:
            called = name.decode()
            return lends.get(called) or own.get(called)

        # Two processes with a common parent would draw the same numbers within one second.
        run, seeds = self._runtime.execute, (secrets.randbits(63) for _ in range(2))
        run(b"math.randomseed(...)", *seeds)
        names, lost = run(chunks.chunk("host.walls.names"), mode="b"), hidden_names.Lost()
        hiding = (hidden_names.hide, *hidden_names.new_pair(), lost.lend, lost.is_back)
        run(chunks.chunk("host.hide"), names, *hiding, mode="b")
        given = (names, chunks.source, lend, native.path())
        return _Functions(*run(chunks.boot(), *given, mode="b"))

    def _find_address(self) -> bool:
        address = self._lua.find_address()
        if address is None:
            return False
        self.guard.address = int(address, 16)
        return True

    def define(self, script: LuaSource) -> None:
        """Make *script* known; nothing of it runs yet.

        Raises:
            Stopped: It does not fit beside what is there.
        """
        self._make_room(2 * len(script.source))
        imports = ",".join(f"{alias}={target}" for alias, target in script.imports.items())
        self._lua.define(
            script.id.encode(),
            f"@{script.path}".encode(),
            script.source,
            ",".join(script.modules).encode(),
            imports.encode(),
            script.namespace.encode(),
        )

    def open(
        self,
        function_id: str,
        method: str = "",
        *,
        decodes: bool = True,
        timeout: float | None = None,
    ) -> None:
        """Run the file of *function_id* and find its function, within *timeout* seconds.

        Raises:
            ScriptFault: The file does not compile, raises, or returns no such function.
            Stopped: It took too much time or memory.
        """
        limit = self.limits.timeout if timeout is None else timeout
        ok, *fault = self._within_limits(
            limit, self._lua.open, function_id.encode(), method.encode(), decodes
        )
        if not ok:
            self._raise(_fault(fault))

    def deliver(self, timeout: float | None, bodies: Sequence[bytes]) -> Progress:
        """Run the handler on messages, in order; the call may end before all of them are run.

        Each may take *timeout* seconds: only quick ones come together (see `deliver.lua`).
        """
        limit = self.limits.memory
        size = sum(map(len, bodies))
        runtime = self._runtime
        if runtime.get_memory_used() + 2 * size > limit:
            try:
                self._make_room(2 * size)
            except Stopped as stopped:
                return Progress(0, stopped=stopped)
        guard = self.guard
        guard.begin(timeout)
        try:
            answer = self._lua.deliver(*bodies)
        except LuaError as problem:
            return self._broken_off(problem)
        reason = guard.end()
        if reason:
            self.spent = True
        elif size > LARGE or runtime.get_memory_used() > limit // 4:
            self._give_back()
        if type(answer) is int:
            return Progress(answer)
        progress = self.progress(answer)
        return _cut_short(progress, reason) if reason else progress

    def keep_results(self) -> None:
        """Keep what the function returns for a message from now on."""
        self._returned = self._lua.more(b"host.run.returned")
        self._returned.keep()

    def results(self) -> bytes:
        """Return what it returned for the last one, as a JSON array.

        Raises:
            Stopped: There is no room for it.
        """
        (text,) = self._within_limits(self.limits.timeout, self._returned.values_as_json)
        assert isinstance(text, bytes)
        return text

    def trace_lines(self) -> None:
        """Note which lines of scripts run from now on."""
        self._noted = self._lua.more(b"host.run.lines")
        self._noted.start(time.perf_counter)

    def lines(self) -> dict[str, Any]:
        """Return the noted lines, as `lua/run/lines.lua` describes them.

        Raises:
            Stopped: There is no room for them.
        """
        (found,) = self._within_limits(self.limits.timeout, self._noted.found)
        return dict(json.loads(found))

    def _broken_off(self, problem: LuaError) -> Progress:
        try:
            self._cut_off(problem)
        except Stopped as stopped:
            reason = stopped
        except ScriptFault as raised:
            # The trusted half itself gave up, for instance at the C-stack limit.
            reason = None
            fault = raised.fault
        progress = self.progress(self._afterwards(self._lua.progress, 0))
        if reason is not None:
            return progress._replace(stopped=reason)
        broken = Outcome(progress.done + 1, "failed", fault)
        return Progress(progress.done + 1, (*progress.outcomes, broken))

    def progress(self, answer: Any) -> Progress:
        """Return what Lua says of a call of `deliver`, at its end or on the way (`deliver.lua`)."""
        progress = progress_of(answer)
        if any(outcome.kind == "memory" for outcome in progress.outcomes):
            self.spent = True
        return progress

    def call(self, arguments: bytes, timeout: float | None = None) -> bytes:
        """Call the function with a JSON array of arguments; returns a JSON array of results.

        Raises:
            ScriptFault: It raised, or answered `nil, err`.
            Stopped: It was cut off.
        """
        limit = self.limits.timeout if timeout is None else timeout
        self._make_room(2 * len(arguments))
        ok, first, *rest = self._within_limits(limit, self._lua.call, arguments)
        if self._runtime.get_memory_used() > self.limits.memory // 4:
            self._give_back()
        if not ok:
            self._raise(_fault([first, *rest]))
        assert isinstance(first, bytes)
        return first

    def limit_memory(self, memory: int) -> None:
        """Let its next calls have *memory* bytes.

        Raises:
            Stopped: It holds more by itself.
        """
        if memory == self.limits.memory:
            return
        self.limits = self.limits._replace(memory=memory)
        self._lua.limit_memory(memory)
        self._make_room(0)
        self._runtime.set_max_memory(memory + RESERVE)

    def use_policy(self, queue: bytes) -> None:
        """Make it the judge of a queue, which is given as JSON (`verdict.Queue`)."""
        self._lua.set_policy(queue)

    def decide(self, what: bytes, kind: bytes, message: bytes, *more: Any) -> tuple[Any, ...]:
        """Ask what an event leads to; see `api.decide`."""
        self._make_room(2 * len(message))
        return self._within_limits(DECISION, self._lua.decide, what, kind, message, *more)

    def ask(self, timeout: float | None, question: bytes, *arguments: Any) -> tuple[Any, ...]:
        """Call one function of its further module.

        Raises:
            Stopped: It took too much time or memory.
            ScriptFault: Lua itself gave up.
        """
        return self._within_limits(timeout, self._module[question], *arguments)

    def memory_used(self) -> int:
        """Bytes that the state holds."""
        return int(self._runtime.get_memory_used())

    def close(self) -> None:
        """Give everything back now: the cycle through the lent functions is cut by hand."""
        watchdog.WATCHDOG.remove(self.guard)
        self.spent = True
        empty, runtime = self._lua.empty, self._runtime
        if not self.watched_from_outside:
            self._lua.unhook()
        del self._module, self._returned, self._noted, self._lua
        if runtime.get_memory_used() > MANY:
            # lupa closes a state with the interpreter locked, 0.2 s and more for 64 MiB, and calls
            # it without. Nothing but this function is left by now, which holds on to nothing.
            runtime.set_max_memory(0)
            with suppress(LuaError):
                empty()
        del empty, runtime, self._runtime

    def _within_limits(
        self, limit: float | None, function: Any, *arguments: Any
    ) -> tuple[Any, ...]:
        self.guard.begin(limit)
        try:
            result = function(*arguments)
        except LuaError as problem:
            del function  # or the exception would hold on to it, and that to all of the state
            self._cut_off(problem)
        self._reason = self.guard.end()
        if self._reason:
            self.spent = True
        return result if isinstance(result, tuple) else (result,)

    def _raise(self, fault: Fault) -> NoReturn:
        """Raise a failure as what it is: a script that was stopped may have ended in an error."""
        reason = self._reason
        if fault.kind == "MEMORY":
            self.spent, reason = True, reason or "memory"
        if reason:
            raise Stopped(reason, fault.traceback)
        raise ScriptFault(fault)

    def _cut_off(self, problem: LuaError) -> NoReturn:
        """Say why a call did not come back: it was stopped, or Lua itself gave up."""
        self.spent = True
        # To look for the reason takes memory, and there may be none left.
        self._runtime.set_max_memory(self.limits.memory + 2 * RESERVE)
        reason = self.guard.end()
        if not self.watched_from_outside:
            self._lua.unhook()
        stack = self._last_trace()
        if reason:
            raise Stopped(reason, stack) from None
        if isinstance(problem, LuaMemoryError):
            raise Stopped("memory", stack) from None
        text = str(problem)[:_LONGEST] or "the script broke its sandbox"
        fault = Fault("INTERNAL", text, None, stack)
        raise ScriptFault(fault) from None

    def _last_trace(self) -> str:
        return _text(self._afterwards(self._lua.last_trace, b""))

    def _afterwards(self, question: Any, otherwise: Any) -> Any:
        """Ask about a call that was cut off: within a limit, for what it left may be anything."""
        self.guard.begin(AFTERWARDS)
        try:
            return question()
        except LuaError:
            return otherwise
        finally:
            self.guard.end()

    def _make_room(self, size: int) -> None:
        # Pushing an argument that does not fit would end the process, so make sure it does.
        limit = self.limits.memory
        if self._runtime.get_memory_used() + size > limit and self._collect() + size > limit:
            self.spent = True
            raise Stopped("memory")

    def _give_back(self) -> None:
        if self._collect() > self.limits.memory // 4:
            self.spent = True

    def _collect(self) -> int:
        """Collect garbage; returns how many bytes are left in use."""
        runtime, limit = self._runtime, self.limits.memory + RESERVE
        runtime.set_max_memory(limit + RESERVE)  # a call needs a little, and may find none left
        self._lua.collect()
        runtime.set_max_memory(limit)
        return int(runtime.get_memory_used())


def progress_of(answer: Any) -> Progress:
    """Return what `deliver.lua` tells as `done` and `VALUES` for each outcome."""
    done, *flat = answer if isinstance(answer, tuple) else (answer,)
    each = range(0, len(flat), VALUES)
    outcomes = tuple(_outcome(*flat[at : at + VALUES]) for at in each)
    return Progress(done, outcomes)


def _cut_short(progress: Progress, reason: str) -> Progress:
    """Count a failure that a stop has caused as the stop."""
    done, outcomes, _ = progress
    if outcomes and outcomes[-1].number == done and outcomes[-1].kind == "failed":
        stopped = Stopped(reason, outcomes[-1].fault.traceback)
        return Progress(done - 1, outcomes[:-1], stopped)
    return progress


def _fault(parts: list[Any]) -> Fault:
    parts = parts + [None] * (4 - len(parts))
    return Fault(_text(parts[0]), _text(parts[1]), parts[2], _text(parts[3]))


def _outcome(number: int, code: int, *parts: Any) -> Outcome:
    *fault, delay = parts
    # What is not zero or more, such as NaN, says nothing.
    wanted = float(delay) if type(delay) in (int, float) and delay >= 0 else None
    return Outcome(number, _OUTCOMES[code], _fault(fault), wanted)
