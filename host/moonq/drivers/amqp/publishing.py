"""Brings messages to the broker, and answers for each once the broker has confirmed it.

    submit -> waiting -> sent, at most `WINDOW` unconfirmed -> done
                 ^          |
                 +----------+   the connection is lost: sent again, if anybody still waits for it

All that waits goes out in one send. What a publisher no longer waits for is not sent again: it was
told that the message may have been stored.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Literal

from moonq.drivers.amqp.wire.channel import Channel
from moonq.drivers.amqp.wire.messages import Outgoing, Returned
from moonq.errors import QueueError, Unavailable

#: Messages that are sent and not confirmed.
WINDOW = 2000
Outcome = Literal["stored", "refused", "unroutable"]


class Parcel:
    """One message on its way."""

    __slots__ = ("is_returned", "is_sent", "is_wanted", "on_done", "outgoing")

    def __init__(
        self,
        outgoing: Outgoing,
        on_done: Callable[[Outcome | QueueError], None],
        is_wanted: Callable[[], bool] | None = None,
    ) -> None:
        self.outgoing = outgoing
        self.on_done = on_done
        """Told once what became of it; must not wait."""
        self.is_wanted = is_wanted
        """Whether it is still to be sent; None: it is."""
        self.is_sent = False
        """Whether it may have been stored."""
        self.is_returned = False


class Batch:
    """Messages that one caller waits for."""

    def __init__(self, messages: Sequence[Outgoing]) -> None:
        self.outcomes: list[Outcome | QueueError | None] = [None] * len(messages)
        self._left = len(messages)
        self._gate = threading.Lock()
        self._gate.acquire()
        self._is_open = True
        self.parcels = [
            Parcel(one, self._noting(at), self._wanted) for at, one in enumerate(messages)
        ]

    def wait(self, seconds: float) -> bool:
        """Wait until all are confirmed; False: some are not, and none is sent again."""
        is_done = self._gate.acquire(timeout=seconds)
        self._is_open = False
        return is_done

    def _wanted(self) -> bool:
        return self._is_open

    def _noting(self, at: int) -> Callable[[Outcome | QueueError], None]:
        def note(outcome: Outcome | QueueError) -> None:
            self.outcomes[at] = outcome
            self._left -= 1  # only the I/O thread, or the one that submits, under the lock
            if not self._left:
                self._gate.release()

        return note


class Publisher:
    """See the module."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._channel: Channel | None = None
        self._waiting: deque[Parcel] = deque()
        self._sent: dict[int, Parcel] = {}
        self._lowest = 1
        """No number below it is unconfirmed."""
        self._is_blocked = False

    def connected(self, channel: Channel) -> None:
        """Go on at a new *channel*, with all that the old one left unconfirmed."""
        channel.select_confirms(self._confirmed, self._returned)
        with self._lock:
            self._waiting.extendleft(reversed(self._sent.values()))
            self._sent = {}
            self._lowest = 1
            self._channel = channel
            self._is_blocked = False
            self._pump()

    def lost(self) -> None:
        """Keep what is unconfirmed until there is a new channel."""
        with self._lock:
            self._channel = None

    def block(self, is_blocked: bool) -> None:
        """Send nothing while the broker is short of something."""
        with self._lock:
            self._is_blocked = is_blocked
            self._pump()

    def submit(self, parcels: Iterable[Parcel]) -> None:
        """Have *parcels* stored; never waits."""
        with self._lock:
            self._waiting.extend(parcels)
            self._pump()

    def fail(self, problem: QueueError) -> None:
        """Give up what has not been confirmed."""
        with self._lock:
            parcels = [*self._sent.values(), *self._waiting]
            self._sent.clear()
            self._waiting.clear()
            for parcel in parcels:
                parcel.on_done(problem)

    # With the lock held

    def _pump(self) -> None:
        while self._waiting and self._channel is not None and not self._is_blocked:
            room = WINDOW - len(self._sent) or self._forgotten()
            if room <= 0 or not self._send(self._channel, room):
                return

    def _forgotten(self) -> int:
        """Forget what nobody waits for any more, and return how much that was.

        A queue without a leader confirms nothing: what was sent there must not fill the window.
        """
        late = [
            number for number, one in self._sent.items() if one.is_wanted and not one.is_wanted()
        ]
        for number in late:
            self._sent.pop(number).on_done(_GIVEN_UP)
        return len(late)

    def _send(self, channel: Channel, room: int) -> bool:
        parcels: list[Parcel] = []
        encoded: list[bytes] = []
        while self._waiting and len(parcels) < room:
            parcel = self._waiting.popleft()
            if parcel.is_wanted is not None and not parcel.is_wanted():
                parcel.on_done(_GIVEN_UP)
                continue
            try:
                encoded.append(channel.encode(parcel.outgoing))
            except QueueError as problem:
                parcel.on_done(problem)
                continue
            parcels.append(parcel)
        if not parcels:
            return True
        try:
            first = channel.send(encoded)
        except Unavailable:
            self._channel = None
            self._waiting.extendleft(reversed(parcels))
            return False
        for number, parcel in enumerate(parcels, first):
            parcel.is_sent = True
            parcel.is_returned = False
            self._sent[number] = parcel
        return True

    # On the I/O thread

    def _confirmed(self, number: int, multiple: bool, is_stored: bool) -> None:
        with self._lock:
            numbers = range(self._lowest, number + 1) if multiple else (number,)
            if multiple:
                self._lowest = number + 1
            for one in numbers:
                if (parcel := self._sent.pop(one, None)) is not None:
                    unroutable = parcel.is_returned
                    parcel.on_done(
                        "unroutable" if unroutable else "stored" if is_stored else "refused"
                    )
            if self._waiting:
                self._pump()

    def _returned(self, returned: Returned) -> None:
        """Mark what came back; its confirm follows, and nothing else tells which one it is."""
        with self._lock:
            for parcel in self._sent.values():
                out = parcel.outgoing
                same = (out.key, out.exchange) == (returned.key, returned.exchange)
                if same and not parcel.is_returned and _is_same(out, returned):
                    parcel.is_returned = True
                    return


def _is_same(out: Outgoing, returned: Returned) -> bool:
    ids = out.properties.message_id, returned.properties.message_id
    return ids[0] == ids[1] and out.body == returned.body


_GIVEN_UP = Unavailable("nobody waits for it any more")
