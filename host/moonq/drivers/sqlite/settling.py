"""How a message leaves a delivery: each verdict as a change of its row, and deaths of all kinds.

A row is changed only while it is leased to the session that settles it: that is the fence against
a verdict that comes too late.
"""

# ruff: noqa: S608 - what is put into statements are our own names and numbers
from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from moonq.drivers.buffered import Abandon, BufferedQueue, Ending, Expire, Held
from moonq.drivers.letters import dead_letter
from moonq.drivers.sqlite import rows as sqlite_rows
from moonq.drivers.sqlite.rows import ENVELOPE, headers_text
from moonq.drivers.sqlite.schema import BLOCKED, DELAYED, PARKED, READY, RUNNING
from moonq.drivers.sqlite.tx import Tx
from moonq.drivers.story import Story, costs_turn, errors, errors_text
from moonq.model import Ack, Dead, DeadReason, Interrupt, Message, Retry, Snooze, Verdict, Wait

_ACK = "DELETE FROM msg WHERE id IN (SELECT value FROM json_each(?)) AND sess = ?"
_START = (
    f"UPDATE msg SET state = {RUNNING}, exp = NULL"
    " WHERE id IN (SELECT value FROM json_each(?)) AND sess = ?"
)
_BACK = (
    "UPDATE msg SET state = ?, due = ?, sess = NULL, suspect = ?, exp = iif(?, NULL, exp),"
    " att = ?, lost = ?, snz = ?, lost_at = ?, errs = ? WHERE id = ? AND sess = ?"
)
_BURY = (
    "INSERT INTO msg(q, state, pri, pos, mid, grp, pub, ctype, hdr, errs, origin, late, body)"
    " SELECT ?, ?, pri, ?, mid, grp, pub, ctype, ?, ?, ?, 1, body FROM msg"
    " WHERE id = ? AND sess IS ?"
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
    acked: defaultdict[BufferedQueue, list[Held]] = defaultdict(list)
    for held, ending in endings:
        tx.returned[held.desk] += 1
        if held.suspect:
            tx.stir()  # its session may hold the next one, of whatever queue
        elif type(ending) is not Ack:
            held.queue.stirred = True
        if type(ending) is Ack:
            acked[held.queue].append(held)
        elif not _end(tx, held, ending):
            tx.tell("lease_lost", held.queue, held.delivery.message.id)
    for queue, done in acked.items():
        _ack(tx, queue, done)


def _ack(tx: Tx, queue: BufferedQueue, done: list[Held]) -> None:
    session = done[0].desk.session
    gone = tx.execute(_ACK, (str([held.row for held in done]), session)).rowcount
    tx.grow(queue, -gone)
    for group in {held.delivery.message.group for held in done}:
        tx.pass_turn(queue, group)
    for _ in range(len(done) - gone):
        tx.tell("lease_lost", queue, "")


def _end(tx: Tx, held: Held, ending: Ending) -> bool:
    """End one delivery; False: it is leased to this session no more."""
    if isinstance(ending, Expire):
        sql = f"UPDATE msg SET state = {READY}, sess = NULL WHERE id = ? AND sess = ?"
        tx.execute(sql, (held.row, held.desk.session))
        expire(tx, held.queue, [held.row])
        return True
    if isinstance(ending, Abandon):
        tx.tell("interrupted", held.queue, held.delivery.message.id)
        ending = Interrupt()
    story = held.story.after(ending, held.ended or tx.now)
    if isinstance(ending, Dead):
        if held.queue.dead is None:
            tx.tell("dropped", held.queue, ending.reason)
        letter = Letter(held.row, held.delivery.message, story, held.started, held.desk.session)
        return bury(tx, held.queue, letter, ending.reason)
    return _back(tx, held, ending, story)


def _back(tx: Tx, held: Held, verdict: Verdict, story: Story) -> bool:
    """Let a message come back: after a delay, or else at once where it stood."""
    queue, group = held.queue, held.delivery.message.group
    due, state = None, READY
    if isinstance(verdict, Retry | Snooze | Wait):
        due = (held.ended or tx.now) + verdict.delay
        costs = group is not None and costs_turn(verdict, queue.spec.group_on_failure)
        state = PARKED if costs else DELAYED
        queue.wake_at(due)
    if held.expires is not None and not held.started:
        queue.wake_at(held.expires)
    suspect = held.suspect and not isinstance(verdict, Retry | Snooze)
    told = errors_text(story.errors)
    values = (state, due, suspect, held.started, *story[:4], told, held.row, held.desk.session)
    if not tx.execute(_BACK, values).rowcount:
        return False
    if state == PARKED:
        tx.pass_turn(queue, group)
    return True


def expire(tx: Tx, queue: BufferedQueue, rows: Sequence[int]) -> None:
    """End messages whose first run did not start in time, and that are not leased."""
    for row in rows:
        name, group = tx.execute("SELECT mid, grp FROM msg WHERE id = ?", (row,)).fetchone()
        tx.tell("expired", queue, name)
        if queue.spec.on_expire == "drop":
            discard(tx, queue, row, group)
        else:
            bury_waiting(tx, queue, row, "expired")


class Letter(NamedTuple):
    """A message on its way to the dead letters."""

    row: int
    message: Message
    story: Story
    ran: bool = False
    """Whether its last attempt had begun."""
    session: int | None = None
    """The session that holds it; None: it is not leased."""


def bury_waiting(tx: Tx, queue: BufferedQueue, row: int, reason: DeadReason) -> bool:
    """Put a row that is not leased among the dead letters."""
    sql = f"SELECT att, lost, errs, {ENVELOPE} FROM msg WHERE id = ?"
    att, lost, errs, *values = tx.execute(sql, (row,)).fetchone()
    story = Story(att, lost, errors=errors(errs))
    return bury(tx, queue, Letter(row, sqlite_rows.message(values), story), reason)


def bury(tx: Tx, queue: BufferedQueue, letter: Letter, reason: DeadReason) -> bool:
    """Put a row among the dead letters, if its queue has any, and take it out of its queue."""
    row, message, story, ran, session = letter
    if queue.dead is not None:
        name = queue.spec.name
        died = tx.time.wall(tx.now)
        dressed = dead_letter(message, story, queue=name, reason=reason, time=died, ran=ran)
        state = READY if tx.join(queue.dead, message.group) else BLOCKED
        headers, history = headers_text(dressed.headers), errors_text(story.errors)
        move = (queue.dead.number, state, tx.now, headers, history, queue.number, row, session)
        if not tx.execute(_BURY, move).rowcount:
            return False
        tx.grow(queue.dead, 1)
        queue.dead.stirred = True
    return discard(tx, queue, row, message.group, session)


def discard(
    tx: Tx, queue: BufferedQueue, row: int, group: str | None, session: int | None = None
) -> bool:
    """Delete a row that is held by *session*, or not leased without one."""
    gone = tx.execute("DELETE FROM msg WHERE id = ? AND sess IS ?", (row, session)).rowcount
    if gone:
        tx.grow(queue, -1)
        tx.pass_turn(queue, group)
    return bool(gone)


def recover(tx: Tx, session: int, only: Collection[int] | None = None) -> None:
    """Give back what a dead session held; what ran, or may have, is an interruption.

    Whatever a dead process held is a suspect from now on, for it may be what killed it. With *only*
    the rest, which is of other queues than these, stays as it is for now.
    """
    held = tx.rows(_LOST, (session,))
    ours = held if only is None else [one for one in held if one[1] in only]
    for row, number, ran, mid in ours:
        queue = tx.queue(number)
        queue.stirred = True
        if ran:
            tx.tell("interrupted", queue, mid)
        tx.execute(_RECOVER, (ran, tx.now, row))
        queue.alarm = min(queue.alarm, tx.now)
    for (number,) in tx.rows("SELECT id FROM queue WHERE paused = ?", (-session,)):
        tx.execute("UPDATE queue SET paused = 0 WHERE id = ?", (number,))
        queue = tx.queue(number)
        queue.paused, queue.stirred = False, True
    tx.execute("DELETE FROM seat WHERE sess = ?", (session,))
    if len(ours) == len(held):
        tx.execute("DELETE FROM session WHERE id = ?", (session,))
