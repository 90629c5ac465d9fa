"""What becomes of messages that were published by hand, as the host tells it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from moonq.control.client import Client


class Outcomes:
    """Follows messages until each is acknowledged or dead; listens from before their publish."""

    def __init__(self, host: Client, ids: Sequence[str]) -> None:
        self.found: list[dict[str, Any]] = []
        self.missing: set[str] = set()
        self._began = time.monotonic()
        self._events = host.subscribe("tail", targets=list(ids), events=["ack", "dead"])

    def __enter__(self) -> Outcomes:
        return self

    def __exit__(self, *_: object) -> None:
        self._events.close()

    def follow(self, ids: Sequence[str], deadline: float) -> None:
        """Wait for all of *ids*, which were really published, until *deadline*."""
        self.missing = set(ids)
        while self.missing and not self._events.ended:
            left = deadline - time.monotonic()
            if left <= 0:
                return
            event = self._events.next(left)
            if event is not None and event.get("id") in self.missing:
                self.missing.discard(event["id"])
                took = (time.monotonic() - self._began) * 1000
                self.found.append({**event, "took_ms": round(took, 3)})
