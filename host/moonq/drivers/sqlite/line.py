"""Who is served next: the order of delivery, what comes due in it, and the leasing itself."""

# ruff: noqa: S608 - what is put into statements are our own names and numbers
from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import Any

from moonq.drivers.memory.ordering import CYCLE
from moonq.drivers.sqlite.queue import SqliteQueue
from moonq.drivers.sqlite.rows import MESSAGE
from moonq.drivers.sqlite.schema import BLOCKED, DELAYED, LEASED, READY
from moonq.drivers.sqlite.settling import expire
from moonq.drivers.sqlite.tx import Tx
from moonq.model import Priority

#: How much falls due in one transaction; the rest follows in the next.
MANY = 1000
_LEVEL = (
    "SELECT id FROM msg INDEXED BY msg_ready"
    " WHERE q = ? AND suspect = 0 AND pri = ? AND state = 0 ORDER BY pos, id"
)
_LEVELS = " UNION ALL ".join(
    "SELECT * FROM (SELECT pri, id FROM msg INDEXED BY msg_ready"
    f" WHERE q = ?1 AND suspect = 0 AND pri = {priority:d} AND state = 0"
    " ORDER BY pos, id LIMIT ?2)"
    for priority in Priority
)
# Whoever holds one suspect takes no second one: then the guilty dies alone.
_SUSPECT = (
    "SELECT id FROM msg INDEXED BY msg_ready WHERE q = ? AND suspect = 1 AND state = 0"
    " AND NOT EXISTS (SELECT 1 FROM msg WHERE sess = ? AND suspect = 1)"
    " ORDER BY pri DESC, pos, id LIMIT 1"
)
_LEASE = (
    f"UPDATE msg SET state = {LEASED}, sess = ? WHERE id IN (SELECT value FROM json_each(?))"
    f" RETURNING id, exp, suspect, errs, att, lost, snz, lost_at, {MESSAGE}"
)
_SUSPECTS = (
    "SELECT id FROM msg INDEXED BY msg_ready WHERE q = ?1 AND suspect = 1 AND state = 0"
    " ORDER BY pri DESC, pos, id"
)
_WAITING = (
    _SUSPECTS,
    f"SELECT id FROM msg WHERE q = ?1 AND grp IS NOT NULL AND state = {BLOCKED} ORDER BY id",
    "SELECT id FROM msg WHERE q = ?1 AND due IS NOT NULL ORDER BY due, id",
)
# A message that comes due without having its turn is blocked.
_DUE = (
    f"UPDATE msg SET state = CASE state WHEN {DELAYED} THEN {READY} ELSE {BLOCKED} END,"
    " pos = due, due = NULL WHERE id IN (SELECT id FROM msg WHERE q = ? AND due <= ?"
    " ORDER BY due LIMIT ?) RETURNING state, grp"
)
_EXPIRED = (
    "SELECT id FROM msg INDEXED BY msg_exp WHERE q = ? AND exp <= ? AND sess IS NULL"
    " ORDER BY exp LIMIT ?"
)
_ALARM = (
    "SELECT (SELECT min(due) FROM msg WHERE q = ?1 AND due IS NOT NULL),"
    " (SELECT min(exp) FROM msg WHERE q = ?1 AND exp IS NOT NULL AND sess IS NULL)"
)


def interleave(levels: Sequence[Iterator[int]], turn: int) -> Iterator[tuple[int, int]]:
    """Draw rows from the *levels* 9 : 3 : 1, each with the turn that follows."""
    heads = [next(level, None) for level in levels]
    while any(head is not None for head in heads):
        level = CYCLE[turn]
        turn = (turn + 1) % len(CYCLE)
        head = heads[level]
        if head is not None:
            yield head, turn
            heads[level] = next(levels[level], None)


def waiting(connection: sqlite3.Connection, queue: SqliteQueue) -> Iterator[int]:
    """All rows that nobody holds: ready in the order of delivery, blocked, delayed by due time."""
    number = queue.number
    suspects, blocked, delayed = (connection.execute(sql, (number,)) for sql in _WAITING)
    levels = [connection.execute(_LEVEL, (number, priority)) for priority in Priority]
    ready = (row for row, _ in interleave([_first(level) for level in levels], queue.turn))
    return chain(_first(suspects), ready, _first(blocked), _first(delayed))


def _first(cursor: sqlite3.Cursor) -> Iterator[int]:
    return (row[0] for row in cursor)


def alarm(connection: sqlite3.Connection, queue: SqliteQueue) -> float:
    """The earliest moment at which something is due or expires."""
    due, expires = connection.execute(_ALARM, (queue.number,)).fetchone()
    return min(math.inf if due is None else due, math.inf if expires is None else expires)


def has_ready(connection: sqlite3.Connection, queue: SqliteQueue) -> bool:
    """Whether anything could be leased."""
    sql = "SELECT 1 FROM msg INDEXED BY msg_ready WHERE q = ? AND state = 0 LIMIT 1"
    return connection.execute(sql, (queue.number,)).fetchone() is not None


def tick(tx: Tx, connection: sqlite3.Connection, queue: SqliteQueue) -> None:
    """Let happen what is due: first those that are too late go, then the delayed come."""
    if queue.alarm > tx.now:
        return
    expired = tx.rows(_EXPIRED, (queue.number, tx.now, MANY))
    expire(tx, queue, [row for (row,) in expired])
    due = tx.rows(_DUE, (queue.number, tx.now, MANY))
    for group in {group for state, group in due if state == BLOCKED}:
        tx.pass_turn(queue, group)
    queue.stirred |= bool(due)
    queue.alarm = alarm(connection, queue)


def lease(tx: Tx, queue: SqliteQueue, count: int) -> list[Any]:
    """Lease up to *count* rows for this session, in the order of delivery."""
    suspects = [row for (row,) in tx.rows(_SUSPECT, (queue.number, tx.session))]
    wanted = [*suspects, *_next(tx, queue, count - len(suspects))]
    if not wanted:
        return []
    place = {row: index for index, row in enumerate(wanted)}
    leased = tx.rows(_LEASE, (tx.session, str(wanted)))
    leased.sort(key=lambda values: place[values[0]])  # RETURNING knows no order
    return leased


def _next(tx: Tx, queue: SqliteQueue, count: int) -> list[int]:
    levels: list[list[int]] = [[] for _ in Priority]
    for priority, row in tx.execute(_LEVELS, (queue.number, count)):
        levels[priority].append(row)
    if not (levels[Priority.LOW] or levels[Priority.HIGH]):
        # Without rivals the cycle starts anew: the next high message is served first.
        queue.turn = 0
        return levels[Priority.NORMAL]
    drawn = list(islice(interleave([iter(level) for level in levels], queue.turn), count))
    queue.turn = drawn[-1][1] if drawn else queue.turn
    return [row for row, _ in drawn]
