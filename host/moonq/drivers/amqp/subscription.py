"""One consumer's standing at a line: what its workers take, start and settle.

Before a message runs that may have ended its host already, a copy is published that names this run,
and it is the copy that runs. When that comes once more, the run has ended without a verdict, and
is counted; a hand-back leaves no such copy behind, however often it happens.
"""

from __future__ import annotations

import itertools
import math
import os
import threading
import weakref
from collections.abc import Sequence

from moonq.clock import Clock
from moonq.drivers.amqp.envelope import renewed
from moonq.drivers.amqp.line import AmqpDesk, Held, Line, Sender
from moonq.drivers.amqp.publishing import Batch, Publisher
from moonq.drivers.amqp.wire.messages import Outgoing
from moonq.drivers.base import Event
from moonq.drivers.buffered import Abandon, Expire
from moonq.drivers.desk import AtDesk
from moonq.model import ACK, Delivery, Verdict

#: Real seconds that storing may take, whatever the deadline.
LEAST = 2.0
#: Real seconds within which the copy that is to run is stored.
MARKING = 5.0
#: Real seconds within which it comes back here, unless another host was faster.
RETURNING = 0.25
_runs = itertools.count(1)
_LIFE = os.urandom(6).hex()


class AmqpSubscription(AtDesk[AmqpDesk]):
    """See `moonq.drivers.base.Subscription`."""

    def __init__(self, desk: AmqpDesk, clock: Clock, publisher: Publisher) -> None:
        super().__init__(desk)
        self._line: Line = desk.queue
        self._settler: Sender = desk.queue.settler
        self._clock = clock
        self._publisher = publisher
        # A dropped subscription is noticed; the garbage collector must not wait for locks.
        self._farewell = weakref.finalize(self, self._settler.orphan, desk)
        self._farewell.atexit = False

    def take(self, limit: int, timeout: float | None) -> list[Delivery]:
        """Lease up to *limit* deliveries, waiting at most *timeout* seconds for the first."""
        desk, clock = self._desk, self._clock
        deadline = math.inf if timeout is None else clock.monotonic() + timeout
        with self._line.lock:
            while True:
                taken = self._line.lend(desk, limit)
                if taken or desk.stopped or limit < 1:
                    return taken
                left = deadline - clock.monotonic()
                if left <= 0:
                    return taken
                desk.waiting += 1
                try:
                    clock.wait(desk.bell, None if left == math.inf else left)
                finally:
                    desk.waiting -= 1

    def start(self, delivery: Delivery) -> bool:
        """Say that the handler begins."""
        with self._line.lock:
            held = self._desk.held.get(delivery.receipt)
            if held is None or held.started or not held.is_open:
                return False
            if held.expires is not None and held.expires <= self._settler.now():
                self._desk.end(delivery.receipt, Expire())
                return False
            held.started = True
            if not held.is_suspect:
                held.is_begun = True
                return True
        return self._mark(held, delivery.receipt)

    def settle(self, delivery: Delivery, verdict: Verdict) -> bool:
        """End *delivery* as *verdict* says, exactly once."""
        if verdict is not ACK and not isinstance(verdict, Verdict):
            raise TypeError(f"{verdict!r} is no verdict")
        with self._line.lock:
            is_ours = self._desk.end(delivery.receipt, verdict)
        if not is_ours:
            self._tell_lost(delivery)
        return is_ours

    def ack(self, deliveries: Sequence[Delivery]) -> list[bool]:
        """Settle *deliveries* as done."""
        with self._line.lock:
            ended = [self._desk.held.pop(one.receipt, None) for one in deliveries]
        self._settler.put([(held, ACK) for held in ended if held is not None])
        for held, delivery in zip(ended, deliveries, strict=True):
            if held is None:
                self._tell_lost(delivery)
        return [held is not None for held in ended]

    def pause(self) -> None:
        """Deliver nothing more for now."""
        super().pause()
        self._line.adjust_soon()

    def resume(self) -> None:
        """Deliver again."""
        with self._line.lock:
            self._desk.paused = False
            self._line.wake()
        self._line.adjust_soon()

    def stop(self) -> None:
        """Take no more, hand back all that has not started, wake every waiting `take`."""
        super().stop()
        self._line.adjust_soon()

    def close(self, deadline: float) -> bool:
        """Leave; what is still running here has lost its worker."""
        self._farewell.detach()
        self._line.leave(self._desk, Abandon(), self._settler.now())
        patience = (deadline - self._clock.monotonic()) / self._clock.rate
        return self._settler.flush(max(patience, LEAST))

    def _tell_lost(self, delivery: Delivery) -> None:
        name = self._line.spec.name
        self._settler.on_event(Event("lease_lost", name, detail=delivery.message.id))

    # Runs that are marked

    def _mark(self, held: Held, receipt: object) -> bool:
        """Have a copy of *held* stored that names its run, and go on with that."""
        line, run = self._line, f"{_LIFE}-{next(_runs)}"
        properties = renewed(held.incoming.properties, held.story._replace(lost_at=None), run=run)
        assert held.message is not None
        properties = properties._replace(message_id=held.message.id)
        batch = Batch([Outgoing("", line.again, properties, held.incoming.body)])
        came = threading.Event()

        def attach(copy: Held) -> None:
            # Under the line's lock: the copy takes the place of its source.
            copy.message, copy.story = held.message, held.story._replace(lost_at=None)
            copy.is_marked = copy.started = copy.is_begun = True
            if self._desk.held.pop(receipt, None) is not None:
                copy.desk = self._desk
                self._desk.held[receipt] = copy
            else:
                line.put_back((copy,))
            came.set()

        with line.lock:
            line.awaited[run] = attach
        self._publisher.submit(batch.parcels)
        is_stored = batch.wait(MARKING) and batch.outcomes == ["stored"]
        if is_stored or came.is_set():
            line.settle(held.epoch, [held.incoming.tag], [])
            if came.wait(RETURNING if line.is_waited_for() else 0.0):
                return True
            line.wait_no_more()
        with line.lock:
            if line.awaited.pop(run, None) is None:
                return came.is_set()
            # Another host has the copy, or there is none.
            if self._desk.held.pop(receipt, None) is not None and not is_stored and held.is_open:
                line.put_back((held,))
        return False
