"""One call of a function by a test, as if a message had come, without any queue."""

from __future__ import annotations

import json

from moonq.run.calls import ByHand
from moonq.run.context import CallContext
from moonq.sandbox.state import Fault, LuaState, ScriptFault, Stopped
from moonq.testing.world.world import World

#: Kinds of faults that errors in Lua do not have.
_KINDS = {"MEMORY": "INTERNAL"}


class CallUnderTest:
    """A call of *function* in *world*."""

    def __init__(self, world: World, function: str) -> None:
        self._world = world
        self._function = world.project.resolve(function).id
        self._began = world.clock.monotonic()
        self._limit = world.functions.limits(self._function).timeout
        self._state: LuaState | None = None

    def run(self, body: bytes, headers: bytes) -> bytes:
        """Call it and return what it answers, as `lua/run/crossing.lua` writes values."""
        message = ByHand(json.loads(headers) if headers else {}, self._world.clock.now())
        caller = message.caller(CallContext(self._function, sleep=self._sleep))
        try:
            self._state = self._world.functions.open(self._function, caller)
        except (ScriptFault, Stopped) as problem:
            return failed(_fault(problem))
        try:
            return self._deliver(self._state, body)
        finally:
            self._state.close()

    def _deliver(self, state: LuaState, body: bytes) -> bytes:
        self._world.take_returned()
        progress = state.deliver(self._limit, [body])
        returned = self._world.take_returned()
        if progress.stopped:
            return failed(_fault(progress.stopped))
        raised = [one for one in progress.outcomes if one.kind != "settled"]
        if raised and not returned:
            return failed(raised[0].fault)
        return returned or b"[]"

    def _sleep(self, seconds: float) -> bool:
        if self._state is not None:
            self._world.sleep(seconds, self._began, self._limit, self._state.guard.fire)
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
