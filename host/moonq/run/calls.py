"""One call of a function by hand, for people who want to see what it does."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from moonq.clock import pause
from moonq.errors import Invalid
from moonq.run.building import Building
from moonq.run.ids import new_id
from moonq.run.judgement import NOT_JUDGED, Judgement
from moonq.run.judgement import stopped as cut_off
from moonq.run.services import HostServices, level_name
from moonq.run.trial import Trial
from moonq.sandbox.lend import Caller
from moonq.sandbox.state import Fault, LuaState, ScriptFault, Stopped


@dataclass(frozen=True, slots=True)
class CallResult:
    """What became of one call of a function."""

    values: list[Any] = field(default_factory=list)
    fault: Fault | None = None
    published: list[tuple[str, bytes]] = field(default_factory=list)
    """Queue and body of every publish, where they were captured instead of sent."""
    logs: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    """Level, message and fields of every log line, where they were captured."""
    took: float = 0.0
    memory: int = 0
    verdict: Judgement | None = None
    """For a call as a message: what would have become of it."""

    def judged(self) -> dict[str, Any]:
        """Return `verdict` as plain data: the action, the delay if any, and the reason if dead."""
        return self.verdict.told() if self.verdict else NOT_JUDGED


class _Capturing(HostServices):
    """The host's services, with publishes and log lines kept instead of sent."""

    def __init__(self, real: HostServices) -> None:
        self.__dict__.update(real.__dict__)
        self.published: list[tuple[str, bytes]] = []
        self.logs: list[tuple[str, str, dict[str, Any]]] = []

    def publish(
        self, caller: Caller, queue: bytes, body: bytes, headers: bytes, options: bytes
    ) -> bytes:
        """Keep the message; a queue that does not exist is refused as always."""
        queue_id = self._queues.route(queue.decode("utf-8", "replace")).id
        self.published.append((queue_id, body))
        return new_id(self.clock.now()).encode()

    def publish_batch(self, caller: Caller, queue: bytes, *parts: bytes) -> bytes:
        """Keep the messages."""
        ids = [self.publish(caller, queue, body, b"", b"").decode() for body in parts[::3]]
        return json.dumps(ids).encode()

    def write_log(
        self, caller: Caller, index: int, level: int, logger: str, message: str, fields: bytes
    ) -> None:
        """Keep the line."""
        name = level_name(level)
        self.logs.append((name, message, json.loads(fields) if fields else {}))


class Call:
    """One call of *function*."""

    def __init__(
        self, building: Building, function: str, *, send: bool, queue: str | None = None
    ) -> None:
        self._building = building
        self._state: LuaState | None = None
        self._changed = threading.Condition()
        self._stopping = False
        self._function = function
        self._queue = queue
        self._services = building.services if send else _Capturing(building.services)

    def run(self, arguments: str, headers: Mapping[str, Any] | None) -> CallResult:
        """Call it; with *headers* (even empty ones) as a message."""
        value = _checked(arguments)
        caller = Caller(
            entry=self._function,
            is_stopping=lambda: self._stopping,
            sleep=self._sleep,
        )
        began = time.monotonic()
        values: list[Any] = []
        fault: Fault | None = None
        verdict: Judgement | None = None
        memory = 0
        try:
            state = self._state = self._open(caller)
        except ScriptFault as raised:
            return CallResult(fault=raised.fault)
        try:
            if headers is None:
                values = json.loads(state.call(f"[{value}]".encode() if value else b"[]"))
            else:
                verdict, fault = self._as_message(state, caller, value or "null", headers)
            memory = state.memory_used()
        except ScriptFault as raised:
            fault = raised.fault
        except Stopped as stopped:
            fault = cut_off(stopped).fault
        finally:
            self._state = None
            state.close()
        took = time.monotonic() - began
        seen = self._services if isinstance(self._services, _Capturing) else None
        return CallResult(
            values,
            fault,
            seen.published if seen else [],
            seen.logs if seen else [],
            took,
            memory,
            verdict,
        )

    def wind_up(self) -> None:
        """Let the function see that it should end; its waits end now."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def cut_off(self) -> None:
        """End the call now, wherever it is."""
        self.wind_up()
        state = self._state
        if state is not None:
            state.guard.fire("stop")

    def _sleep(self, seconds: float) -> bool:
        return pause(self._building.clock, self._changed, seconds, lambda: self._stopping)

    def _open(self, caller: Caller) -> LuaState:
        from moonq.run.functions import Functions

        return Functions(self._building.project, self._services).open(self._function, caller)

    def _as_message(
        self, state: LuaState, caller: Caller, body: str, headers: Mapping[str, Any]
    ) -> tuple[Judgement, Fault | None]:
        building = self._building
        judge = building.dry_policy(self._function, self._queue)
        trial = Trial(judge, building.clock, headers, lambda: self._stopping)
        trial.lend(caller)
        trial.deliver(state, body.encode(), state.limits.timeout)
        return trial.judgement, trial.fault


def _checked(arguments: str) -> str:
    if not arguments.strip():
        return ""
    try:
        json.loads(arguments)
    except ValueError as problem:
        raise Invalid(f"the argument is not JSON: {problem}", hint='such as {"id": 42}') from None
    return arguments
