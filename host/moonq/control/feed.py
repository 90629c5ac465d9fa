"""What happens in a host, for its subscribers: publishes, deliveries, verdicts, log lines.

Without subscribers the host has no observer and no log handler of ours. Worker threads only put
events into bounded queues; each subscription has a thread that filters and sends them, so a slow
client or a slow filter costs events, which are counted, and never a message.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from moonq import log
from moonq.host import Host
from moonq.model import (
    Ack,
    Dead,
    Delivery,
    ErrorRecord,
    Interrupt,
    Message,
    Release,
    Retry,
    Snooze,
    Verdict,
    Wait,
)
from moonq.operations.documents import where

#: Events that one subscription has not sent yet.
ROOM = 2000
#: How a delivery ended that is neither done nor dead.
_NACKS: dict[type, str] = {
    Retry: "retry",
    Interrupt: "interrupted",
    Snooze: "snooze",
    Wait: "wait",
    Release: "release",
}

Event = dict[str, Any]


#: Takes an event with the body of its message, or leaves it, and returns at once.
Listener = Callable[[Event, bytes | None], None]


class Feed:
    """All subscriptions to one host; the host's observer while there is any."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._lock = threading.Lock()
        self._listeners: dict[Listener, bool] = {}
        """Each with whether it wants log lines; replaced as a whole, for other threads read it."""
        self._log_handler: _LogHandler | None = None

    def add(self, listener: Listener, *, wants_log: bool) -> None:
        """Call *listener* with everything from now on."""
        with self._lock:
            self._listeners = {**self._listeners, listener: wants_log}
            self._adjust()

    def remove(self, listener: Listener) -> None:
        """Call *listener* no more."""
        with self._lock:
            self._listeners = {
                one: wants for one, wants in self._listeners.items() if one != listener
            }
            self._adjust()

    def _adjust(self) -> None:
        """Observe only while there are listeners."""
        self._host.metrics.observer = self if self._listeners else None
        wants_log = any(self._listeners.values())
        if wants_log and self._log_handler is None:
            self._log_handler = _LogHandler(self._tell)
            logging.getLogger().addHandler(self._log_handler)
        elif not wants_log and self._log_handler is not None:
            logging.getLogger().removeHandler(self._log_handler)
            self._log_handler = None

    # What the host tells: `moonq.metrics.Observer`

    def published(self, queue: str, message: Message) -> None:
        """A message is stored."""
        event: Event = {"event": "publish", "queue": queue, "id": message.id}
        if message.delay:
            event["delay"] = message.delay
        self._tell(event, message.body)

    def delivered(self, consumer: str, delivery: Delivery) -> None:
        """A handler begins."""
        self._tell(self._about("deliver", consumer, delivery), delivery.message.body)

    def settled(self, consumer: str, delivery: Delivery, verdict: Verdict) -> None:
        """A delivery has ended."""
        kind = "ack" if type(verdict) is Ack else "dead" if type(verdict) is Dead else "nack"
        event = self._about(kind, consumer, delivery)
        if isinstance(verdict, Retry | Snooze | Wait):
            event["delay"] = round(verdict.delay, 3)
        if isinstance(verdict, Dead):
            event["reason"] = verdict.reason
        if isinstance(verdict, Retry | Interrupt | Dead):
            event |= _error(verdict.error)
        if kind == "nack":
            event["verdict"] = _NACKS[type(verdict)]
        self._tell(event, delivery.message.body)

    def lost(self, kind: str, queue: str, count: int, detail: str) -> None:
        """The driver let messages go by itself."""
        self._tell({"event": "dead", "queue": queue, "reason": kind, "count": count}, None)

    def _about(self, kind: str, consumer: str, delivery: Delivery) -> Event:
        serving = self._host.consumers.get(consumer)
        return {
            "event": kind,
            "queue": serving.route.id if serving else "",
            "id": delivery.message.id,
            "consumer": consumer,
            "function": serving.settings.function if serving else "",
            "attempt": delivery.attempt,
        }

    def _tell(self, event: Event, body: bytes | None) -> None:
        event["time"] = self._host.clock.now()
        for listener in self._listeners:
            listener(event, body)


def _error(record: ErrorRecord | None) -> Event:
    if record is None:
        return {}
    return {"error": {"kind": record.kind, "message": record.message, "where": where(record)}}


class _LogHandler(logging.Handler):
    """Hands log lines to the feed, except those about the feed's own readers."""

    def __init__(self, tell: Callable[[Event, bytes | None], None]) -> None:
        super().__init__()
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        """Tell of one line."""
        try:
            self._tell(log_event(record), None)
        except Exception:  # noqa: BLE001 - whatever a record holds, logging must not fail
            return


def log_event(record: logging.LogRecord) -> Event:
    """Return a log line as an event."""
    event: Event = {
        "event": "log",
        "level": log.level_name(record.levelno),
        "logger": record.name,
        "message": record.getMessage()[:8192],
    }
    for name, key in (("message_id", "id"), ("attempt", "attempt"), ("entry", "function")):
        value = getattr(record, name, None)
        if value is not None:
            event[key] = value
    fields = getattr(record, "fields", None)
    if isinstance(fields, dict) and fields:
        event["fields"] = fields
    return event
