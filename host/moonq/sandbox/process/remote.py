"""A Lua state in a child, which looks like one in this process.

state = RemoteState(lends, limits, child=CHILDREN.spawn())
state.define(script); state.open("app:handler"); state.deliver(1.0, [b"1"])

What it is lent runs here, on the thread that has called it. When the child is lost the call is
stopped as `killed`, and the state is spent.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NoReturn

from moonq import log
from moonq.sandbox.lend import Bound
from moonq.sandbox.process import frames
from moonq.sandbox.process.children import CHILDREN, Child, Lost
from moonq.sandbox.process.frames import Malformed, Value
from moonq.sandbox.state import (
    CODES,
    DECISION,
    RESERVE,
    VALUES,
    Fault,
    Limits,
    LuaSource,
    Outcome,
    Progress,
    ScriptFault,
    Stopped,
    progress_of,
)
from moonq.sandbox.watchdog import WATCHDOG, Guard

_log = log.get("moonq.sandbox")
#: A child that computes on for so long after its call was stopped sits in a C function.
KILL_AFTER = 1.0
#: Seconds for what needs no time but that of a busy machine.
PROMPT = 10.0
#: As `child` marks a message of a batch that is simply done.
_CLEAN = 1


class RemoteGuard(Guard):
    """Stops calls in a child, and kills it when that does not help."""

    def __init__(self, child: Child, on_abandoned: Callable[[], None]) -> None:
        super().__init__(None, on_abandoned)
        self.child = self._child = child
        self.serial = 0
        """Which call runs."""

    def look(self, now: float) -> None:
        """Stop the call when its time is over, kill the child when it goes on nevertheless.

        A host that is at work for a child on a lent function is given up as any other worker. When
        that child has ended nobody wants the answer: what waits for it in the host is to end too.
        """
        child = self._child
        if not child.is_computing and child.has_ended():
            self.fire("killed")
        if self.fired_at is None or not child.is_computing:
            super().look(now)
            if self.abandoned:
                child.kill("its host did not answer it")
            return
        with self._lock:  # looked at again: the call may have ended, another begun
            fired = self.fired_at or now
            if child.is_computing and now - max(fired, child.since) > KILL_AFTER:
                child.kill(f"it did not stop within {KILL_AFTER:g} s ({self.reason})")

    def _stop(self, reason: str) -> None:
        super()._stop(reason)
        self._child.stop(self.serial, reason)


class RemoteState:
    """See `moonq.sandbox.states.State`."""

    def __init__(
        self,
        lends: Mapping[str, Bound],
        limits: Limits = Limits(),  # noqa: B008 - an immutable value
        *,
        child: Child,
        about: str = "",
        is_guest: bool = False,
        on_abandoned: Callable[[], None] = lambda: None,
    ) -> None:
        """Make one in *child*, whose losses count as those of *about*.

        A guest leaves the child when it is closed; else the child ends with it.

        Raises:
            Stopped: The child was lost.
        """
        self.limits = limits
        self.spent = False
        self._child = child
        self._about = about
        self._is_guest = is_guest
        self._lends: list[Callable[..., tuple[Any, ...]]] = []
        self._memory = 0
        # Messages of the running call.
        self._count = 0
        self._guard = RemoteGuard(child, on_abandoned)
        self.guard: Guard = self._guard
        self._number = child.new_state(limits.memory + 2 * RESERVE)
        WATCHDOG.add(self.guard)
        table: list[Value] = []
        for name, bound in lends.items():
            self._lends.append(bound.call)
            table += (name.encode(), bound.waits)
        self._ask(frames.MAKE, PROMPT, limits.timeout, limits.memory, *table)

    def define(self, script: LuaSource) -> None:
        """Make *script* known; nothing of it runs yet."""
        imports = "\n".join(f"{alias}={target}" for alias, target in script.imports.items())
        modules = "\n".join(script.modules)
        texts = (script.id, script.path, script.source, modules, imports, script.namespace)
        fields = (one.encode() if isinstance(one, str) else one for one in texts)
        self._ask(frames.DEFINE, PROMPT, *fields)

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
            Stopped: It took too much time or memory, or the child was lost.
        """
        limit = self.limits.timeout if timeout is None else timeout
        self._ask(frames.OPEN, limit, function_id.encode(), method.encode(), decodes, limit)

    def deliver(self, timeout: float | None, bodies: Sequence[bytes]) -> Progress:
        """Run the handler on messages, in order; the call may end before all of them are run."""
        if self._child.has_ended():
            # Nothing has begun, so no message is to pay for it.
            words = "a process of %s has ended while it had nothing to do: it %s"
            _log.warning(words, self._about, self._child.ending())
            CHILDREN.losses.note(self._about)
            self.spent = True
            return Progress(0)
        self._child.marks[: len(bodies)] = bytes(len(bodies))
        try:
            self._count = len(bodies)
            told = self._ask(frames.DELIVER, timeout, timeout, *bodies)
            return _progress(told, len(bodies))
        except Stopped as stopped:
            return self._interrupted(len(bodies), stopped)
        except Malformed as problem:
            return self._interrupted(len(bodies), self._broken(problem))

    def _interrupted(self, count: int, stopped: Stopped) -> Progress:
        """Return how far a lost child came: it has marked which message ran.

        Those before are done, or have failed nobody knows how: they are to run again.
        """
        marks = bytes(self._child.marks[:count])
        running = min(max(1, marks[0]), count)
        unknown = [number for number in range(1, running) if marks[number] != _CLEAN]
        outcomes = (Outcome(number, "lost") for number in unknown)
        return Progress(running - 1, tuple(outcomes), stopped)

    def keep_results(self) -> None:
        """Keep what the function returns for a message from now on."""
        self._ask(frames.KEEP, PROMPT)

    def results(self) -> bytes:
        """Return what it returned for the last one, as a JSON array."""
        return self._json(self._ask(frames.RESULTS, self.limits.timeout))

    def progress(self, answer: Any) -> Progress:
        """Return what Lua says of a call of `deliver` on the way."""
        return _progress((answer[0], None, b"", *answer[1:]), self._count)

    def call(self, arguments: bytes, timeout: float | None = None) -> bytes:
        """Call the function with a JSON array of arguments; returns a JSON array of results."""
        limit = self.limits.timeout if timeout is None else timeout
        return self._json(self._ask(frames.CALL, limit, arguments, limit))

    def limit_memory(self, memory: int) -> None:
        """Let its next calls have *memory* bytes.

        Raises:
            Stopped: It holds more by itself.
        """
        if memory != self.limits.memory:
            self.limits = self.limits._replace(memory=memory)
            self._ask(frames.LIMIT, PROMPT, memory)

    def use_policy(self, queue: bytes) -> None:
        """Make it the judge of a queue, which is given as JSON (`verdict.Queue`)."""
        self._ask(frames.POLICY, PROMPT, queue)

    def decide(self, what: bytes, kind: bytes, message: bytes, *more: Any) -> tuple[Any, ...]:
        """Ask what an event leads to; see `api.decide`."""
        return tuple(self._ask(frames.DECIDE, DECISION, what, kind, message, *more))

    def memory_used(self) -> int:
        """Bytes that the state held when its child last spoke of it."""
        return self._memory

    def close(self) -> None:
        """Give everything back."""
        WATCHDOG.remove(self.guard)
        if not self._is_guest:
            self._child.close()
        elif not self._child.is_lost:
            with suppress(Stopped, ScriptFault):
                self._ask(frames.CLOSE, PROMPT)
        self.spent = True

    def _ask(self, what: int, limit: float | None, *arguments: Value) -> list[Any]:
        child, guard = self._child, self._guard
        serial = guard.serial = child.new_serial()
        guard.begin(limit)
        try:
            told = child.ask(self._serve, what, serial, self._number, *arguments)
            spent, memory, status, *values = (*told, None, None, None)[: max(3, len(told))]
        except Lost as lost:
            self._end_of_child(guard.end(), lost)
        guard.end()
        if type(memory) is not int:
            raise self._broken(Malformed("it has no memory"))
        self.spent, self._memory = spent is not False, memory
        parts = [*values, None, None, None, None][:4]
        if status == frames.STOPPED:
            raise Stopped(_text(parts[0]), _text(parts[1]))
        if status == frames.FAULT:
            retryable = parts[2] if type(parts[2]) is bool else None
            raise ScriptFault(Fault(_text(parts[0]), _text(parts[1]), retryable, _text(parts[3])))
        return values

    def _serve(self, number: Any, memory: Any, place: Any, *arguments: Value) -> tuple[Value, ...]:
        """Run what the state is lent, and say whether the call is to stop."""
        if number != self._number or type(memory) is not int:
            raise Malformed("it asked for another state")
        if type(place) is not int or not 0 <= place < len(self._lends):
            raise Malformed("it asked for what it was not lent")
        self._memory = memory
        answer = self._lends[place](*arguments)
        return (self.guard.reason.encode() or None, *answer)

    def _json(self, told: list[Any]) -> bytes:
        """Return the one text that was told, an array as JSON."""
        with suppress(ValueError, TypeError, RecursionError):
            if len(told) == 1 and isinstance(json.loads(told[0]), list):
                return bytes(told[0])
        raise self._broken(Malformed("what a function returns is an array as JSON"))

    def _broken(self, problem: Malformed) -> Stopped:
        """Kill the child, whose answer is none."""
        self._child.kill(f"it broke the protocol: {problem}")
        self.spent = True
        return Stopped("killed", words=f"its process was killed: it broke the protocol: {problem}")

    def _end_of_child(self, reason: str, lost: Lost) -> NoReturn:
        self.spent = True
        if reason not in ("", "timeout", "killed"):
            # It was to end anyway; what it was told to end for is what counts.
            raise Stopped(reason) from None
        if not self._is_guest:
            CHILDREN.losses.note(self._about)
        raise Stopped("killed", words=f"its process {lost}") from None


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""


def _progress(told: Sequence[Any], most: int) -> Progress:
    """Return how far a call with *most* messages came, from what its child tells of it.

    Raises:
        Malformed: That cannot be.
    """
    done, reason, stack, *flat = (*told, None, None)[: max(3, len(told))]
    numbers, codes = flat[::VALUES], flat[1::VALUES]
    if type(done) is not int or not 0 <= done <= most or len(flat) % VALUES:
        raise Malformed("so many messages cannot be done")
    if not all(type(one) is int and 0 < one <= done for one in numbers):
        raise Malformed("it tells of a message that it has not done")
    if not all(type(one) is int and one in CODES.values() for one in codes):
        raise Malformed("it tells of an end that there is not")
    if reason is None:
        return progress_of((done, *flat))
    if done == most:
        raise Malformed("none was cut off")
    return progress_of((done, *flat))._replace(stopped=Stopped(_text(reason), _text(stack)))
