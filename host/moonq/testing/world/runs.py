"""What happened while consumers ran under a test, delivery by delivery."""

from __future__ import annotations

from typing import Any

from moonq.model import Ack, Dead, Interrupt, Release, Retry, Snooze, Verdict, Wait
from moonq.run.calling.sinks import Publication
from moonq.testing.results import LogLine
from moonq.testing.world.services import SinkUnderTest


class Run:
    """The record of one `drain` or `step`; lists of message ids, one for each delivery."""

    def __init__(self, sink: SinkUnderTest) -> None:
        self.acked: list[str] = []
        self.nacked: list[str] = []
        self.dead: list[str] = []
        self.snoozed: list[str] = []
        self.interrupted: list[str] = []
        self.waits: dict[str, list[float]] = {}
        self.results: dict[str, dict[str, str]] = {}
        """For each message the `values` that its handler returned last, or their `problem`."""
        self.deliveries = 0
        self._sink = sink
        self._first_log, self._first_published = len(sink.logs), len(sink.published)
        self.left: list[str] = []
        """The queues that may not be empty, where it was ended because there was no end to it."""

    def settled(self, message: str, verdict: Verdict) -> None:
        """Note how a delivery ended; one that only stopped its handler is none."""
        if isinstance(verdict, Ack):
            self.acked.append(message)
        elif isinstance(verdict, Dead):
            self.dead.append(message)
            self._last_verdict(verdict).append(message)
        elif not isinstance(verdict, Release | Wait):
            kinds = {Retry: self.nacked, Snooze: self.snoozed, Interrupt: self.interrupted}
            kinds[type(verdict)].append(message)

    def _last_verdict(self, verdict: Dead) -> list[str]:
        """What the last delivery of a dead message would have been with another one to come."""
        # One that was interrupted too often has no last delivery: it ends before its next start.
        ends = {"snooze_limit": self.snoozed, "interrupted": []}
        return ends.get(verdict.reason, self.nacked)

    def told(self) -> dict[str, Any]:
        """Return all of it as plain data."""
        return {
            "acked": self.acked,
            "nacked": self.nacked,
            "dead": self.dead,
            "snoozed": self.snoozed,
            "interrupted": self.interrupted,
            "published": [_published(one) for one in self._sink.published[self._first_published :]],
            "waits": self.waits,
            "results": self.results,
            "deliveries": self.deliveries,
            "left": self.left,
            "logs": [log_object(line) for line in self._sink.logs[self._first_log :]],
        }


def _published(one: Publication) -> dict[str, Any]:
    """Return a publication as tests see it."""
    text = one.body.decode("utf-8", "replace")
    return {"queue": one.queue, "id": one.id, "text": text, "headers": dict(one.headers)}


def log_object(line: LogLine) -> dict[str, Any]:
    """Return a line as tests see it."""
    return {
        "level": line.level,
        "message": line.message,
        "fields": dict(line.fields),
        "entry": line.entry,
    }
