"""The driver that keeps messages in one file: durable on one machine, with nothing to install.

    publishers -> inbox -+                          +-> commit -> answers
    settles    -> inbox -+-> the writer's one batch +-> leases -> desks -> workers
    desks that ask ------+

Several processes may use one file. A message that a dead process held runs again as soon as
another one notices, which its released lock tells.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Literal, TypeVar

from moonq.clock import Clock, pause
from moonq.drivers import refusals
from moonq.drivers.base import LEASE, Capabilities, Event, Peer, keyed
from moonq.drivers.buffered import BufferedDesk, BufferedQueue, stop_desks
from moonq.drivers.refusals import check_options
from moonq.drivers.sqlite import file as sqlite_file
from moonq.drivers.sqlite import session as sqlite_session
from moonq.drivers.sqlite.adopting import adopt
from moonq.drivers.sqlite.moving import Mover, drop
from moonq.drivers.sqlite.publishing import Answer, publish
from moonq.drivers.sqlite.space import MB, Space
from moonq.drivers.sqlite.subscription import SqliteSubscription
from moonq.drivers.sqlite.times import FileTime
from moonq.drivers.sqlite.tx import Tx
from moonq.drivers.sqlite.view import View
from moonq.drivers.sqlite.writer import Writer
from moonq.errors import CutShort, QueueError, Unavailable
from moonq.model import Message, MessageState, Page, QueueInfo, QueueSpec, Receipt, Stored

#: Rows that an operator's command changes in one transaction, so that other work never waits long.
SLICE = 500
#: Real seconds that storing may take, whatever the publisher's patience.
LEAST = 2.0
#: Real seconds that closing may take when nobody names a deadline.
MOST = 15.0
Item = TypeVar("Item")


class SqliteDriver:
    """See `moonq.drivers.base.Driver`."""

    kind = "queue.driver.sqlite"

    def __init__(
        self,
        clock: Clock,
        path: Path,
        *,
        durability: Literal["full", "normal"] = "full",
        ballast_mb: int = 16,
        min_free_mb: int = 0,
    ) -> None:
        self._clock = clock
        self._path = path
        self._time = FileTime(clock)
        self._writer = Writer(
            path,
            clock,
            self._time,
            Space(path, ballast_mb * MB, min_free_mb * MB),
            is_full=durability == "full",
        )
        self._view: View | None = None
        self._problem: QueueError | None = None
        """Why it could not be opened the last time."""
        self._queues: dict[str, BufferedQueue] = {}
        self._opening = threading.Condition()
        self._is_open = False

    def capabilities(self) -> Capabilities:
        """What this driver can do."""
        return Capabilities()

    # Life

    def open(self, on_event: Callable[[Event], None], *, name: str = "") -> None:
        """Open the file, made where it is missing; recover what dead processes held.

        Raises:
            Unsupported: The file lies where it cannot be locked.
            Conflict: It is another program's, or a newer moonq's.
            Unavailable: It cannot be written.
        """
        try:
            self._open(on_event, name)
        except QueueError as problem:
            self._problem = problem
            raise
        with self._opening:
            self._is_open, self._problem = True, None
            self._opening.notify_all()

    def _open(self, on_event: Callable[[Event], None], name: str) -> None:
        writer = self._writer
        writer.check_stopped()
        connection = sqlite_file.open_writer(self._path)
        try:
            self._view = View(self._path, self._time)
            with sqlite_file.transaction(connection, self._path):
                writer.file.session = sqlite_session.resume(
                    connection, self._path, writer.file.session, self._time
                )
                writer.file.session.introduce(name)
                for queue in self._queues.values():
                    _declare(connection, queue)
        except BaseException:
            connection.close()
            if self._view is not None:
                self._view.close()
            raise
        writer.file.queues = {queue.number: queue for queue in self._queues.values()}
        writer.on_event = on_event
        writer.file.view = self._view
        writer.start(connection)

    def close(self, deadline: float | None = None) -> bool:
        """Stop to deliver and to accept; what runs may still be settled after the next `open`.

        Storing takes real time: it has `LEAST` seconds of it, however near the deadline is.
        """
        with self._opening:
            if not self._is_open:
                return True
            self._is_open = False
        is_busy = stop_desks(self._queues.values())
        left = MOST if deadline is None else deadline - self._clock.monotonic()
        is_done = self._writer.stop(max(left, LEAST), leave=not is_busy)
        if self._view is not None:
            self._view.close()
        return is_done

    def health(self) -> Sequence[str]:
        """Return what hinders it: the file, the disk, settles that were not written."""
        if not self._is_open:
            return [self._problem.message] if self._problem else []
        clogged = [said for one in tuple(self._queues.values()) for said in one.clogged()]
        return [*self._writer.health(), *clogged]

    def peers(self) -> list[Peer]:
        """Return the processes that have the file open; what ended is none of them any more."""
        return self._looking().peers()

    def declare(self, spec: QueueSpec) -> None:
        """Make the queue exist as *spec* says; a known one keeps its messages.

        Raises:
            Unsupported: An option is not known.
            Unavailable: The driver is closed; the queue is made when it opens.
        """
        _check(spec)
        queue = self._known(spec)
        dead = None if spec.dead_letter is None else self._known(QueueSpec(spec.dead_letter))
        queue.spec = spec
        queue.room = float("inf") if spec.max_length is None else spec.max_length
        queue.most = float("inf") if spec.max_bytes is None else spec.max_bytes
        queue.dead = dead
        queue.let_in()
        queue.look_again()
        queue.free_places()
        self._check_open()
        for one in (queue, dead):
            if one is not None and not one.number:
                self._writer.task(partial(_declare, queue=one))
                self._writer.file.queues = {**self._writer.file.queues, one.number: one}
        self._writer.recover()

    def _known(self, spec: QueueSpec) -> BufferedQueue:
        queue = self._queues.get(spec.name)
        if queue is None:
            queue = self._queues[spec.name] = BufferedQueue(spec, 0)
        return queue

    # Publishing and taking

    def publish(
        self, queue: str, messages: Sequence[Message], timeout: float, *, may_wait: bool = True
    ) -> list[Answer]:
        """Store *messages* and answer for each when they are on the disk."""
        target = self._queue(queue)
        deadline = self._clock.monotonic() + timeout
        answers: list[Answer] = []
        is_patient = may_wait and target.spec.overflow == "block"
        try:
            while len(answers) < len(messages):
                rest = messages[len(answers) :]
                if not self._await_open(deadline):
                    return answers + [self._closed() for _ in rest]
                seen = target.freed
                waits = is_patient and self._clock.monotonic() < deadline
                run = partial(publish, queue=target, messages=rest, patient=waits)
                try:
                    answers += self._writer.publish(run, max(timeout, LEAST))
                except QueueError as refusal:
                    return answers + [refusal for _ in rest]
                if len(answers) < len(messages):
                    self._await_place(target, seen, deadline)
        except CutShort as over:
            answers += [over for _ in messages[len(answers) :]]
        return answers

    def _await_open(self, deadline: float) -> bool:
        left = deadline - self._clock.monotonic()
        return self._is_open or not pause(self._clock, self._opening, left, lambda: self._is_open)

    def _await_place(self, queue: BufferedQueue, seen: int, deadline: float) -> None:
        with queue.lock:
            # What expires meanwhile makes room as well.
            left = min(deadline - self._clock.monotonic(), queue.alarm - self._time.now())
            if queue.freed == seen and self._is_open and left > 0:
                self._clock.wait(queue.place_free, left)

    def subscribe(
        self,
        queue: str,
        prefetch: int,
        *,
        lease: float = LEASE,
        timeout: float | None = None,
        name: str = "",
    ) -> SqliteSubscription:
        """Begin to take from *queue*.

        The lock on the session's file is every lease: it lasts as long as the process, and its end
        is noticed within a second or two, however long *lease* is.
        """
        source = self._queue(queue)
        self._check_open()
        writer = self._writer
        assert writer.file.session is not None
        desk = BufferedDesk(source, prefetch, writer.file.session.number, writer.end)
        with source.lock:
            source.desks.append(desk)
        writer.later(partial(_sit_down, desk=desk))
        return SqliteSubscription(desk, writer, self._clock, self._time.now)

    # Operations on what lies there

    def info(self, queue: str) -> QueueInfo:
        """Count the messages of *queue* by state."""
        return self._looking().info(self._lying(queue), self._clock.now())

    def peek(
        self, queue: str, limit: int, cursor: str = "", state: MessageState | None = None
    ) -> Page:
        """Show up to *limit* messages in delivery order, from where *cursor* says."""
        source = self._lying(queue)
        return self._looking().peek(source, limit, cursor, state)

    def find(self, queue: str, message_id: str) -> Stored | None:
        """Show one message of *queue* whatever its state."""
        source = self._lying(queue)
        return self._looking().find(source, message_id)

    def purge(self, queue: str, ids: Sequence[str | int] | None = None) -> int:
        """Drop ready and delayed messages (those of *ids*, or all) and return how many."""
        source = self._lying(queue)
        rows = [(row, group) for row, group, _ in self._looking().unclaimed(source, ids)]
        return sum(
            self._writer.task(partial(drop, queue=source, rows=part)) for part in _parts(rows)
        )

    def redrive(self, source: str, target: str, ids: Sequence[str | int] | None = None) -> int:
        """Move dead letters of *source* to *target* ("" is the queue each came from).

        A full target ends it: what was not moved stays a dead letter.

        Raises:
            QueueNotFound: Nothing could be moved, for want of a queue to move it to.
            QueueFull: Nothing could be moved, for want of room.
        """
        letters = self._queue(source)
        found = self._looking().unclaimed(letters, ids)
        rows = [row for row, _, origin in found if origin is not None]
        mover = Mover(letters, target, self._queue)
        moved = sum(self._writer.task(partial(mover.move, rows=part)) for part in _parts(rows))
        if mover.refusals and not moved:
            raise mover.refusals[0]
        return moved

    def unserved(self) -> Mapping[str, int]:
        """Return how many messages lie in each queue that no consumer serves."""
        return self._looking().unserved()

    def waiting(self, queue: str, limit: int, after: int = 0) -> list[Stored]:
        """Return up to *limit* messages that are ready or delayed, behind the number *after*."""
        view = self._looking()
        return view.waiting(self._lying(queue), limit, after)

    def adopt(
        self, queue: str, stored: Sequence[Stored], source: str = "", *, keys: Sequence[str] = ()
    ) -> list[Receipt | QueueError]:
        """Store messages that lay elsewhere; those of *source* leave it in the same step."""
        target, origin = self._queue(queue), self._lying(source) if source else None
        answers: list[Answer] = []
        for part in _parts(keyed(stored, keys)):
            work = partial(adopt, queue=target, stored=part, source=origin)
            answers += self._writer.task(work)
        return answers

    def pause(self, queue: str) -> None:
        """Deliver nothing from *queue*, in no process; what has not started is handed back."""
        self._change_pause(queue, 1)

    def resume(self, queue: str) -> None:
        """Deliver again."""
        self._change_pause(queue, 0)

    @contextmanager
    def resting(self, queue: str) -> Iterator[None]:
        """Deliver nothing from *queue* inside a `with`, in no process.

        What somebody paused stays paused; else the pause is the session's, and ends with it.
        """
        self._check_open()
        assert self._writer.file.session is not None
        ours = -self._writer.file.session.number
        self._change_pause(queue, ours, instead_of=0)
        try:
            yield
        finally:
            with suppress(Unavailable):  # then the session ends it
                self._change_pause(queue, 0, instead_of=ours)

    def _change_pause(self, name: str, to: int, *, instead_of: int | None = None) -> None:
        queue = self._lying(name)
        self._check_open()
        sql = "UPDATE queue SET paused = ?2 WHERE id = ?1 AND paused = coalesce(?3, paused)"

        def write(tx: Tx) -> None:
            tx.execute(sql, (queue.number, to, instead_of))
            queue.paused, _ = tx.line(queue)
            queue.stirred = True

        self._writer.task(write)
        if queue.paused:
            queue.recall()
        self._writer.ring()

    def erase(self) -> None:
        """Delete the file and what lies beside it, and its folder if nothing else is in there."""
        sqlite_file.remove(self._path)
        self._queues.clear()

    def _looking(self) -> View:
        """The view of a file in which everything stands that was asked for so far."""
        self._check_open()
        if not self._writer.flush():
            raise sqlite_file.held_too_long(self._path)
        assert self._view is not None
        return self._view

    def _check_open(self) -> None:
        if not self._is_open:
            raise self._closed()

    def _closed(self) -> QueueError:
        return self._problem or sqlite_file.closed(self._path)

    def _lying(self, name: str) -> BufferedQueue:
        """The queue of that name, which nobody here may have declared: it is in the file."""
        if name not in self._queues and (number := self._looking().number(name)) is not None:
            return BufferedQueue(QueueSpec(name), number)
        return self._queue(name)

    def _queue(self, name: str) -> BufferedQueue:
        return refusals.declared(self._queues, name, "SQLite")


def _check(spec: QueueSpec) -> None:
    check_options(spec, {"durable"})
    if not spec.options.get("durable", True):
        raise refusals.option(
            spec.name,
            "durable",
            "is always true with the SQLite driver",
            hint="use a queue.driver.memory for messages that need not survive",
        )


def _parts(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    rest = iter(items)
    while part := list(islice(rest, SLICE)):
        yield part


def _declare(tx: Tx | sqlite3.Connection, queue: BufferedQueue) -> None:
    name = queue.spec.name
    tx.execute("INSERT OR IGNORE INTO queue(name) VALUES(?)", (name,))
    found = tx.execute("SELECT id, paused FROM queue WHERE name = ?", (name,)).fetchone()
    queue.number, queue.paused = found[0], bool(found[1])


def _sit_down(tx: Tx, desk: BufferedDesk) -> None:
    tx.execute(
        "INSERT INTO seat(sess, q, n) VALUES(?, ?, 1) ON CONFLICT(sess, q) DO UPDATE SET n = n + 1",
        (desk.session, desk.queue.number),
    )
