"""What one client has subscribed to: `tail`, every message's life, or `stats`, the numbers.

{"kind":"subscribe","id":3,"topic":"tail","targets":["app:orders"],"events":["dead"]}
{"kind":"subscribe","id":4,"topic":"tail","where":"body.total > 5","body":true}
{"kind":"subscribe","id":4,"topic":"tail","targets":["orders"],"known":true}
{"kind":"subscribe","id":5,"topic":"stats","interval":1}
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

from moonq import threads
from moonq.control import EVENTS
from moonq.control.backlog import Backlog
from moonq.control.feed import ROOM, Event, Feed
from moonq.control.outbox import Outbox
from moonq.errors import Invalid, MoonqError
from moonq.operations.documents import body_object
from moonq.sandbox.literals import Condition

#: Seconds between two answers of `stats`, at least.
SHORTEST = 0.2


class Tail:
    """Events that fit the client's filters."""

    def __init__(
        self,
        number: int,
        feed: Feed,
        outbox: Outbox,
        hidden: Callable[[], list[str]],
        *,
        targets: list[str],
        events: list[str],
        where: str = "",
        body: bool = False,
    ) -> None:
        self._number = number
        self._feed = feed
        self._outbox = outbox
        self._hidden = hidden
        self._targets = frozenset(targets)
        self._events = frozenset(events)
        self._condition = Condition(where) if where else None
        self._wants_body = body
        self._backlog: Backlog[tuple[Event, bytes | None]] = Backlog(ROOM)

    def start(self) -> None:
        """Send from now on."""
        threads.start(threading.Thread(target=self._run, name="moonq-tail", daemon=True))
        self._feed.add(self._hear, wants_log="log" in self._events)

    def close(self) -> None:
        """Send nothing more."""
        self._feed.remove(self._hear)
        self._backlog.close(forget=True)

    def _hear(self, event: Event, body: bytes | None) -> None:
        """Keep an event that fits what can be told at once."""
        if event["event"] in self._events and (not self._targets or self._concerns(event)):
            self._backlog.put((event, body))

    def _concerns(self, event: Event) -> bool:
        names = ("queue", "function", "consumer", "id", "logger")
        return any(event.get(name) in self._targets for name in names)

    def _run(self) -> None:
        told = refused = 0
        while (taken := self._backlog.take()) is not None:
            shown = self._shown(*taken)
            if shown is None:
                continue
            missed = self._backlog.dropped + refused
            frame = {"kind": "event", "id": self._number, "event": shown, "dropped": missed - told}
            if self._outbox.offer(frame):
                told = missed
            else:
                refused += 1
        if self._condition is not None:
            self._condition.close()

    def _shown(self, event: Event, body: bytes | None) -> Event | None:
        """Return *event* as it is sent, or None when it does not fit."""
        if self._condition is None and not self._wants_body:
            return event
        plain = body_object(body, full=True) if body is not None else {}
        if self._condition is not None and not self._condition.holds({**event, **plain}):
            return None
        if not self._wants_body or body is None:
            return event
        return {**event, "size": len(body), **body_object(body, hidden=self._hidden())}


class Stats:
    """The numbers of the host, again and again."""

    def __init__(
        self, number: int, outbox: Outbox, look: Callable[[], dict[str, Any]], interval: float
    ) -> None:
        self._number = number
        self._outbox = outbox
        self._look = look
        self._interval = max(SHORTEST, interval)
        self._stop = threading.Event()

    def start(self) -> None:
        """Send from now on, at once for the first time."""
        threads.start(threading.Thread(target=self._run, name="moonq-stats", daemon=True))

    def close(self) -> None:
        """Send nothing more."""
        self._stop.set()

    def _run(self) -> None:
        while True:
            try:
                event = self._look()
            except MoonqError as problem:
                event = {"problem": problem.message}
            self._outbox.offer({"kind": "event", "id": self._number, "event": event})
            if self._stop.wait(self._interval):
                return


Subscribed = Tail | Stats


def checked_tail(
    fields: dict[str, Any], resolve: Callable[[str], str], find: Callable[[str], str]
) -> dict[str, Any]:
    """Return the filters of a tail, whose targets become full names where they are known.

    Programs follow messages that are not published yet; with `known` all targets must be there,
    and *find* is asked instead of *resolve*.

    Raises:
        Invalid: A filter is not known, or not what it should be.
        NotFound: A target is not there.
    """
    unknown = fields.keys() - {"targets", "queues", "events", "where", "body", "known"}
    if unknown:
        raise Invalid(f"tail: unknown field {min(unknown)!r}")
    targets = _texts(fields, "targets") + _texts(fields, "queues")
    events = _texts(fields, "events") or list(EVENTS)
    for event in events:
        if event not in EVENTS:
            raise Invalid(f"tail: unknown event {event!r}; there are {', '.join(EVENTS)}")
    where = fields.get("where") or ""
    if not isinstance(where, str):
        raise Invalid("tail: `where` is a Lua expression, as text")
    return {
        "targets": list(map(find if fields.get("known") is True else resolve, targets)),
        "events": events,
        "where": where,
        "body": fields.get("body") is True,
    }


def _texts(fields: dict[str, Any], name: str) -> list[str]:
    value = fields.get(name) or []
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise Invalid(f"tail: `{name}` is a list of texts, got {json.dumps(value)[:60]}")
    return value
