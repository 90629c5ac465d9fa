"""One call of a function by a test, as if a message had come, without any queue."""

from __future__ import annotations

import json

from moonq.errors import ScriptError
from moonq.run.calls import consumer_of
from moonq.run.context import CallContext
from moonq.run.trial import Trial
from moonq.sandbox.state import Fault, LuaState, Progress, ScriptFault, Stopped
from moonq.testing.world.world import World

#: Kinds of faults that errors in Lua do not have.
_KINDS = {"MEMORY": "INTERNAL"}


class CallUnderTest:
    """A call of *function* in *world*."""

    def __init__(self, world: World, function: str, headers: bytes) -> None:
        self._world = world
        self._function = world.project.resolve(function).id
        self._began = world.clock.monotonic()
        self._limit = world.functions.limits(self._function).timeout
        self._trial = Trial(
            world,
            self._function,
            json.loads(headers) if headers else {},
            consumer_of(world.project, self._function),
        )
        self._state: LuaState | None = None

    def run(self, body: bytes) -> bytes:
        """Call it and return what it answers, as `lua/run/crossing.lua` writes values."""
        try:
            progress = self._deliver(body)
        except (ScriptFault, Stopped) as problem:
            return failed(_fault(problem))
        returned = self._world.bench.take_returned()
        if progress.stopped:
            return failed(_fault(progress.stopped))
        raised = [one for one in progress.outcomes if one.kind != "settled"]
        if raised and not returned:
            return failed(raised[0].fault)
        return returned or b"[]"

    def judged(self, body: bytes) -> bytes:
        """Call it and return what would become of its message, as JSON.

        Raises:
            ScriptError: It does not load.
        """
        try:
            self._deliver(body)
        except (ScriptFault, Stopped) as problem:
            why = _fault(problem).message
            raise ScriptError(f"{self._function} does not load: {why}") from None
        found = self._trial.judgement
        error = found.error and {"kind": found.error.kind, "message": found.error.message}
        told = {**found.told(), "error": error}
        return json.dumps({name: one for name, one in told.items() if one}).encode()

    def _deliver(self, body: bytes) -> Progress:
        caller = self._trial.caller(CallContext(self._function, sleep=self._sleep))
        self._state = state = self._world.functions.open(self._function, caller)
        self._world.bench.take_returned()
        try:
            return self._trial.deliver(state, body, self._limit)
        finally:
            state.close()

    def _sleep(self, seconds: float) -> bool:
        if self._state is not None:
            self._world.bench.sleep(seconds, self._began, self._limit, self._state.guard.fire)
        return True


def _fault(problem: ScriptFault | Stopped) -> Fault:
    if isinstance(problem, ScriptFault):
        return problem.fault
    return Fault("TIMEOUT" if problem.reason == "timeout" else "INTERNAL", f"stopped ({problem})")


def failed(fault: Fault) -> bytes:
    """Return ``nil, err`` as values that cross into a state."""
    error = {"kind": _KINDS.get(fault.kind, fault.kind), "message": fault.message}
    if fault.retryable is not None:
        return json.dumps([{}, {"error": error | {"retryable": fault.retryable}}]).encode()
    return json.dumps([{}, {"error": error}]).encode()
