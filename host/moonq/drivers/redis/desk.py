"""What one consumer holds of a queue in Redis, and what it may ask for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moonq.drivers.buffered import BufferedDesk, BufferedQueue, Held

#: The prefetch from which on buffers are filled ahead.
EAGER = 16
#: Messages that one call claims at most of a queue, so that the server never works long on one.
MOST = 1000


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
        """How much more it may ask for; whether its queue rests is for the server to say."""
        if self.paused or self.stopped:
            return 0
        return self.prefetch - len(self.held) - self.requested

    def is_eager(self) -> bool:
        """Whether it takes more before its workers ask: there is more, and room for a good part.

        One that wants few has each looked for when it is wanted, so that priorities hold.
        """
        return self.more and self.prefetch >= EAGER and self.room >= self.prefetch // 4


def is_asking(desk: BufferedDesk) -> bool:
    """Whether it has not had its answer, or its workers wait."""
    return desk.asked != desk.answered or desk.waiting > 0


def quotas(
    queue: BufferedQueue, *, is_going: bool
) -> tuple[list[tuple[RedisDesk, int]], list[tuple[BufferedDesk, int]]]:
    """Return how much each desk of *queue* is to get, in turn, and who is to have an answer.

    A worker that comes has the store looked at, whatever is known of it; later it is looked at
    when something has happened. Where a call goes there anyway (*is_going*), it fills buffers too.
    """
    with queue.lock:
        every = [desk for desk in queue.desks if isinstance(desk, RedisDesk)]
        desks = [d for d in every if is_asking(d) or (is_going and d.is_eager())]
        # While all that a desk may have is asked for already, a look would find nothing new.
        looks = [d for d in desks if d.asked > d.looked and (d.room > 0 or not d.requested)]
        asked: list[tuple[BufferedDesk, int]] = [(desk, desk.asked) for desk in looks]
        for desk in looks:
            desk.looked = desk.asked
        if not looks and not (queue.stirred and desks and not queue.paused):
            return [], asked
        wanted: list[tuple[RedisDesk, int]] = []
        left = MOST
        # Waiting workers are served before any buffer is filled.
        if len(desks) > 1:
            for desk in desks:
                left -= _want(wanted, desk, min(desk.waiting, desk.room, left))
        for desk in desks:
            left -= _want(wanted, desk, min(desk.room, left))
        return wanted, asked


def _want(wanted: list[tuple[RedisDesk, int]], desk: RedisDesk, count: int) -> int:
    if count <= 0:
        return 0
    desk.requested += count
    wanted.append((desk, count))
    return count
