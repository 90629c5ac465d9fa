"""What the writer does in one transaction, in the order in which it does it.

    endings and starts -> what is due -> publishes -> leases -> the rest

What is published while a worker waits and nothing stands before it is stored as leased at once. A
caller that waits for its part waits for the whole: that is what makes one fsync serve many. Each
thread's own order holds, for it waits before it asks for the next thing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from moonq.drivers.buffered import BufferedDesk, BufferedQueue, Ending, Held
from moonq.drivers.inbox import Work
from moonq.drivers.sqlite.line import draw_from_line, hand_over, tick
from moonq.drivers.sqlite.settling import settle, start
from moonq.drivers.sqlite.tx import Tx
from moonq.errors import MoonqError, Uncertain


class Lease(NamedTuple):
    """What one desk gets, once it is committed."""

    desk: BufferedDesk
    held: list[Held]
    more: bool
    """Whether the queue may have more than was wanted."""

    def land(self) -> None:
        """Bring it to the desk and its workers."""
        desk, held, more = self
        with desk.queue.lock:
            desk.owed += len(held)
            desk.more = more
            for one in held:
                desk.held[one.delivery.receipt] = one
                desk.buffer.append(one.delivery)
            if not desk.is_open():
                desk.recall()
            desk.bell.notify_all()


#: Leases so many messages, at most, for a desk.
Draw = Callable[[Tx, BufferedDesk, int], list[Held]]


@dataclass(eq=False)
class Batch:
    """One transaction's worth of work."""

    endings: list[tuple[Held, Ending]] = field(default_factory=list)
    begun: list[Held] = field(default_factory=list)
    publishes: list[Work] = field(default_factory=list)
    tasks: list[Work] = field(default_factory=list)
    queues: list[BufferedQueue] = field(default_factory=list)
    """Where to look for what is due, and for what desks want."""
    leases: list[Lease] = field(default_factory=list)
    asked: list[tuple[BufferedDesk, int]] = field(default_factory=list)
    """What desks had asked for before the rest of this was collected, and so what it answers."""

    def works(self) -> list[Work]:
        """All that has a waiting caller."""
        return [*self.publishes, *self.tasks]

    def needs_file(self, now: float) -> bool:
        """Whether there is anything to do but to answer."""
        return bool(
            self.endings
            or self.publishes
            or any(work.run for work in self.tasks)
            or any(not held.settled for held in self.begun)
            or any(queue.alarm <= now or _wants(queue) for queue in self.queues)
        )

    def is_precious(self) -> bool:
        """Whether it must be on the disk when it is done.

        What is taken and acknowledged need not: when the power fails right after, it runs again.
        """
        return bool(self.publishes) or any(work.run for work in self.tasks)

    def run(self, tx: Tx, connection: Any) -> None:
        """Do it all."""
        self.leases = []  # what an attempt before this one leased was rolled back
        settle(tx, self.endings)
        start(tx, self.begun)
        for queue in self.queues:
            tick(tx, connection, queue)
        for work in self.publishes:
            _run(work, tx)
        for queue in self.queues:
            self._serve(tx, queue)
        tx.flush()
        for work in self.tasks:
            _run(work, tx)

    def _serve(self, tx: Tx, queue: BufferedQueue) -> None:
        desks = [desk for desk in list(queue.desks) if is_asking(desk)]
        if not desks or not queue.stirred:
            return
        is_paused, has_line = tx.line(queue)
        if is_paused:
            return
        if has_line or not tx.newcomers.may_hand_over(queue):
            tx.flush()
            draw = draw_from_line
        else:
            queue.turn = 0
            draw = hand_over
        # Waiting workers are served before any buffer is filled.
        if len(desks) > 1:
            for desk in desks:
                self._fill(tx, desk, desk.waiting, draw)
        for desk in desks:
            self._fill(tx, desk, desk.prefetch, draw)

    def _fill(self, tx: Tx, desk: BufferedDesk, most: int, draw: Draw) -> None:
        queue = desk.queue
        taken = sum(len(one.held) for one in self.leases if one.desk is desk)
        count = min(most, desk.prefetch - desk.owed + tx.returned[desk] - taken)
        if count <= 0 or not queue.stirred or not desk.is_open():
            return
        held = draw(tx, desk, count)
        queue.stirred = len(held) == count
        self.leases.append(Lease(desk, held, queue.stirred))

    def answer(self) -> None:
        """Do without the file: no desk gets anything."""
        for work in self.works():
            work.done()

    def land(self, tx: Tx) -> None:
        """Hand out what was leased, after the commit."""
        for desk, count in tx.returned.items():
            with desk.queue.lock:
                desk.owed -= count
        for lease in self.leases:
            lease.land()

    def refuse(self, problem: MoonqError) -> None:
        """Let no publish in."""
        for work in self.publishes:
            work.done(problem)
        self.publishes = []

    def doubt(self, path: Path) -> None:
        """Tell publishers that their success is unknown; none is left to be repeated."""
        self.refuse(
            Uncertain(
                f"{path}: the disk failed while the message was stored",
                hint="publish again with the same id and a dedup_key",
            )
        )

    def fail(self, problem: MoonqError) -> None:
        """Give *problem* to every waiting caller."""
        for work in self.works():
            work.done(problem)

    def parts(self) -> list[Batch]:
        """The same work in single pieces: one that fails fails alone."""
        return [
            *(Batch(endings=[ending]) for ending in self.endings),
            *(Batch(begun=[held]) for held in self.begun),
            *(Batch(publishes=[work]) for work in self.publishes),
            *(Batch(tasks=[work]) for work in self.tasks),
            *(Batch(queues=[queue]) for queue in self.queues),
        ]

    def is_single(self) -> bool:
        """Whether it cannot be cut any further."""
        return len(self.parts()) < 2


def _run(work: Work, tx: Tx) -> None:
    if work.run is not None and work.begin():
        work.result = work.run(tx)


def is_asking(desk: BufferedDesk) -> bool:
    """Whether it waits for anything."""
    return desk.asked != desk.answered or desk.waiting > 0


def _wants(queue: BufferedQueue) -> bool:
    """Whether a desk wants something, and there may be something."""
    return queue.stirred and not queue.paused and any(is_asking(desk) for desk in queue.desks)
