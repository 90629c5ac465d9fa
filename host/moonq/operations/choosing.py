"""Which messages an operation is about: a snapshot that is shown first, then acted upon.

"All" means the messages that were counted; what arrives later is not included.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from moonq.drivers.base import mover
from moonq.drivers.letters import X_ORIGINAL_QUEUE
from moonq.drivers.paging import walk
from moonq.errors import NotFound, Unsupported
from moonq.model import MessageState, Stored
from moonq.operations.letters import died_at, fingerprint
from moonq.run.queues import Route

#: Messages per snapshot.
LARGEST = 100_000
#: Messages per look at those of a snapshot.
STEP = 500
#: Snapshots that are remembered.
KEPT = 8


class Selection(BaseModel):
    """Which messages are to be taken away: a snapshot, or what lies in a queue now."""

    model_config = ConfigDict(strict=True, extra="forbid")

    queue: str | None = None
    ids: list[str] | None = None
    """These only."""
    error: str | None = None
    """The beginning of a fingerprint."""
    older: float | None = None
    """Seconds since they were published, or died."""
    limit: int | None = Field(None, ge=1)
    """At most so many, the oldest of them."""
    snapshot: str | None = None
    confirm: str | None = None
    """The full id of the queue."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Messages of one queue at one moment."""

    number: str
    route: Route
    """The queue they lie in."""
    queue: str
    """The queue that the person named, which is to be confirmed."""
    is_dead: bool
    numbers: tuple[int, ...]
    """Of the messages, as `Stored` has them."""
    taken: float
    is_whole: bool
    """False: there are more than a snapshot holds."""
    backup: Path | None = None
    """Where those were written that are gone already."""
    takes_all: bool = False
    """Its driver tells messages not apart: all that lies there is meant, whatever the numbers."""


class Snapshots:
    """The last snapshots of one session."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._kept: dict[str, Snapshot] = {}

    def keep(
        self, route: Route, queue: str, numbers: Sequence[int], taken: float, *, is_dead: bool
    ) -> Snapshot:
        """Remember the messages of these *numbers* and return the snapshot."""
        number = f"s{next(self._numbers)}"
        is_whole = len(numbers) < LARGEST
        self._kept[number] = Snapshot(
            number, route, queue, is_dead, tuple(numbers), taken, is_whole
        )
        while len(self._kept) > KEPT:
            del self._kept[next(iter(self._kept))]
        return self._kept[number]

    def keep_all(
        self, route: Route, queue: str, count: int, taken: float, *, is_dead: bool
    ) -> Snapshot:
        """Remember that all of a queue is meant, which held *count* messages, and return that."""
        kept = self.keep(route, queue, range(count), taken, is_dead=is_dead)
        self._kept[kept.number] = kept = replace(kept, takes_all=True, is_whole=True)
        return kept

    def keep_rest(self, snapshot: Snapshot) -> None:
        """Remember what is left of a snapshot."""
        if snapshot.number in self._kept:
            self._kept[snapshot.number] = snapshot

    def get(self, number: str) -> Snapshot:
        """Return a snapshot.

        Raises:
            NotFound: It was never taken here, or is long gone.
        """
        try:
            return self._kept[number]
        except KeyError:
            raise NotFound(f"no snapshot {number!r}", hint="take a new one") from None


def stored_in(route: Route, state: MessageState | None = None) -> Iterator[Stored]:
    """Yield what lies in a queue, page by page; each message at most once."""
    return walk(route.driver, route.spec.name, state)


def of_numbers(route: Route, numbers: Sequence[int]) -> Iterator[Stored]:
    """Yield those of *numbers*, which are in order, that are ready or delayed still."""
    wanted, after = frozenset(numbers), numbers[0] - 1 if numbers else 0
    try:
        driver = mover(route.driver)
    except Unsupported:
        yield from (one for one in waiting_in(route, None) if one.number in wanted)
        return
    while numbers and after < numbers[-1]:
        stored = driver.waiting(route.spec.name, STEP, after)
        if not stored:
            return
        after = stored[-1].number
        yield from (one for one in stored if one.number in wanted)


def waiting_in(route: Route, published_before: float | None) -> Iterator[Stored]:
    """Yield what a purge would drop: what is ready or delayed, and old enough."""
    for stored in stored_in(route):
        if stored.state in ("ready", "delayed") and (
            published_before is None or stored.message.published_at <= published_before
        ):
            yield stored


def is_letter(stored: Stored, origin: str | None) -> bool:
    """Say whether it died, in *origin* (None: anywhere).

    A queue of dead letters that is declared may have messages of its own, published there.
    """
    died_in = stored.message.headers.get(X_ORIGINAL_QUEUE)
    return died_in is not None and origin in (None, died_in)


def letters_of(
    route: Route, origin: str | None, error: str | None, died_before: float | None
) -> Iterator[Stored]:
    """Yield the dead letters in *route* that came from *origin*, with one kind of error."""
    for stored in stored_in(route):
        if (
            is_letter(stored, origin)
            and (error is None or fingerprint(stored).startswith(error))
            and (died_before is None or died_at(stored) <= died_before)
        ):
            yield stored


def is_fingerprint(error: str) -> bool:
    """Say whether *error* may be the beginning of a fingerprint, and not of every one."""
    return len(error) >= 3 and not set(error) - set("0123456789abcdef")
