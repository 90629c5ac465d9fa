"""What a suite's state is lent beside what every state is; `lua/test/testing.lua` is the other end.

Each function is lent under its name with ``test_`` in front.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, Protocol

from moonq import assets
from moonq.drivers.letters import X_DEAD_LETTER_REASON, X_ORIGINAL_QUEUE
from moonq.drivers.paging import walk
from moonq.errors import MoonqError, NotFound, QueueError, Unsupported
from moonq.model import Message, MessageState, Stored
from moonq.registry import Project
from moonq.run.ids import new_id
from moonq.run.queues import Route
from moonq.sandbox.lend import Bound, bounded, own, text
from moonq.testing.snapshots import Snapshots
from moonq.testing.world.calling import CallUnderTest
from moonq.testing.world.clock import TimeOfTests
from moonq.testing.world.runs import log_object
from moonq.testing.world.standin import StandIn
from moonq.testing.world.told import Stub
from moonq.testing.world.world import World

#: How many messages one look shows.
MOST = 10_000


class Lender(Protocol):
    """The suite, as far as its scripts may reach."""

    clock: TimeOfTests
    project: Project
    libraries: dict[str, str]
    snapshots: Snapshots

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
    groups: tuple[dict[str, Callable[..., Any]], ...] = (
        _stubs(suite),
        _time_and_logs(suite),
        _looks(suite),
        _moves(suite),
        _faults(suite),
    )
    return own(
        {
            f"test_{name}": _with_hint(function)
            for group in groups
            for name, function in group.items()
        }
    )


def _with_hint(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let the hint of a refusal cross with its message: a test that is no test needs both."""

    def hinting(*arguments: Any) -> Any:
        try:
            return function(*arguments)
        except MoonqError as problem:
            if problem.hint:
                problem.message += f"; {problem.hint}"
            raise

    return hinting


def _stubs(suite: Lender) -> dict[str, Callable[..., Any]]:
    def module(name: bytes) -> bytes | None:
        known = text(name)
        if known in assets.stdlib_modules():
            return name
        library = suite.libraries.get(known)
        return library.encode() if library else None

    def stub(number: int, key: bytes, name: bytes, is_spy: bool) -> bool:
        one = Stub(number, text(key), text(name), is_spy)
        suite.world.stubs.append(one)
        for state in suite.world.states:
            state.put(one)
        return True

    def allow(name: bytes) -> bytes:
        if text(name) not in assets.stdlib_modules():
            raise NotFound(f"test.allow: there is no module {text(name)!r}")
        return suite.script.encode()

    return {"module": module, "stub": stub, "allow": allow}


def _time_and_logs(suite: Lender) -> dict[str, Callable[..., Any]]:
    def set_now(now: float) -> bool:
        suite.clock.set_now(now)
        return True

    def advance(seconds: float) -> bool:
        suite.clock.advance(seconds)
        return True

    def snapshot(key: bytes, literal: bytes) -> bool | bytes:
        stored = suite.snapshots.compare(text(key), text(literal))
        if stored is None:
            return False
        return True if stored == text(literal) else stored.encode()

    return {
        "set_now": set_now,
        "advance": advance,
        "logs": lambda: _dump([log_object(line) for line in suite.world.logs]),
        "snapshot": snapshot,
    }


def _looks(suite: Lender) -> dict[str, Callable[..., Any]]:
    def messages(queue: bytes, which: bytes) -> bytes:
        route = suite.world.queues.route(text(queue))
        if which == b"dead":
            found = _dead_letters(route)
        else:
            state: MessageState | None = "delayed" if which == b"delayed" else None
            found = walk(route.driver, route.spec.name, state)
        now = suite.clock.now()
        return _dump([_message(route, one, now) for one in islice(found, MOST)])

    return {
        "queue": lambda name: suite.project.id_of(text(name), "queue.queue").encode(),
        "messages": messages,
    }


def _moves(suite: Lender) -> dict[str, Callable[..., Any]]:
    def publish_raw(queue: bytes, body: bytes) -> bytes:
        route = suite.world.queues.route(text(queue))
        now = suite.clock.now()
        (answer,) = route.driver.publish(route.spec.name, [Message(new_id(now), body, now)], 0.0)
        if isinstance(answer, QueueError):
            raise answer
        return answer.id.encode()

    def clear(queue: bytes) -> int:
        route = suite.world.queues.route(text(queue))
        return route.driver.purge(route.spec.name)

    def redrive(queue: bytes) -> int:
        route = suite.world.queues.route(text(queue))
        chosen = [letter.number for letter in _dead_letters(route)]
        return route.driver.redrive(route.spec.dead_letter or "", "", chosen) if chosen else 0

    def drain(queue: bytes, most: int, within: float) -> bytes:
        within_or_none = None if within < 0 else within
        return _dump(suite.world.drain(text(queue), most, within_or_none).told())

    def step(queue: bytes, deliveries: int) -> bytes:
        return _dump(suite.world.step(text(queue), deliveries).told())

    return {
        "publish_raw": publish_raw,
        "clear": clear,
        "redrive": redrive,
        "drain": drain,
        "step": step,
        "call": lambda function, body, headers: bounded(
            CallUnderTest(suite.world, text(function), headers).run(body)
        ),
        "judged": lambda function, body, headers: bounded(
            CallUnderTest(suite.world, text(function), headers).judged(body)
        ),
    }


def _faults(suite: Lender) -> dict[str, Callable[..., Any]]:
    def duplicate(message: bytes) -> bool:
        for driver in _stand_ins(suite.world, "duplicate"):
            if driver.knows(text(message)):
                driver.duplicate(text(message))
                return True
        raise NotFound(f"test.duplicate: no message {text(message)!r} was published in this test")

    def broker_down(seconds: float) -> bool:
        _stand_ins(suite.world, "broker_down")
        suite.world.faults.broker_down(seconds)
        return True

    def crash_worker() -> bool:
        suite.world.faults.crash_worker()
        return True

    def drop_ack() -> bool:
        suite.world.faults.drop_ack()
        return True

    return {
        "duplicate": duplicate,
        "broker_down": broker_down,
        "crash_worker": crash_worker,
        "drop_ack": drop_ack,
    }


def _stand_ins(world: World, asked: str) -> list[StandIn]:
    drivers = [driver for driver in world.drivers.values() if isinstance(driver, StandIn)]
    if world.drivers and not drivers:
        raise Unsupported(f"test.{asked}: only the memory stand-ins can do that")
    return drivers


def _dead_letters(route: Route) -> Iterator[Stored]:
    if route.spec.dead_letter is not None:
        for one in walk(route.driver, route.spec.dead_letter):
            if one.message.headers.get(X_ORIGINAL_QUEUE) == route.spec.name:
                yield one


def _message(route: Route, stored: Stored, now: float) -> dict[str, Any]:
    message = stored.message
    known = {
        "id": message.id,
        "text": message.body.decode("utf-8", "replace"),
        "is_text": not route.decodes,
        "headers": dict(message.headers),
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
