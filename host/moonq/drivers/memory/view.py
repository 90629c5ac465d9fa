"""A look at a memory queue that changes nothing; the driver's lock must be held."""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING

from moonq.drivers.base import X_ORIGINAL_QUEUE
from moonq.drivers.memory.record import RUNNING, Record
from moonq.errors import NotFound
from moonq.model import MessageState, QueueInfo, Stored

if TYPE_CHECKING:
    from collections.abc import Iterator

    from moonq.drivers.memory.queue import MemoryQueue


def info(queue: MemoryQueue) -> QueueInfo:
    """Count the messages of *queue* by state."""
    queue.tick()
    ready = [*queue.line, *queue.groups.blocked()]
    held = [record for desk in queue.desks for record in desk.held.values()]
    running = sum(1 for record in held if record.place == RUNNING)
    oldest = min((record.message.published_at for record in ready), default=None)
    return QueueInfo(
        ready=len(ready),
        delayed=len(queue.delays),
        leased=len(held) - running,
        running=running,
        dead=_dead_letters(queue),
        consumer_count=len(queue.desks),
        oldest_age=None if oldest is None else max(0.0, queue.shared.clock.now() - oldest),
        paused=queue.paused,
    )


def peek(queue: MemoryQueue, limit: int, after: str, state: MessageState | None) -> list[Stored]:
    """Show up to *limit* messages from behind the id *after*.

    Raises:
        NotFound: *after* is not in the queue any more.
    """
    queue.tick()
    records = _records(queue)
    if after and all(record.message.id != after for record in records):
        raise NotFound(
            f"queue {queue.spec.name!r}: message {after!r} is not there any more",
            hint="look again from the beginning",
        )
    shown = (_stored(queue, record) for record in records)
    return list(islice((one for one in shown if state in {None, one.state}), max(limit, 0)))


def find(queue: MemoryQueue, message_id: str) -> Stored | None:
    """Show one message."""
    queue.tick()
    found = (record for record in _records(queue) if record.message.id == message_id)
    return next((_stored(queue, record) for record in found), None)


def _records(queue: MemoryQueue) -> Iterator[Record]:
    """Those that run, those that are about to, then those that wait in order of delivery."""
    held = [record for desk in queue.desks for record in desk.held.values()]
    held.sort(key=lambda record: record.place != RUNNING)
    return chain(held, queue.unclaimed())


def _stored(queue: MemoryQueue, record: Record) -> Stored:
    when = queue.delays.when(record)
    clock = queue.shared.clock
    return record.stored(None if when is None else when - clock.monotonic() + clock.now())


def _dead_letters(queue: MemoryQueue) -> int:
    """How many letters in its dead-letter queue are its own: several queues may share one."""
    if queue.dead is None:
        return 0
    origins = (r.message.headers.get(X_ORIGINAL_QUEUE) for r in _records(queue.dead))
    return sum(1 for origin in origins if origin == queue.spec.name)
