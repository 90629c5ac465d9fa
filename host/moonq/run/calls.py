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
from moonq.registry.project import Entry, Project
from moonq.run import publishing
from moonq.run.building import Building
from moonq.run.context import CallContext
from moonq.run.judgement import NOT_JUDGED, Judgement
from moonq.run.judgement import stopped as cut_off
from moonq.run.lending import Caller
from moonq.run.sinks import Line, Publication, Recording
from moonq.run.trial import Trial
from moonq.run.trying import DryRun
from moonq.sandbox.state import Fault, LuaState, ScriptFault, Stopped
from moonq.sandbox.watchdog import Guard


@dataclass(slots=True)
class CallResult:
    """What became of one call of a function."""

    values: list[Any] = field(default_factory=list)
    fault: Fault | None = None
    verdict: Judgement | None = None
    """For a call as a message: what would have become of it."""
    published: list[Publication] = field(default_factory=list)
    """What it published; in a dry run, what it would have."""
    written: list[dict[str, Any]] = field(default_factory=list)
    """What a dry run would have changed in stores, see `DryRun`."""
    logs: list[Line] = field(default_factory=list)
    """The log lines of a dry run."""
    is_dry: bool = False
    took: float = 0.0
    memory: int = 0

    def judged(self) -> dict[str, Any]:
        """Return `verdict` as plain data: the action, the delay if any, and the reason if dead."""
        return self.verdict.told() if self.verdict else NOT_JUDGED


class Call:
    """One call of *function*; dry, unless it is to *send*, and then perhaps with a *record*.

    As a message it runs as *consumer* would run it: with its scope, time limit and queue.
    """

    def __init__(
        self,
        building: Building,
        function: str,
        *,
        send: bool,
        record: bool = False,
        consumer: Entry | None = None,
    ) -> None:
        self._building = building
        self._function = function
        self._consumer = consumer
        self._fields: Any = consumer.config if consumer else None
        # What stops this stops the function and all that it calls, whenever they begin.
        self._switch = Guard(None, lambda: None)
        self._switch.begin(None)
        self._changed = threading.Condition()
        self._stopping = False
        queues, clock = building.queues, building.clock
        self._sink: Recording | None = None
        self._result = result = CallResult(is_dry=not send)
        if not send:
            self._sink = trial = DryRun(queues, clock)
            result.written, result.logs = trial.written, trial.logs
        elif record:
            self._sink = Recording(queues, clock)
        if self._sink is not None:
            result.published = self._sink.published

    def run(self, arguments: str, headers: Mapping[str, Any] | None) -> CallResult:
        """Call it; with *headers* (even empty ones) as a message."""
        value = _checked(arguments)
        context = self._context()
        trial = None if headers is None else self._trial(headers, context)
        result, began = self._result, time.monotonic()
        caller = trial.caller(context) if trial else Caller(context)
        state: LuaState | None = None
        try:
            state = self._building.functions.open(self._function, caller)
            if trial is None:
                result.values = _shown(state.call(f"[{value}]".encode() if value else b"[]"))
            else:
                limits = self._building.dry_limits(self._function, self._consumer)
                trial.deliver(state, (value or "null").encode(), limits.timeout)
                result.verdict, result.fault = trial.judgement, trial.fault
        except ScriptFault as raised:
            result.fault = raised.fault
        except Stopped as stopped:
            result.fault = cut_off(stopped).fault
        finally:
            if state is not None:
                result.memory = state.memory_used()
                state.close()
        result.took = time.monotonic() - began
        return result

    def _trial(self, headers: Mapping[str, Any], context: CallContext) -> Trial:
        building = self._building
        judge = building.dry_policy(context, self._consumer)
        return Trial(judge, building.clock, headers, lambda: self._stopping)

    def wind_up(self) -> None:
        """Let the function see that it should end; its waits end now."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def cut_off(self) -> None:
        """End the call now, wherever it is."""
        self.wind_up()
        self._switch.fire("stop")

    def _context(self) -> CallContext:
        consumer = self._consumer
        return CallContext(
            self._function,
            serves=self._fields.queue.encode() if consumer else b"",
            scope=self._building.scope(consumer) if consumer else None,
            sink=self._sink,
            is_stopping=lambda: self._stopping,
            sleep=self._sleep,
            above=self._switch,
        )

    def _sleep(self, seconds: float) -> bool:
        return pause(self._building.clock, self._changed, seconds, lambda: self._stopping)


def consumer_of(project: Project, function: str, wanted: str = "") -> Entry | None:
    """Return the consumer *wanted*, or the first that runs *function*."""
    if wanted:
        return project.entries[wanted]
    for consumer in project.of_kind("queue.consumer"):
        fields: Any = consumer.config
        if fields.func == function:
            return consumer
    return None


def _checked(arguments: str) -> str:
    if not arguments.strip():
        return ""
    try:
        publishing.check_body(arguments.encode("utf-8", "surrogatepass"))
    except Invalid as problem:
        why = problem.message.replace("the body", "the argument")
        raise Invalid(why, hint='such as {"id": 42}') from None
    return arguments


def _shown(results: bytes) -> list[Any]:
    """Return what a function answered, without the nils behind the last value."""
    values: list[Any] = json.loads(results)
    while values and values[-1] is None:
        values.pop()
    return values
