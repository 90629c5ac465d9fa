"""How a message leaves a delivery: each verdict as a change of its row, and deaths of all kinds.

A row is changed only while it is leased to the session that settles it: that is the fence against
a verdict that comes too late.
"""

# ruff: noqa: S608 - what is put into statements are our own names and numbers
from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from moonq.drivers.letters import dead_letter, remember
from moonq.drivers.sqlite import rows as sqlite_rows
from moonq.drivers.sqlite.queue import Held, SqliteQueue
from moonq.drivers.sqlite.rows import ENVELOPE, errors, errors_text, headers_text
from moonq.drivers.sqlite.schema import BLOCKED, DELAYED, PARKED, READY, RUNNING
from moonq.drivers.sqlite.tx import Tx
from moonq.model import (
    Ack,
    Dead,
    DeadReason,
    ErrorRecord,
    Interrupt,
    Message,
    Release,
    Retry,
    Snooze,
    Verdict,
    Wait,
)


class Expire:
    """What becomes of a delivery that was not started in time."""


class Abandon:
    """What becomes of a running delivery whose consumer left without a verdict."""


Ending = Verdict | Expire | Abandon

_ACK = "DELETE FROM msg WHERE id IN (SELECT value FROM json_each(?)) AND sess = ?"
_START = (
    f"UPDATE msg SET state = {RUNNING}, exp = NULL"
    " WHERE id IN (SELECT value FROM json_each(?)) AND sess = ?"
)
_AGAIN = (
    "UPDATE msg SET state = ?, due = ?, sess = NULL, suspect = ?, att = att + ?, snz = snz + ?,"
    " lost_at = NULL, errs = ?, exp = CASE WHEN ? THEN NULL ELSE exp END WHERE id = ? AND sess = ?"
)
_INTERRUPT = (
    f"UPDATE msg SET state = {READY}, sess = NULL, lost = lost + 1, lost_at = ?, errs = ?,"
    " exp = CASE WHEN ? THEN NULL ELSE exp END WHERE id = ? AND sess = ?"
)
_RELEASE = (
    f"UPDATE msg SET state = {READY}, sess = NULL,"
    " exp = CASE WHEN ? THEN NULL ELSE exp END WHERE id = ? AND sess = ?"
)
_BURY = (
    "INSERT INTO msg(q, state, pri, pos, mid, grp, pub, ctype, hdr, errs, origin, body)"
    " SELECT ?, ?, pri, ?, mid, grp, pub, ctype, ?, ?, ?, body FROM msg WHERE id = ? AND sess IS ?"
)
_LOST = f"SELECT id, q, state = {RUNNING} OR suspect, mid FROM msg WHERE sess = ?"
_RECOVER = (
    f"UPDATE msg SET state = {READY}, lost = lost + ?1, lost_at = CASE WHEN ?1 THEN ?2 ELSE lost_at"
    " END, suspect = 1, sess = NULL WHERE id = ?3"
)


def start(tx: Tx, begun: Iterable[Held]) -> None:
    """Write down which handlers have begun; those that have ended already need no note."""
    rows = [held.row for held in begun if not held.settled]
    if rows:
        tx.execute(_START, (str(rows), tx.session))


def settle(tx: Tx, endings: Sequence[tuple[Held, Ending]]) -> None:
    """End deliveries, the acknowledged ones together."""
    acked: defaultdict[SqliteQueue, list[Held]] = defaultdict(list)
    for held, ending in endings:
        tx.returned[held.desk] += 1
        held.queue.stirred = True
        if type(ending) is Ack:
            acked[held.queue].append(held)
        elif not _ENDINGS[type(ending)](tx, held, ending):
            tx.tell("lease_lost", held.queue, held.delivery.message.id)
    for queue, done in acked.items():
        _ack(tx, queue, done)


def _ack(tx: Tx, queue: SqliteQueue, done: list[Held]) -> None:
    session = done[0].desk.session
    gone = tx.execute(_ACK, (str([held.row for held in done]), session)).rowcount
    tx.grow(queue, -gone)
    for group in {held.delivery.message.group for held in done}:
        tx.pass_turn(queue, group)
    for _ in range(len(done) - gone):
        tx.tell("lease_lost", queue, "")


def _again(
    tx: Tx,
    held: Held,
    delay: float,
    *,
    spent: tuple[int, int],
    error: ErrorRecord | None = None,
    suspect: bool = False,
) -> bool:
    """Let a message come back after *delay*, its counters grown by *spent*."""
    queue, group = held.queue, held.delivery.message.group
    due = (held.ended or tx.now) + delay
    # A failure may cost it the turn of its group; a snooze never does.
    skips = not spent[1] and group is not None and queue.spec.group_on_failure == "skip"
    state = PARKED if skips else DELAYED
    values = (
        state,
        due,
        suspect,
        *spent,
        _told(held, error),
        held.started,
        held.row,
        held.desk.session,
    )
    if not tx.execute(_AGAIN, values).rowcount:
        return False
    _watch(queue, held, due)
    if skips:
        tx.pass_turn(queue, group)
    return True


def _watch(queue: SqliteQueue, held: Held, due: float) -> None:
    queue.wake_at(due)
    if held.expires is not None and not held.started:
        queue.wake_at(held.expires)


def _retry(tx: Tx, held: Held, verdict: Retry) -> bool:
    return _again(tx, held, verdict.delay, spent=(1, 0), error=verdict.error)


