"""Looks at a memory queue that move no message; the driver's lock must be held."""

from __future__ import annotations

import math
from functools import partial
from heapq import nsmallest
from itertools import chain
from typing import TYPE_CHECKING

from moonq.drivers import paging
from moonq.drivers.memory.ordering import in_order
from moonq.drivers.memory.record import (
    LEASED,
    RUNNING,
    STATES,
    Place,
    Record,
    Waiting,
    name,
    number,
    record_of,
)
from moonq.drivers.paging import Key, Section
from moonq.model import MessageState, Page, QueueInfo, Stored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from moonq.drivers.memory.queue import MemoryQueue


def info(queue: MemoryQueue) -> QueueInfo:
    """Count the messages of *queue* by state."""
    queue.tick()
    blocked = queue.groups.blocked
    held = [record for desk in queue.desks for record in desk.held.values()]
    running = sum(1 for record in held if record.place == RUNNING)
    # No look at all messages: a queue may hold a million.
    first = blocked.oldest()
    oldest = min(queue.line.published_first(), first.message.published_at if first else math.inf)
    return QueueInfo(
        ready=len(queue.line) + len(blocked),
        delayed=len(queue.delays),
        leased=len(held) - running,
        running=running,
        dead=0 if queue.dead is None else queue.dead.letters[queue],
        consumer_count=len(queue.desks),
        oldest_age=None if oldest == math.inf else max(0.0, queue.shared.clock.now() - oldest),
        paused=queue.paused,
        bytes=queue.bytes + queue.dead_bytes,
        dead_bytes=queue.dead_bytes,
    )


def peek(queue: MemoryQueue, limit: int, cursor: str, state: MessageState | None) -> Page:
    """Show up to *limit* messages from where *cursor* says."""
    queue.tick()
    show = partial(_stored, queue)
    return paging.peek(queue.spec.name, sections(queue), limit, cursor, state, show)


def find(queue: MemoryQueue, message_id: str) -> Stored | None:
    """Show one message."""
    queue.tick()
    records = paging.every(sections(queue))
    found = (record for record in records if record.message.id == message_id)
    return next((_stored(queue, record) for record in found), None)


def select(queue: MemoryQueue, ids: Sequence[str | int] | None) -> list[Record]:
    """Return those of *ids*, or all, that are not leased."""
    queue.tick()
    if ids is None:
        return list(paging.every(unclaimed(queue)))
    wanted = frozenset(ids)
    found = (one for one in _unordered(queue) if name(one) in wanted or number(one) in wanted)
    return [record_of(one) for one in sorted(found, key=number)]


def waiting(queue: MemoryQueue, limit: int, after: int) -> list[Stored]:
    """Show up to *limit* messages that are not leased, by number, behind *after*."""
    queue.tick()
    behind = (one for one in _unordered(queue) if number(one) > after)
    return [_stored(queue, record_of(one)) for one in nsmallest(limit, behind, key=number)]


def _unordered(queue: MemoryQueue) -> Iterator[Record | Waiting]:
    return chain(queue.line, queue.groups.blocked, queue.delays)


def sections(queue: MemoryQueue) -> list[Section[Record]]:
    """Those that run, those that are about to, then those that are not leased."""
    return [
        Section("running", _held(queue, RUNNING)),
        Section("leased", _held(queue, LEASED)),
        *unclaimed(queue),
    ]


def unclaimed(queue: MemoryQueue) -> list[Section[Record]]:
    """All that is not leased: ready in the order of delivery, blocked, delayed by due time."""
    return [
        Section("ready", queue.line.behind),
        Section("ready", queue.groups.behind),
        Section("delayed", queue.delays.behind),
    ]


def _held(queue: MemoryQueue, place: Place) -> Callable[[Key], Iterator[tuple[Key, Record]]]:
    held = (record for desk in queue.desks for record in desk.held.values())
    return partial(in_order, [(record.seq, record) for record in held if record.place == place])


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
        record.seq,
        story.snoozes,
        story.lost_at,
    )
