"""What the writer does in one transaction, in the order in which it does it.

    endings and starts -> what is due -> publishes -> leases -> the rest

A caller that waits for its part waits for the whole: that is what makes one fsync serve many. Each
thread's own order holds, for it waits before it asks for the next thing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from moonq.drivers.buffered import BufferedDesk, BufferedQueue, Ending, Held
from moonq.drivers.inbox import Work
from moonq.drivers.sqlite import rows as sqlite_rows
from moonq.drivers.sqlite.line import lease, tick
from moonq.drivers.sqlite.settling import settle, start
from moonq.drivers.sqlite.times import FileTime
from moonq.drivers.sqlite.tx import Tx
from moonq.errors import MoonqError, Uncertain
from moonq.model import Delivery


@dataclass(eq=False)
class Batch:
    """One transaction's worth of work."""

    endings: list[tuple[Held, Ending]] = field(default_factory=list)
    begun: list[Held] = field(default_factory=list)
    publishes: list[Work] = field(default_factory=list)
    tasks: list[Work] = field(default_factory=list)
    queues: list[BufferedQueue] = field(default_factory=list)
    """Where to look for what is due, and for what desks want."""
    leases: list[tuple[BufferedDesk, list[Any], bool]] = field(default_factory=list)
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
        settle(tx, self.endings)
        start(tx, self.begun)
        for queue in self.queues:
            tick(tx, connection, queue)
        for work in self.publishes:
            _run(work, tx)
        tx.flush()
        for queue in self.queues:
            self._lease(tx, queue)
        for work in self.tasks:
            _run(work, tx)

    def _lease(self, tx: Tx, queue: BufferedQueue) -> None:
        desks = [desk for desk in list(queue.desks) if is_asking(desk)]
        if not desks or not queue.stirred or tx.is_paused(queue):
            return
        # Waiting workers are served before any buffer is filled.
        if len(desks) > 1:
            for desk in desks:
                self._fill(tx, desk, desk.waiting)
        for desk in desks:
            self._fill(tx, desk, desk.prefetch)

    def _fill(self, tx: Tx, desk: BufferedDesk, most: int) -> None:
        queue = desk.queue
        taken = sum(len(rows) for other, rows, _ in self.leases if other is desk)
        count = min(most, desk.prefetch - desk.owed + tx.returned[desk] - taken)
        if count <= 0 or not queue.stirred or not desk.is_open():
            return
        rows = lease(tx, queue, count)
        queue.stirred = len(rows) == count
        self.leases.append((desk, rows, queue.stirred))

    def answer(self) -> None:
        """Do without the file: no desk gets anything."""
        for work in self.works():
            work.done()

    def land(self, tx: Tx, receipts: Iterator[int]) -> None:
        """Hand out what was leased, after the commit."""
        for desk, count in tx.returned.items():
            with desk.queue.lock:
                desk.owed -= count
        for desk, rows, more in self.leases:
            _receive(desk, rows, more, receipts, tx.time)

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


def _receive(
    desk: BufferedDesk, rows: list[Any], more: bool, receipts: Iterator[int], time: FileTime
) -> None:
    with desk.queue.lock:
        desk.owed += len(rows)
        desk.more = more
        for values in rows:
            receipt = next(receipts)
            held = _held(desk, values, receipt, time)
            desk.held[receipt] = held
            desk.buffer.append(held.delivery)
        if not desk.is_open():
            desk.recall()
        desk.bell.notify_all()


def _held(desk: BufferedDesk, values: Any, receipt: int, time: FileTime) -> Held:
    row, expires, suspect, errors, attempt, lost, snoozes, lost_at, *columns = values
    message, shown = sqlite_rows.message(columns), time.shown(lost_at)
    delivery = Delivery(message, receipt, attempt, lost, snoozes, shown)
    return Held(row, desk, delivery, errors, expires, bool(suspect), lost_at)
