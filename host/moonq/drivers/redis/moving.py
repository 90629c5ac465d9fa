"""What operators do with many messages at once: drop, redrive, move them.

Each call of a script takes some of them, so that other work never waits long.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from moonq.drivers import refusals
from moonq.drivers.buffered import BufferedQueue
from moonq.drivers.letters import X_ORIGINAL_QUEUE
from moonq.drivers.redis.asking import Asker
from moonq.drivers.redis.publishing import SLICE, Answer, no_room
from moonq.drivers.redis.times import StoreTime
from moonq.drivers.redis.view import View
from moonq.drivers.redis.wire import adopted_tale, packed
from moonq.drivers.story import has_lost_turn
from moonq.model import Message, Receipt, Stored

Item = TypeVar("Item")
Ids = Sequence[str | int] | None


def drop(view: View, ids: Ids) -> int:
    """Drop messages of a queue that are not leased (those of *ids*, or all); return how many."""
    numbers = view.every_number() if ids is None else view.chosen(ids)
    dropped = (view.asker.look("drop", view.queue, *part) for part in _parts(numbers))
    return sum(map(int, dropped))


def redrive(view: View, target: str, ids: Ids, known: Sequence[str]) -> tuple[int, list[list[Any]]]:
    """Move dead letters into queues that are *known*; return how many, and the refusals."""
    answers = [
        answer
        for part in _parts(view.chosen(ids))
        for answer in view.asker.look("redrive", view.queue, target, len(known), *known, *part)
    ]
    refused = [answer for answer in answers if answer != 1]
    return len(answers) - len(refused), refused


def adopt(
    asker: Asker,
    time: StoreTime,
    queue: BufferedQueue,
    stored: Sequence[tuple[Stored, str]],
    source: str,
) -> list[Answer]:
    """Store messages that lay elsewhere, each unless it was stored under its key before.

    Those of *source* leave it in the same step.
    """
    answers: list[Answer] = []
    for part in _parts(stored):
        values = [value for one, key in part for value in (*_adopted(one, time), key)]
        said = asker.look("adopt", queue.spec.name, source, *values)
        answers += [
            _answer(queue, source, one.message, word)
            for (one, _), word in zip(part, said, strict=True)
        ]
    return answers


def _adopted(one: Stored, time: StoreTime) -> tuple[Any, ...]:
    origin = one.message.headers.get(X_ORIGINAL_QUEUE)
    tale = adopted_tale(
        one,
        None if origin is None else str(origin),
        parked=has_lost_turn(one, "skip"),
        time=time,
    )
    due, expires = time.moment(one.due), time.moment(one.expires)
    return (
        one.number,
        packed(one.message),
        tale,
        "" if due is None else repr(due),
        "" if expires is None else repr(expires),
    )


def _answer(queue: BufferedQueue, source: str, message: Message, said: Any) -> Answer:
    if said == 1:
        return Receipt(message.id)
    if said[0] == b"again":
        return Receipt(message.id, duplicate=True)
    if said[0] == b"taken":
        return refusals.taken_meanwhile(source, message.id)
    return no_room(queue, message, said)


class Walk:
    """Goes through a queue by number, page by page, and asks for the numbers once."""

    def __init__(self) -> None:
        self._queue = ""
        self._numbers: list[int] = []

    def waiting(self, view: View, limit: int, after: int) -> list[Stored]:
        """Show up to *limit* messages that are not leased, behind the number *after*."""
        is_on = view.queue == self._queue and after and self._numbers
        if not is_on or self._numbers[-1] <= after:
            self._queue, self._numbers = view.queue, view.every_number()
        found: list[Stored] = []
        start = bisect_right(self._numbers, after)
        while len(found) < limit and start < len(self._numbers):
            part = self._numbers[start : start + min(limit - len(found), SLICE)]
            found += view.waiting(part)
            start += len(part)
        return found


def _parts(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    rest = iter(items)
    while part := list(islice(rest, SLICE)):
        yield part
