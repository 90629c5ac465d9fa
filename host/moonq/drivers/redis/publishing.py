"""Messages on their way into a queue, and what the server says of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from moonq.drivers import refusals
from moonq.drivers.buffered import BufferedQueue
from moonq.drivers.redis.calls import Publish
from moonq.drivers.redis.wire import packed
from moonq.drivers.weight import weight
from moonq.errors import QueueError, QueueFull
from moonq.model import Message, Receipt

#: Messages that one call takes, so that the server never works long on one.
SLICE = 500
#: Bytes after which a call takes no more: a server hangs up on one that is longer than a gigabyte.
BYTES = 8 << 20
Answer = Receipt | QueueError


def next_slice(messages: Sequence[Message], start: int) -> Sequence[Message]:
    """Return the messages from *start* on that are stored together."""
    size = 0
    for end in range(start, min(start + SLICE, len(messages))):
        size += len(messages[end].body)
        if size > BYTES:
            return messages[start : max(end, start + 1)]
    return messages[start : start + SLICE]


def work(queue: BufferedQueue, messages: Sequence[Message], *, patient: bool) -> Publish:
    """Return *messages* as one piece of work; a *patient* publisher waits for room."""
    if queue.spec.ttl is None and all(map(_is_plain, messages)):
        return Publish(queue, "p", list(map(packed, messages)), len(messages), patient=patient)
    args = [value for message in messages for value in _fields(message)]
    return Publish(queue, "f", args, len(messages), patient=patient)


def _is_plain(message: Message) -> bool:
    return (
        message.delay <= 0
        and message.priority == 1
        and message.group is None
        and message.ttl is None
        and message.dedup_key is None
    )


def _fields(message: Message) -> tuple[Any, ...]:
    return (
        packed(message),
        message.id,
        int(message.priority),
        repr(message.delay) if message.delay > 0 else "",
        "" if message.ttl is None else repr(message.ttl),
        message.dedup_key or "",
        message.group or "",
    )


def answers(
    queue: BufferedQueue, messages: Sequence[Message], found: Sequence[Any]
) -> list[Answer]:
    """Return what became of those of *messages* that the server has *found* an answer for."""
    return [_answer(queue, one, said) for one, said in zip(messages, found, strict=False)]


def _answer(queue: BufferedQueue, message: Message, said: Any) -> Answer:
    if said == 1:
        queue.let_in()
        return Receipt(message.id)
    if said[0] == b"known":
        return Receipt(said[1].decode(), duplicate=True)
    return no_room(queue, message, said)


def no_room(queue: BufferedQueue, message: Message, said: Any) -> QueueFull:
    """Return the refusal of *message* as the server *said* it."""
    if said[0] == b"full":
        return refusals.full(queue.spec.name, said[1], said[2])
    queue.turn_away(weight(message), said[2])
    return refusals.too_heavy(queue.spec.name, *said[1:])
