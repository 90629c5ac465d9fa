"""Publishers and consumers that go on whatever happens, and the books about their messages.

A consumer writes down what it has seen before it settles: the other way round a fault in between
would look like a loss. An id is confirmed when its receipt is there; one whose answer was lost may
have been stored, and is not asked about.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from tests.servers.process import until

from moonq.drivers.base import Driver, Event
from moonq.errors import MoonqError, QueueError, Unavailable
from moonq.model import ACK, Message, QueueSpec, Receipt

#: How long one publish waits for a store that is away.
PATIENCE = 30.0
QUEUE = "load"


class Load:
    """Some threads that publish to a queue and some that work it off, each kind at a driver."""

    def __init__(
        self,
        make: Callable[[], Driver],
        *,
        publishers: int = 2,
        consumers: int = 2,
        batch: int = 10,
        pause: float = 0.002,
        spec: QueueSpec | None = None,
    ) -> None:
        self.spec = spec or QueueSpec(QUEUE, dead_letter=f"{QUEUE}.dead")
        self.events: list[Event] = []
        self.confirmed: set[str] = set()
        self.refused: list[QueueError] = []
        self.problems: list[BaseException] = []
        self.seen: Counter[str] = Counter()
        self.last_seen = time.monotonic()
        self._batch = batch
        self._pause = pause
        self._lock = threading.Lock()
        self._publishing = threading.Event()
        self._publishing.set()
        self._over = threading.Event()
        self._resting = threading.Event()
        self.front, self.back = make(), make()
        self._threads = [
            threading.Thread(target=self._guarded, args=(run, number), name=name, daemon=True)
            for name, run, count in (
                ("publisher", self._publish, publishers),
                ("consumer", self._consume, consumers),
            )
            for number in range(count)
        ]
        self._subscription: Any = None

    def __enter__(self) -> Load:
        for driver in (self.front, self.back):
            driver.open(self.events.append)
            driver.declare(self.spec)
        self._subscription = self.back.subscribe(self.spec.name, 64)
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._publishing.clear()
        self._over.set()
        for thread in self._threads:
            thread.join(PATIENCE)
        for driver in (self.front, self.back):
            with contextlib.suppress(MoonqError):
                driver.close(time.monotonic() + 2)

    def goes_on(self, seconds: float) -> float:
        """Wait until something more is seen, and return how long that took."""
        before, begun = sum(self.seen.values()), time.monotonic()
        until(lambda: sum(self.seen.values()) > before, "consumption goes on", seconds)
        return time.monotonic() - begun

    def rest(self) -> None:
        """Have the publishers wait until `go_on`, and everything be worked off."""
        self._resting.set()
        # A publish may be under way still: what counts is that nothing happens for a moment.
        until(lambda: self._is_done() and time.monotonic() > self.last_seen + 0.1, "all is done")

    def go_on(self) -> None:
        """Have the publishers go on."""
        self._resting.clear()

    def finish(self, seconds: float = 40.0) -> None:
        """Publish no more, and wait until everything is worked off."""
        self._publishing.clear()
        for thread in self._threads:
            if thread.name == "publisher":
                thread.join(PATIENCE)
        until(self._is_done, "everything is worked off", seconds)

    def account(self, *, twice: bool = False) -> None:
        """Check the books: nothing is lost, and (without *twice*) nothing ran two times."""
        assert not self.problems, self.problems
        lost = self.confirmed - self.seen.keys()
        assert not lost, f"{len(lost)} of {len(self.confirmed)} confirmed are lost"
        again = [name for name, times in self.seen.items() if times > 1]
        assert twice or not again, f"{len(again)} of {len(self.seen)} ran twice"

    def _is_done(self) -> bool:
        try:
            return self.front.info(self.spec.name).message_count == 0
        except Unavailable:
            return False

    def _guarded(self, run: Callable[[int], None], number: int) -> None:
        try:
            run(number)
        except BaseException as problem:  # noqa: BLE001 - it is the test that should fail
            self.problems.append(problem)

    def _publish(self, number: int) -> None:
        for batch in self._batches(number):
            answers = self.front.publish(self.spec.name, batch, PATIENCE)
            with self._lock:
                for answer in answers:
                    if isinstance(answer, Receipt):
                        self.confirmed.add(answer.id)
                    else:
                        self.refused.append(answer)
            self._over.wait(self._pause)

    def _batches(self, publisher: int) -> Iterator[list[Message]]:
        count = 0
        while self._publishing.is_set():
            if self._resting.is_set():
                self._over.wait(0.01)
                continue
            names = [f"{publisher}-{count + each}" for each in range(self._batch)]
            count += self._batch
            yield [Message(name, name.encode(), time.time()) for name in names]

    def _consume(self, _number: int) -> None:
        while not self._over.is_set():
            for delivery in self._subscription.take(16, 0.2):
                if not self._subscription.start(delivery):
                    continue
                with self._lock:
                    self.seen[delivery.message.id] += 1
                    self.last_seen = time.monotonic()
                self._subscription.settle(delivery, ACK)
