"""What a verdict on a message makes us ask of SQS.

SQS cannot change a message that it has. So on a standard queue all but an acknowledgement is a copy
with another envelope, which is sent and confirmed before the old one is deleted; on a FIFO queue,
where a copy would come behind its group, it is only put out of sight for some time.
"""

from __future__ import annotations

import math
import uuid
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from moonq.drivers.base import Event
from moonq.drivers.buffered import Abandon, Expire
from moonq.drivers.letters import X_ORIGINAL_QUEUE, dead_letter
from moonq.drivers.sqs.bounds import MOST_DELAY, is_token
from moonq.drivers.sqs.envelope import Parcel, pack
from moonq.drivers.sqs.service import Entry
from moonq.drivers.story import FRESH, Story
from moonq.model import (
    Dead,
    Interrupt,
    Retry,
    Snooze,
    Wait,
)

if TYPE_CHECKING:
    from moonq.drivers.sqs.loans import Loan
    from moonq.drivers.sqs.queue import SqsQueue

#: Real seconds of a delay that SQS is not asked for: it counts in whole ones, from when it likes.
OURS = 0.5
#: Seconds for which a message stays whose dead letter could not be stored.
LETTER_PAUSE = 30.0


@dataclass(slots=True, eq=False)
class Step:
    """What is to be done about one loan: perhaps something is sent, then it is deleted."""

    loan: Loan
    target: SqsQueue | None = None
    parcel: Parcel | None = None
    is_letter: bool = False
    is_ack: bool = False
    key: str = ""
    """What a FIFO queue knows the copy by, so that a repeated send doubles nothing."""
    event: Event | None = None
    """What to tell once it is done."""
    is_sent: bool = False
    tries: int = 0


def delay_of(verdict: object) -> float:
    """Return for how long a verdict puts a message off."""
    return max(0.0, verdict.delay) if isinstance(verdict, Retry | Snooze | Wait) else 0.0


def story_after(loan: Loan, verdict: Any, now: float) -> Story:
    """Return the story of a message that comes again; one that was left while it ran was lost."""
    story = loan.parcel.story
    if isinstance(verdict, Abandon):
        return story.after(Interrupt(), now)
    return story.after(verdict, now)


def copied(loan: Loan, story: Story, delay: float, ttl: float | None) -> Parcel:
    """Return what is sent in place of a message."""
    return loan.parcel._replace(story=story, delay=delay, ttl=ttl, due=0.0, ends=0.0, native="")


def buried(queue: SqsQueue, loan: Loan, ending: Dead | Expire, *, ran: bool, now: float) -> Step:
    """Return the step that makes a dead letter of a message, or drops it."""
    reason = ending.reason if isinstance(ending, Dead) else "expired"
    story = loan.parcel.story.after(ending, now)  # type: ignore[arg-type]
    is_late = isinstance(ending, Expire)
    event = Event("expired", queue.spec.name, detail=loan.parcel.message.id) if is_late else None
    dead = queue.dead
    if dead is None or (is_late and queue.spec.on_expire == "drop"):
        event = event or Event("dropped", queue.spec.name, detail=loan.parcel.message.id)
        return Step(loan, event=event)
    letter = dead_letter(
        loan.parcel.message, story, queue=queue.spec.name, reason=reason, time=now, ran=ran
    )
    parcel = Parcel(letter, FRESH._replace(errors=story.errors), loan.parcel.order)
    return Step(loan, dead, parcel, is_letter=True, key=uuid.uuid4().hex, event=event)


def entry(queue: SqsQueue, parcel: Parcel, rate: float, key: str, now: float) -> Entry:
    """Return *parcel* as *queue* takes it; what SQS does not delay, we do when it comes.

    *now* is the time by the clock of SQS, of whose seconds *rate* of ours pass in one.
    """
    if parcel.delay > 0:
        parcel = parcel._replace(due=now + parcel.delay / rate)
    if parcel.ttl is not None:
        parcel = parcel._replace(ends=now + parcel.ttl / rate)
    packed = pack(parcel, queue.most_bytes)
    if queue.fifo:
        # A letter is alone: SQS shows no more of a group than the ten that somebody looks at.
        is_letter = X_ORIGINAL_QUEUE in parcel.message.headers
        group = None if is_letter else parcel.message.group
        return Entry(packed, 0, group_id(group), key)
    return Entry(packed, min(MOST_DELAY, max(0, math.floor(parcel.delay / rate - OURS))))


def group_id(group: str | None) -> str:
    """Return what a FIFO queue keeps in order; a message without a group is alone in its own."""
    return token(f"moonq-{uuid.uuid4().hex}" if group is None else group)


def token(text: str) -> str:
    """Return *text* as SQS takes it for an id of a group or a deduplication."""
    return text if is_token(text) else f"sha256-{sha256(text.encode()).hexdigest()}"
