"""Makes up what a session does next: what it ends and begins, keeps, and wants."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from moonq.drivers.base import LEASE
from moonq.drivers.buffered import BufferedDesk, BufferedQueue, Ending, Held
from moonq.drivers.redis.calls import Section, WorkCall
from moonq.drivers.redis.desk import RedisDesk, quotas
from moonq.drivers.redis.times import StoreTime

#: Seconds between two heartbeats, or less where a lease is short.
ROUND = 1.0


class Planner:
    """See the module; for the sender's thread alone, but for what it is asked about leases."""

    def __init__(self, store_time: StoreTime) -> None:
        self.queues: dict[str, BufferedQueue] = {}
        self._seats: dict[BufferedQueue, int] = {}
        """How many consumers the server knows of at each queue where it keeps us a seat."""
        self._time = store_time

    def forget(self) -> None:
        """Take no seat for granted: the session has ended."""
        self._seats.clear()

    def has_seat(self, queue: BufferedQueue) -> bool:
        """Whether the server should know of us at *queue*."""
        return bool(self._seats.get(queue))

    def drop(self, queue: BufferedQueue) -> None:
        """Forget all that is held of a queue; its seat is taken anew."""
        self._seats.pop(queue, None)
        queue.look_again()
        with queue.lock:
            for desk in queue.desks:
                desk.buffer.clear()
                desk.held.clear()

    def leases(self) -> list[float]:
        """Return the leases of all consumers."""
        desks = [desk for queue in list(self.queues.values()) for desk in queue.desks]
        return [desk.lease for desk in desks if isinstance(desk, RedisDesk)]

    def interval(self) -> float:
        """Return how many seconds lie between two heartbeats."""
        return min([ROUND, *(lease / 3 for lease in self.leases())])

    def plan(
        self, endings: Iterable[tuple[Held, Ending]], begun: Iterable[Held], is_round: bool
    ) -> tuple[WorkCall | None, list[tuple[BufferedDesk, int]]]:
        """Return the next call, if there is anything to do, and who has an answer with it."""
        sections: dict[BufferedQueue, Section] = {}

        def of(queue: BufferedQueue) -> Section:
            found = sections.get(queue)
            if found is None:
                found = sections[queue] = Section(queue)
            return found

        for held, ending in endings:
            of(held.queue).add(held, ending)
            held.queue.stirred = True
        for held in begun:
            if not held.settled:
                of(held.queue).begun.append(held)
        asked: list[tuple[BufferedDesk, int]] = []
        moment = self._time.now()
        for queue in list(self.queues.values()):
            if is_round or queue.alarm <= moment:
                queue.stirred |= is_round
                of(queue)
            self._seat(queue, of, is_round)
            wanted, looks = quotas(queue, is_going=queue in sections)
            asked += looks
            if wanted:
                queue.stirred = False
                of(queue).quotas = wanted
        term = max([LEASE, *self.leases()]) if is_round else None
        call = WorkCall(list(sections.values()), term, moment) if sections or term else None
        return call, asked

    def _seat(
        self, queue: BufferedQueue, of: Callable[[BufferedQueue], Section], is_round: bool
    ) -> None:
        count, told = len(queue.desks), self._seats.get(queue, 0)
        if count == told and not (is_round and (count or queue in self._seats)):
            return
        section = of(queue)
        leases = [desk.lease for desk in queue.desks if isinstance(desk, RedisDesk)]
        section.term = max(leases, default=LEASE)
        if count != told:
            section.seats = self._seats[queue] = count
