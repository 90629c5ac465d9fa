"""One transaction of the writer: what it knows, what it changes, what it tells when it has landed.

Nothing here outlives a rollback but hints; what must follow a commit is kept until then.
"""

# ruff: noqa: S608 - what is put into statements are our own names and numbers
from __future__ import annotations

import math
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from moonq.drivers.base import Event
from moonq.drivers.buffered import BufferedDesk, BufferedQueue
from moonq.drivers.sqlite.rows import PUBLISHED, Values, published, weighed
from moonq.drivers.sqlite.schema import BLOCKED, DELAYED, LEASED, READY, RUNNING, WAITING
from moonq.drivers.sqlite.times import FileTime
from moonq.model import Message, Priority, QueueSpec

#: Rows per INSERT. One statement for many: with one call per row, every other thread of the
#: interpreter gets its slice in between.
_CHUNKS = (128, 32, 8, 1)
_MARKS = "(" + ", ".join("?" * (PUBLISHED.count(",") + 1)) + ")"
_INSERTS = {
    size: f"INSERT INTO msg({PUBLISHED}) VALUES {', '.join([_MARKS] * size)}" for size in _CHUNKS
}
_HAS_TURN = (
    "SELECT 1 FROM msg WHERE q = ? AND grp = ?"
    f" AND state IN ({READY}, {DELAYED}, {LEASED}, {RUNNING}) LIMIT 1"
)
_FOLLOWING = " UNION ALL ".join(
    "SELECT * FROM (SELECT id, state FROM msg"
    f" WHERE q = ?1 AND grp = ?2 AND state = {state} ORDER BY id LIMIT 1)"
    for state in (BLOCKED, WAITING)
)
_LINE = (
    "SELECT paused, EXISTS(SELECT 1 FROM msg INDEXED BY msg_ready WHERE q = ?1 AND state = 0)"
    " FROM queue WHERE id = ?1"
)


class Newcomer(NamedTuple):
    """A message that this transaction publishes, as its row will be."""

    message: Message
    state: int
    due: float | None = None
    expires: float | None = None


