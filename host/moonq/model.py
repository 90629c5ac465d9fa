"""The values that travel between publisher, driver, consumer and worker.

All of them are immutable: a change is a new value. Times are float seconds: `published_at` counts
from the epoch, lengths of time carry no suffix.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

Scalar = str | int | float | bool
Headers = Mapping[str, Scalar]
MessageState = Literal["ready", "delayed", "leased", "running"]
DeadReason = Literal[
    "max_attempts", "rejected", "decode", "expired", "interrupted", "snooze_limit", "max_length"
]

NO_HEADERS: Headers = MappingProxyType({})

#: What one call may use where its entry says nothing, in seconds and bytes.
DEFAULT_TIMEOUT = 60.0
DEFAULT_MEMORY = 64 * 1024 * 1024
#: Seconds for which a queue knows a key, where its entry says nothing.
DEDUP_WINDOW = 300.0


class Priority(IntEnum):
    """How soon a message is served: 9 : 3 : 1 when all three wait."""

    LOW = 0
    NORMAL = 1
    HIGH = 2


class Message(NamedTuple):
    """What a publisher wrote."""

    id: str
    body: bytes
    published_at: float
    headers: Headers = NO_HEADERS
    content_type: str = "application/json"
    priority: Priority = Priority.NORMAL
    delay: float = 0.0
    """Seconds before the first delivery."""
    ttl: float | None = None
    """Seconds from the publish within which the first run must start."""
    dedup_key: str | None = None
    group: str | None = None


class ErrorRecord(NamedTuple):
    """One failed attempt, as the dead letter remembers it; see `moonq.drivers.history`."""

    time: float
    kind: str
    message: str
    traceback: str = ""


class Delivery(NamedTuple):
    """One attempt at a message: ours until its lease ends or it is settled."""

    message: Message
    receipt: Any
    """The driver's proof that we hold it; only the driver looks inside."""
    attempt: int = 1
    """1 for the first run; counts failures."""
    interruptions: int = 0
    """Leases that ended without a verdict."""
    snoozes: int = 0
    lost_at: float | None = None
    """When its last lease ended without a verdict, in seconds since the epoch; None once what
    that leads to is decided."""
    errors: tuple[ErrorRecord, ...] = ()
    """What its attempts failed with: of drivers that show no message without consuming it."""
    expires: float | None = None
    """As in `Stored`, of the same drivers."""


class Ack(NamedTuple):
    """Done: the message is gone."""


class Retry(NamedTuple):
    """Failed: again after *delay* seconds, one attempt spent."""

    delay: float
    error: ErrorRecord


class Snooze(NamedTuple):
    """Not now: again after *delay* seconds, no attempt spent."""

    delay: float


class Dead(NamedTuple):
    """No more attempts: to the dead letters."""

    reason: DeadReason
    error: ErrorRecord | None = None


class Release(NamedTuple):
    """Handed back before it ran, or cut off by a stop: ready at once, no attempt spent."""


class Interrupt(NamedTuple):
    """The worker died: ready at once, one interruption counted.

    What that leads to is decided before its next start, where `Delivery.lost_at` tells of it.
    """

    error: ErrorRecord | None = None


class Wait(NamedTuple):
    """Not yet, for it was interrupted: again after *delay* seconds, nothing spent."""

    delay: float


Verdict = Ack | Retry | Snooze | Dead | Release | Interrupt | Wait
ACK = Ack()
RELEASE = Release()


class Receipt(NamedTuple):
    """The driver's answer to a publish: the id under which the message is stored."""

    id: str
    duplicate: bool | None = False
    """Whether a message with its deduplication key was there already; None: nobody can tell."""


class Stored(NamedTuple):
    """A message as `peek` shows it: nothing was consumed."""

    message: Message
    state: MessageState
    attempt: int = 1
    interruptions: int = 0
    due: float | None = None
    """When a delayed message may run, in seconds since the epoch."""
    errors: tuple[ErrorRecord, ...] = ()
    expires: float | None = None
    """By when its first run must have started, in seconds since the epoch; None once it has."""
    number: int = 0
    """What its driver knows it by in this queue, and no other message: two may share an id.

    Numbers grow in the order of publishing."""
    snoozes: int = 0
    lost_at: float | None = None
    """As in `Delivery`."""


class Page(NamedTuple):
    """Some messages of a queue, and where the next ones begin."""

    items: list[Stored]
    next: str = ""
    """A cursor for the next page; empty when this was the last one."""


class QueueInfo(NamedTuple):
    """How many messages a queue holds in each state; None is a number the broker cannot give."""

    ready: int | None
    delayed: int | None
    leased: int | None
    running: int | None
    dead: int | None
    consumer_count: int | None
    oldest_age: float | None
    """Seconds since the oldest ready message was published."""
    paused: bool = False
    exact: bool = True
    bytes: int | None = None
    """What its messages and its dead letters weigh, see `moonq.drivers.weight`."""
    dead_bytes: int | None = None
    """What of that is dead letters."""

    @property
    def message_count(self) -> int | None:
        """Ready + delayed + leased + running: what has a future in this queue."""
        parts = (self.ready, self.delayed, self.leased, self.running)
        known = [part for part in parts if part is not None]
        return sum(known) if len(known) == len(parts) else None


#: Of a queue whose driver says nothing.
UNCOUNTED = QueueInfo(None, None, None, None, None, None, None, exact=False)


class QueueSpec(NamedTuple):
    """A queue as its driver needs to know it; policy about failures stays above the driver."""

    name: str
    """The queue's name at the driver."""
    dead_letter: str | None = None
    """The driver's name of the queue that takes dead letters; None drops them, counted."""
    max_length: int | None = None
    overflow: Literal["reject", "block", "drop_oldest"] | None = None
    """What a publish into the full queue meets; None is the driver's default, else `reject`."""
    ttl: float | None = None
    on_expire: Literal["dead_letter", "drop"] = "dead_letter"
    dedup_window: float = DEDUP_WINDOW
    group_on_failure: Literal["block", "skip"] = "block"
    max_bytes: int | None = None
    """What the queue and its dead letters may weigh before a publish meets `overflow`."""
    options: Mapping[str, object] = MappingProxyType({})
    """This driver's own keys; one it does not know is an error."""
