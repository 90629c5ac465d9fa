"""One consumer's standing at a buffered queue: what its workers take, start and settle.

`take` pops from the buffer and asks the driver's thread to fill it, which goes on filling it for as
long as a worker waits.
"""

from __future__ import annotations

import math
import time
import weakref
from collections.abc import Callable, Sequence
from typing import Protocol

from moonq.clock import Clock
from moonq.drivers.base import Event
from moonq.drivers.buffered import BufferedDesk, Expire, Held
from moonq.drivers.desk import AtDesk
from moonq.model import ACK, Delivery, Verdict

#: Real seconds that a look at the store may take, whatever the timeout of `take`.
LEAST = 2.0
#: No look takes longer; then the driver's thread has given up as well.
MOST = 30.0


class Sender(Protocol):
    """What brings all this to the store: the one thread of a driver, which batches."""

    on_event: Callable[[Event], None]

    def begin(self, held: Held, /) -> None:
        """Note that a handler has begun; never waits."""

    def ring(self) -> None:
        """Look at what desks want; never waits."""

    def ask(self, desk: BufferedDesk, /) -> None:
        """Look at what *desk* wants, whose queue's lock is held; never waits.

        Where nothing can be there it is answered at once.
        """

    def leave(self, desk: BufferedDesk, when: float) -> None:
        """End everything at a desk that was left at *when*; never waits."""

    def orphan(self, desk: BufferedDesk) -> None:
        """Note a desk whose subscription was dropped; must take no lock."""

    def flush(self, seconds: float) -> bool:
        """Wait until everything asked for so far is in the store; False: it is not yet."""

    def lag(self, desk: BufferedDesk, /) -> int:
        """Return how many endings of *desk* are not in the store."""


class BufferedSubscription(AtDesk[BufferedDesk]):
    """See `moonq.drivers.base.Subscription`."""

    def __init__(
        self, desk: BufferedDesk, sender: Sender, clock: Clock, now: Callable[[], float]
    ) -> None:
        super().__init__(desk)
        self._queue = desk.queue
        self._lock = desk.queue.lock
        self._sender = sender
        self._clock = clock
        self._now = now
        # A dropped subscription is noticed; the garbage collector must not wait for locks.
        self._farewell = weakref.finalize(self, sender.orphan, desk)
        self._farewell.atexit = False

    def take(self, limit: int, timeout: float | None) -> list[Delivery]:
        """Lease up to *limit* deliveries, waiting at most *timeout* seconds for the first."""
        with self._lock:
            taken = self._pop(limit)
            if taken or self._desk.stopped or limit < 1:
                return taken
            self._desk.waiting += limit
            try:
                return self._await(limit, math.inf if timeout is None else timeout)
            finally:
                self._desk.waiting -= limit

    def start(self, delivery: Delivery) -> bool:
        """Say that the handler begins."""
        with self._lock:
            held = self._desk.held.get(delivery.receipt)
            if held is None or held.started:
                return False
            if held.expires is not None and held.expires <= self._now():
                self._desk.end(delivery.receipt, Expire())
                return False
            held.started = True
        self._sender.begin(held)
        return True

    def settle(self, delivery: Delivery, verdict: Verdict) -> bool:
        """End *delivery* as *verdict* says, exactly once."""
        if verdict is not ACK and not isinstance(verdict, Verdict):
            raise TypeError(f"{verdict!r} is no verdict")
        if self._desk.end(delivery.receipt, verdict):
            return True
        self._tell_lost(delivery)
        return False

    def ack(self, deliveries: Sequence[Delivery]) -> list[bool]:
        """Settle *deliveries* as done, all in one go."""
        answers = self._acknowledge(deliveries)
        for delivery, is_done in zip(deliveries, answers, strict=True):
            if not is_done:
                self._tell_lost(delivery)
        return answers

    def _acknowledge(self, deliveries: Sequence[Delivery]) -> list[bool]:
        return [self._desk.end(delivery.receipt, ACK) for delivery in deliveries]

    def _tell_lost(self, delivery: Delivery) -> None:
        name = self._queue.spec.name
        self._sender.on_event(Event("lease_lost", name, detail=delivery.message.id))

    def resume(self) -> None:
        """Deliver again."""
        with self._lock:
            self._desk.paused = False
            self._queue.stirred = True
        self._sender.ring()

    def close(self, deadline: float) -> bool:
        """Leave; what is still running here has lost its worker."""
        self._farewell.detach()
        self._sender.leave(self._desk, self._now())
        patience = max(deadline - self._clock.monotonic(), LEAST)
        return self._sender.flush(patience) and not self._sender.lag(self._desk)

    # Taking; all with the lock held

    def _pop(self, limit: int) -> list[Delivery]:
        desk, buffer = self._desk, self._desk.buffer
        taken = [buffer.popleft() for _ in range(min(limit, len(buffer)))]
        wants_more = desk.more and desk.has_room() and len(buffer) <= desk.prefetch // 4
        if taken and wants_more and desk.asked == desk.answered:
            # No worker waits yet: ask early enough that none has to.
            desk.asked += 1
            self._sender.ring()
        return taken

    def _await(self, limit: int, timeout: float) -> list[Delivery]:
        """Lease what comes within *timeout* seconds."""
        desk, clock = self._desk, self._clock
        deadline = clock.monotonic() + timeout
        self._ask(min(max(timeout, LEAST), MOST))
        while True:
            taken = self._pop(limit) or self._borrow()
            now = clock.monotonic()
            if taken or desk.stopped or now >= deadline:
                return taken
            clock.wait(desk.bell, None if deadline == math.inf else deadline - now)

    def _ask(self, seconds: float) -> None:
        """Have the store looked at, which takes real time even on a clock that stands still."""
        desk = self._desk
        desk.asked += 1
        ticket = desk.asked
        self._sender.ask(desk)
        give_up = time.monotonic() + seconds
        while desk.answered < ticket and not desk.buffer and not desk.stopped:
            left = give_up - time.monotonic()
            if left <= 0:
                return
            desk.bell.wait(left)

    def _borrow(self) -> list[Delivery]:
        """Take over the last of the longest buffer: nobody idles while another is behind."""
        lender = self._lender(self._queue.desks)
        if lender is None:
            return []
        delivery = lender.buffer.pop()
        held = lender.held.pop(delivery.receipt, None)
        if held is None:
            return []
        return [_move(held, self._desk)]


def _move(held: Held, desk: BufferedDesk) -> Delivery:
    held.desk.owed -= 1
    desk.owed += 1
    held.desk = desk
    desk.held[held.delivery.receipt] = held
    return held.delivery
