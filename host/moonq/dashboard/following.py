"""The newest log lines and failures of a host, for the pages that show them.

    following = Following(reach)
    following.start()
    following.lines[-1]                 # an event of `moonq tail --event log`
    following.failures[-1]              # one of `--event nack`

It has a connection of its own, so that no page waits for it, and goes on with the next host.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from moonq.errors import MoonqError

if TYPE_CHECKING:
    from moonq.control.client import Client, Subscription
    from moonq.control.together import Tails, Together

#: How many of each are kept.
MOST = 1000
#: Seconds before a host that has gone is looked for.
AGAIN = 1.0
EVENTS = ("nack", "log")
Event = Mapping[str, Any]


class Following:
    """See the module."""

    def __init__(
        self, reach: Callable[[], Client | Together], now: Callable[[], float] = time.time
    ) -> None:
        self.since = now()
        """Seconds since the epoch; nothing older is known."""
        self.lines: deque[Event] = deque(maxlen=MOST)
        self.failures: deque[Event] = deque(maxlen=MOST)
        self.is_listening = False
        """Whether what happens from now on will be known."""
        self._reach = reach
        self._client: Client | Together | None = None
        self._ended = threading.Event()

    def start(self) -> None:
        """Begin."""
        threading.Thread(target=self._run, name="moonq-top-events", daemon=True).start()

    def stop(self) -> None:
        """End."""
        self._ended.set()
        if self._client is not None:
            self._client.close()

    def take(self, event: Event) -> None:
        """Keep an event."""
        (self.lines if event["event"] == "log" else self.failures).append(event)

    def _run(self) -> None:
        while not self._ended.is_set():
            # It has gone, or is an older one; the first page says when it is silent.
            with contextlib.suppress(MoonqError):
                self._listen()
            self._ended.wait(AGAIN)

    def _listen(self) -> None:
        self._client = client = self._reach()
        with client:
            events = _events(client)
            self.is_listening = True
            while not self._ended.is_set() and not events.ended:
                event = events.next(AGAIN)
                if event is not None:
                    self.take(event)
            self.is_listening = False


def _events(client: Client | Together) -> Subscription | Tails:
    from moonq.control.together import Together

    if isinstance(client, Together):
        return client.tail(events=list(EVENTS))
    return client.subscribe("tail", events=list(EVENTS))
