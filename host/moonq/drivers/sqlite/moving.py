"""What operators do with many rows at once: drop them, or give dead letters another life."""

# ruff: noqa: S608 - what is put into statements are our own names and numbers
from __future__ import annotations

from collections.abc import Callable, Sequence

from moonq.drivers.buffered import BufferedQueue
from moonq.drivers.letters import X_ORIGINAL_QUEUE, redriven
from moonq.drivers.refusals import check_room_for_letter
from moonq.drivers.sqlite import rows as sqlite_rows
from moonq.drivers.sqlite.rows import ENVELOPE, headers_text
from moonq.drivers.sqlite.schema import BLOCKED, READY
from moonq.drivers.sqlite.settling import discard
from moonq.drivers.sqlite.tx import Tx
from moonq.errors import QueueError
from moonq.model import Message

_CHOSEN = "id IN (SELECT value FROM json_each(?1)) AND q = ?2 AND sess IS NULL"
_DROP = f"DELETE FROM msg WHERE {_CHOSEN}"
# What is dropped can be published again.
_FORGET = (
    "DELETE FROM dedup WHERE q = ?2 AND (k, mid) IN"
    f" (SELECT dkey, mid FROM msg WHERE {_CHOSEN} AND dkey IS NOT NULL)"
)
_LETTER = f"SELECT {ENVELOPE} FROM msg WHERE id = ? AND q = ? AND sess IS NULL"
_MOVE = (
    "INSERT INTO msg(q, state, pri, pos, mid, grp, pub, ctype, hdr, late, body)"
    " SELECT ?, ?, pri, ?, mid, grp, pub, ctype, ?, 1, body FROM msg WHERE id = ?"
)


def drop(tx: Tx, queue: BufferedQueue, rows: Sequence[tuple[int, str | None]]) -> int:
    """Delete *rows* (and their groups) that are not leased, and say how many there were."""
    chosen = (str([row for row, _ in rows]), queue.number)
    tx.execute(_FORGET, chosen)
    gone = tx.execute(_DROP, chosen).rowcount
    tx.grow(queue, -gone)
    for group in {group for _, group in rows}:
        tx.pass_turn(queue, group)
    return gone


class Mover:
    """Gives dead letters another life, in the queue each came from or in one that is named."""

    def __init__(
        self, letters: BufferedQueue, target: str, find: Callable[[str], BufferedQueue]
    ) -> None:
        self.refusals: list[QueueError] = []
        self._letters = letters
        self._target = target
        self._find = find

    def move(self, tx: Tx, rows: Sequence[int]) -> int:
        """Move *rows* and say how many could be moved."""
        return sum(self._move(tx, row) for row in rows)

    def _move(self, tx: Tx, row: int) -> bool:
        columns = tx.execute(_LETTER, (row, self._letters.number)).fetchone()
        if columns is None:
            return False  # leased or gone meanwhile
        letter = sqlite_rows.message(columns)
        try:
            queue = self._room_for(tx, letter)
        except QueueError as refusal:
            self.refusals.append(refusal)
            return False
        state = READY if tx.join(queue, letter.group) else BLOCKED
        headers = headers_text(redriven(letter).headers)
        tx.execute(_MOVE, (queue.number, state, tx.now, headers, row))
        tx.grow(queue, 1)
        queue.stirred = True
        return discard(tx, self._letters, row, letter.group)

    def _room_for(self, tx: Tx, letter: Message) -> BufferedQueue:
        queue = self._find(self._target or str(letter.headers[X_ORIGINAL_QUEUE]))
        is_own = queue is self._letters
        check_room_for_letter(queue.spec.name, tx.length(queue), queue.room, is_own=is_own)
        return queue
