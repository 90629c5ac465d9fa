"""One call of a function by a test, as if a message had come, without any queue."""

from __future__ import annotations

import json
from typing import NamedTuple

from moonq.errors import Invalid, ScriptError
from moonq.run.calling.calls import Call, CallResult, consumer_of
from moonq.run.security import Actor, Rights, Scope
from moonq.sandbox.state import Fault
from moonq.testing.world.world import World

#: Kinds of faults that errors in Lua do not have.
_KINDS = {"MEMORY": "INTERNAL"}


class As(NamedTuple):
    """In whose name a test calls, where that is not the function's consumer."""

    name: str = ""
    """An actor or a service, as `Policies.named` finds it."""
    actor: Actor | None = None
    scope: Scope | None = None

    def over(self, rights: Rights, world: World, function: str) -> Rights:
        """Return *rights* with what is said here instead of their own."""
        if self.name:
            rights = world.policies.named(self.name)
        who, scope = self.actor or rights.actor, self.scope or rights.scope
        # A scope without an actor would bind nobody.
        return Rights(who or (Actor(function) if self.scope else None), scope)


class CallUnderTest(Call):
    """A call of *function* in *world*, as its consumer would run it, or *by* somebody else."""

    def __init__(self, world: World, function: str, consumer: str, by: As) -> None:
        self._name = name = world.project.id_of(function, "function.lua")
        entry = consumer_of(world.project, name, consumer)
        rights = by.over(world.rights(entry), world, name)
        super().__init__(world, name, send=True, consumer=entry, rights=rights)
        self._bench = world.bench
        self._began = world.clock.monotonic()

    def answered(self, body: bytes, headers: bytes) -> bytes:
        """Call it and return what it answers, as `lua/run/crossing.lua` writes values.

        Raises:
            Invalid: JSON cannot carry what it returned.
        """
        result = self._called(body, headers)
        returned = self._bench.take_returned()
        if returned.problem:
            raise Invalid(
                f"test.call: {self._name}: {returned.problem}",
                hint="a message is settled all the same: test.verdict says how",
            )
        if result.fault is not None and not returned.values:
            return failed(result.fault)
        return returned.values or b"[]"

    def judged(self, body: bytes, headers: bytes) -> bytes:
        """Call it and return what would become of its message, as JSON.

        Raises:
            ScriptError: It does not load.
        """
        result = self._called(body, headers)
        found = result.verdict
        if found is None:
            why = result.fault and result.fault.message
            raise ScriptError(f"{self._name} does not load: {why}")
        error = found.error and {"kind": found.error.kind, "message": found.error.message}
        told = {**found.told(), "error": error}
        return json.dumps({name: one for name, one in told.items() if one}).encode()

    def _called(self, body: bytes, headers: bytes) -> CallResult:
        self._bench.take_returned()
        return self.run(body.decode(), json.loads(headers) if headers else {})

    def _sleep(self, seconds: float) -> bool:
        self._bench.sleep(seconds, self._began, self._timeout(), self._switch.fire)
        return True


def failed(fault: Fault) -> bytes:
    """Return ``nil, err`` as values that cross into a state."""
    error = {"kind": _KINDS.get(fault.kind, fault.kind), "message": fault.message}
    if fault.retryable is not None:
        return json.dumps([{}, {"error": error | {"retryable": fault.retryable}}]).encode()
    return json.dumps([{}, {"error": error}]).encode()
