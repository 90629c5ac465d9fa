"""One consumer's standing at a queue in Redis: as at any buffered one, but for its lease."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from moonq.clock import Clock
from moonq.drivers.redis.desk import RedisDesk
from moonq.drivers.redis.sender import Sender
from moonq.drivers.taking import BufferedSubscription
from moonq.model import RELEASE, Delivery


class RedisSubscription(BufferedSubscription):
    """See `moonq.drivers.base.Subscription`."""

    def __init__(
        self, desk: RedisDesk, sender: Sender, clock: Clock, now: Callable[[], float]
    ) -> None:
        super().__init__(desk, sender, clock, now)
        self._has_lapsed = partial(sender.has_lapsed, desk.lease)

    def start(self, delivery: Delivery) -> bool:
        """Say that the handler begins."""
        # A process that stood still may have lost its messages and not know it yet.
        if self._has_lapsed():
            self._desk.end(delivery.receipt, RELEASE)
            return False
        return super().start(delivery)
