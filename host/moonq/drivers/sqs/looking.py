"""Looks at what lies in a queue, as far as SQS lets anybody: counts, and dead letters.

To look at a message is to receive it. Of a dead letter that costs nothing but a count that nobody
reads; of a message that waits to run it would look like a run that was cut off.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any, NamedTuple

from moonq.drivers.letters import X_ORIGINAL_QUEUE, redriven
from moonq.drivers.sqs.bounds import MANY
from moonq.drivers.sqs.envelope import Parcel, of_native
from moonq.drivers.sqs.intake import unpacked
from moonq.drivers.sqs.queue import SqsQueue
from moonq.drivers.sqs.service import Service
from moonq.model import MessageState, QueueInfo, Stored

#: Real seconds for which counts are good: asking costs money. While this host works, less.
FRESH = 15.0
FRESH_AT_WORK = 2.0
#: Real seconds for which letters that are looked at are out of sight.
GLANCE = 30
#: Letters that are looked through for one id.
MOST_LOOKED_AT = 2000
#: Letters of a FIFO queue that are put in order before they live again.
SORTED = 500
_COUNTS = {
    "ready": "ApproximateNumberOfMessages",
    "out": "ApproximateNumberOfMessagesNotVisible",
    "delayed": "ApproximateNumberOfMessagesDelayed",
}


class Counts(NamedTuple):
    """What SQS says that there is, approximately."""

    ready: int
    out: int
    delayed: int
    at: float
    """When it said so, in real seconds (monotonic)."""
    work: int = 0
    """How many messages this host had moved then."""

    @property
    def total(self) -> int:
        """Return them all."""
        return self.ready + self.out + self.delayed


class Counter:
    """Counts, and remembers what it was told."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._known: dict[str, Counts] = {}

    def count(self, queue: SqsQueue, *, anew: bool = False) -> Counts:
        """Return what lies in *queue*, as SQS said a short while ago or, *anew*, says now."""
        known = self._known.get(queue.url)
        work = self._service.calls["SendMessageBatch"] + self._service.calls["DeleteMessageBatch"]
        if known is not None and not anew:
            good = FRESH if known.work == work else FRESH_AT_WORK
            if time.monotonic() - known.at < good:
                return known
        found = self._service.attributes(queue.url)
        numbers = {name: int(found.get(key, 0)) for name, key in _COUNTS.items()}
        self._known[queue.url] = Counts(**numbers, at=time.monotonic(), work=work)
        return self._known[queue.url]

    def info(self, queue: SqsQueue) -> QueueInfo:
        """Return the counts of *queue*; a number that SQS does not have is None."""
        counts = self.count(queue)
        dead = queue.dead
        with queue.lock:
            running = sum(1 for _ in queue.running())
        return QueueInfo(
            ready=counts.ready,
            delayed=counts.delayed,
            leased=max(0, counts.out - running),
            running=running,
            dead=None if dead is None or not dead.url else self.count(dead).total,
            consumer_count=None,
            oldest_age=None,
            paused=queue.paused,
            exact=False,
        )


class Letter(NamedTuple):
    """A dead letter that was received."""

    handle: str
    parcel: Parcel

    @property
    def is_dead(self) -> bool:
        """Whether it came from a queue; else it was published where it lies."""
        return X_ORIGINAL_QUEUE in self.parcel.message.headers

    def is_among(self, ids: Collection[str | int]) -> bool:
        """Whether one of *ids* means it."""
        return self.parcel.message.id in ids or self.parcel.order in ids

    def stored(self) -> Stored:
        """Return it as it is shown."""
        message, story = self.parcel.message, self.parcel.story
        return Stored(message, "ready", *story[:2], errors=story.errors, number=self.parcel.order)


class Letters:
    """The dead letters in one queue, received for a moment; what is not settled is given back."""

    def __init__(self, queue: SqsQueue, service: Service, names: Any, now: float) -> None:
        self._queue = queue
        self._service = service
        self._names = names
        self._now = now
        self._out: list[str] = []

    def __enter__(self) -> Letters:
        return self

    def __exit__(self, *_problem: object) -> None:
        for first in range(0, len(self._out), MANY):
            part = [(handle, 0) for handle in self._out[first : first + MANY]]
            self._service.lend(self._queue.url, part)

    def received(self, most: int = MOST_LOOKED_AT) -> Iterator[list[Letter]]:
        """Yield what is there, ten at a time, each letter once."""
        seen, wait = 0, 0
        while seen < most:
            count = min(MANY, most - seen)
            raws = self._service.receive(self._queue.url, count, wait=wait, visibility=GLANCE)
            if not raws and wait:
                return
            # A short look may miss what is there, so the last one is long.
            wait = 0 if raws else 1
            seen += len(raws)
            self._out += [raw["ReceiptHandle"] for raw in raws]
            yield [self._letter(raw) for raw in raws]

    def _letter(self, raw: dict[str, Any]) -> Letter:
        parcel = unpacked(raw)
        if parcel.native:
            message = of_native(parcel.message, self._names(parcel.native), self._now)
            parcel = parcel._replace(message=message)
        return Letter(raw["ReceiptHandle"], parcel)

    def delete(self, letters: Sequence[Letter]) -> int:
        """Delete *letters* and return how many were there."""
        gone = 0
        for first in range(0, len(letters), MANY):
            handles = [letter.handle for letter in letters[first : first + MANY]]
            answers = self._service.delete(self._queue.url, handles)
            gone += answers.count(None)
            self._out = [one for one in self._out if one not in set(handles)]
        return gone


def in_order(parts: Iterable[list[Letter]]) -> Iterator[list[Letter]]:
    """Yield the letters of *parts* as they were published, for SQS gives them in any order."""
    letters = chain.from_iterable(parts)
    while some := list(islice(letters, SORTED)):
        yield sorted(some, key=lambda letter: letter.parcel.order)


def shown(letters: Sequence[Letter], state: MessageState | None) -> list[Stored]:
    """Return *letters* in the order of their publishing, as they are shown."""
    found = [letter.stored() for letter in letters] if state in {None, "ready"} else []
    return sorted(found, key=lambda stored: stored.number)


def next_life(letter: Letter, place: int) -> Parcel:
    """Return a dead letter as it is published once more."""
    return Parcel(redriven(letter.parcel.message), order=place)
