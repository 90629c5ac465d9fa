"""Which message is served next: the order of delivery, what comes due, and the leasing itself."""

# ruff: noqa: S608 - what is put into statements are our own names and numbers
from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from typing import Any

from moonq.drivers.buffered import BufferedDesk, BufferedQueue, Held
from moonq.drivers.paging import Key, Section
from moonq.drivers.sqlite.rows import MESSAGE, as_stored, message
from moonq.drivers.sqlite.schema import BLOCKED, DELAYED, LEASED, READY, RUNNING, STATES
from moonq.drivers.sqlite.settling import expire
from moonq.drivers.sqlite.tx import Tx
from moonq.drivers.turns import interleave
from moonq.model import Delivery, Priority

#: How much falls due in one transaction; the rest follows in the next.
MANY = 1000
# What orders rows, and their ids; `_ordered` fills in where to begin.
_LEVEL = (
    "SELECT pos, id FROM msg INDEXED BY msg_ready"
    " WHERE q = ? AND suspect = ? AND pri = ? AND state = 0 AND pos {} ORDER BY pos, id"
)
_BLOCKED = (
    "SELECT id, id FROM msg INDEXED BY msg_grp"
    f" WHERE q = ? AND grp IS NOT NULL AND state = {BLOCKED} AND id {{}} ORDER BY id"
)
_DELAYED = "SELECT due, id FROM msg WHERE q = ? AND due IS NOT NULL AND due {} ORDER BY due, id"
_HELD = (
    "SELECT id, id FROM msg INDEXED BY msg_held"
    " WHERE q = ? AND sess IS NOT NULL AND state = ? AND id {} ORDER BY id"
)
_LEVELS = " UNION ALL ".join(
    "SELECT * FROM (SELECT pri, id FROM msg INDEXED BY msg_ready"
    f" WHERE q = ?1 AND suspect = 0 AND pri = {priority:d} AND state = 0"
    " ORDER BY pos, id LIMIT ?2)"
    for priority in Priority
)
# A session holds one suspect at a time: the message that kills its process takes no other along.
_SUSPECT = (
    "SELECT id FROM msg INDEXED BY msg_ready WHERE q = ? AND suspect = 1 AND state = 0"
    " AND NOT EXISTS (SELECT 1 FROM msg WHERE sess = ? AND suspect = 1)"
    " ORDER BY pri DESC, pos, id LIMIT 1"
)
_LEASE = (
    f"UPDATE msg SET state = {LEASED}, sess = ? WHERE id IN (SELECT value FROM json_each(?))"
    f" RETURNING id, exp, suspect, errs, att, lost, snz, lost_at, {MESSAGE}"
)
# A message that comes due without having its turn is blocked.
_DUE = (
    f"UPDATE msg SET state = CASE state WHEN {DELAYED} THEN {READY} ELSE {BLOCKED} END,"
    " pos = due, due = NULL, late = 1 WHERE id IN (SELECT id FROM msg WHERE q = ? AND due <= ?"
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


def sections(connection: sqlite3.Connection, queue: BufferedQueue) -> list[Section[int]]:
    """The rows that run, those that are about to, then those that are not leased."""
    look = partial(_ordered, connection, queue.number)
    held = [Section(STATES[state], look(_HELD, state)) for state in (RUNNING, LEASED)]
    return held + unclaimed(connection, queue)


def unclaimed(connection: sqlite3.Connection, queue: BufferedQueue) -> list[Section[int]]:
    """All rows that are not leased: ready as they are delivered, blocked, delayed by due time."""
    look = partial(_ordered, connection, queue.number)
    levels = [look(_LEVEL, 0, priority) for priority in Priority]

    def ready(key: Key) -> Iterator[tuple[Key, int]]:
        turn, *keys = key or (queue.turn, None, None, None)
        ahead = [level(place) for level, place in zip(levels, keys, strict=True)]
        return interleave(ahead, turn, keys)

    return [
        *(Section("ready", look(_LEVEL, 1, priority)) for priority in reversed(Priority)),
        Section("ready", ready),
        Section("ready", look(_BLOCKED)),
        Section("delayed", look(_DELAYED)),
    ]


def _ordered(
    connection: sqlite3.Connection, queue: int, sql: str, *values: int
) -> Callable[[Key], Iterator[tuple[Key, int]]]:
    """Return what looks at rows behind a key, which is their place and their id.

    First those at the same place, then the places behind it: as one condition SQLite would read all
    rows of a place again for every page.
    """

    def behind(key: Key) -> Iterator[tuple[Key, int]]:
        place, row = key or (-math.inf, 0)
        for where, bound in (("= ? AND id > ?", (place, row)), ("> ?", (place,))):
            for found in connection.execute(sql.format(where), (queue, *values, *bound)):
                yield found, found[1]

    return behind


def alarm(connection: sqlite3.Connection, queue: BufferedQueue) -> float:
    """The earliest moment at which something is due or expires."""
    due, expires = connection.execute(_ALARM, (queue.number,)).fetchone()
    return min(math.inf if due is None else due, math.inf if expires is None else expires)


def has_ready(connection: sqlite3.Connection, queue: BufferedQueue) -> bool:
    """Whether anything could be leased."""
    sql = "SELECT 1 FROM msg INDEXED BY msg_ready WHERE q = ? AND state = 0 LIMIT 1"
    return connection.execute(sql, (queue.number,)).fetchone() is not None


def tick(tx: Tx, connection: sqlite3.Connection, queue: BufferedQueue) -> None:
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


def hand_over(tx: Tx, desk: BufferedDesk, count: int) -> list[Held]:
    """Lease up to *count* messages for *desk* that this transaction publishes; no line waits."""
    return [
        Held(row, desk, Delivery(as_stored(one.message), next(tx.receipts)), None, one.expires)
        for row, one in tx.newcomers.hand_over(desk.queue, count)
    ]


def draw_from_line(tx: Tx, desk: BufferedDesk, count: int) -> list[Held]:
    """Lease up to *count* messages for *desk*, in the order of delivery."""
    return [_held(tx, desk, values) for values in _lease(tx, desk.queue, count)]


def _lease(tx: Tx, queue: BufferedQueue, count: int) -> list[Any]:
    suspects = [row for (row,) in tx.rows(_SUSPECT, (queue.number, tx.session))]
    wanted = [*suspects, *_next(tx, queue, count - len(suspects))]
    if not wanted:
        return []
    place = {row: index for index, row in enumerate(wanted)}
    leased = tx.rows(_LEASE, (tx.session, str(wanted)))
    leased.sort(key=lambda values: place[values[0]])  # RETURNING knows no order
    return leased


def _held(tx: Tx, desk: BufferedDesk, values: Any) -> Held:
    row, expires, suspect, errors, attempt, lost, snoozes, lost_at, *columns = values
    shown = tx.time.shown(lost_at)
    delivery = Delivery(message(columns), next(tx.receipts), attempt, lost, snoozes, shown)
    return Held(row, desk, delivery, errors, expires, bool(suspect), lost_at)


def _next(tx: Tx, queue: BufferedQueue, count: int) -> list[int]:
    levels: list[list[int]] = [[] for _ in Priority]
    for priority, row in tx.execute(_LEVELS, (queue.number, count)):
        levels[priority].append(row)
    if not (levels[Priority.LOW] or levels[Priority.HIGH]):
        # Without rivals the cycle starts anew: the next high message is served first.
        queue.turn = 0
        return levels[Priority.NORMAL]
    ahead = [((row, row) for row in level) for level in levels]
    drawn = list(islice(interleave(ahead, queue.turn, (0, 0, 0)), count))
    queue.turn = drawn[-1][0][0] if drawn else queue.turn
    return [row for _, row in drawn]
