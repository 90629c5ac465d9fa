"""Keys that were published a moment ago."""

from __future__ import annotations

from collections import OrderedDict


class Dedup:
    """The keys published within the window, and under which id.

    A key is forgotten when its window is over, never because its message is done; only a purge
    takes the key of a message with it, so that what it dropped can be published again.
    """

    def __init__(self) -> None:
        self._ids: OrderedDict[str, tuple[str, float]] = OrderedDict()

    def known(self, key: str, now: float) -> str | None:
        """The id published under *key* lately."""
        while self._ids and next(iter(self._ids.values()))[1] <= now:
            self._ids.popitem(last=False)
        message_id, end = self._ids.get(key, (None, 0.0))
        return message_id if end > now else None

    def forget(self, key: str, message_id: str) -> None:
        """Let *key* be used again: the message that has it was taken away by hand."""
        if self._ids.get(key, ("", 0.0))[0] == message_id:
            del self._ids[key]

    def remember(self, key: str, message_id: str, end: float) -> None:
        """Answer publishes of *key* before *end* with *message_id*."""
        self._ids[key] = (message_id, end)
        self._ids.move_to_end(key)
