"""The stage on which every driver plays the delivery contract.

`DRIVERS` names them; whatever fits it is tested by every file of this folder, without a change
there. A test asks `scene.promises("delay")` before it relies on an ability: a driver that says
"none" must then refuse the asking, and the test is over.
"""

from __future__ import annotations

import gc
import itertools
import math
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from moonq.clock import Clock, ManualClock
from moonq.drivers.base import Driver, Event, Subscription
from moonq.drivers.memory import MemoryDriver
from moonq.drivers.sqlite import SqliteDriver
from moonq.errors import QueueError, Unsupported
from moonq.model import (
    ACK,
    Dead,
    DeadReason,
    Delivery,
    ErrorRecord,
    Message,
    Priority,
    QueueInfo,
    QueueSpec,
    Receipt,
    Retry,
    Stored,
    Verdict,
)

Factory = Callable[[Clock, Path], Driver]


def _memory(clock: Clock, _folder: Path) -> Driver:
    return MemoryDriver(clock)


def _sqlite(clock: Clock, folder: Path) -> Driver:
    return SqliteDriver(clock, folder / "queues.db", durability="normal", ballast_mb=0)


DRIVERS: dict[str, Factory] = {"memory": _memory, "sqlite": _sqlite}

#: Seconds of real time in which a driver with a broker behind it delivers what is there.
PATIENCE: dict[str, float] = {}


class StrictClock(ManualClock):
    """A manual clock that wakes nobody before his time: a forgotten notify fails a test."""

    def __init__(self) -> None:
        super().__init__()
        self._sleepers: list[tuple[float, threading.Condition]] = []

    def wait(self, condition: threading.Condition, timeout: float | None) -> bool:
        deadline = math.inf if timeout is None else self._now + timeout
        with self._lock:
            self._sleepers.append((deadline, condition))
        # Only now: an `advance` before it was registered would not have woken this one.
        if deadline > self._now:
            condition.wait(30)
        return deadline > self._now

    def advance(self, seconds: float) -> None:
        self._now += seconds
        with self._lock:
            due = [condition for deadline, condition in self._sleepers if deadline <= self._now]
            self._sleepers = [sleeper for sleeper in self._sleepers if sleeper[0] > self._now]
        for condition in due:
            with condition:
                condition.notify_all()


BOOM = ErrorRecord(1.0, "INTERNAL", "boom", "stack traceback: boom")


def retry(delay: float = 1.0) -> Retry:
    return Retry(delay, BOOM)


def dead(reason: DeadReason = "rejected") -> Dead:
    return Dead(reason, BOOM)


def ids(things: list[Delivery] | list[Stored]) -> list[str]:
    return [thing.message.id for thing in things]


class Consumer:
    """One subscription and what a worker would do with it."""

    def __init__(self, subscription: Subscription, patience: float) -> None:
        self.subscription = subscription
        self._patience = patience

    def take(self, limit: int = 10) -> list[Delivery]:
        """Whatever is there, up to *limit*, without waiting for more."""
        taken: list[Delivery] = []
        while len(taken) < limit:
            more = self.subscription.take(limit - len(taken), self._patience)
            if not more:
                break
            taken += more
        return taken

    def run(self, limit: int = 10) -> list[Delivery]:
        """Take and start."""
        return [delivery for delivery in self.take(limit) if self.subscription.start(delivery)]

    def finish(self, verdict: Verdict = ACK, limit: int = 10) -> list[str]:
        """Take, start and settle, one after the other; the ids in that order."""
        finished: list[str] = []
        while len(finished) < limit and (running := self.run(1)):
            assert self.subscription.settle(running[0], verdict)
            finished += ids(running)
        return finished

    def settle(self, delivery: Delivery, verdict: Verdict = ACK) -> bool:
        return self.subscription.settle(delivery, verdict)

    def crash(self) -> None:
        """Vanish without a word, as a killed process does."""
        del self.subscription
        gc.collect()


def a_worker(
    consumer: Consumer, report: Callable[[list[Delivery]], object], timeout: float | None
) -> threading.Thread:
    """A thread that takes one delivery, waiting for it, and reports what it got."""

    def work() -> None:
        report(consumer.subscription.take(1, timeout))

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(0.02)  # so that it most likely waits when the test goes on
    return thread


