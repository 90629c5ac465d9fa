"""What a test sees of its queues, whatever their driver shows.

A driver that shows no message without consuming it is looked at by taking what is ready, which is
handed back then.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import islice

from moonq.drivers.base import Subscription
from moonq.drivers.letters import X_ORIGINAL_QUEUE
from moonq.drivers.paging import walk
from moonq.errors import Unsupported
from moonq.model import DEFAULT_TIMEOUT, MessageState, Stored
from moonq.run.queues import Route
from moonq.testing.world.ledger import Ledger
from moonq.testing.world.world import World

#: How many messages one look shows.
MOST = 10_000
#: Real seconds that a store has until it shows what it has accepted.
_PATIENCE = 3.0
#: Seconds for which a look by consuming waits for more.
_LOOK = 0.5
#: Messages that such a look holds.
_HELD = 1000


def messages(world: World, route: Route, which: str) -> list[Stored]:
    """Return the messages of a queue: `all`, the `delayed`, or the `dead` ones that came from it.

    Raises:
        Unsupported: The driver does not show what is delayed.
    """
    ledger, name = world.bench.ledger, route.spec.name
    if which == "dead":
        letters = route.spec.dead_letter
        if letters is None:
            return []
        return _settled(world, ledger.count(letters, name), lambda: _dead(route, letters))
    state: MessageState | None = "delayed" if which == "delayed" else None
    return _settled(world, _expected(ledger, name, which), lambda: _look(route, name, state))


def _expected(ledger: Ledger, queue: str, which: str) -> int:
    waiting = ledger.count(queue) - ledger.due(queue)
    return waiting if which == "delayed" else ledger.count(queue)


def _settled(world: World, expected: int, look: Callable[[], Iterator[Stored]]) -> list[Stored]:
    """Look until there is as much as there must be, or no more comes."""
    give_up = time.monotonic() + (0.0 if world.is_virtual else _PATIENCE)
    while True:
        found = list(islice(look(), MOST))
        if len(found) == expected or time.monotonic() >= give_up:
            return found
        time.sleep(_LOOK / 10)


def _dead(route: Route, letters: str) -> Iterator[Stored]:
    for one in _look(route, letters, None):
        if one.message.headers.get(X_ORIGINAL_QUEUE) == route.spec.name:
            yield one


def _look(route: Route, queue: str, state: MessageState | None) -> Iterator[Stored]:
    try:
        yield from walk(route.driver, queue, state)
    except Unsupported:
        # Some show their dead letters and nothing else.
        yield from _consumed(route, queue, state)


def _consumed(route: Route, queue: str, state: MessageState | None) -> Iterator[Stored]:
    if state is not None:
        raise Unsupported(
            f"test.queue: a {route.driver.kind} does not show what is {state}",
            hint="look at what a run answers, or at the dead letters",
        )
    subscription = route.driver.subscribe(queue, _HELD, timeout=DEFAULT_TIMEOUT)
    try:
        yield from _taken(subscription)
    finally:
        subscription.stop()
        subscription.close(time.monotonic())


def _taken(subscription: Subscription) -> Iterator[Stored]:
    while deliveries := subscription.take(_HELD, _LOOK):
        for one in deliveries:
            yield Stored(one.message, "ready", one.attempt, one.interruptions, errors=one.errors)
