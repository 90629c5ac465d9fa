"""One process's standing at the broker: its connections, and whether they serve.

Whoever waits for the broker waits here.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from moonq.clock import Clock
from moonq.drivers.amqp.links import Links
from moonq.drivers.amqp.wire.channel import Channel
from moonq.errors import QueueError, Refused, Unavailable


class Session:
    """See the module."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.links: Links | None = None
        self.changed = threading.Condition()
        """Guards what follows, and tells of it."""
        self.is_open = False
        """Whether the driver is."""
        self.is_connected = False
        """Whether the broker takes messages of ours, but for `blocked`."""
        self.problem: QueueError | None = None
        self.blocked: str | None = None
        """Why the broker takes no messages for now, in its own words."""

    def open(self) -> None:
        """Let in whoever waits; the links must be connected."""
        with self.changed:
            self.is_open = True
        self.set_connected(None)

    def end(self) -> bool:
        """Turn away whoever waits; False: it is ended already."""
        with self.changed:
            was_open, self.is_open = self.is_open, False
            self.changed.notify_all()
        return was_open

    def set_connected(self, problem: QueueError | None) -> None:
        """Note how the connections are, and why they are not."""
        with self.changed:
            self.is_connected = self.links is not None and self.links.is_open
            self.problem = problem
            self.changed.notify_all()

    def lose(self, problem: QueueError) -> bool:
        """Note that a connection is gone; returns whether that is news."""
        was_connected, self.is_connected = self.is_connected, False
        with self.changed:
            self.problem = problem
        return was_connected and self.is_open

    def block(self, reason: str | None) -> None:
        """Note that the broker takes no messages, or takes them again."""
        self.blocked = reason
        # Only a thread that is not the connection's may wait for the lock of those who wait.
        with self.changed:
            self.changed.notify_all()

    def rest(self, seconds: float) -> None:
        """Wait so many real seconds, or until it is ended."""
        deadline = time.monotonic() + seconds
        with self.changed:
            while self.is_open and (left := deadline - time.monotonic()) > 0:
                self.changed.wait(left)

    @property
    def version(self) -> tuple[int, ...]:
        """The broker's version; it must be connected."""
        assert self.links is not None
        assert self.links.consuming is not None
        return self.links.consuming.version

    def serves(self) -> bool:
        """Whether a message may be sent now."""
        return self.is_connected and self.blocked is None and self.is_open

    def await_broker(self, deadline: float) -> bool:
        """Wait until the broker takes messages, by the given clock; False: it does not."""
        if self.serves():
            return True
        with self.changed:
            while not self.serves():
                left = deadline - self._clock.monotonic()
                if left <= 0:
                    return False
                self._clock.wait(self.changed, left)
        return True

    def channel(self, on_closed: Callable[[QueueError], None]) -> Channel:
        """Open a channel of the connection that consumes.

        Raises:
            Unavailable: The broker is away.
        """
        link = self.links.consuming if self.links is not None else None
        if link is None or not link.is_open:
            raise self.away()
        return link.channel(on_closed=on_closed)

    @contextmanager
    def asking(self) -> Iterator[Channel]:
        """Open a channel for some questions: one that was refused cannot be used again.

        Raises:
            Unavailable: The broker is away.
        """
        channel = self.channel(lambda problem: None)
        try:
            yield channel
        finally:
            channel.close(2.0)

    def away(self) -> QueueError:
        """Return why the broker takes nothing."""
        if self.blocked is not None:
            return Unavailable(
                f"RabbitMQ takes no messages: {self.blocked}",
                hint="have its consumers catch up, or give it memory and disk",
            )
        problem = self.problem
        if isinstance(problem, Refused):
            return problem
        where = self.links.where if self.links is not None else "the broker"
        return Unavailable(
            problem.message if problem is not None else f"the connection to {where} is closed",
            hint=(problem.hint if problem is not None else "") or "publish again when it is back",
        )
