"""One message as the memory driver holds it."""

from __future__ import annotations

from typing import Any, Final, Literal, Protocol

from moonq.drivers.story import FRESH
from moonq.model import NO_HEADERS, Headers, Message, MessageState, Priority, Scalar

Place = Literal["ready", "blocked", "delayed", "parked", "leased", "running"]

READY: Final = "ready"
#: Waits behind a message of the same group; counted as ready.
BLOCKED: Final = "blocked"
DELAYED: Final = "delayed"
#: Delayed after a failure, its turn in the group given up (`group_on_failure: skip`).
PARKED: Final = "parked"
LEASED: Final = "leased"
RUNNING: Final = "running"

STATES: dict[Place, MessageState] = {
    READY: "ready",
    BLOCKED: "ready",
    DELAYED: "delayed",
    PARKED: "delayed",
    LEASED: "leased",
    RUNNING: "running",
}


class Home(Protocol):
    """A queue as its dead letters know it."""

    dead_bytes: int
    """What all of them weigh."""

    def let_look_again(self) -> None:
        """Have publishers that wait for room look again."""


Flat = tuple[Scalar, ...]
"""Headers: first the names, then the values."""
Waiting = tuple[int, int, str, bytes, float, str, Flat | None, int | None, str | None, Place]
"""A message that only waits: number, weight, id, body, moment of its publish, content type,
headers, priority and deduplication key (None for the usual), and where: ready or delayed.

It is a tuple of what holds nothing else, or such tuples, because the garbage collector stops to
look at those: with 300 000 of them a full collection stops every thread for 1 ms, with as many
records for 136."""
_NORMAL = Priority.NORMAL


class Record:
    """A message, where it is, and what happened to it; guarded by the driver's lock."""

    __slots__ = ("expires", "message", "origin", "place", "position", "seq", "story", "weight")

    def __init__(self, message: Message, seq: int, weight: int) -> None:
        self.message = message
        self.weight = weight
        """What it counts against `max_bytes`."""
        self.seq = seq
        """The order of publishing, which is a group's order."""
        self.position = seq
        """The place in the line; a message that was delayed takes a new one at the back."""
        self.place: Place = READY
        self.origin: Home | None = None
        """The queue in which it died; None: it is no dead letter, or of one that is not here."""
        self.story = FRESH
        self.expires: float | None = None
        """Monotonic moment by which the first run must have started; None once it has."""


def waiting(message: Message, seq: int, weight: int, place: Place = READY) -> Waiting:
    """Return *message*, which has neither ttl nor group, as it waits at *place*."""
    headers, priority = message.headers, message.priority
    return (
        seq,
        weight,
        message.id,
        message.body,
        message.published_at,
        message.content_type,
        None if headers is NO_HEADERS else flat(headers),
        None if priority is _NORMAL else int(priority),
        message.dedup_key,
        place,
    )


def flat(headers: Headers) -> Flat:
    """Return *headers* as they wait."""
    return (*headers, *headers.values())


def _headers(kept: Any) -> Headers:
    count = len(kept) // 2
    return dict(zip(kept[:count], kept[count:], strict=True))


def record_of(one: Record | Waiting) -> Record:
    """Return what waits as a record, made anew of a plain tuple."""
    if isinstance(one, Record):
        return one
    seq, weight, message_id, body, published_at, content_type, headers, priority, key, place = one
    message = Message(
        message_id,
        body,
        published_at,
        NO_HEADERS if headers is None else _headers(headers),
        content_type,
        _NORMAL if priority is None else Priority(priority),
        0.0,
        None,
        key,
    )
    record = Record(message, seq, weight)
    record.place = place
    return record


def number(one: Record | Waiting) -> int:
    """Return the order of its publishing."""
    return one.seq if isinstance(one, Record) else one[0]


def position(one: Record | Waiting) -> int:
    """Return its place in the line."""
    return one.position if isinstance(one, Record) else one[0]


def name(one: Record | Waiting) -> str:
    """Return the id of its message."""
    return one.message.id if isinstance(one, Record) else one[2]


def published_at(one: Record | Waiting) -> float:
    """Return the moment of its publish."""
    return one.message.published_at if isinstance(one, Record) else one[4]
