"""What happened to a message so far, and what each verdict adds to it.

Drivers store a story as they like; what it becomes is decided here, so that the same ends leave the
same counters behind on every driver.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from moonq.drivers.history import remembered
from moonq.model import ErrorRecord, Interrupt, Message, Retry, Snooze, Stored, Verdict, Wait


class Story(NamedTuple):
    """The counters of a message; the first four are those of its next `Delivery`."""

    attempt: int = 1
    interruptions: int = 0
    snoozes: int = 0
    lost_at: float | None = None
    errors: tuple[ErrorRecord, ...] = ()
    """The last ten, see `history`."""

    @classmethod
    def of(cls, stored: Stored) -> Story:
        """Return what happened to a message, as it was shown."""
        return cls(
            stored.attempt, stored.interruptions, stored.snoozes, stored.lost_at, stored.errors
        )

    def after(self, verdict: Verdict, now: float) -> Story:
        """Return the story with *verdict* in it, which was given at *now*."""
        told = self._told(getattr(verdict, "error", None))
        match verdict:
            case Retry():
                return told._replace(attempt=self.attempt + 1, lost_at=None)
            case Snooze():
                return told._replace(snoozes=self.snoozes + 1, lost_at=None)
            case Wait():
                return told._replace(lost_at=None)
            case Interrupt():
                return told._replace(interruptions=self.interruptions + 1, lost_at=now)
        return told

    def _told(self, error: ErrorRecord | None) -> Story:
        if error is None:
            return self
        return self._replace(errors=remembered((*self.errors, error)))


FRESH = Story()


def left_of(stored: Stored, now: float) -> Message:
    """Return a message that lay elsewhere, with what is left of its delay and its ttl."""
    return stored.message._replace(
        delay=0.0 if stored.due is None else max(0.0, stored.due - now),
        ttl=None if stored.expires is None else max(0.001, stored.expires - now),
    )


def has_lost_turn(stored: Stored, group_on_failure: str) -> bool:
    """Whether a message that waits after a failure lets the others of its group go first."""
    failed = stored.attempt > 1 or stored.interruptions > 0
    is_delayed = stored.due is not None
    return group_on_failure == "skip" and stored.message.group is not None and failed and is_delayed


def costs_turn(verdict: Verdict, group_on_failure: str) -> bool:
    """Whether *verdict* costs a message the turn of its group; a snooze never does."""
    return group_on_failure == "skip" and isinstance(verdict, Retry | Wait)


def errors(text: str | None) -> tuple[ErrorRecord, ...]:
    """Return the errors that a message remembers, as `errors_text` wrote them."""
    return () if text is None else tuple(ErrorRecord(*fields) for fields in json.loads(text))


def errors_text(records: Sequence[ErrorRecord]) -> str | None:
    """Return *records* as text to be stored; None: there are none."""
    return json.dumps(records) if records else None
