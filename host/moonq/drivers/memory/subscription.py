"""One consumer's standing at a memory queue: a buffer in front of its workers.

`take` pops from the buffer without the lock; the lock is taken to fill it, for many messages at
once, and for a moment when a delivery is started and settled.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Sequence

from moonq.drivers.desk import AtDesk
from moonq.drivers.memory.queue import MemoryDesk, MemoryQueue
from moonq.drivers.memory.record import LEASED, RUNNING, Record
from moonq.model import Ack, Delivery, Verdict


class MemorySubscription(AtDesk[MemoryDesk]):
    """See `moonq.drivers.base.Subscription`."""

    def __init__(self, queue: MemoryQueue, desk: MemoryDesk) -> None:
        super().__init__(desk)
        self._queue = queue
        self._buffer = desk.buffer
        self._held = desk.held
        self._shared = queue.shared
        self._lock = queue.shared.lock
        self._try_now = queue.shared.lock.try_now
        self._numbers = queue.shared.numbers
        # The queue knows the desk only: a subscription that is dropped is noticed here.
        self._farewell = weakref.finalize(self, queue.shared.orphan, desk.abandon)
        self._farewell.atexit = False

    def take(self, limit: int, timeout: float | None) -> list[Delivery]:
        """Lease up to *limit* deliveries, waiting at most *timeout* seconds for the first."""
        if limit == 1 and self._buffer:
            try:
                return [self._buffer.popleft()]
            except IndexError:
                pass  # another worker was faster
        if not self._try_now(False):
            self._lock.acquire()
        try:
            taken = self._look(limit) or self._await(limit, timeout)
        finally:
            self._lock.release()
        if self._shared.news:
            self._shared.tell()
        return taken

    def start(self, delivery: Delivery) -> bool:
        """Say that the handler begins."""
        # No other thread looks at what has left the buffer, so the common case needs no lock.
        record = self._held.get(delivery.receipt)
        if record is None or record.place != LEASED:
            return False
        if record.expires is None:
            record.place = RUNNING
            return True
        with self._lock:
            begins = self._begin(delivery, record)
            if begins:
                record.place = RUNNING
        self._shared.tell()
        return begins

    def settle(self, delivery: Delivery, verdict: Verdict) -> bool:
        """End *delivery* as *verdict* says, exactly once."""
        return self.ack((delivery,))[0] if type(verdict) is Ack else self._settle(delivery, verdict)

    def ack(self, deliveries: Sequence[Delivery]) -> list[bool]:
        """Settle *deliveries* as done."""
        queue, held = self._queue, self._held
        answers = []
        if not self._try_now(False):
            self._lock.acquire()
        try:
            for delivery in deliveries:
                record = held.pop(delivery.receipt, None)
                if record is None:
                    self._queue.tell("lease_lost", delivery.message.id)
                elif (
                    queue.pressing
                    or record.origin is not None
                    or record.expires is not None
                    or record.message.group is not None
                ):
                    queue.gone(record)
                else:
                    queue.length -= 1
                    queue.bytes -= record.weight
                answers.append(record is not None)
            if self._desk.waiting:
                self._desk.bell.notify(len(deliveries))
        finally:
            self._lock.release()
        if self._shared.news:
            self._shared.tell()
        return answers

    def resume(self) -> None:
        """Deliver again."""
        with self._lock:
            self._desk.paused = False
            self._desk.bell.notify_all()

    def close(self, deadline: float) -> bool:
        """Leave; what is still running here has lost its worker."""
        self._farewell.detach()
        with self._lock:
            self._desk.abandon()
        self._shared.tell()
        return True

    # Taking; all with the lock held

    def _look(self, limit: int) -> list[Delivery]:
        """Lease what there is, without waiting."""
        queue, buffer = self._queue, self._buffer
        if len(buffer) < limit:
            self._fill()
        taken: list[Delivery] = []
        try:
            while len(taken) < limit:
                taken.append(buffer.popleft())
        except IndexError:
            if not taken:
                taken = self._borrow()
        if queue.idle and (queue.line or any(desk.buffer for desk in queue.desks)):
            # There is work left: ring for the next idle worker.
            queue.ring()
        return taken

    def _await(self, limit: int, timeout: float | None) -> list[Delivery]:
        """Lease what comes within *timeout* seconds."""
        clock, queue = self._shared.clock, self._queue
        now = clock.monotonic()
        deadline = math.inf if timeout is None else now + timeout
        while now < deadline and not self._desk.stopped:
            # A lease caps the wait, so that a dropped subscription is noticed in any case.
            self._wait(min(deadline, queue.alarm, now + queue.shortest_lease()) - now)
            taken = self._look(limit)
            if taken:
                return taken
            now = clock.monotonic()
        return []

    def _fill(self) -> None:
        queue, desk, held = self._queue, self._desk, self._held
        queue.tick()
        room = desk.prefetch - len(held)
        if room <= 0 or not desk.is_open():
            return
        for record in queue.line.take(room):
            self._buffer.append(self._lease(record))

    def _lease(self, record: Record) -> Delivery:
        receipt = next(self._numbers)
        record.place = LEASED
        self._held[receipt] = record
        attempt, interruptions, snoozes, lost_at, _ = record.story
        return Delivery(record.message, receipt, attempt, interruptions, snoozes, lost_at)

    def _borrow(self) -> list[Delivery]:
        """Take over the last of the longest buffer: nobody idles while another is behind."""
        lender = self._lender(self._queue.desks)
        if lender is None:
            return []
        try:
            delivery = lender.buffer.pop()
        except IndexError:
            return []  # its own worker was faster
        return [self._lease(lender.held.pop(delivery.receipt))]

    def _wait(self, timeout: float) -> None:
        desk, queue = self._desk, self._queue
        if not desk.waiting:
            queue.idle.append(desk)
        desk.waiting += 1
        try:
            queue.shared.clock.wait(desk.bell, timeout)
        finally:
            desk.waiting -= 1
            if not desk.waiting:
                queue.idle.remove(desk)

    # Settling

    def _begin(self, delivery: Delivery, record: Record) -> bool:
        """Whether a message with a ttl still may start."""
        if delivery.receipt not in self._held:
            return False
        expires = record.expires
        if expires is not None and expires <= self._queue.shared.clock.monotonic():
            del self._held[delivery.receipt]
            self._queue.expire(record)
            return False
        self._queue.begun(record)
        return True

    def _settle(self, delivery: Delivery, verdict: Verdict) -> bool:
        if not isinstance(verdict, Verdict):
            raise TypeError(f"{verdict!r} is no verdict")
        with self._lock:
            record = self._held.get(delivery.receipt)
            if record is None:
                self._queue.tell("lease_lost", delivery.message.id)
            else:
                # It is held until it has arrived elsewhere: a mistake in between loses nothing.
                self._queue.end(record, verdict)
                del self._held[delivery.receipt]
                self._desk.bell.notify()
        self._shared.tell()
        return record is not None
