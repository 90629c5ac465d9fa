"""Messages that come from elsewhere with all that happened to them, and those that leave for it."""

from __future__ import annotations

from collections.abc import Sequence

from moonq.drivers import refusals
from moonq.drivers.buffered import BufferedQueue
from moonq.drivers.letters import X_ORIGINAL_QUEUE
from moonq.drivers.sqlite import rows
from moonq.drivers.sqlite.publishing import Answer, known, no_room, remember
from moonq.drivers.sqlite.schema import BLOCKED, DELAYED, PARKED, READY, WAITING
from moonq.drivers.sqlite.settling import discard
from moonq.drivers.sqlite.tx import Tx
from moonq.drivers.story import errors_text, has_lost_turn
from moonq.drivers.weight import weight
from moonq.model import Receipt, Stored

_STORY = "att, lost, snz, lost_at, suspect, errs, origin, late"
_MARKS = ", ".join("?" * (rows.PUBLISHED + "," + _STORY).count(",")) + ", ?"
_INSERT = f"INSERT INTO msg({rows.PUBLISHED}, {_STORY}) VALUES({_MARKS})"


def adopt(
    tx: Tx, queue: BufferedQueue, stored: Sequence[tuple[Stored, str]], source: BufferedQueue | None
) -> list[Answer]:
    """Store messages that lay elsewhere, each unless it was stored under its key before.

    Those of *source* leave it in the same transaction.
    """
    return [_adopt(tx, queue, one, key, source) for one, key in stored]


def _adopt(
    tx: Tx, queue: BufferedQueue, stored: Stored, key: str, source: BufferedQueue | None
) -> Answer:
    message = stored.message
    if key and known(tx, queue, key):
        return Receipt(message.id, duplicate=True)
    refusal = no_room(tx, queue, weight(message, stored.errors))
    if refusal is not None:
        return refusal
    if source is not None and not discard(tx, source, stored.number, message.group):
        return refusals.taken_meanwhile(source.spec.name, message.id)
    for own in filter(None, (message.dedup_key, key)):
        remember(tx, queue, own, message.id)
    _insert(tx, queue, stored)
    return Receipt(message.id)


def _insert(tx: Tx, queue: BufferedQueue, stored: Stored) -> None:
    message = stored.message
    due, expires = tx.time.moment(stored.due), tx.time.moment(stored.expires)
    for alarm in (due, expires):
        if alarm is not None:
            queue.wake_at(alarm)
    origin = message.headers.get(X_ORIGINAL_QUEUE)
    values = (
        *rows.published(queue.number, _state(tx, queue, stored), tx.now, due, expires, message),
        stored.attempt,
        stored.interruptions,
        stored.snoozes,
        tx.time.moment(stored.lost_at),
        stored.lost_at is not None,
        errors_text(stored.errors),
        None if origin is None else tx.number(str(origin)),
        True,
    )
    tx.execute(_INSERT, values)
    tx.grow(queue, 1)
    queue.stirred = True


def _state(tx: Tx, queue: BufferedQueue, stored: Stored) -> int:
    if has_lost_turn(stored, queue.spec.group_on_failure):
        return PARKED
    has_turn = tx.join(queue, stored.message.group)
    if stored.due is None:
        return READY if has_turn else BLOCKED
    return DELAYED if has_turn else WAITING
