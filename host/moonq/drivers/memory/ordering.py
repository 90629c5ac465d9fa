"""What is served next: the line by priority, the timers by due time, groups by turn.

These structures know nothing of locks or of consumers; `MemoryQueue` guards and combines them.
"""

from __future__ import annotations

import heapq
import math
from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from operator import attrgetter
from typing import Any, TypeVar

from moonq.drivers.memory.record import BLOCKED, Record, Waiting, number, position, record_of
from moonq.drivers.turns import CYCLE, interleave
from moonq.model import Priority

One = TypeVar("One", bound=Record | Waiting)
_seq = attrgetter("seq")


def in_order(entries: Iterable[tuple[Any, One]], key: Any) -> Iterator[tuple[Any, One]]:
    """Yield of *entries*, which no two keys of are equal, those behind *key* in order."""
    rest = [entry for entry in entries if key is None or entry[0] > key]
    heapq.heapify(rest)
    while rest:
        yield heapq.heappop(rest)


class Line:
    """The ready messages, in the order in which they will be served.

    Each level is sorted by position, so a message that was handed back stands where it stood.
    """

    def __init__(self) -> None:
        self.levels: tuple[deque[Record | Waiting], ...] = tuple(deque() for _ in Priority)
        """By priority; who puts one behind all others of its level must give it the newest
        position."""
        self._turn = 0

    def __len__(self) -> int:
        low, normal, high = self.levels
        return len(low) + len(normal) + len(high)

    def __iter__(self) -> Iterator[Record | Waiting]:
        """All that stand here, level by level; see `record_of`."""
        return chain.from_iterable(self.levels)

    def behind(self, key: Any) -> Iterator[tuple[Any, Record]]:
        """Records as they would be served, nothing taken; a key is a turn and three positions."""
        turn, *positions = key or (self._turn, -1, -1, -1)
        levels = list(map(_behind, self.levels, positions))
        return interleave(levels, turn, positions)

    def put(self, record: Record) -> None:
        """Let a record stand where its position says."""
        level = self.levels[record.message.priority]
        if not level or record.position < position(level[0]):
            level.appendleft(record)
        else:
            insort(level, record, key=position)

    def remove(self, record: Record) -> None:
        """Take *record* out of the line."""
        level = self.levels[record.message.priority]
        del level[bisect_left(level, record.position, key=position)]

    def oldest(self) -> Record | None:
        """The record that has stood longest, whatever its level."""
        first = min((level[0] for level in self.levels if level), key=position, default=None)
        return None if first is None else record_of(first)

    def take(self, count: int) -> list[Record]:
        """Serve up to *count* records."""
        low, normal, high = self.levels
        if low or high:
            return [self._draw() for _ in range(min(count, len(self)))]
        # Without rivals the cycle starts anew: the next high message is served first.
        self._turn = 0
        if len(normal) <= count:
            taken = [record_of(one) for one in normal]
            normal.clear()
            return taken
        return [record_of(normal.popleft()) for _ in range(count)]

    def _draw(self) -> Record:
        while True:
            level = self.levels[CYCLE[self._turn]]
            self._turn = (self._turn + 1) % len(CYCLE)
            if level:
                return record_of(level.popleft())


class Timers:
    """Records that something happens to at a moment of the monotonic clock.

    A cancelled entry stays in the heap until it is met or until most entries are such.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Record | Waiting]] = []
        self._when: dict[int, float] = {}

    def __len__(self) -> int:
        return len(self._when)

    def __iter__(self) -> Iterator[Record | Waiting]:
        """All of them, in no order; see `record_of`."""
        return (entry[2] for entry in self._heap if self._is_live(entry))

    def behind(self, key: Any) -> Iterator[tuple[Any, Record]]:
        """The records, the earliest first; a key is a moment and a number."""
        live = filter(self._is_live, self._heap)
        entries = in_order((([when, seq], one) for when, seq, one in live), key)
        return ((place, record_of(one)) for place, one in entries)

    def put(self, one: Record | Waiting, when: float) -> None:
        """Set its one timer."""
        seq = number(one)
        self._when[seq] = when
        heapq.heappush(self._heap, (when, seq, one))

    def cancel(self, record: Record) -> None:
        """Forget *record*; nothing happens when it has no timer."""
        self._when.pop(record.seq, None)
        if len(self._heap) > 2 * len(self._when) + 64:
            self._heap = [entry for entry in self._heap if self._is_live(entry)]
            heapq.heapify(self._heap)

    def when(self, record: Record) -> float | None:
        """The moment set for *record*."""
        return self._when.get(record.seq)

    def first(self) -> float:
        """The earliest moment, infinity when there is none."""
        while self._heap and not self._is_live(self._heap[0]):
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else math.inf

    def due(self, now: float) -> list[Record]:
        """Take the records whose moment has come, the earliest first."""
        taken = []
        while self.first() <= now:
            _, seq, one = heapq.heappop(self._heap)
            del self._when[seq]
            taken.append(record_of(one))
        return taken

    def _is_live(self, entry: tuple[float, int, Record | Waiting]) -> bool:
        return self._when.get(entry[1]) == entry[0]


class Groups:
    """Which message has the turn of each group, and which wait behind it.

    The one that has the turn may be ready, delayed, leased or running; no other of its group is
    served before it has left.
    """

    def __init__(self) -> None:
        self._turns: dict[str, Record] = {}
        self._waiting: dict[str, deque[Record]] = {}

    def join(self, record: Record) -> bool:
        """Stand behind the others of the group by order of publishing; True: it is its turn."""
        key = record.message.group
        if key is None or self._turns.setdefault(key, record) is record:
            return True
        waiting = self._waiting.setdefault(key, deque())
        if waiting and record.seq < waiting[-1].seq:
            insort(waiting, record, key=_seq)
        else:
            waiting.append(record)
        return False

    def has_turn(self, record: Record) -> bool:
        """Whether none of its group stands before it."""
        key = record.message.group
        return key is None or self._turns.get(key) is record

    def leave(self, record: Record) -> Record | None:
        """Let *record* go; returns the one whose turn that makes it."""
        key = record.message.group
        if key is None:
            return None
        waiting = self._waiting.get(key)
        if self._turns.get(key) is not record:
            if waiting and record in waiting:
                waiting.remove(record)
            return None
        if not waiting:
            del self._turns[key]
            self._waiting.pop(key, None)
            return None
        self._turns[key] = waiting.popleft()
        return self._turns[key]

    def blocked(self) -> list[Record]:
        """All that could be served but for the one before them."""
        waiting = chain.from_iterable(self._waiting.values())
        return [record for record in waiting if record.place == BLOCKED]

    def oldest(self) -> Record | None:
        """Of them the one that was published first."""
        return min(self.blocked(), key=_seq, default=None)

    def behind(self, key: Any) -> Iterator[tuple[Any, Record]]:
        """The same, the oldest first; a key is a number."""
        return in_order(((record.seq, record) for record in self.blocked()), key)


def _behind(level: deque[Record | Waiting], last: int) -> Iterator[tuple[int, Record]]:
    start = bisect_right(level, last, key=position)
    return ((position(one), record_of(one)) for one in islice(level, start, None))
