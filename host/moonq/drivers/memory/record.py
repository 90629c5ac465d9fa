"""One message as the memory driver holds it."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from moonq.drivers.letters import remember
from moonq.model import ErrorRecord, Message, MessageState, Stored

Place = Literal["ready", "blocked", "delayed", "parked", "leased", "running"]

READY: Final = "ready"
#: Waits behind a message of its own group; ready for anybody who counts.
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


class Story(NamedTuple):
    """What happened to a message so far; most messages share the empty one."""

    attempt: int = 1
    interruptions: int = 0
    snoozes: int = 0
    errors: tuple[ErrorRecord, ...] = ()
    lost_at: float | None = None
    """As in `Delivery`."""

    def failed(self, error: ErrorRecord) -> Story:
        """One attempt spent."""
        return self.told(error)._replace(attempt=self.attempt + 1, lost_at=None)

    def interrupted(self, now: float, error: ErrorRecord | None) -> Story:
        """One lease ended without a verdict."""
        return self.told(error)._replace(interruptions=self.interruptions + 1, lost_at=now)

    def snoozed(self) -> Story:
        """Put off once more."""
        return self._replace(snoozes=self.snoozes + 1, lost_at=None)

    def waits(self) -> Story:
        """Put off for its last interruption, nothing counted."""
        return self._replace(lost_at=None)

    def told(self, error: ErrorRecord | None) -> Story:
        """With *error* remembered, nothing counted."""
        return self if error is None else self._replace(errors=remember(self.errors, error))


FRESH = Story()


class Record:
    """A message, where it is, and what happened to it; guarded by the driver's lock."""

    __slots__ = ("expires", "message", "place", "position", "seq", "story")

    def __init__(self, message: Message, seq: int) -> None:
        self.message = message
        self.seq = seq
        """The order of publishing, which is a group's order."""
        self.position = seq
        """The place in the line; a message that was delayed takes a new one at the back."""
        self.place: Place = READY
        self.story = FRESH
        self.expires: float | None = None
        """Monotonic moment by which the first run must have started; None once it has."""

    def attempts(self) -> int:
        """Runs that were begun."""
        return self.story.attempt if self.place == RUNNING else self.story.attempt - 1

    def stored(self, due: float | None, epoch: float) -> Stored:
        """The record as `peek` shows it; the monotonic clock's zero was at *epoch*."""
        story = self.story
        return Stored(
            self.message,
            STATES[self.place],
            story.attempt,
            story.interruptions,
            None if due is None else due + epoch,
            story.errors,
            None if self.expires is None else self.expires + epoch,
            self.seq,
        )
