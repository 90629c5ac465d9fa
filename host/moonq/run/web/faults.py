"""How a request fails, in words that say what was being done."""

from __future__ import annotations

from moonq.errors import Invalid, QueueError, Unavailable

__all__ = ["BadAnswer", "Cut", "Late", "NotReached", "TooLarge"]


class NotReached(Unavailable):
    """Nobody answered."""


class BadAnswer(Unavailable):
    """What came back is no answer, or not all of one."""


class Late(QueueError):
    """The time of the call is over; the other side may have done what was asked."""

    kind = "TIMEOUT"
    retryable = True


class Cut(QueueError):
    """The script that asked was stopped."""

    kind = "CANCELED"


class TooLarge(Invalid):
    """The answer has more bytes than the client takes."""
