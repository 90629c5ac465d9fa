"""Waits until published messages are done or dead, whichever host handles them.

Hosts on this machine tell it at once. What one elsewhere has handled is gone from its queue, or a
dead letter: there it is looked for now and then, where the driver finds messages by their ids.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from moonq.errors import MoonqError, NotFound

if TYPE_CHECKING:
    from moonq.control.reaching import Reached
    from moonq.control.together import Tails

#: Seconds between two looks for messages that nobody here has handled, and how many at a time.
LOOK = 1.0
MOST = 100


class Ends:
    """How messages of one queue end."""

    def __init__(self, host: Reached, queue: str, events: Tails) -> None:
        self._host = host
        self._queue = queue
        self._events = events
        self._gone: set[str] = set()
        """Those that were not in their queue at the last look; their event may be on its way."""
        self._can_find = True

    def follow(self, missing: set[str], seconds: float) -> list[dict[str, Any]]:
        """Return the ends that come within *seconds*, and take them out of *missing*."""
        began = time.monotonic()
        found: list[dict[str, Any]] = []
        look = began + LOOK
        while missing and not self._events.ended:
            now = time.monotonic()
            if now >= began + seconds:
                break
            event = self._events.next(min(look, began + seconds) - now)
            ends = [event] if event is not None else []
            if time.monotonic() >= look:
                ends += self._ended_elsewhere(sorted(missing)[:MOST])
                look = time.monotonic() + LOOK
            for end in ends:
                if end.get("id") in missing:
                    missing.discard(end["id"])
                    took = round((time.monotonic() - began) * 1000, 3)
                    found.append({**end, "took_ms": took})
        return found

    def _ended_elsewhere(self, ids: list[str]) -> list[dict[str, Any]]:
        """Those of *ids* that were gone at the last look too, so that no host here has had them."""
        if not self._can_find:
            return []
        try:
            gone = {one for one in ids if not self._lies_there(one)}
            ended = [self._end(one) for one in sorted(gone & self._gone)]
        except MoonqError:
            self._can_find = False  # the driver does not find messages, or the host has gone
            return []
        self._gone = gone
        return ended

    def _lies_there(self, message: str) -> bool:
        return self._asked("find", message) is not None

    def _end(self, message: str) -> dict[str, Any]:
        letter = self._asked("dead_letter", message)
        end = {"id": message, "queue": self._queue, "time": time.time(), "event": "ack"}
        if letter is None:
            return end
        end |= {"event": "dead", "attempt": letter["attempt"]}
        end["reason"] = letter["headers"].get("x_dead_letter_reason", "")
        for one in letter.get("errors", [])[-1:]:
            end["error"] = {key: one[key] for key in ("kind", "message", "where")}
        return end

    def _asked(self, kind: str, message: str) -> dict[str, Any] | None:
        """What the host says of *message*; None: it is not there."""
        try:
            found: dict[str, Any] = self._host.request(kind, queue=self._queue, message=message)
        except NotFound:
            return None
        return found