def _snooze(tx: Tx, held: Held, verdict: Snooze) -> bool:
    return _again(tx, held, verdict.delay, spent=(0, 1))


def _told(held: Held, error: ErrorRecord | None) -> str | None:
    """Return what it remembers of errors, as it is stored."""
    return held.errors if error is None else errors_text(remember(errors(held.errors), error))


def _wait(tx: Tx, held: Held, verdict: Wait) -> bool:
    return _again(tx, held, verdict.delay, spent=(0, 0), suspect=held.suspect)


def _interrupt(tx: Tx, held: Held, verdict: Interrupt) -> bool:
    told = _told(held, verdict.error)
    values = (held.ended or tx.now, told, held.started, held.row, held.desk.session)
    _watch(held.queue, held, float("inf"))
    return bool(tx.execute(_INTERRUPT, values).rowcount)


def _abandon(tx: Tx, held: Held, _ending: Abandon) -> bool:
    tx.tell("interrupted", held.queue, held.delivery.message.id)
    return _interrupt(tx, held, Interrupt())


def _release(tx: Tx, held: Held, _verdict: Release) -> bool:
    values = (held.started, held.row, held.desk.session)
    _watch(held.queue, held, float("inf"))
    return bool(tx.execute(_RELEASE, values).rowcount)


def _dead(tx: Tx, held: Held, verdict: Dead) -> bool:
    queue, delivery = held.queue, held.delivery
    told = errors(held.errors)
    if verdict.error is not None:
        told = remember(told, verdict.error)
    attempts = delivery.attempt if held.started else delivery.attempt - 1
    if queue.dead is None:
        tx.tell("dropped", queue, verdict.reason)
    return bury(
        tx,
        queue,
        held.row,
        delivery.message,
        verdict.reason,
        counters=(attempts, delivery.interruptions),
        told=told,
        session=held.desk.session,
    )


def _expire(tx: Tx, held: Held, _ending: Expire) -> bool:
    tx.execute(
        f"UPDATE msg SET state = {READY}, sess = NULL WHERE id = ? AND sess = ?",
        (held.row, held.desk.session),
    )
    expire(tx, held.queue, [held.row])
    return True


def expire(tx: Tx, queue: SqliteQueue, rows: Sequence[int]) -> None:
    """End messages whose first run did not start in time, and that nobody holds."""
    for row in rows:
        name, group = tx.execute("SELECT mid, grp FROM msg WHERE id = ?", (row,)).fetchone()
        tx.tell("expired", queue, name)
        if queue.spec.on_expire == "drop":
            discard(tx, queue, row, group)
        else:
            bury_waiting(tx, queue, row, "expired")


def bury_waiting(tx: Tx, queue: SqliteQueue, row: int, reason: DeadReason) -> bool:
    """Put a row that nobody holds among the dead letters."""
    sql = f"SELECT att, lost, errs, {ENVELOPE} FROM msg WHERE id = ?"
    att, lost, errs, *values = tx.execute(sql, (row,)).fetchone()
    message, counters = sqlite_rows.message(values), (att - 1, lost)
    return bury(tx, queue, row, message, reason, counters=counters, told=errors(errs))


def bury(
    tx: Tx,
    queue: SqliteQueue,
    row: int,
    message: Message,
    reason: DeadReason,
    *,
    counters: tuple[int, int],
    told: Sequence[ErrorRecord],
    session: int | None = None,
) -> bool:
    """Put a row among the dead letters, where there are such, and take it out of its queue."""
    letter = dead_letter(
        message,
        queue=queue.spec.name,
        reason=reason,
        time=tx.now,
        attempts=counters[0],
        interruptions=counters[1],
        errors=told,
    )
    if queue.dead is not None:
        state = READY if tx.join(queue.dead, message.group) else BLOCKED
        headers, history = headers_text(letter.headers), errors_text(told)
        move = (queue.dead.number, state, tx.place, headers, history, queue.number, row, session)
        if not tx.execute(_BURY, move).rowcount:
            return False
        tx.grow(queue.dead, 1)
        queue.dead.stirred = True
    return discard(tx, queue, row, message.group, session)


def discard(
    tx: Tx, queue: SqliteQueue, row: int, group: str | None, session: int | None = None
) -> bool:
    """Delete a row that is held by *session*, or by nobody."""
    gone = tx.execute("DELETE FROM msg WHERE id = ? AND sess IS ?", (row, session)).rowcount
    if gone:
        tx.grow(queue, -1)
        tx.pass_turn(queue, group)
    return bool(gone)


def recover(tx: Tx, session: int) -> None:
    """Give back what a dead session held; what ran, or may have, is an interruption.

    Whatever a dead process held is a suspect from now on, for it may be what killed it.
    """
    for row, number, ran, mid in tx.rows(_LOST, (session,)):
        queue = tx.queue(number)
        queue.stirred = True
        if ran:
            tx.tell("interrupted", queue, mid)
        tx.execute(_RECOVER, (ran, tx.now, row))
        queue.alarm = min(queue.alarm, tx.now)
    tx.execute("DELETE FROM seat WHERE sess = ?", (session,))
    tx.execute("DELETE FROM session WHERE id = ?", (session,))


_ENDINGS: dict[type, Callable[[Tx, Held, Any], bool]] = {
    Retry: _retry,
    Snooze: _snooze,
    Dead: _dead,
    Release: _release,
    Interrupt: _interrupt,
    Wait: _wait,
    Expire: _expire,
    Abandon: _abandon,
}
KNOWN = frozenset((Ack, *_ENDINGS))
