"""Publishing: what is stored, what is known already, and what there is no room for."""

# ruff: noqa: S608 - what is put into statements are our own names and numbers
from __future__ import annotations

import math
from collections.abc import Sequence

from moonq.drivers.buffered import BufferedQueue
from moonq.drivers.refusals import full, too_heavy
from moonq.drivers.sqlite.heads import HEADS
from moonq.drivers.sqlite.newcomers import Newcomer
from moonq.drivers.sqlite.schema import BLOCKED, DELAYED, READY, WAITING
from moonq.drivers.sqlite.settling import bury_waiting
from moonq.drivers.sqlite.tx import Tx
from moonq.drivers.weight import weight
from moonq.errors import QueueError, QueueFull
from moonq.model import Message, Receipt

Answer = Receipt | QueueError
_KNOWN = "SELECT mid FROM dedup WHERE q = ? AND k = ? AND until > ?"
_REMEMBER = "INSERT OR REPLACE INTO dedup(q, k, mid, until) VALUES(?, ?, ?, ?)"
_FORGET = "DELETE FROM dedup WHERE (q, k) IN (SELECT q, k FROM dedup WHERE until <= ? LIMIT 500)"
_FIRST_BLOCKED = f"SELECT min(id) FROM msg WHERE q = ? AND grp IS NOT NULL AND state = {BLOCKED}"


def publish(
    tx: Tx, queue: BufferedQueue, messages: Sequence[Message], *, patient: bool
) -> list[Answer]:
    """Store *messages*, one answer for each; a patient publisher's end where it must wait."""
    answers: list[Answer] = []
    is_plain = queue.room == queue.most == math.inf and queue.spec.ttl is None
    for message in messages:
        if is_plain and _is_plain(message):
            tx.insert(queue, Newcomer(message, READY))
            answers.append(Receipt(message.id))
            continue
        answer = _admit(tx, queue, message)
        if patient and isinstance(answer, QueueFull):
            break
        answers.append(answer)
    return answers


def _is_plain(message: Message) -> bool:
    return (
        message.delay <= 0
        and message.group is None
        and message.ttl is None
        and message.dedup_key is None
    )


def _admit(tx: Tx, queue: BufferedQueue, message: Message) -> Answer:
    key = message.dedup_key
    if key is not None and (first := known(tx, queue, key)):
        return Receipt(first, duplicate=True)
    refusal = no_room(tx, queue, weight(message))
    if refusal is not None:
        return refusal
    if key is not None:
        remember(tx, queue, key, message.id)
    _store(tx, queue, message)
    return Receipt(message.id)


def known(tx: Tx, queue: BufferedQueue, key: str) -> str | None:
    """Return the id of the message that was stored under *key* lately."""
    row = tx.execute(_KNOWN, (queue.number, key, tx.now)).fetchone()
    return str(row[0]) if row else None


def remember(tx: Tx, queue: BufferedQueue, key: str, message_id: str) -> None:
    """Know *key* for the queue's window."""
    until = tx.now + queue.spec.dedup_window
    tx.execute(_REMEMBER, (queue.number, key, message_id, until))


def _store(tx: Tx, queue: BufferedQueue, message: Message) -> None:
    ttl = queue.spec.ttl if message.ttl is None else message.ttl
    expires = None if ttl is None else tx.now + ttl
    due = tx.now + message.delay if message.delay > 0 else None
    # It stands in its group's order already: what is published later is served later.
    has_turn = tx.join(queue, message.group)
    if due is None:
        state = READY if has_turn else BLOCKED
    else:
        state = DELAYED if has_turn else WAITING
        queue.wake_at(due)
    if expires is not None:
        queue.wake_at(expires)
    tx.insert(queue, Newcomer(message, state, due, expires))


def no_room(tx: Tx, queue: BufferedQueue, weighs: int) -> QueueFull | None:
    """Return why there is no room for one more of that weight; None: there is, perhaps by now.

    Where the queue drops its oldest, room is made.
    """
    drops = queue.spec.overflow == "drop_oldest"
    if queue.room < math.inf:
        while tx.length(queue) >= queue.room:
            if not drops or not _drop_oldest(tx, queue):
                return full(queue.spec.name, tx.length(queue), queue.room)
    if queue.most < math.inf:
        held, dead = tx.bytes(queue)
        while held + dead + weighs > queue.most:
            # As a dead letter the oldest would weigh as much.
            if not drops or queue.dead is not None or not _drop_oldest(tx, queue):
                queue.turn_away(weighs, dead)
                return too_heavy(queue.spec.name, held, dead, queue.most)
            held, dead = tx.bytes(queue)
        queue.let_in()
    return None


def _drop_oldest(tx: Tx, queue: BufferedQueue) -> bool:
    """Make room; what is at work or delayed is never dropped for the sake of a newcomer."""
    tx.flush()
    _, victim = min(tx.execute(HEADS, (queue.number,)), default=(0.0, None))
    if victim is None:
        (victim,) = tx.execute(_FIRST_BLOCKED, (queue.number,)).fetchone()
    if victim is None:
        return False
    tx.tell("dropped", queue, "max_length")
    return bury_waiting(tx, queue, victim, "max_length")


def forget_keys(tx: Tx) -> bool:
    """Forget some keys whose window is over; True: there may be more."""
    return tx.execute(_FORGET, (tx.now,)).rowcount == 500
