"""What becomes of messages that were received: each is a loan that waits, is delivered, or goes on.

SQS tells when it stored a message, by its own clock; what delays and times to live count from is
that, so that no clock of ours can be wrong about them.
"""

from __future__ import annotations

import math
import time
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from moonq.clock import Clock
from moonq.drivers.base import Event
from moonq.drivers.sqs.bounds import MANY, OLD_AGE
from moonq.drivers.sqs.envelope import Parcel, of_native, unpack
from moonq.drivers.sqs.loans import Loan, raw_count
from moonq.drivers.sqs.service import Service
from moonq.errors import Unavailable

if TYPE_CHECKING:
    from moonq.drivers.sqs.clerk import Clerk
    from moonq.drivers.sqs.queue import SqsDesk, SqsQueue

#: Real seconds that a message may wait here to be due; else SQS is to keep it on.
NEAR = 2.0
#: Real seconds that an answer takes at most, most likely.
ON_ITS_WAY = 1.0
#: Real seconds that may pass between the making of a message and SQS's having it.
LATENCY = 1.0


class Attempt(NamedTuple):
    """A receive from a FIFO queue, which SQS answers alike when it is asked by this name again."""

    name: str
    most: int
    until: float
    """Real seconds: from then on SQS gives the messages to anybody."""


class Intake:
    """Receives for one queue."""

    def __init__(
        self,
        queue: SqsQueue,
        service: Service,
        clock: Clock,
        clerk: Clerk,
        names: Callable[[str], str],
    ) -> None:
        self._queue = queue
        self._service = service
        self._clock = clock
        self._clerk = clerk
        self._names = names
        self._unheard: deque[Attempt] = deque(maxlen=MANY)

    def receive(self, most: int, wait: int, first: SqsDesk | None = None) -> int:
        """Receive up to *most* messages, for *first* before others, and return how many came.

        Raises:
            QueueError: SQS does not give any.
        """
        queue, seconds = self._queue, self._clerk.visibility()
        begun = time.monotonic()
        raws = self._raws(most, wait, seconds)
        if wait:
            begun = time.monotonic() - ON_ITS_WAY
        loans = [self._loan(raw, begun + seconds) for raw in raws]
        with queue.lock:
            now = self._clock.monotonic()
            for loan in loans:
                queue.admit(loan, now)
            queue.ripen(now)
            far = self._far(loans, now)
            queue.serve(now, first)
        for loan in far:
            self._clerk.rest(loan)
        if raws:
            self._clerk.ring()
        return len(raws)

    def _raws(self, most: int, wait: int, seconds: int) -> list[dict[str, Any]]:
        """Receive; of a FIFO queue what the last answer held, if that was lost on its way."""
        receive = partial(self._service.receive, self._queue.url, wait=wait, visibility=seconds)
        if not self._queue.fifo:
            return receive(most)
        now = time.monotonic()
        attempt = Attempt(uuid.uuid4().hex, most, now + seconds)
        while self._unheard:
            before = self._unheard.popleft()
            if now < before.until:
                attempt = before
                break
        try:
            return receive(attempt.most, attempt=attempt.name)
        except Unavailable:
            self._unheard.append(attempt)
            raise

    def _far(self, loans: Sequence[Loan], now: float) -> list[Loan]:
        """Return, and take out of those that wait, what is not due for long."""
        limit = now + NEAR * self._clock.rate
        if self._queue.fifo:
            limit = now + self._clerk.visibility() * self._clock.rate
        far = [loan for loan in loans if loan.due > limit]
        if far:
            gone = set(map(id, far))
            self._queue.waits = [one for one in self._queue.waits if id(one[2]) not in gone]
        return far

    def _loan(self, raw: dict[str, Any], until: float) -> Loan:
        """Return what was received as a loan, its story told on."""
        parcel, count = unpacked(raw), raw_count(raw)
        now, rate = self._clock.monotonic(), self._clock.rate
        sent = int((raw.get("Attributes") or {}).get("SentTimestamp", 0)) / 1000
        age = max(0.0, self._service.now() - sent) if sent else 0.0
        if age > OLD_AGE:
            self._queue.old_at = self._service.now()
        loan = Loan(raw["ReceiptHandle"], raw["MessageId"], parcel, until, count)
        if parcel.delay:
            # Who sent it said when; SQS had it a moment later, and its clock is trusted more.
            left = parcel.delay / rate - age
            loan.due = now + rate * max(left - LATENCY, parcel.due - self._service.now())
        if parcel.ttl is not None:
            left = parcel.ttl / rate - age
            left = rate * min(left, (parcel.ends or math.inf) - self._service.now())
            loan.expires, loan.ends = now + left, self._clock.now() + left
        self._tell_on(loan)
        return loan

    def _tell_on(self, loan: Loan) -> None:
        """Add to its story what the count of receives says."""
        queue, parcel = self._queue, loan.parcel
        if parcel.native:
            message = of_native(parcel.message, self._names(parcel.native), self._clock.now())
            loan.parcel = parcel._replace(message=message)
            return
        known = queue.stories.recall(loan.name) if queue.fifo else None
        story, lost = parcel.story, loan.count - 1
        if known is not None:
            story, before, loan.due, has_begun = known
            lost = loan.count - before - 1
            loan.expires = None if has_begun else loan.expires
        elif queue.fifo:
            # Whoever had it before may have failed, or given it back: SQS does not say.
            story, lost = story._replace(attempt=story.attempt + lost), 0
        if lost > 0 and not queue.keeps_letters:
            loan.expires = None
            story = story._replace(
                interruptions=story.interruptions + lost, lost_at=self._clock.now()
            )
            name = queue.spec.name
            self._clerk.on_event(Event("interrupted", name, lost, parcel.message.id))
        loan.parcel = parcel._replace(story=story)


def unpacked(raw: dict[str, Any]) -> Parcel:
    """Return what was received, whoever wrote it."""
    try:
        return unpack(raw)
    except (KeyError, TypeError, ValueError):
        # Whoever wrote that attribute was not moonq: the message is what its body says.
        return unpack({**raw, "MessageAttributes": {}})
