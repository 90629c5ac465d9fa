"""Looks at a queue that move no message: page by page, by id, by number.

Each look is several commands, so what moves meanwhile is shown where it is met.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from moonq.drivers import paging
from moonq.drivers.paging import Key, Section
from moonq.drivers.redis.wire import counters, dressed, tale_of, unpacked
from moonq.drivers.story import errors
from moonq.drivers.turns import interleave
from moonq.model import MessageState, Page, Priority, Stored

if TYPE_CHECKING:
    from moonq.drivers.redis.asking import Asker
    from moonq.drivers.redis.times import StoreTime

#: Rows that one command reads.
CHUNK = 250
#: The same where only numbers are read.
MANY = 5000


class Row(NamedTuple):
    """A message as it lies there."""

    number: int
    state: MessageState
    blob: bytes
    tale: bytes | None
    due: bytes | None
    expires: bytes | None


class View:
    """One queue, looked at through the connection of *asker*."""

    def __init__(self, asker: Asker, queue: str, time: StoreTime) -> None:
        self._ask = asker.command
        self.asker = asker
        self.queue = queue
        self._at = f"{asker.base}{queue}:"
        self._time = time

    # Pages

    def peek(self, limit: int, cursor: str, state: MessageState | None) -> Page:
        """Show up to *limit* messages from where *cursor* says."""
        turn = self.asker.look("settle", self.queue)
        sections = self._sections(int(turn))
        return paging.peek(self.queue, sections, limit, cursor, state, self._shown)

    def _sections(self, turn: int) -> list[Section[Row]]:
        """Those that run, those that are about to, then those that are not leased."""
        return [
            Section("running", partial(self._held, "running", b"r")),
            Section("leased", partial(self._held, "leased", b"l")),
            Section("ready", partial(self._ordered, "ready", "u")),
            Section("ready", partial(self._ready, turn)),
            Section("ready", partial(self._ordered, "ready", "k")),
            Section("delayed", partial(self._ordered, "delayed", "d")),
        ]

    def _held(self, state: MessageState, mark: bytes, key: Key) -> Iterator[tuple[Key, Row]]:
        found: list[int] = []
        for session in self._ask("HKEYS", f"{self._at}c"):
            leases = self._ask("HGETALL", b"%bf:%b" % (self._at.encode(), session))
            found += [int(n) for n, value in _pairs(leases) if value.startswith(mark)]
        rest = sorted(number for number in found if key is None or number > key)
        for part in _parts(rest, CHUNK):
            for row in self._rows(state, part):
                yield row.number, row

    def _ordered(self, state: MessageState, part: str, key: Key) -> Iterator[tuple[Key, Row]]:
        """Rows of a sorted set behind a key, which is their score and number."""
        scored = self._scored(part, key)
        while some := list(islice(scored, CHUNK)):
            scores = {number: score for score, number in some}
            for row in self._rows(state, list(scores)):
                yield [scores[row.number], row.number], row

    def _scored(self, part: str, key: Key) -> Iterator[tuple[float, int]]:
        """Score and number of each in a sorted set, behind a key.

        At one score Redis goes by the digits of numbers as text; those are read all, and sorted.
        """
        score, after = key or (float("-inf"), 0)
        bound = repr(score)
        while True:
            found = self._ask(
                "ZRANGEBYSCORE", self._at + part, bound, "+inf", "WITHSCORES", "LIMIT", 0, CHUNK
            )
            rows = [(float(where), int(number)) for number, where in _pairs(found)]
            if not rows:
                return
            last = rows[-1][0]
            if len(rows) == CHUNK:
                # The last score may have more: it is read as a whole, then what is behind it.
                found = self._ask("ZRANGEBYSCORE", self._at + part, repr(last), repr(last))
                rows = [row for row in rows if row[0] < last]
                rows += [(last, int(number)) for number in found]
            for row in sorted(rows):
                if row > (score, after):
                    yield row
            if len(found) < CHUNK and last == rows[-1][0] and not self._has_more(part, last):
                return
            score, after, bound = last, 0, f"({last!r}"

    def _has_more(self, part: str, score: float) -> bool:
        return bool(self._ask("ZCOUNT", self._at + part, f"({score!r}", "+inf"))

    def _ready(self, turn: int, key: Key) -> Iterator[tuple[Key, Row]]:
        turn, *places = key or (turn, None, None, None)
        levels = [self._level(level, place) for level, place in zip(Priority, places, strict=True)]
        return interleave(levels, turn, places)

    def _level(self, level: Priority, place: Key) -> Iterator[tuple[Key, Row]]:
        """Rows of one level by position: fresh ones and those that came back."""
        back = self._ordered("ready", f"b{int(level)}", None if place is None else [place, 1 << 60])
        fresh = self._fresh(f"r{int(level)}", place)
        ours, theirs = next(fresh, None), next(back, None)
        while ours or theirs:
            if ours and (theirs is None or ours[0] < theirs[0][0]):
                yield ours
                ours = next(fresh, None)
            elif theirs:
                yield theirs[0][0], theirs[1]
                theirs = next(back, None)

    def _fresh(self, part: str, place: Key) -> Iterator[tuple[Key, Row]]:
        index = 0 if place is None else self._behind(part, place)
        while numbers := self._ask("LRANGE", self._at + part, index, index + CHUNK - 1):
            index += len(numbers)
            for row in self._rows("ready", [int(number) for number in numbers]):
                yield row.number, row

    def _behind(self, part: str, place: float) -> int:
        """Return the index of the first number behind *place* in a list, which is in order."""
        low, high = 0, int(self._ask("LLEN", self._at + part))
        while low < high:
            middle = (low + high) // 2
            number = self._ask("LINDEX", self._at + part, middle)
            if number is None or int(number) > place:
                high = middle
            else:
                low = middle + 1
        return low

    # Rows

    def _rows(self, state: MessageState, numbers: Sequence[int]) -> Iterator[Row]:
        if not numbers:
            return
        blobs = self._ask("HMGET", f"{self._at}m", *numbers)
        tales = self._ask("HMGET", f"{self._at}h", *numbers)
        expiries = self._ask("ZMSCORE", f"{self._at}x", *numbers)
        dues = [None] * len(numbers)
        if state == "delayed":
            dues = self._ask("ZMSCORE", f"{self._at}d", *numbers)
        for number, blob, *rest in zip(numbers, blobs, tales, dues, expiries, strict=True):
            if blob is not None:
                yield Row(number, state, blob, *rest)

    def _shown(self, row: Row) -> Stored:
        tale = tale_of(row.tale)
        attempt, interruptions, snoozes, lost_at = counters(tale)
        return Stored(
            dressed(unpacked(row.blob), tale, self._time),
            row.state,
            attempt,
            interruptions,
            self._time.shown(None if row.due is None else float(row.due)),
            errors(tale.get("errors")),
            self._time.shown(None if row.expires is None else float(row.expires)),
            row.number,
            snoozes,
            self._time.shown(lost_at),
        )

    # By id and by number

    def find(self, message_id: str) -> Stored | None:
        """Show one message, the one at work first."""
        numbers = self.named([message_id])
        found = list(self._states(numbers))
        return self._shown(min(found, key=_by_state)) if found else None

    def named(self, ids: Sequence[str]) -> list[int]:
        """Return the numbers of the messages that have one of *ids*."""
        found: list[int] = []
        cursor: Any = 0
        while ids:
            cursor, numbers = self.asker.look("search", self.queue, cursor, *ids, moment=False)
            found += map(int, numbers)
            if int(cursor) == 0:
                break
        return sorted(set(found))

    def _states(self, numbers: Sequence[int]) -> Iterator[Row]:
        """Yield the messages of *numbers*, each with its state."""
        if not numbers:
            return
        held: dict[int, bytes] = {}
        for session in self._ask("HKEYS", f"{self._at}c"):
            leases = self._ask("HMGET", b"%bf:%b" % (self._at.encode(), session), *numbers)
            held |= {n: value for n, value in zip(numbers, leases, strict=True) if value}
        for row in self._rows("delayed", numbers):
            mark = held.get(row.number, b"")
            if mark == b"r":
                yield row._replace(state="running")
            elif mark:
                yield row._replace(state="leased", expires=mark[1:] or None)
            else:
                yield row._replace(state="ready" if row.due is None else "delayed")

    def unclaimed(self) -> list[int]:
        """Return the numbers of all that are not leased, in the order of delivery."""
        turn = self.asker.look("settle", self.queue)
        sections = self._sections(int(turn))[2:]
        return [row.number for row in paging.every(sections)]

    def chosen(self, ids: Sequence[str | int] | None) -> list[int]:
        """Return the numbers of *ids*, or of all that are not leased."""
        if ids is None:
            return self.unclaimed()
        numbers = [one for one in ids if not isinstance(one, str)]
        return sorted({*numbers, *self.named([one for one in ids if isinstance(one, str)])})

    def waiting(self, numbers: Iterable[int]) -> list[Stored]:
        """Show those of *numbers* that are not leased."""
        rows = self._states(list(numbers))
        return [self._shown(row) for row in rows if row.state in {"ready", "delayed"}]

    def every_number(self) -> list[int]:
        """Return the numbers of all that are not leased, in order."""
        self.asker.look("settle", self.queue)
        found: set[int] = set()
        for part in ("r0", "r1", "r2"):
            found.update(self._read(partial(self._ask, "LRANGE", self._at + part)))
        for part in ("b0", "b1", "b2", "u", "k", "d"):
            found.update(self._read(partial(self._ask, "ZRANGE", self._at + part)))
        return sorted(found)

    def _read(self, ask: Callable[[int, int], list[bytes]]) -> Iterator[int]:
        start = 0
        while numbers := ask(start, start + MANY - 1):
            yield from map(int, numbers)
            start += len(numbers)


def _pairs(found: Any) -> Iterable[tuple[bytes, bytes]]:
    """Yield pairs of what a command answers, in either version of the protocol."""
    if isinstance(found, dict):
        return found.items()
    if found and isinstance(found[0], list):
        return [(pair[0], pair[1]) for pair in found]
    return list(zip(found[::2], found[1::2], strict=True))


def _parts(items: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _by_state(row: Row) -> tuple[int, int]:
    order = ("running", "leased", "delayed", "ready")
    return order.index(row.state), row.number
