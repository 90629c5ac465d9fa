"""One consumer's standing at an SQS queue.

A `take` that waits long is served by the pollers, which wait at SQS; one that only looks receives
by itself, so that it sees what is there now.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from moonq.drivers.base import Event
from moonq.drivers.buffered import Expire
from moonq.drivers.taking import LEAST, BufferedSubscription
from moonq.model import ACK, Delivery, Verdict

if TYPE_CHECKING:
    from moonq.clock import Clock
    from moonq.drivers.sqs.queue import SqsDesk
    from moonq.drivers.sqs.station import Station

#: Seconds of the clock: whoever waits no longer wants to know what is there.
LOOK = 5.0


class SqsSubscription(BufferedSubscription):
    """See `moonq.drivers.base.Subscription`."""

    def __init__(self, desk: SqsDesk, station: Station, clock: Clock) -> None:
        self._station = station
        super().__init__(desk, station, clock, clock.monotonic)
        self._desk: SqsDesk = desk
        self._told: Callable[[Event], None] = station.on_event

    def start(self, delivery: Delivery) -> bool:
        """Say that the handler begins; not if the lease may be over, for SQS has no other guard."""
        with self._lock:
            held = self._desk.held.get(delivery.receipt)
            if held is None or held.started or held.loan.until <= time.monotonic():
                return False
            if held.expires is not None and held.expires <= self._now():
                self._desk.end(delivery.receipt, Expire())
                return False
            held.started = True
        return True

    def settle(self, delivery: Delivery, verdict: Verdict) -> bool:
        """End *delivery* as *verdict* says, exactly once."""
        held = self._desk.held.get(delivery.receipt)
        if held is not None and held.loan.until <= time.monotonic():
            self._desk.held.pop(delivery.receipt, None)
        return super().settle(delivery, verdict)

    def ack(self, deliveries: Sequence[Delivery]) -> list[bool]:
        """Settle *deliveries* as done, all in one go."""
        at_desk, now = self._desk.held, time.monotonic()
        answers: list[bool] = []
        for delivery in deliveries:
            held = at_desk.get(delivery.receipt)
            is_ours = held is not None and held.loan.until > now
            answers.append(
                self._desk.end(delivery.receipt, ACK) if is_ours else self.settle(delivery, ACK)
            )
        return answers

    def close(self, deadline: float) -> bool:
        """Leave; what is still running here has lost its worker."""
        self._farewell.detach()
        self._station.leave(self._desk, self._now())
        # Storing takes real time, however near the deadline is.
        patience = max((deadline - self._clock.monotonic()) / self._clock.rate, LEAST)
        return self._station.flush(patience)

    def _pop(self, limit: int) -> list[Delivery]:
        buffer = self._desk.buffer
        taken = [buffer.popleft() for _ in range(min(limit, len(buffer)))]
        if taken:
            self._station.stir()
        return taken

    def _await(self, limit: int, timeout: float) -> list[Delivery]:
        if timeout > LOOK:
            self._desk.patient += limit
            try:
                self._station.want()
                return self._wait(limit, timeout)
            finally:
                self._desk.patient -= limit
        if timeout > 0:
            self._lock.release()
            try:
                self._station.look(self._desk)
            finally:
                self._lock.acquire()
        return self._wait(limit, timeout)

    def _wait(self, limit: int, timeout: float) -> list[Delivery]:
        desk, clock = self._desk, self._clock
        deadline = clock.monotonic() + timeout
        while True:
            taken = self._pop(limit) or self._borrow()
            now = clock.monotonic()
            if taken or desk.stopped or now >= deadline:
                return taken
            clock.wait(desk.bell, None if deadline == float("inf") else deadline - now)
