"""One consumer's standing at a queue in a file: as at any buffered one, but for how it is done."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from moonq.clock import Clock
from moonq.drivers.buffered import BufferedDesk
from moonq.drivers.sqlite.writer import Writer
from moonq.drivers.taking import BufferedSubscription
from moonq.model import Delivery


class SqliteSubscription(BufferedSubscription):
    """See `moonq.drivers.base.Subscription`."""

    def __init__(
        self, desk: BufferedDesk, writer: Writer, clock: Clock, now: Callable[[], float]
    ) -> None:
        super().__init__(desk, writer, clock, now)
        self._writer = writer

    def _acknowledge(self, deliveries: Sequence[Delivery]) -> list[bool]:
        return self._writer.acknowledge(self._desk, deliveries)
