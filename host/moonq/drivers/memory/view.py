"""A look at a memory queue that changes nothing; the driver's lock must be held."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from moonq.drivers import paging
from moonq.drivers.letters import X_ORIGINAL_QUEUE
from moonq.drivers.memory.record import RUNNING, STATES, Record
from moonq.model import MessageState, Page, QueueInfo, Stored

if TYPE_CHECKING:
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


def peek(queue: MemoryQueue, limit: int, cursor: str, state: MessageState | None) -> Page:
    """Show up to *limit* messages from where *cursor* says."""
    queue.tick()
    show = partial(_stored, queue)
    return paging.peek(queue.spec.name, queue.sections(), limit, cursor, state, show)


def find(queue: MemoryQueue, message_id: str) -> Stored | None:
    """Show one message."""
    queue.tick()
    records = paging.every(queue.sections())
    found = (record for record in records if record.message.id == message_id)
    return next((_stored(queue, record) for record in found), None)


def _stored(queue: MemoryQueue, record: Record) -> Stored:
    clock, story = queue.shared.clock, record.story
    epoch = clock.now() - clock.monotonic()
    due = queue.delays.when(record)
    return Stored(
        record.message,
        STATES[record.place],
        story.attempt,
        story.interruptions,
        None if due is None else due + epoch,
        story.errors,
        None if record.expires is None else record.expires + epoch,
    )


def _dead_letters(queue: MemoryQueue) -> int:
    """How many letters in its dead-letter queue are its own: several queues may share one."""
    if queue.dead is None:
        return 0
    origins = (
        record.message.headers.get(X_ORIGINAL_QUEUE)
        for record in paging.every(queue.dead.sections())
    )
    return sum(1 for origin in origins if origin == queue.spec.name)
