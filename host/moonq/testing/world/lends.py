"""What a suite's state is lent beside what every state is; `lua/test/testing.lua` is the other end.

Each function is lent under its name with ``test_`` in front.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Protocol

from moonq import assets
from moonq.drivers import descriptor
from moonq.drivers.descriptors import PREFIX
from moonq.drivers.letters import X_DEAD_LETTER_REASON, X_ORIGINAL_QUEUE
from moonq.drivers.memory.driver import MemoryDriver
from moonq.errors import MoonqError, NotFound, QueueError
from moonq.model import Message, Stored
from moonq.registry import Entry, Project
from moonq.run.calling.lending import Caller
from moonq.run.calling.stubbed import Stub
from moonq.run.ids import new_id
from moonq.run.queues import Route
from moonq.run.security import Actor, Scope
from moonq.sandbox.lend import Bound, bounded, own, text
from moonq.testing.snapshots import Snapshots
from moonq.testing.world.calling import As, CallUnderTest
from moonq.testing.world.clock import TimeOfTests, ahead_of
from moonq.testing.world.looking import messages
from moonq.testing.world.places import Places
from moonq.testing.world.runs import log_object
from moonq.testing.world.staged import Staged
from moonq.testing.world.world import World


class Lender(Protocol):
    """The suite, as far as its scripts may reach."""

    clock: TimeOfTests
    places: Places
    project: Project
    libraries: dict[str, str]
    snapshots: Snapshots
    caller: Caller

    @property
    def declared(self) -> bool:
        """Whether queues are on the drivers that the project declares."""
        ...

    @property
    def is_real(self) -> bool:
        """Whether tests reach what is beyond the host."""
        ...

    @property
    def script(self) -> str:
        """The id of its script."""
        ...

    @property
    def world(self) -> World:
        """What is under test now."""
        ...


def lent_to_suites(suite: Lender) -> dict[str, Bound]:
    """Return the functions by name."""
    mine = SuiteLends(suite)
    names = [name for name in vars(SuiteLends) if name[0] != "_"]
    return own({f"test_{name}": getattr(mine, name) for name in names})


class SuiteLends:
    """The functions: every public method is lent."""

    def __init__(self, suite: Lender) -> None:
        self._suite = suite

    def is_real(self) -> bool:
        """Say whether tests reach what is beyond the host."""
        return self._suite.is_real

    # Stubs, time and logs -----------------------------------------------------------------------

    def module(self, name: bytes) -> bytes | None:
        """Return what a module or library is known by."""
        known = text(name)
        if known in assets.stdlib_modules():
            return name
        library = self._suite.libraries.get(known)
        return library.encode() if library else None

    def stub(self, number: int, key: bytes, name: bytes, is_spy: bool) -> None:
        """Replace a function of a module, in states that are open and in those to come."""
        one, bench = Stub(number, text(key), text(name), is_spy), self._suite.world.bench
        bench.stubs.append(one)
        for state in bench.states:
            state.put(one)

    def allow(self, name: bytes) -> bytes:
        """Return the id of the script that is to see a module."""
        if text(name) not in assets.stdlib_modules():
            raise NotFound(f"test.allow: there is no module {text(name)!r}")
        return self._suite.script.encode()

    def set_now(self, now: float) -> None:
        """Make it *now*."""
        world, clock = self._suite.world, self._suite.clock
        if clock.is_virtual:
            clock.set_now(now)
        else:
            world.bench.advance(ahead_of(clock, now))

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._suite.world.bench.advance(seconds)

    def logs(self) -> bytes:
        """Return what was logged."""
        return _dump([log_object(line) for line in self._suite.world.logs])

    def snapshot(self, key: bytes, literal: bytes) -> bool | bytes:
        """Whether a value is as it was; else the literal that it was, or False without one."""
        stored = self._suite.snapshots.compare(text(key), text(literal))
        if stored is None:
            return False
        return stored == text(literal) or stored.encode()

    def sql(self, name: bytes) -> bytes:
        """Open an empty database in the place of the one of that name, and return its full id."""
        suite = self._suite
        entry = suite.project.entries[suite.project.id_of(text(name), "sql.database")]
        suite.world.open_database(entry)
        return entry.id.encode()

    # Queues and functions -----------------------------------------------------------------------

    def queue(self, name: bytes) -> bytes:
        """Return the full id of a queue."""
        return self._suite.project.id_of(text(name), "queue.queue").encode()

    def driver(self, queue: bytes) -> bytes:
        """Return what there is to know of the driver of a queue, or of the only one."""
        suite = self._suite
        if queue:
            driver = self._route(queue).driver
        elif suite.declared:
            entry = _only_driver(suite.project)
            driver = suite.places.place(entry, suite.clock, suite.project).driver
        else:
            driver = MemoryDriver(suite.clock)
        known = descriptor(driver.kind)
        told = {
            "kind": driver.kind,
            "abilities": driver.capabilities()._asdict(),
            "reasons": {name: limit.reason for name, limit in known.limits.items()},
            "tolerance": known.pace.tolerance,
            "is_virtual": suite.clock.is_virtual,
        }
        return _dump(told)

    def messages(self, queue: bytes, which: bytes) -> bytes:
        """Return the messages of a queue: all, the delayed, or its dead letters."""
        route, world = self._route(queue), self._suite.world
        now = self._suite.clock.now()
        found = messages(world, route, text(which))
        return _dump([_message(route, one, now, world.shown) for one in found])

    def publish_raw(self, queue: bytes, body: bytes, headers: bytes) -> bytes:
        """Publish bytes that no publisher could."""
        route, now = self._route(queue), self._suite.clock.now()
        message = Message(new_id(now), body, now, json.loads(headers or "{}"))
        (answer,) = route.driver.publish(route.spec.name, [message], 0.0)
        if isinstance(answer, QueueError):
            raise answer
        return answer.id.encode()

    def clear(self, queue: bytes) -> int:
        """Take away what waits in a queue."""
        route = self._route(queue)
        return route.driver.purge(route.spec.name)

    def redrive(self, queue: bytes) -> int:
        """Give the dead letters of a queue another life."""
        route, world = self._route(queue), self._suite.world
        letters, chosen = route.spec.dead_letter, messages(world, route, "dead")
        if letters is None or not chosen:
            return 0
        can_choose = route.driver.capabilities().select != "none"
        numbers = [letter.number for letter in chosen] if can_choose else None
        moved = route.driver.redrive(letters, "", numbers)
        world.bench.ledger.redriven(letters, route.spec.name)
        return moved

    def drain(self, queue: bytes, most: int, within: float) -> bytes:
        """Run the consumers of a queue until nothing is left; a negative *within* is no limit.

        Without a *queue* all consumers of the project run.
        """
        limit = None if within < 0 else within
        return _dump(self._suite.world.drain(text(queue), most, limit).told())

    def step(self, queue: bytes, deliveries: int) -> bytes:
        """Run so many deliveries of a queue."""
        return _dump(self._suite.world.step(text(queue), deliveries).told())

    def call(self, function: bytes, body: bytes, headers: bytes, *by: Any) -> bytes:
        """Call a function as if a message had come, and return what it answers; see `_call`."""
        return bounded(self._call(function, *by).answered(body, headers))

    def judged(self, function: bytes, body: bytes, headers: bytes, *by: Any) -> bytes:
        """Call a function and return what would become of its message; see `_call`."""
        return bounded(self._call(function, *by).judged(body, headers))

    def _call(
        self, function: bytes, consumer: bytes, by: bytes, actor: int, scope: int
    ) -> CallUnderTest:
        """Make a call as *consumer*, if any, and *by* a name or the numbers of actor and scope."""
        held = self._suite.caller.held
        who = As(
            text(by),
            held.get(actor, Actor) if actor else None,
            held.get(scope, Scope) if scope else None,
        )
        return CallUnderTest(self._suite.world, text(function), text(consumer), who)

    # Faults -------------------------------------------------------------------------------------

    def duplicate(self, message: bytes) -> None:
        """Deliver a message once more."""
        for driver in _staged(self._suite.world):
            if driver.knows(text(message)):
                return driver.duplicate(text(message))
        raise NotFound(f"test.duplicate: no message {text(message)!r} was published in this test")

    def broker_down(self, seconds: float) -> None:
        """Let publishes fail for *seconds* from now."""
        faults = self._suite.world.bench.faults
        faults.down_until = self._suite.clock.monotonic() + seconds

    def crash_worker(self) -> None:
        """Let the worker of the next delivery die before it settles."""
        self._suite.world.bench.faults.crashes += 1

    def drop_ack(self) -> None:
        """Lose the next ack on its way to the broker."""
        self._suite.world.bench.faults.lost_acks += 1

    def _route(self, queue: bytes) -> Route:
        return self._suite.world.queues.route(text(queue))


def _staged(world: World) -> list[Staged]:
    drivers: list[Any] = [*world.drivers.values()]
    return [driver for driver in drivers if isinstance(driver, Staged)]


def _only_driver(project: Project) -> Entry:
    drivers = project.of_kind(PREFIX)
    if len(drivers) != 1:
        known = ", ".join(entry.id for entry in drivers) or "none"
        raise NotFound(f"test.driver: which driver is meant, of {known}?", hint="name a queue")
    return drivers[0]


def _message(
    route: Route, stored: Stored, now: float, shown: Callable[[str], str]
) -> dict[str, Any]:
    message = stored.message
    headers = dict(message.headers)
    if origin := headers.get(X_ORIGINAL_QUEUE):
        headers[X_ORIGINAL_QUEUE] = shown(str(origin))
    known = {
        "id": message.id,
        "text": message.body.decode("utf-8", "replace"),
        "is_text": not route.decodes,
        "headers": headers,
        "state": stored.state,
        "attempt": stored.attempt,
        "interruptions": stored.interruptions,
        "published_at": message.published_at,
        "due": None if stored.due is None else round(stored.due - now, 6),
        "reason": message.headers.get(X_DEAD_LETTER_REASON),
        "errors": [error._asdict() for error in stored.errors],
    }
    return {name: value for name, value in known.items() if value is not None}


def _dump(value: object) -> bytes:
    try:
        return bounded(json.dumps(value, ensure_ascii=False, default=str).encode())
    except UnicodeEncodeError:
        raise MoonqError("a text of the answer cannot be shown") from None
