"""The delivery tags of one channel that are open, and the fewest frames that end some of them.

An acknowledgement may stand for all open tags up to its own, which must be open itself: RabbitMQ
closes the channel over one that is not.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from moonq.drivers.amqp.wire.messages import Settle

#: Closed tags behind an open one that are remembered before the list is made anew.
CROWD = 20_000


class Tags:
    """See the module; the lock of its line must be held by the caller."""

    def __init__(self) -> None:
        self._tags: deque[int] = deque()
        """Ascending; those in `_closed` are done."""
        self._closed: set[int] = set()

    def opened(self, tags: Iterable[int]) -> None:
        """Note deliveries, in their order."""
        self._tags.extend(tags)

    def close(self, acks: Iterable[int], nacks: Iterable[int]) -> list[Settle]:
        """Return the frames that end these tags, which are open.

        What is given back is given back in the order in which it came: it keeps that order then.
        """
        waiting, back = set(acks), sorted(nacks)
        self._closed.update(back)
        # First: what an acknowledgement behind them stands for is all that is open by then.
        frames = [Settle(tag, False, False, True) for tag in back]
        if (last := self._front(waiting)) is not None:
            frames.append(Settle(last, multiple=True))
        frames += [Settle(tag) for tag in sorted(waiting)]
        self._closed |= waiting
        if len(self._closed) > CROWD:
            self._tags = deque(tag for tag in self._tags if tag not in self._closed)
            self._closed.clear()
        return frames

    def _front(self, waiting: set[int]) -> int | None:
        """Take off *waiting* all before which nothing is open, and return the last of them."""
        tags, last = self._tags, None
        while tags:
            tag = tags[0]
            if tag in waiting:
                waiting.discard(tag)
                last = tag
            elif tag in self._closed:
                self._closed.discard(tag)
            else:
                break
            tags.popleft()
        return last
