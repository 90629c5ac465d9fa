"""What other threads ask of the sender: they put it down here, and some wait for it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from moonq.drivers.buffered import Abandon, BufferedDesk, Ending, Held
from moonq.drivers.inbox import Inbox, Work
from moonq.drivers.redis.calls import Publish
from moonq.drivers.redis.times import StoreTime
from moonq.errors import QueueError, Unavailable, Uncertain
from moonq.model import ACK, Delivery

#: Real seconds that an answer may take.
PATIENCE = 10.0
#: Real seconds for which storing is waited for, whatever the publisher's patience.
LEAST = 2.0


class Front:
    """See the module."""

    def __init__(self, where: str, store_time: StoreTime) -> None:
        self.problem: QueueError | None = None
        """Why there is no connection."""
        self._refusal: QueueError | None = None
        """Why the server did not do what was asked of it the last time."""
        self._where = where
        self._time = store_time
        self._inbox = Inbox()
        self.begin = self._inbox.begin
        self.ring = self._inbox.ring
        self._thread: threading.Thread | None = None

    def health(self) -> list[str]:
        """Return what hinders the sending now, a sentence each."""
        found = [one.message for one in (self.problem, self._refusal) if one is not None]
        if late := len(self._inbox.late):
            found.append(f"{self._where}: {late} verdicts could not be sent yet")
        return found

    def end(self, held: Held, ending: Ending) -> None:
        """End a delivery with the next call; never waits."""
        held.ended = self._time.now() if held.ended is None else held.ended
        self._inbox.end(held, ending)

    def acknowledge(self, desk: BufferedDesk, deliveries: Sequence[Delivery]) -> list[bool]:
        """End *deliveries* as done; False for one that was settled before."""
        taken = desk.take_out(deliveries)
        self._inbox.end_all([(held, ACK) for held in taken if held is not None])
        return [held is not None for held in taken]

    def ask(self, desk: BufferedDesk) -> None:
        """Look at what desks want; never waits."""
        self.ring()

    def leave(self, desk: BufferedDesk, when: float) -> None:
        """End everything at a desk that was left at *when*."""
        if desk.leave(Abandon(), when):
            self.ring()

    def orphan(self, desk: BufferedDesk) -> None:
        """Note a desk whose subscription was dropped; must take no lock."""
        self._inbox.orphans.append((desk, self._time.now()))

    def publish(self, work: Publish, seconds: float) -> list[Any]:
        """Store messages and return what became of each.

        Raises:
            Unavailable: They were not stored, and will not be.
            Uncertain: They may have been stored.
            QueueError: They were refused.
        """
        self._inbox.put(work, self._inbox.publishes)
        patience = seconds if self.problem else max(seconds, LEAST)
        if not work.wait(patience):
            work.error = self._late(work, patience)
        if work.error is not None:
            raise work.error
        result: list[Any] = work.result
        return result

    def _late(self, work: Work, seconds: float) -> QueueError:
        if work.abandon():
            return self.problem or Unavailable(f"{self._where} does not answer")
        return Uncertain(
            f"{self._where} has not answered for {seconds:.0f} s: it may have been stored",
            hint="publish again with the same id and a dedup_key",
        )

    def flush(self, seconds: float = PATIENCE) -> bool:
        """Wait until everything asked for so far is in the store; False: it is not yet."""
        if self._thread is None:
            return False
        if threading.current_thread() is self._thread:
            return True  # a listener to our events asks
        work = Work(None)
        self._inbox.put(work, self._inbox.tasks)
        return work.wait(seconds) and work.error is None
