"""One transaction of the writer: what it knows, what it changes, what it tells when it has landed.

Nothing here outlives a rollback but hints; what must follow a commit is kept until then.
"""

# ruff: noqa: S608 - what is put into statements are our own names and numbers
from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from moonq.drivers.base import Event
from moonq.drivers.buffered import BufferedDesk, BufferedQueue
from moonq.drivers.sqlite.newcomers import Newcomer, Newcomers
from moonq.drivers.sqlite.schema import BLOCKED, DELAYED, LEASED, READY, RUNNING, WAITING
from moonq.drivers.sqlite.times import FileTime
from moonq.model import QueueSpec

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
        self.newcomers = Newcomers(self.execute, self.now, session)
        self._grown: Counter[int] = Counter()
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
        return held + self.newcomers.weigh(queue), dead

    # Rows that come

    def insert(self, queue: BufferedQueue, newcomer: Newcomer) -> None:
        """Store a new row, together with others in a moment."""
        self.newcomers.add(queue, newcomer)
        self._grown[queue.number] += 1
        queue.stirred = True

    def flush(self) -> None:
        """Store the rows that wait for company."""
        self.newcomers.flush()

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
