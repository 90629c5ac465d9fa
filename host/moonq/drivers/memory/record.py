"""One message as the memory driver holds it."""

from __future__ import annotations

from typing import Final, Literal, Protocol

from moonq.drivers.story import FRESH
from moonq.model import Message, MessageState

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