class Scene:
    """A driver, a clock and one queue `q` with its dead letters in `q.dead`."""

    def __init__(self, make: Factory, folder: Path, patience: float = 0.0) -> None:
        self.clock = StrictClock()
        self.events: list[Event] = []
        self.driver = make(self.clock, folder)
        self.driver.open(self.events.append)
        self.patience = patience
        self.spec = QueueSpec("q", dead_letter="q.dead")
        self.driver.declare(self.spec)
        self._names = (f"message-{number}" for number in itertools.count(1))

    def declare(self, name: str = "q", **fields: Any) -> QueueSpec:
        """Declare `q` (or another) with some fields as the test wants them."""
        fields.setdefault("dead_letter", f"{name}.dead")
        spec = QueueSpec(name, **fields)
        self.driver.declare(spec)
        return spec

    def message(self, name: str | None = None, **fields: Any) -> Message:
        name = name or next(self._names)
        return Message(name, fields.pop("body", name.encode()), self.clock.now(), **fields)

    def offer(self, name: str | None = None, queue: str = "q", **fields: Any) -> Any:
        """Publish one message without patience; a receipt or the refusal."""
        (answer,) = self.driver.publish(queue, [self.message(name, **fields)], 0.0)
        return answer

    def publish(self, *names: str, queue: str = "q", **fields: Any) -> list[Receipt]:
        """Publish one message of each name; all are accepted."""
        answers = self.driver.publish(queue, [self.message(n, **fields) for n in names], 5.0)
        assert not [answer for answer in answers if isinstance(answer, QueueError)]
        return [answer for answer in answers if isinstance(answer, Receipt)]

    def consumer(self, prefetch: int = 10, queue: str = "q") -> Consumer:
        return Consumer(self.driver.subscribe(queue, prefetch), self.patience)

    def later(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.advance(seconds)

    def info(self, queue: str = "q") -> QueueInfo:
        return self.driver.info(queue)

    def find(self, name: str, queue: str = "q") -> Stored:
        found = self.driver.find(queue, name)
        assert found is not None, f"{name} is not in {queue}"
        return found

    def letter(self, name: str) -> Stored:
        """A dead letter of `q`."""
        return self.find(name, "q.dead")

    def counts(self, queue: str = "q") -> dict[str, int | None]:
        """Those states in which there is something."""
        fields = self.info(queue)._asdict()
        states = ("ready", "delayed", "leased", "running", "dead")
        return {state: fields[state] for state in states if fields[state]}

    def told(self, kind: str) -> int:
        """How many of *kind* the driver reported."""
        return sum(event.count for event in self.events if event.kind == kind)

    def promises(self, ability: str) -> bool:
        """Whether the driver can do *ability*; where it cannot, that it refuses."""
        if getattr(self.driver.capabilities(), ability) != "none":
            return True
        with pytest.raises(Unsupported):
            ASKING[ability](self)
        return False


def _publish(**fields: Any) -> Callable[[Scene], None]:
    def ask(scene: Scene) -> None:
        answer = scene.offer(**fields)
        if isinstance(answer, QueueError):
            raise answer

    return ask


#: How one asks for an ability; a driver without it answers `Unsupported`.
ASKING: dict[str, Callable[[Scene], Any]] = {
    "durable": lambda scene: scene.declare("other", options={"durable": True}),
    "delay": _publish(delay=1.0),
    "ttl": _publish(ttl=1.0),
    "priority": _publish(priority=Priority.HIGH),
    "dedup": _publish(dedup_key="key"),
    "group": _publish(group="group"),
    "max_length": lambda scene: scene.declare("other", max_length=3),
    "drop_oldest": lambda scene: scene.declare("other", max_length=3, overflow="drop_oldest"),
    "peek": lambda scene: scene.driver.peek("q", 1),
    "purge": lambda scene: scene.driver.purge("q"),
    "redrive": lambda scene: scene.driver.redrive("q.dead", ""),
    "pause": lambda scene: scene.driver.pause("q"),
}


@pytest.fixture(params=sorted(DRIVERS))
def driver_name(request: pytest.FixtureRequest) -> str:
    name = request.param
    assert isinstance(name, str)
    return name


@pytest.fixture
def make_scene(driver_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Makes fresh scenes of one driver."""
    scenes: list[Scene] = []

    def make() -> Scene:
        folder = tmp_path_factory.mktemp(driver_name)
        scenes.append(Scene(DRIVERS[driver_name], folder, PATIENCE.get(driver_name, 0.0)))
        return scenes[-1]

    yield make
    for scene in scenes:
        scene.driver.close()


@pytest.fixture
def scene(make_scene: Callable[[], Scene]) -> Scene:
    return make_scene()
