"""Counts of what happened, by name and subject, since the host started.

Worker threads count into shared counters; one short lock each keeps the sums right.
"""

from __future__ import annotations

import threading
from collections import Counter
from typing import Protocol

from moonq.model import Delivery, Message, Verdict


class Observer(Protocol):
    """Called about every message by the threads that do the work, so it must never wait."""

    def published(self, queue: str, message: Message) -> None:
        """*message* is stored in *queue*."""
        ...

    def delivered(self, consumer: str, delivery: Delivery) -> None:
        """The handler of *consumer* begins with *delivery*, or is about to."""
        ...

    def settled(self, consumer: str, delivery: Delivery, verdict: Verdict) -> None:
        """*delivery* has ended."""
        ...

    def lost(self, kind: str, queue: str, count: int, detail: str) -> None:
        """The driver dropped or expired *count* messages by itself."""
        ...


class Metrics:
    """Named counters, such as ``acked`` of consumer ``app:orders.consumer``."""

    def __init__(self) -> None:
        self.observer: Observer | None = None
        """Called about every message, beside the counts."""
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str]] = Counter()

    def count(self, name: str, subject: str, number: int = 1) -> None:
        """Add *number* to the counter *name* of *subject*."""
        with self._lock:
            self._counts[name, subject] += number

    def get(self, name: str, subject: str) -> int:
        """Return one counter."""
        with self._lock:
            return self._counts[name, subject]

    def total(self, name: str) -> int:
        """Return the sum of *name* over all subjects."""
        with self._lock:
            return sum(number for (key, _), number in self._counts.items() if key == name)

    def snapshot(self) -> dict[str, dict[str, int]]:
        """Return all counters: name -> subject -> number."""
        with self._lock:
            items = sorted(self._counts.items())
        result: dict[str, dict[str, int]] = {}
        for (name, subject), number in items:
            result.setdefault(name, {})[subject] = number
        return result
