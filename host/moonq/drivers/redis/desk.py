"""What one consumer holds of a queue in Redis, and what it may ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from moonq.drivers.buffered import BufferedDesk, BufferedQueue, Held
from moonq.drivers.redis.wire import counters, dressed, tale_of, unpacked
from moonq.model import Delivery

if TYPE_CHECKING:
    from moonq.drivers.redis.calls import Section
    from moonq.drivers.redis.times import StoreTime


class RedisDesk(BufferedDesk):
    """One subscription's share of a queue."""

    def __init__(
        self,
        queue: BufferedQueue,
        prefetch: int,
        lease: float,
        send: Callable[[Held, Any], None],
    ) -> None:
        super().__init__(queue, prefetch, 0, send)
        self.lease = lease
        """Seconds for which what it holds stays its own."""
        self.requested = 0
        """How much was asked of the server, and is not answered."""
        self.looked = 0
        """The last asking that a look at the store was sent for."""

    @property
    def room(self) -> int:
        """How much more it may ask for."""
        return self.prefetch - len(self.held) - self.requested if self.is_open() else 0


def is_asking(desk: BufferedDesk) -> bool:
    """Whether it has not had its answer, or its workers wait."""
    return desk.asked != desk.answered or desk.waiting > 0


def quotas(
    queue: BufferedQueue,
) -> tuple[list[tuple[RedisDesk, int]], list[tuple[BufferedDesk, int]]]:
    """Return how much each desk of *queue* is to get, in turn, and who is to have an answer.

    A worker that comes has the store looked at, whatever is known of it; later it is looked at
    when something has happened.
    """
    with queue.lock:
        desks = [d for d in queue.desks if isinstance(d, RedisDesk) and is_asking(d)]
        # While all that a desk may have is asked for already, a look would find nothing new.
        looks = [d for d in desks if d.asked > d.looked and (d.room > 0 or not d.requested)]
        asked: list[tuple[BufferedDesk, int]] = [(desk, desk.asked) for desk in looks]
        for desk in looks:
            desk.looked = desk.asked
        if not looks and not (queue.stirred and desks):
            return [], asked
        wanted: list[tuple[RedisDesk, int]] = []
        # Waiting workers are served before any buffer is filled.
        if len(desks) > 1:
            for desk in desks:
                _want(wanted, desk, min(desk.waiting, desk.room))
        for desk in desks:
            _want(wanted, desk, desk.room)
        return wanted, asked


def _want(wanted: list[tuple[RedisDesk, int]], desk: RedisDesk, count: int) -> None:
    if count > 0:
        desk.requested += count
        wanted.append((desk, count))


def hand_out(section: Section, taken: list[Any], receipts: Iterator[int], time: StoreTime) -> None:
    """Give the desks what was leased for them."""
    if not section.quotas:
        return
    queue = section.queue
    rows = _rows(*taken)
    is_full = len(taken[0]) == section.wanted
    with queue.lock:
        queue.stirred |= is_full
        for desk, count in section.quotas:
            desk.requested -= count
            desk.more = is_full
            for _, row in zip(range(count), rows, strict=False):
                receipt = next(receipts)
                held = _held(desk, row, receipt, time)
                desk.held[receipt] = held
                desk.buffer.append(held.delivery)
            if not desk.is_open():
                desk.recall()
            desk.bell.notify_all()


def _rows(
    numbers: list[bytes], blobs: list[bytes], tales: list[Any], expiries: list[Any]
) -> Iterator[tuple[Any, ...]]:
    nothing: list[Any] = [None] * len(numbers)
    return zip(numbers, blobs, tales or nothing, expiries or nothing, strict=True)


def _held(desk: BufferedDesk, row: tuple[Any, ...], receipt: int, time: StoreTime) -> Held:
    number, blob, text, expires = row
    message = unpacked(blob)
    if text is None and expires is None:
        return Held(int(number), desk, Delivery(message, receipt), None, None, False)
    tale = tale_of(text)
    attempt, interruptions, snoozes, lost_at = counters(tale)
    delivery = Delivery(
        dressed(message, tale, time), receipt, attempt, interruptions, snoozes, time.shown(lost_at)
    )
    return Held(
        int(number),
        desk,
        delivery,
        tale.get("errors"),
        None if expires is None else float(expires),
        bool(tale.get("suspect")),
        lost_at,
    )
