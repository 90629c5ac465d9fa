"""One consumer's standing at a queue in Redis: as at any buffered one, but for its lease."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from moonq.clock import Clock
from moonq.drivers.redis.desk import RedisDesk
from moonq.drivers.redis.sender import Sender
from moonq.drivers.taking import LEAST, BufferedSubscription
from moonq.model import RELEASE, Delivery


class RedisSubscription(BufferedSubscription):
    """See `moonq.drivers.base.Subscription`."""

    def __init__(
        self, desk: RedisDesk, sender: Sender, clock: Clock, now: Callable[[], float]
    ) -> None:
        super().__init__(desk, sender, clock, now)
        self._leases = desk
        self._session = sender

    def start(self, delivery: Delivery) -> bool:
        """Say that the handler begins.

        When the process stood still for nearly as long as the lease, the server is asked first: by
        now the message may be another host's.
        """
        if self._session.is_sure(self._leases) or self._session.flush(LEAST):
            return super().start(delivery)
        self._desk.end(delivery.receipt, RELEASE)
        return False

    def _acknowledge(self, deliveries: Sequence[Delivery]) -> list[bool]:
        return self._session.acknowledge(self._leases, deliveries)
