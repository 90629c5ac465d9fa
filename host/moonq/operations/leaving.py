"""How messages leave the queue that they are moved out of, part by part.

A driver that shows what waits lets go of each part once it is stored elsewhere, and its queue
delivers nothing meanwhile. From another driver they are taken as a consumer takes them: what was
stored elsewhere is settled as done, the rest is handed back. There a delayed message leaves when it
is due, and consumers at work take their share.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import NamedTuple, Protocol

from moonq.clock import Clock
from moonq.drivers.base import Driver, Mover, Subscription
from moonq.drivers.letters import X_ORIGINAL_QUEUE
from moonq.errors import Unavailable
from moonq.model import ACK, DEFAULT_TIMEOUT, Delivery, Stored

#: Messages that one step brings over; other work of a driver waits for no more.
STEP = 500
#: Seconds that a look at a driver waits which has to be asked for each message.
PATIENCE = 2.0
#: How long it may take to give back what was only looked at.
FAREWELL = 10.0


class Place(NamedTuple):
    """Where messages lie: a driver, and what it calls their queue."""

    shown: str
    entry: str
    """The driver's entry."""
    driver: Driver
    name: str
    ttl: float | None = None
    """The queue's own, of messages that say nothing of it."""

    @property
    def is_shown(self) -> bool:
        """Whether its messages can be looked at before they leave."""
        return isinstance(self.driver, Mover) and self.driver.capabilities().move != "none"


class Leaving(Protocol):
    """The messages of one queue, on their way."""

    def look(self, most: int) -> Iterator[Stored]:
        """Yield what would leave next; nothing does."""

    def parts(self, most: int) -> Iterator[list[Stored]]:
        """Yield what leaves, part by part; each is let go of before the next."""

    def let_go(self, stored: Sequence[Stored]) -> None:
        """Forget those of the part that are stored elsewhere; the others stay."""


def opened(place: Place, clock: Clock, *, origin: str = "") -> AbstractContextManager[Leaving]:
    """Return the messages of *place*; with *origin* the dead letters that came from there."""
    if isinstance(place.driver, Mover) and place.is_shown:
        return nullcontext(Shown(place.driver, place.name, origin))
    return _consumed(place, clock, origin)


class Shown:
    """See `Leaving`: of a driver that shows them."""

    def __init__(self, driver: Mover, queue: str, origin: str) -> None:
        self._driver = driver
        self._queue = queue
        self._origin = origin

    def look(self, most: int) -> Iterator[Stored]:
        """Yield what would leave next."""
        for part in self.parts(most):
            yield from part

    def parts(self, most: int) -> Iterator[list[Stored]]:
        """Yield what leaves, in the order of publishing."""
        after = 0
        while most > 0:
            found = self._driver.waiting(self._queue, min(STEP, most), after)
            if not found:
                return
            after = found[-1].number
            part = [one for one in found if _came_from(one, self._origin)]
            most -= len(part)
            yield part

    def let_go(self, stored: Sequence[Stored]) -> None:
        """Drop those that are stored elsewhere."""
        if stored:
            self._driver.purge(self._queue, [one.number for one in stored])


@contextmanager
def _consumed(place: Place, clock: Clock, origin: str) -> Iterator[Leaving]:
    subscription = place.driver.subscribe(
        place.name, STEP, timeout=DEFAULT_TIMEOUT, name="moonq move"
    )
    messages = Consumed(subscription, place, origin)
    try:
        yield messages
    finally:
        subscription.stop()
        is_told = subscription.close(clock.monotonic() + FAREWELL)
    if not is_told and messages.gone:
        text = f"not all that was moved could be taken out of {place.shown}"
        raise Unavailable(text, hint="run the move again when its broker answers")


class Consumed:
    """See `Leaving`: of a driver that shows no message without consuming it.

    What a look has taken is held, and leaves first. More than a step is not held at once, so a look
    sees no further.
    """

    def __init__(self, subscription: Subscription, place: Place, origin: str) -> None:
        self._subscription = subscription
        self._place = place
        self._origin = origin
        self._looked: list[Stored] = []
        self._held: dict[int, Delivery] = {}
        self._numbers = itertools.count(1)
        self._strange: list[Delivery] = []
        """Dead letters from elsewhere, held so that they are not met again."""
        self.gone = 0
        """How many were settled as done."""

    def look(self, most: int) -> Iterator[Stored]:
        """Yield what would leave next, as far as it can be held."""
        # A broker that has more may answer with less than all of it.
        while more := self._take(min(STEP, most) - len(self._looked)):
            self._looked += more
        yield from self._looked

    def parts(self, most: int) -> Iterator[list[Stored]]:
        """Yield what leaves, as it comes."""
        while most > 0:
            part, self._looked = self._looked[:most], []
            part = part or self._take(min(STEP, most))
            if not part:
                return
            most -= len(part)
            yield part
            # What did not leave is not met again: it is handed back at the end.

    def let_go(self, stored: Sequence[Stored]) -> None:
        """Settle as done what is stored elsewhere."""
        for one in stored:
            self._subscription.settle(self._held.pop(one.number), ACK)
        self.gone += len(stored)

    def _take(self, most: int) -> list[Stored]:
        found: list[Stored] = []
        while len(found) < most and len(self._held) + len(self._strange) < STEP:
            taken = self._subscription.take(most - len(found), PATIENCE if not found else 0.0)
            if not taken:
                break
            found += [stored for one in taken if (stored := self._stored(one)) is not None]
        return found

    def _stored(self, delivery: Delivery) -> Stored | None:
        number = next(self._numbers)
        stored = shown(delivery, self._place.ttl, number)
        if not _came_from(stored, self._origin):
            self._strange.append(delivery)
            return None
        self._held[number] = delivery
        return stored


def shown(delivery: Delivery, ttl: float | None, number: int) -> Stored:
    """Return a delivery as a message that waits."""
    message, expires = delivery.message, delivery.expires
    ttl = ttl if message.ttl is None else message.ttl
    has_run = delivery.attempt > 1 or delivery.interruptions > 0 or delivery.snoozes > 0
    if expires is None and ttl is not None and not has_run:
        expires = message.published_at + ttl
    story = (delivery.attempt, delivery.interruptions)
    return Stored(message, "ready", *story, None, delivery.errors, expires, number, *delivery[4:6])


def _came_from(stored: Stored, origin: str) -> bool:
    return not origin or stored.message.headers.get(X_ORIGINAL_QUEUE) == origin
