"""What a transaction publishes, while it waits to be stored together: in line, or as leased."""

# ruff: noqa: S608 - what is put into statements are our own names and numbers
from __future__ import annotations

import math
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import NamedTuple

from moonq.drivers.buffered import BufferedQueue
from moonq.drivers.sqlite.rows import PUBLISHED, Values, published, weighed
from moonq.drivers.sqlite.schema import LEASED, READY
from moonq.model import Message, Priority

#: Rows per INSERT. One statement for many: with one call per row, every other thread of the
#: interpreter gets its slice in between.
_CHUNKS = (128, 32, 8, 1)
_MARKS = "(" + ", ".join("?" * (PUBLISHED.count(",") + 1)) + ")"
_INSERTS = {
    size: f"INSERT INTO msg({PUBLISHED}) VALUES {', '.join([_MARKS] * size)}" for size in _CHUNKS
}


class Newcomer(NamedTuple):
    """A message that this transaction publishes, as its row will be."""

    message: Message
    state: int
    due: float | None = None
    expires: float | None = None


class Newcomers:
    """See the module; each moment is that of the transaction."""

    def __init__(self, execute: Callable[..., sqlite3.Cursor], now: float, session: int) -> None:
        self._execute = execute
        self._now = now
        self._session = session
        self._waiting: defaultdict[BufferedQueue, list[Newcomer]] = defaultdict(list)
        self._weight: Counter[BufferedQueue] = Counter()
        """What they weigh, where that is bounded."""

    def add(self, queue: BufferedQueue, newcomer: Newcomer) -> None:
        """Let *newcomer* wait for company."""
        self._waiting[queue].append(newcomer)
        if queue.most < math.inf:
            self._weight[queue] += weighed(self._row(queue, newcomer))

    def weigh(self, queue: BufferedQueue) -> int:
        """Return what those weigh that are not stored."""
        return self._weight[queue]

    def may_hand_over(self, queue: BufferedQueue) -> bool:
        """Whether those that wait for company are served as they come, if nothing is before them.

        Others take their place in the line, where each priority has its share.
        """
        return all(one.message.priority == Priority.NORMAL for one in self._waiting[queue])

    def hand_over(self, queue: BufferedQueue, count: int) -> list[tuple[int, Newcomer]]:
        """Store up to *count* of those that wait for company as leased to this session.

        Returns the number of each row with it. Such a row costs a quarter of one that stands in
        the line before it is leased.
        """
        waiting = self._waiting[queue]
        ready = [one for one in waiting if one.state == READY]
        chosen = ready[:count]
        if len(chosen) == len(waiting):
            waiting.clear()
        elif chosen:
            self._waiting[queue] = ready[count:] + [one for one in waiting if one.state != READY]
        rows = self._store([self._row(queue, one, self._session) for one in chosen])
        return list(zip(rows, chosen, strict=True))

    def flush(self) -> None:
        """Store the rows that wait for company."""
        waiting = self._waiting
        if waiting:
            self._waiting = defaultdict(list)
            self._weight.clear()
            self._store([self._row(queue, one) for queue in waiting for one in waiting[queue]])

    def _row(self, queue: BufferedQueue, newcomer: Newcomer, session: int | None = None) -> Values:
        message, state, due, expires = newcomer
        state = state if session is None else LEASED
        return published(queue.number, state, self._now, due, expires, message, session)

    def _store(self, rows: Sequence[Values]) -> list[int]:
        """Return the number of each row; those of one statement follow each other."""
        numbers: list[int] = []
        for size in _CHUNKS:
            while len(rows) - len(numbers) >= size:
                chunk = rows[len(numbers) : len(numbers) + size]
                values = [value for row in chunk for value in row]
                last = self._execute(_INSERTS[size], values).lastrowid
                assert last is not None
                numbers += range(last - size + 1, last + 1)
        return numbers
