"""What became of a delivery, as Lua is asked, and what it leads to, as Lua answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

from moonq.model import (
    ACK,
    RELEASE,
    Dead,
    DeadReason,
    ErrorRecord,
    Interrupt,
    Retry,
    Snooze,
    Verdict,
    Wait,
)
from moonq.sandbox.state import Fault, Progress, Stopped

Action = Literal[
    "start", "ack", "retry", "snooze", "wait", "dead", "release", "interrupt", "unknown"
]
_UNTRIED = "it needs the answer of a call that is not done in a dry run"


class Event(NamedTuple):
    """What became of a delivery; `lua/run/verdict.lua` lists what there is."""

    what: str
    fault: Fault = Fault("UNKNOWN", "")
    delay: float | None = None
    """What the handler asked for, in seconds."""


def stopped(why: Stopped) -> Event:
    """Return the event that a handler was cut off, for one of the reasons of `Stopped`."""
    if why.reason == "killed":
        return Event("interrupted", Fault("INTERNAL", why.words, None, why.stack))
    if why.reason == "unknown":
        return Event("unknown", Fault("UNKNOWN", _UNTRIED, None, why.stack))
    kind = why.reason.upper() if why.reason in ("timeout", "memory") else "CANCELED"
    return Event(why.reason, Fault(kind, f"stopped ({why.reason})", None, why.stack))


def ended(progress: Progress) -> Event | None:
    """Return how a call with one message ended; None: it is done, or settled itself."""
    if progress.stopped is not None:
        return stopped(progress.stopped)
    for outcome in progress.outcomes:
        if outcome.kind != "settled":
            return Event(outcome.kind, outcome.fault, outcome.delay)
    return None


def asked(action: str, delay: float, reason: str) -> Event:
    """Return the event that a handler settled its message itself; a negative *delay* is none."""
    return Event(action, Fault("UNKNOWN", reason), None if delay < 0 else delay)


#: The message is about to start, and its last lease ended without a verdict.
RETURNED = Event("returned")


class Judgement(NamedTuple):
    """What an event leads to."""

    action: Action
    delay: float = 0.0
    reason: DeadReason | Literal[""] = ""
    """Why it is dead."""
    error: ErrorRecord | None = None
    words: str = ""
    """What the log says of it, if anything."""

    def fault(self, event: Event) -> Fault:
        """Return what went wrong in *event*, in the words of this judgement."""
        if self.error is None:
            return event.fault
        return event.fault._replace(kind=self.error.kind, message=self.error.message)

    def told(self) -> dict[str, Any]:
        """Return as plain data what a dry run tells of it."""
        delay = self.delay if self.action in ("retry", "snooze") else None
        return {"verdict": self.action, "delay": delay, "reason": self.reason}

    @property
    def verdict(self) -> Verdict | None:
        """What is sent to the driver; None: the message may start."""
        return _VERDICTS[self.action](self)


#: The same of a call that had no message.
NOT_JUDGED = {"verdict": "", "delay": None, "reason": "", "words": ""}
ACKED = Judgement("ack")
RELEASED = Judgement("release")
_VERDICTS: Mapping[Action, Callable[[Any], Verdict | None]] = {
    "start": lambda _: None,
    "ack": lambda _: ACK,
    "retry": lambda found: Retry(found.delay, found.error),
    "snooze": lambda found: Snooze(found.delay),
    "wait": lambda found: Wait(found.delay),
    "dead": lambda found: Dead(found.reason, found.error),
    "release": lambda _: RELEASE,
    "interrupt": lambda found: Interrupt(found.error),
}
