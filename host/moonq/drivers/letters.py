"""What a message wears as a dead letter, and what it takes off when it is redriven.

Every driver dresses its dead letters here, so that they look the same whatever stored them.
"""

from __future__ import annotations

from types import MappingProxyType

from moonq.drivers.story import Story
from moonq.model import DeadReason, Message, Scalar

#: Dead letters carry their story in these headers (contract, section 4).
X_ORIGINAL_QUEUE = "x_original_queue"
X_DEAD_LETTER_REASON = "x_dead_letter_reason"
X_DEAD_LETTER_TIME = "x_dead_letter_time"
X_ATTEMPTS = "x_attempts"
X_INTERRUPTIONS = "x_interruptions"
X_LAST_ERROR = "x_last_error"
X_REDRIVEN = "x_redriven"
X_MOVED = "x_moved"
STORY = frozenset(
    (
        X_ORIGINAL_QUEUE,
        X_DEAD_LETTER_REASON,
        X_DEAD_LETTER_TIME,
        X_ATTEMPTS,
        X_INTERRUPTIONS,
        X_LAST_ERROR,
    )
)


def dead_letter(
    message: Message, story: Story, *, queue: str, reason: DeadReason, time: float, ran: bool
) -> Message:
    """Return *message* as the dead letter of *queue*; *ran* says that its last attempt began.

    It keeps body, id, priority and group. It does not keep its ttl, its delay or its
    deduplication key: those were promises about a life that is over.
    """
    headers: dict[str, Scalar] = dict(message.headers)
    headers[X_ORIGINAL_QUEUE] = queue
    headers[X_DEAD_LETTER_REASON] = reason
    headers[X_DEAD_LETTER_TIME] = time
    headers[X_ATTEMPTS] = story.attempt if ran else story.attempt - 1
    headers[X_INTERRUPTIONS] = story.interruptions
    headers[X_LAST_ERROR] = story.errors[-1].message if story.errors else ""
    return message._replace(headers=MappingProxyType(headers), delay=0.0, ttl=None, dedup_key=None)


def redriven(message: Message) -> Message:
    """Return the dead letter *message* for another life, its story taken off.

    `x_redriven` counts the lives it was given.
    """
    headers: dict[str, Scalar] = {
        key: value for key, value in message.headers.items() if key not in STORY
    }
    headers[X_REDRIVEN] = int(headers.get(X_REDRIVEN, 0)) + 1
    return message._replace(headers=MappingProxyType(headers))
