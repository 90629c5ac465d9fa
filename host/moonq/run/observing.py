"""Who looks on while messages go by: nobody, as a rule, and then it costs one comparison."""

from __future__ import annotations

from typing import Protocol

from moonq.model import Delivery, Message, Verdict


class Observer(Protocol):
    """Is told of every message by the threads that do the work, so it must never wait."""

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
