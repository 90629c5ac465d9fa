"""The driver that keeps messages in this process: for development, for tests, and for speed.

It has no I/O thread: publishers and workers do the work themselves, in virtual time as in real
time. What it holds ends with the process; `close` and `open` again keep it.
"""

from __future__ import annotations

import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from moonq.drivers import refusals
from moonq.drivers.base import LEASE, Capabilities, Event, Peer, keyed
from moonq.drivers.letters import X_ORIGINAL_QUEUE, redriven
from moonq.drivers.memory import view as memory_view
from moonq.drivers.memory.entry import LIMITS
from moonq.drivers.memory.queue import MemoryDesk, MemoryQueue
from moonq.drivers.memory.shared import Shared
from moonq.drivers.memory.subscription import MemorySubscription
from moonq.drivers.refusals import check_options, check_room_for_letter
from moonq.errors import QueueError, Unavailable
from moonq.model import (
    Message,
    MessageState,
    Page,
    Priority,
    QueueInfo,
    QueueSpec,
    Receipt,
    Stored,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from moonq.clock import Clock
    from moonq.drivers.memory.record import Record
    from moonq.model import Headers

Answer = TypeVar("Answer")


class MemoryDriver:
    """See `moonq.drivers.base.Driver`.

    *max_length* and *overflow* hold for queues that name none.
    """

    kind = "queue.driver.memory"

    def __init__(
        self,
        clock: Clock,
        *,
        max_length: int = 10_000,
        overflow: Literal["reject", "block", "drop_oldest"] = "reject",
    ) -> None:
        self._max_length = max_length
        self._overflow = overflow
        self._shared = Shared(clock)
        self._lock = self._shared.lock
        self._try_now = self._lock.try_now
        self._queues: dict[str, MemoryQueue] = {}
        self._shared.home = self._queues.get
        self._name, self._since = "", 0.0

    def capabilities(self) -> Capabilities:
        """What this driver can do."""
        return Capabilities.but(LIMITS)

    def open(self, on_event: Callable[[Event], None], *, name: str = "") -> None:
        """Begin, or begin again with what was kept."""
        with self._lock:
            self._name, self._since = name, self._shared.clock.now()
            self._shared.on_event = on_event
            self._shared.closed = False
            for queue in self._queues.values():
                queue.wake_all()

    def health(self) -> Sequence[str]:
        """Return which queues their dead letters fill: what else may be wrong ends the process."""
        queues = tuple(self._queues.values())
        return [
            refusals.clogged(one.spec.name, one.dead_bytes, one.most)
            for one in queues
            if one.is_clogged()
        ]

    def peers(self) -> Sequence[Peer]:
        """Return this process: no other one can be here."""
        with self._lock:
            desks = [desk for queue in self._queues.values() for desk in queue.desks]
            if self._shared.closed:
                raise Unavailable("the memory driver is not running", hint="start the driver first")
        return [Peer.mine(self._name, self._since, sum(len(desk.held) for desk in desks))]

    def close(self, deadline: float | None = None) -> bool:
        """Stop to deliver and to accept; messages stay, and what runs may still be settled."""
        with self._lock:
            self._shared.closed = True
            for queue in self._queues.values():
                for desk in queue.desks:
                    desk.stop()
                queue.wake_all()
        return True

    def declare(self, spec: QueueSpec) -> None:
        """Make the queue exist as *spec* says; a known one keeps its messages.

        Raises:
            Unsupported: An option is set; this driver knows none.
        """
        _refuse_options(spec)
        spec = spec._replace(overflow=spec.overflow or self._overflow)
        with self._lock:
            queue = self._queues.get(spec.name) or self._add(spec)
            queue.spec = spec
            queue.room = self._max_length if spec.max_length is None else spec.max_length
            queue.most = math.inf if spec.max_bytes is None else spec.max_bytes
            queue.dead = None
            if spec.dead_letter is not None:
                bare = QueueSpec(spec.dead_letter)
                queue.dead = self._queues.get(spec.dead_letter) or self._add(bare)
            queue.wake_all()

    def _add(self, spec: QueueSpec) -> MemoryQueue:
        """Make a queue without a limit: nothing trims dead letters by count."""
        queue = self._queues[spec.name] = MemoryQueue(spec, self._shared, math.inf)
        return queue

    def publish(
        self, queue: str, messages: Sequence[Message], timeout: float, *, may_wait: bool = True
    ) -> list[Receipt | QueueError]:
        """Store *messages* and answer for each."""
        target = self._queue(queue)
        if not self._try_now(False):
            self._lock.acquire()
        try:
            return target.publish(messages, timeout, may_wait)
        finally:
            self._lock.release()
            if self._shared.news:
                self._shared.tell()

    def put(
        self,
        queue: str,
        message_id: str,
        body: bytes,
        published_at: float,
        headers: Headers,
        content_type: str,
        priority: Priority = Priority.NORMAL,
        /,
    ) -> bool:
        """Store a message without receipt or timer; see `moonq.drivers.base.Put`."""
        target = self._queues.get(queue)
        if target is None:
            return False
        if not self._try_now(False):
            self._lock.acquire()
        try:
            return target.put(message_id, body, published_at, headers, content_type, priority)
        finally:
            self._lock.release()

    def subscribe(
        self,
        queue: str,
        prefetch: int,
        *,
        lease: float = LEASE,
        timeout: float | None = None,
        name: str = "",
    ) -> MemorySubscription:
        """Begin to take from *queue*.

        A lease lasts for as long as the subscription is there; one that was dropped is noticed
        within *lease* by any that waits.
        """
        source = self._queue(queue)
        desk = MemoryDesk(source, prefetch, lease)
        with self._shared.working():
            if self._shared.closed:
                raise Unavailable(
                    f"queue {queue!r}: its memory driver is not running",
                    hint="start the driver first",
                )
            source.seat(desk)
        return MemorySubscription(source, desk)

    def info(self, queue: str) -> QueueInfo:
        """Count the messages of *queue* by state."""
        return self._locked(memory_view.info, queue)

    def peek(
        self, queue: str, limit: int, cursor: str = "", state: MessageState | None = None
    ) -> Page:
        """Show up to *limit* messages in delivery order, from where *cursor* says."""
        return self._locked(memory_view.peek, queue, limit, cursor, state)

    def find(self, queue: str, message_id: str) -> Stored | None:
        """Show one message of *queue* whatever its state."""
        return self._locked(memory_view.find, queue, message_id)

    def purge(self, queue: str, ids: Sequence[str | int] | None = None) -> int:
        """Drop ready and delayed messages (those of *ids*, or all) and return how many."""
        return self._locked(_purge, queue, ids)

    def redrive(self, source: str, target: str, ids: Sequence[str | int] | None = None) -> int:
        """Move dead letters of *source* to *target* ("" is the queue each came from).

        A full target ends it: what was not moved stays a dead letter.

        Raises:
            QueueNotFound: Nothing could be moved, for want of a queue to move it to.
            QueueFull: Nothing could be moved, for want of room.
        """
        letters = self._queue(source)
        refusals: list[QueueError] = []
        moved = 0
        with self._shared.working():
            for record in memory_view.select(letters, ids):
                if X_ORIGINAL_QUEUE not in record.message.headers:
                    continue  # published here: it never died
                try:
                    self._redrive(letters, record, target)
                    moved += 1
                except QueueError as refusal:
                    refusals.append(refusal)
        if refusals and not moved:
            raise refusals[0]
        return moved

    def _redrive(self, letters: MemoryQueue, record: Record, target: str) -> None:
        origin = str(record.message.headers[X_ORIGINAL_QUEUE])
        queue = self._queue(target or origin)
        check_room_for_letter(queue.spec.name, queue.length, queue.room, is_own=queue is letters)
        queue.receive(redriven(record.message))
        letters.discard(record)

    def unserved(self) -> Mapping[str, int]:
        """Return how many messages lie in each queue that no consumer serves."""
        with self._shared.working():
            queues = self._queues.items()
            return {name: one.length for name, one in queues if one.length and not one.desks}

    def waiting(self, queue: str, limit: int, after: int = 0) -> list[Stored]:
        """Return up to *limit* messages that are ready or delayed, behind the number *after*."""
        return self._locked(memory_view.waiting, queue, limit, after)

    def adopt(
        self, queue: str, stored: Sequence[Stored], source: str = "", *, keys: Sequence[str] = ()
    ) -> list[Receipt | QueueError]:
        """Store messages that lay elsewhere; those of *source* leave it in the same step."""
        target, origin = self._queue(queue), self._queue(source) if source else None
        with self._shared.working():
            if origin is None:
                return [target.adopt(one, key) for one, key in keyed(stored, keys)]
            numbers = [one.number for one in stored]
            there = {record.seq: record for record in memory_view.select(origin, numbers)}
            return [_adopt(target, one, origin, there.get(one.number)) for one in stored]

    @contextmanager
    def resting(self, queue: str) -> Iterator[None]:
        """Deliver nothing from *queue* inside a `with`."""
        if self._queue(queue).paused:
            yield
            return
        self.pause(queue)
        try:
            yield
        finally:
            self.resume(queue)

    def pause(self, queue: str) -> None:
        """Deliver nothing from *queue*; what has not started is handed back at once."""
        self._locked(MemoryQueue.pause, queue)

    def resume(self, queue: str) -> None:
        """Deliver again."""
        self._locked(MemoryQueue.resume, queue)

    def erase(self) -> None:
        """Forget everything."""
        self._queues.clear()

    def _locked(self, do: Callable[..., Answer], name: str, *asked: Any) -> Answer:
        """Do something with a queue, and report what it led to."""
        queue = self._queue(name)
        with self._shared.working():
            return do(queue, *asked)

    def _queue(self, name: str) -> MemoryQueue:
        return refusals.declared(self._queues, name, "memory")


def _adopt(
    target: MemoryQueue, stored: Stored, origin: MemoryQueue, record: Record | None
) -> Receipt | QueueError:
    if record is None:
        return refusals.taken_meanwhile(origin.spec.name, stored.message.id)
    answer = target.adopt(stored)
    if isinstance(answer, Receipt):
        origin.withdraw(record)
        origin.gone(record)
    return answer


def _purge(queue: MemoryQueue, ids: Sequence[str | int] | None) -> int:
    records = memory_view.select(queue, ids)
    for record in records:
        queue.discard(record)
    return len(records)


def _refuse_options(spec: QueueSpec) -> None:
    if "durable" in spec.options:
        raise refusals.option(
            spec.name,
            "durable",
            f"is not known to the memory driver: {LIMITS['durable'].reason}",
            hint="use a queue.driver.sqlite for messages that survive a restart",
        )
    check_options(spec, ())
