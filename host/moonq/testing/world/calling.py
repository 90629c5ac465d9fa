"""One call of a function by a test, as if a message had come, without any queue."""

from __future__ import annotations

import json

from moonq.errors import ScriptError
from moonq.model import Delivery, Message
from moonq.run import policy
from moonq.run.ids import new_id
from moonq.run.policy import Judgement
from moonq.sandbox.lend import Caller
from moonq.sandbox.state import Fault, LuaState, Progress, ScriptFault, Stopped
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
        self._settled: Judgement | None = None
        self._state: LuaState | None = None

    def run(self, body: bytes, headers: bytes) -> bytes:
        """Call it and return what it answers, as `lua/run/crossing.lua` writes values."""
        try:
            progress = self._deliver(body, headers)
        except (ScriptFault, Stopped) as problem:
            return failed(_fault(problem))
        returned = self._world.take_returned()
        if progress.stopped:
            return failed(_fault(progress.stopped))
        event = policy.ended(progress)
        if event is not None and not returned:
            return failed(event.fault)
        return returned or b"[]"

    def judged(self, body: bytes, headers: bytes) -> bytes:
        """Call it and return what would become of its message, as JSON.

        Raises:
            ScriptError: It does not load.
        """
        try:
            event = policy.ended(self._deliver(body, headers))
        except (ScriptFault, Stopped) as problem:
            raise ScriptError(
                f"{self._function} does not load: {_fault(problem).message}"
            ) from None
        settled = self._settled
        if settled is None:
            settled = policy.ACKED if event is None else self._judge(event)
        error = settled.error and {"kind": settled.error.kind, "message": settled.error.message}
        told = {**settled.told(), "error": error}
        return json.dumps({name: one for name, one in told.items() if one}).encode()

    def _deliver(self, body: bytes, headers: bytes) -> Progress:
        caller = Caller(entry=self._function, sleep=self._sleep, settle=self._settle)
        message = self._message(headers)
        caller.message = lambda _: message
        self._state = state = self._world.functions.open(self._function, caller)
        self._world.take_returned()
        try:
            return state.deliver(self._limit, [body])
        finally:
            state.close()

    def _judge(self, event: policy.Event) -> Judgement:
        judge = self._world.dry_policy(self._function)
        message = Message("", b"", self._world.clock.now())
        try:
            return judge.judge(Delivery(message, None), event)
        finally:
            judge.close()

    def _message(self, headers: bytes) -> bytes:
        now = self._world.clock.now()
        known = {
            "id": new_id(now),
            "attempt": 1,
            "interruptions": 0,
            "published_at": now,
            "queue": "",
            "headers": json.loads(headers) if headers else {},
        }
        return json.dumps(known).encode()

    def _settle(self, _index: int, action: str, delay: float, reason: str) -> bool:
        if self._settled:
            return False
        self._settled = self._judge(policy.asked(action, delay, reason))
        return True

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