class Tx:
    """See the module."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        time: FileTime,
        session: int,
        queues: Mapping[int, BufferedQueue],
        receipts: Iterator[int],
    ) -> None:
        self.execute = connection.execute
        self.time = time
        self.now = time.now()
        self.session = session
        self.receipts = receipts
        self.events: list[Event] = []
        self.returned: Counter[BufferedDesk] = Counter()
        """How many deliveries of a desk have ended."""
        self.freed: set[BufferedQueue] = set()
        """Queues in which places became free."""
        self._queues = queues
        self._newcomers: defaultdict[BufferedQueue, list[Newcomer]] = defaultdict(list)
        """Rows that wait for company."""
        self._grown: Counter[int] = Counter()
        self._unwritten: Counter[int] = Counter()
        """What rows weigh that wait for company."""
        self._lengths: dict[int, int] = {}
        self._turns: set[tuple[int, str]] = set()

    def queue(self, number: int) -> BufferedQueue:
        """The queue of that number; one that only other processes declared has the defaults."""
        return self._queues.get(number) or self._foreign(number)

    def _foreign(self, number: int) -> BufferedQueue:
        found = self.execute("SELECT name FROM queue WHERE id = ?", (number,)).fetchone()
        return BufferedQueue(QueueSpec(found[0] if found else f"#{number}"), number)

    def tell(
        self,
        kind: Literal["expired", "dropped", "interrupted", "lease_lost"],
        queue: BufferedQueue,
        detail: str,
    ) -> None:
        """Report something that happened unasked, once it is committed."""
        self.events.append(Event(kind, queue.spec.name, detail=detail))

    def number(self, name: str) -> int:
        """Return the number of the queue of that name, which is made known where it is new."""
        self.execute("INSERT OR IGNORE INTO queue(name) VALUES(?)", (name,))
        found = self.execute("SELECT id FROM queue WHERE name = ?", (name,)).fetchone()
        return int(found[0])

    def line(self, queue: BufferedQueue) -> tuple[bool, bool]:
        """Whether it rests, and whether any row could be leased; perhaps by another process."""
        paused, has_ready = self.execute(_LINE, (queue.number,)).fetchone()
        return bool(paused), bool(has_ready)

    def stir(self) -> None:
        """Have all queues looked at for what may be leased."""
        for queue in self._queues.values():
            queue.stirred = True

    # How many there are

    def length(self, queue: BufferedQueue) -> int:
        """How many messages the queue holds, this transaction's included."""
        number = queue.number
        if number not in self._lengths:
            row = self.execute("SELECT length FROM queue WHERE id = ?", (number,)).fetchone()
            self._lengths[number] = row[0]
        return self._lengths[number] + self._grown[number]

    def grow(self, queue: BufferedQueue, count: int) -> None:
        """Note that *count* messages came, or went when it is negative."""
        self._grown[queue.number] += count
        if count < 0:
            self.freed.add(queue)

    def bytes(self, queue: BufferedQueue) -> tuple[int, int]:
        """What its messages weigh, and its dead letters; this transaction's included."""
        sql = "SELECT bytes, dead_bytes FROM queue WHERE id = ?"
        held, dead = self.execute(sql, (queue.number,)).fetchone()
        return held + self._unwritten[queue.number], dead

    # Rows that come

    def insert(self, queue: BufferedQueue, newcomer: Newcomer) -> None:
        """Store a new row, together with others in a moment."""
        self._newcomers[queue].append(newcomer)
        self._grown[queue.number] += 1
        if queue.most < math.inf:
            self._unwritten[queue.number] += weighed(self._row(queue, newcomer))
        queue.stirred = True

    def may_hand_over(self, queue: BufferedQueue) -> bool:
        """Whether those that wait for company are served as they come, if nothing is before them.

        Others take their place in the line, where each priority has its share.
        """
        return all(one.message.priority == Priority.NORMAL for one in self._newcomers[queue])

    def hand_over(self, queue: BufferedQueue, count: int) -> list[tuple[int, Newcomer]]:
        """Store up to *count* of those that wait for company as leased to this session.

        Returns the number of each row with it. Such a row costs a quarter of one that stands in
        the line before it is leased.
        """
        waiting = self._newcomers[queue]
        ready = [one for one in waiting if one.state == READY]
        chosen = ready[:count]
        if len(chosen) == len(waiting):
            waiting.clear()
        elif chosen:
            self._newcomers[queue] = ready[count:] + [one for one in waiting if one.state != READY]
        rows = self._store([self._row(queue, one, self.session) for one in chosen])
        return list(zip(rows, chosen, strict=True))

    def flush(self) -> None:
        """Store the rows that wait for company."""
        newcomers = self._newcomers
        if newcomers:
            self._newcomers = defaultdict(list)
            self._unwritten.clear()
            self._store([self._row(queue, one) for queue in newcomers for one in newcomers[queue]])

    def _row(self, queue: BufferedQueue, newcomer: Newcomer, session: int | None = None) -> Values:
        message, state, due, expires = newcomer
        state = state if session is None else LEASED
        return published(queue.number, state, self.now, due, expires, message, session)

    def _store(self, rows: Sequence[Values]) -> list[int]:
        """Return the number of each row; those of one statement follow each other."""
        numbers: list[int] = []
        for size in _CHUNKS:
            while len(rows) - len(numbers) >= size:
                chunk = rows[len(numbers) : len(numbers) + size]
                values = [value for row in chunk for value in row]
                last = self.execute(_INSERTS[size], values).lastrowid
                assert last is not None
                numbers += range(last - size + 1, last + 1)
        return numbers

    def finish(self) -> None:
        """Write down what is only counted so far."""
        self.flush()
        for number, count in self._grown.items():
            if count:
                self.execute("UPDATE queue SET length = length + ? WHERE id = ?", (count, number))

    # Groups: one of each has its turn, whatever it does with it

    def join(self, queue: BufferedQueue, group: str | None) -> bool:
        """Stand behind the others of *group*; True: it is its turn."""
        if group is None:
            return True
        key = (queue.number, group)
        if key in self._turns:
            return False
        self._turns.add(key)
        return self.execute(_HAS_TURN, key).fetchone() is None

    def pass_turn(self, queue: BufferedQueue, group: str | None) -> None:
        """Let the next of *group* have its turn, unless another message has it."""
        if group is None:
            return
        key = (queue.number, group)
        self.flush()
        self._turns.discard(key)
        if self.execute(_HAS_TURN, key).fetchone() is not None:
            return
        row, state = min(self.execute(_FOLLOWING, key), default=(0, 0))
        if row:
            after = READY if state == BLOCKED else DELAYED
            self.execute("UPDATE msg SET state = ? WHERE id = ?", (after, row))
            queue.stirred = True

    def rows(self, sql: str, values: Sequence[Any]) -> list[Any]:
        """All rows that *sql* answers."""
        return self.execute(sql, values).fetchall()
