"""One call of a function by hand, for people who want to see what it does."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from moonq.clock import pause
from moonq.errors import Invalid
from moonq.model import Delivery, Message
from moonq.registry.project import Entry, Project
from moonq.run import publishing
from moonq.run.building import Building
from moonq.run.calling.context import CallContext
from moonq.run.calling.lending import Caller
from moonq.run.calling.sinks import Line, Publication, Recording
from moonq.run.calling.trying import DryRun
from moonq.run.ids import new_id
from moonq.run.judgement import NOT_JUDGED, Event, Judgement, asked, ended, stopped
from moonq.run.security import EVERYTHING, OPERATOR, Rights, Scope
from moonq.run.worker import described
from moonq.sandbox.state import Fault, LuaState, ScriptFault, Stopped
from moonq.sandbox.states import THREAD, State
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
    unknown: str = ""
    """What a dry run came to that it does not do, in words such as `GET https://…`: it ended there,
    because only the answer would tell how it goes on."""
    is_dry: bool = False
    took: float = 0.0
    memory: int = 0
    lines: list[dict[str, Any]] = field(default_factory=list)
    """The lines that ran, in order, where they were asked for; see `lua/run/lines.lua`."""
    lines_left_out: int = 0
    """How many more ran."""

    def judged(self) -> dict[str, Any]:
        """Return `verdict` as plain data: the action, the delay if any, and the reason if dead.

        The `words` are about what failed, also those that the handler gave to `nack` or `reject`.
        """
        if self.verdict is None:
            return NOT_JUDGED
        error = self.verdict.error
        return {**self.verdict.told(), "words": error.message if error else ""}


class Call:
    """One call of *function*; dry, unless it is to *send*, and then perhaps with a *record*.

    What is *real* is done although it reaches beyond the host; of *stubs*, the name and the text of
    a Lua file, those functions answer that are put in place of others there.
    It runs as *consumer* would run it: with its time limit, its queue, and its rights, unless
    others are given. With *trace* the result shows the lines that ran.
    """

    def __init__(  # noqa: PLR0913 - the ways in which a call can be asked for
        self,
        building: Building,
        function: str,
        *,
        send: bool,
        record: bool = False,
        real: bool = False,
        stubs: tuple[str, str] | None = None,
        consumer: Entry | None = None,
        rights: Rights | None = None,
        message_id: str = "",
        trace: bool = False,
    ) -> None:
        self._building = building
        self._traces = trace
        self._rights = rights or building.rights(consumer)
        self._function = function
        self._consumer = consumer
        self._message_id = message_id
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
            self._sink = trial = DryRun(queues, clock, real=real)
            result.written, result.logs = trial.written, trial.logs
        elif record:
            self._sink = Recording(queues, clock)
        self._stubs = stubs
        if self._sink is not None:
            result.published = self._sink.published

    def run(self, arguments: str, headers: Mapping[str, Any] | None) -> CallResult:
        """Call it; with *headers* (even empty ones) as a message."""
        value = _checked(arguments).encode()
        result, began = self._result, time.monotonic()
        with self._stubbed():
            self._do(value, headers)
        if isinstance(self._sink, DryRun) and self._sink.unknown:
            # That it ended there is no fault of the function.
            result.unknown, result.fault = self._sink.unknown, None
        result.took = time.monotonic() - began
        return result

    def _do(self, value: bytes, headers: Mapping[str, Any] | None) -> None:
        result = self._result
        try:
            if headers is None:
                with self._open(Caller(self._context())) as state:
                    result.values = _shown(state.call(b"[%b]" % value, self._timeout()))
            else:
                self._deliver(value or b"null", headers)
        except ScriptFault as raised:
            result.fault = raised.fault
        except Stopped as why:
            result.fault = stopped(why).fault

    @contextmanager
    def _stubbed(self) -> Iterator[None]:
        """Let the stubs answer, if there are any."""
        if self._stubs is None or self._sink is None:
            yield
            return
        building = self._building
        sink, everything = DryRun(building.queues, building.clock), Scope((EVERYTHING,))
        aside = CallContext("stubs", actor=OPERATOR, scope=everything, sink=sink)
        with closing(building.functions.stub_file(*self._stubs, Caller(aside))) as stubs:
            self._sink.state_type = stubs.state_type
            yield

    def _deliver(self, body: bytes, headers: Mapping[str, Any]) -> None:
        """Call it with a message around *body*, and have judged what becomes of that.

        It is attempt 1 of a message that was just published, judged without jitter.
        """
        result, context, now = self._result, self._context(), self._building.clock.now()
        delivery = Delivery(Message(self._message_id or new_id(now), b"", now, headers), None)
        message = described(delivery, context.serves)

        def end(event: Event) -> bool:
            if result.verdict is not None:
                return False
            result.verdict = policy.judge(delivery, event, is_stopping=self._stopping)
            return True

        caller = Caller(
            context, settle=lambda _, *what: end(asked(*what)), message=lambda _: message
        )
        with closing(self._building.dry_policy(context, self._consumer)) as policy:
            with self._open(caller) as state:
                state.keep_results()
                progress = state.deliver(self._timeout(), [body])
                event = ended(progress)
                if event is None and progress.stopped is None:
                    # What it returned decides nothing, so there may be no room for it.
                    with suppress(Stopped):
                        result.values = _shown(state.results())
            if end(event or Event("ack")) and event is not None and result.verdict is not None:
                result.fault = result.verdict.fault(event)

    @contextmanager
    def _open(self, caller: Caller) -> Iterator[State]:
        isolation = self._fields.isolation if self._consumer else None
        if self._traces:
            isolation = THREAD  # lines are noted in this process only
        state = self._building.functions.open(self._function, caller, isolation=isolation)
        traced = state if self._traces and isinstance(state, LuaState) else None
        if traced is not None:
            traced.trace_lines()
        try:
            yield state
        finally:
            if traced is not None:
                self._keep_lines(traced)
            self._result.memory = state.memory_used()
            state.close()

    def _keep_lines(self, state: LuaState) -> None:
        with suppress(Stopped, ScriptFault):
            found = state.lines()
            self._result.lines, self._result.lines_left_out = found["steps"], found["left_out"]

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
        consumer, rights = self._consumer, self._rights
        return CallContext(
            self._function,
            serves=self._fields.queue.encode() if consumer else b"",
            actor=rights.actor,
            scope=rights.scope,
            sink=self._sink,
            is_stopping=lambda: self._stopping,
            sleep=self._sleep,
            above=self._switch,
        )

    def _sleep(self, seconds: float) -> bool:
        return pause(self._building.clock, self._changed, seconds, lambda: self._stopping)

    def _timeout(self) -> float | None:
        return self._building.dry_limits(self._function, self._consumer).timeout


def consumer_of(project: Project, function: str, wanted: str = "") -> Entry | None:
    """Return the consumer that runs *function*: the one that is *wanted*, or the only one.

    Raises:
        NotFound: There is no such consumer.
        Invalid: It does not run it, or several do and none was named.
    """
    return _chosen(project, "func", function, wanted)


def consumer_at(project: Project, queue: str, wanted: str = "") -> Entry | None:
    """Return the consumer that serves *queue*, and raise as `consumer_of` does."""
    return _chosen(project, "queue", queue, wanted)


def _chosen(project: Project, field: str, target: str, wanted: str) -> Entry | None:
    fitting = [
        entry for entry in project.of_kind("queue.consumer") if entry.target(field) == target
    ]
    listed = ", ".join(entry.id for entry in fitting)
    if wanted:
        id_ = project.id_of(wanted, "queue.consumer")
        found = next((entry for entry in fitting if entry.id == id_), None)
        if found is None:
            hint = f"name one of {listed}" if listed else ""
            raise Invalid(f"{id_} has nothing to do with {target}", hint=hint)
        return found
    if len(fitting) > 1:
        raise Invalid(
            f"{target} has several consumers: {listed}",
            hint="say whose rights and limits hold: --consumer ID, in Lua { consumer = ID }",
        )
    return fitting[0] if fitting else None


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
