"""How a function that the host lends to scripts is declared.

    @lent(action="queue.publish", writes=True, captured=True, waits=False, holds=True)
    def publish(caller, queue, body, headers, options): ...

Whatever must treat some of them in a special way reads the flags: Lua and the watchdog when they
wait, policies and read-only sessions by their action, dry runs when they write.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypedDict, Unpack

from moonq.clock import waits
from moonq.errors import CutShort, Denied, MoonqError
from moonq.run.calling.context import CallContext, Share
from moonq.run.calling.services import HostServices
from moonq.run.calling.sinks import WARN, HostSink, Line
from moonq.run.security import ALLOW, ALLOWED, DENIED, NOTHING, Decision, Held, refusal
from moonq.sandbox.lend import MAX_NAME, Bound, answered, failed, name
from moonq.sandbox.watchdog import Guard

#: The logger of what policies refuse.
DENIALS = "moonq.security"
NOTHING_LEFT = memoryview(b"")


@dataclass(slots=True)
class Caller:
    """The script of one state, as lent functions see it; a pooled state serves many contexts."""

    context: CallContext
    host: HostServices = field(init=False)
    """What the functions that it is lent work on."""
    guard: Guard | None = None
    """The time limit of the running call."""
    limit: int = 0
    """The bytes that its function may use; 0 for what is no function."""
    memory_used: Callable[[], int] = field(default=lambda: 0)
    """Counts the bytes that its state holds."""
    settle: Callable[[int, str, float, str], bool] = field(default=lambda *_: False)
    """Settles message number n of the running call early; False when it was settled before."""
    message: Callable[[int], bytes] = field(default=lambda _: b"{}")
    """Everything about message number n of the running call, as JSON."""
    waits: Callable[[tuple[Any, ...]], None] = field(default=lambda _: None)
    """Called when the handler of one of several messages waits; gets how far it came."""
    log_context: Callable[[int], dict[str, object]] = field(default=lambda _: {})
    """What a log line says of message number n of the running call."""
    is_held: bool = False
    """Whether a lent function is at work that may take seconds, and ends by itself."""
    is_away: bool = False
    """Whether it waits for something outside, and needs no core meanwhile."""
    held: Held = field(default_factory=Held)
    """The actors, scopes and policies that the script has objects of."""
    opened: dict[int, Any] = field(default_factory=dict)
    """What lent functions have opened for the running call, by the number that the script has;
    `holds` of each is what calls below must not wait for."""
    rest: memoryview = NOTHING_LEFT
    """What of an answer is still to cross into the state: too much of it would not fit at once."""

    def enter(self, context: CallContext, guard: Guard) -> None:
        """Let the state of *guard* run on behalf of *context* from now on."""
        guard.call_in(context.above)
        guard.is_waiting, guard.is_away = self._is_waiting, self._is_away
        before = self.context
        if context.actor is not before.actor or context.scope is not before.scope:
            self.held.clear()
        self.context, self.guard, self.rest = context, guard, NOTHING_LEFT

    def below(self, entry: str, size: int) -> CallContext:
        """Return the context of *entry*, which the script calls with arguments of *size* bytes."""
        share = self.context.share
        if share is None and self.limit:
            share = Share(self.context.entry, self.limit, self.limit)
        if share is not None:
            share = share._replace(left=share.left - self.memory_used() - size)
        held = tuple(one.holds for one in self.opened.values())
        return self.context.below(entry, self.guard, share, held)

    @property
    def sink(self) -> HostSink:
        """Where its writes go."""
        return self.context.sink or self.host.sink

    def permit(
        self, action: str | tuple[str, ...], resource: str, meta: Mapping[str, Any] = NOTHING
    ) -> None:
        """Let the script do *action* with *resource*, several actions if all may be done.

        *meta* is what conditions of policies find there. That it may not is logged and counted.

        Raises:
            Denied: It may not.
        """
        context, actions = self.context, (action,) if isinstance(action, str) else action
        for one in actions:
            decision = self._decide(one, resource, meta)
            if decision.effect != ALLOW:
                problem = refusal(context.entry, *context.rights, one, resource, decision)
                self._tell(problem)
                raise problem
        if context.observer is not None and actions:
            context.observer.about_to(actions[0], resource)

    def may(self, action: str, resource: str, meta: Mapping[str, Any] = NOTHING) -> bool:
        """Whether the script may do *action* with *resource*; nothing is logged."""
        return self._decide(action, resource, meta).effect == ALLOW

    def _decide(self, action: str, resource: str, meta: Mapping[str, Any]) -> Decision:
        context = self.context
        if context.scope is not None and context.actor is not None:
            return context.scope.decide(context.actor, action, resource, meta)
        return DENIED if self.host.is_strict else ALLOWED

    def _tell(self, problem: Denied) -> None:
        fields = json.dumps(problem.decision).encode()
        entry = self.context.entry
        line = Line(WARN, DENIALS, f"denied: {problem.message}", fields, entry, {})
        self.sink.write_denial(line)

    def remaining(self) -> float | None:
        """Return the seconds that are left to the running call; None without a limit."""
        return self.guard.remaining() if self.guard is not None and self.host.is_timed else None

    @contextmanager
    def interruptible(self, stop: Callable[[str], None]) -> Iterator[None]:
        """Let *stop* end what is done meanwhile, as soon as the running call is stopped.

        It is called with the reason (timeout, stop, cancel), once, in a thread of its own, and
        never after the end of the block.
        """
        if self.guard is None:
            yield
            return
        with self.guard.interruptible(stop):
            yield

    def when_over(self, clean: Callable[[], None]) -> None:
        """Call *clean* once the running call is over, however it ends."""
        if self.guard is not None:
            self.guard.when_over(clean)

    def heed(self) -> None:
        """End the running call now where its time is over, or that of a call above it."""
        if self.guard is not None:
            self.guard.heed()

    def look_up(self) -> None:
        """See, in a wait of a lent function, whether the running call goes on.

        Raises:
            CutShort: Its time is over, it was stopped, or its worker is to stop.
        """
        guard = self.guard
        if guard is not None:
            guard.heed()
            if guard.fired_at is not None:
                raise CutShort(f"the call was stopped ({guard.reason}) while it waited")
        if self.context.is_stopping():
            raise CutShort("the worker is to stop")

    def _is_waiting(self) -> bool:
        return self.is_held

    def _is_away(self) -> bool:
        return self.is_away


@dataclass(frozen=True, slots=True)
class Lent:
    """One lent function, which takes its caller and what the script gives."""

    name: str
    function: Callable[..., Any]
    actions: tuple[str, ...]
    """What policies call it, all of which must be allowed; none: it changes and shows nothing."""
    writes: bool
    """Whether it changes something: a read-only session is refused it."""
    waits: bool
    """Whether it may take so long that the messages behind the running one go to others."""
    resource: str | Callable[..., str] | None = None
    """On what it is done, or what makes that of the arguments; None: on what is named first."""
    meta: Callable[..., Mapping[str, Any]] | None = None
    """Makes what conditions of policies find in `meta`, of the arguments."""
    names: str | None = None
    """The kind of entry that the script names first, see `HostServices.entry_id`; None: none."""
    captured: bool = False
    """Whether the sink keeps what it writes in a dry run; else a dry run ends there."""
    would: Callable[..., str] | None = None
    """What it would do for its caller with these arguments, in the words of a dry run; raises what
    is wrong with them. None: its name will do."""
    holds: bool = False
    """Whether it may take seconds: its waits end with the call, see `Caller.look_up`, and whatever
    else it does ends by itself, so the watchdog has patience."""
    outside: bool = False
    """Whether it reaches beyond the host: tests shut it, and a dry run that is told to does it."""
    stub: Callable[..., str] | None = None
    """The line of a test that answers for it, with these arguments; None: a `test.stub` of it."""
    stands_in: Callable[..., bool] | None = None
    """Whether a test has something of its own in the place of what it would reach."""

    def bound(self, caller: Caller) -> Bound:
        """Return it for the script of *caller*: it checks, answers, and never raises."""
        function, kind, holds = self.function, self.names, self.holds
        is_guarded, is_untried = bool(self.actions), self.writes and not self.captured
        outside, look_up, waits_outside = self.outside, caller.look_up, self.waits

        # This is run with every call: what is free and named in full costs only looks.
        def call(*arguments: Any) -> tuple[Any, ...]:
            try:
                context = caller.context
                if kind is not None and arguments[0][:MAX_NAME] not in caller.host.ids:
                    entry = caller.host.entry_id(name(arguments[0]), kind)
                    arguments = (entry.encode("utf-8", "replace"), *arguments[1:])
                if is_guarded and (
                    context.scope is not None
                    or context.observer is not None
                    or caller.host.is_strict
                ):
                    self._permit(caller, arguments)
                if is_untried and context.is_dry and not (outside and caller.sink.is_real):
                    self._end_dry_run(caller, arguments)
                if outside and caller.host.shut is not None:
                    self._shut(caller, arguments)
                if not holds:
                    return answered(function(caller, *arguments))
                caller.is_held, before, waits.look = True, waits.look, look_up
                caller.is_away = waits_outside
                try:
                    return answered(function(caller, *arguments))
                finally:
                    caller.is_held = caller.is_away = False
                    waits.look = before
            except BaseException as problem:  # noqa: BLE001 - nothing may cross as an exception
                return failed(problem)

        return Bound(call, self.waits)

    def _permit(self, caller: Caller, arguments: tuple[Any, ...]) -> None:
        resource = self.resource
        if callable(resource):
            resource = resource(caller, *arguments)
        if resource is None:
            resource = name(arguments[0])
        scope, meta = caller.context.scope, NOTHING
        if self.meta is not None and scope is not None and scope.looks_at_meta:
            meta = self.meta(*arguments)
        caller.permit(self.actions, resource, meta)

    def _end_dry_run(self, caller: Caller, arguments: tuple[Any, ...]) -> None:
        done = self._words(caller, arguments)
        if caller.guard is not None:
            caller.guard.fire_all("unknown")
        caller.sink.end_dry_run(done)
        raise Untried(f"a dry run would {done}; what that answers is unknown")

    def _shut(self, caller: Caller, arguments: tuple[Any, ...]) -> None:
        shut = caller.host.shut
        if shut is not None and not (self.stands_in and self.stands_in(caller, *arguments)):
            shut(self._words(caller, arguments), self._stub_line(arguments))

    def _words(self, caller: Caller, arguments: tuple[Any, ...]) -> str:
        return self.would(caller, *arguments) if self.would else f"call {self.name}"

    def _stub_line(self, arguments: tuple[Any, ...]) -> str:
        if self.stub is not None:
            return self.stub(*arguments)
        module = self.function.__module__.rpartition(".")[2]
        name = self.name.removeprefix(f"{module}_")
        return f'test.stub("{module}", "{name}", function(…) return … end)'


class Flags(TypedDict, total=False):
    """The flags of `Lent` that most functions do without."""

    resource: str | Callable[..., str]
    meta: Callable[..., Mapping[str, Any]]
    names: str
    captured: bool
    would: Callable[..., str]
    holds: bool
    outside: bool
    stub: Callable[..., str]
    stands_in: Callable[..., bool]


def lent(
    *, action: str | tuple[str, ...] | None, writes: bool, waits: bool, **more: Unpack[Flags]
) -> Callable[[Callable[..., Any]], Lent]:
    """Declare a function as lent under its own name; see `Lent` for the flags.

    Raises:
        ValueError: It writes, and no action of the policy stands for that.
    """
    actions = (action,) if isinstance(action, str) else action or ()

    def declared(function: Callable[..., Any]) -> Lent:
        called = function.__name__.strip("_")
        if writes and not actions:
            raise ValueError(f"{called} writes, so it needs an action that policies can refuse")
        return Lent(called, function, actions, writes, waits, **more)

    return declared


class Untried(MoonqError):
    """A dry run came to something that it cannot try."""

    kind = "UNKNOWN"
