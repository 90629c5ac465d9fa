"""The stage on which a driver plays the delivery contract: a clock, a queue, consumers.

A case asks `scene.promises("delay")` before it relies on an ability: a driver that says "none"
must then refuse the asking, and the case is over.
"""

from __future__ import annotations

import gc
import itertools
import math
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from moonq.clock import Clock, ManualClock
from moonq.conformance.fast import FastClock, SuiteClock
from moonq.drivers.base import Driver, Event, Subscription, mover
from moonq.drivers.pace import VIRTUAL, Pace
from moonq.errors import QueueError, Unsupported
from moonq.model import (
    ACK,
    DEFAULT_TIMEOUT,
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

#: Makes the driver under test on a clock that the suite advances.
Factory = Callable[[Clock], Driver]


class StrictClock(ManualClock):
    """A manual clock that wakes no thread before its time: a forgotten notify fails a test."""

    def __init__(self) -> None:
        super().__init__()
        self._sleepers: list[tuple[float, threading.Condition]] = []

    def wait(self, condition: threading.Condition, timeout: float | None) -> bool:
        """Wait until notified, or until `advance` has reached the deadline."""
        deadline = math.inf if timeout is None else self._now + timeout
        with self._lock:
            self._sleepers.append((deadline, condition))
        # Only now: an `advance` before it was registered would not have woken this one.
        if deadline > self._now:
            condition.wait(30)
        return deadline > self._now

    def advance(self, seconds: float) -> None:
        """Move time forward and wake those whose time has come."""
        self._now += seconds
        with self._lock:
            due = [condition for deadline, condition in self._sleepers if deadline <= self._now]
            self._sleepers = [sleeper for sleeper in self._sleepers if sleeper[0] > self._now]
        for condition in due:
            with condition:
                condition.notify_all()


BOOM = ErrorRecord(1.0, "INTERNAL", "boom", "stack traceback: boom")


def retry(delay: float = 1.0) -> Retry:
    """A failure that is tried again after *delay*."""
    return Retry(delay, BOOM)


def dead(reason: DeadReason = "rejected") -> Dead:
    """A failure for good."""
    return Dead(reason, BOOM)


@contextmanager
def refused(kind: type[Exception], match: str = "") -> Iterator[None]:
    """What happens inside must be refused with an error of *kind* that says *match*."""
    try:
        yield
    except kind as error:
        if match not in str(error):
            raise AssertionError(f"{match!r} is not in {str(error)!r}") from error
    else:
        raise AssertionError(f"it was not refused ({kind.__name__})")


class Vague(int):
    """A number that a driver does not promise: whatever a case expects of it is granted."""

    __hash__ = int.__hash__

    def _grant(self, _other: object) -> bool:
        return True

    __eq__ = __le__ = __ge__ = __lt__ = __gt__ = _grant

    def __ne__(self, _other: object) -> bool:
        return False

    def __add__(self, _other: object) -> Vague:
        return self

    __radd__ = __add__


VAGUE = Vague()


class VagueCounts(dict[str, Any]):
    """Counts by state that a driver does not promise."""

    __hash__ = None

    def __eq__(self, _other: object) -> bool:
        return True

    def __ne__(self, _other: object) -> bool:
        return False


class Taken(list[Delivery]):
    """Deliveries in the order in which they came; *in_order*: whether that is promised."""

    in_order = True


class Names(list[str]):
    """Names of messages from a driver without `order`: only those of one group have an order."""

    __hash__ = None

    def __init__(self, things: Sequence[Delivery]) -> None:
        super().__init__(thing.message.id for thing in things)
        self._groups = {thing.message.id: thing.message.group for thing in things}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, list) or sorted(self) != sorted(other):
            return False
        return all(self._line(group, self) == self._line(group, other) for group in self._known())

    def __ne__(self, other: object) -> bool:
        return not self == other

    def _known(self) -> set[str]:
        return {group for group in self._groups.values() if group is not None}

    def _line(self, group: str, names: list[str]) -> list[str]:
        return [name for name in names if self._groups[name] == group]


def ids(things: Sequence[Delivery] | Sequence[Stored]) -> list[str]:
    """The messages' names."""
    if isinstance(things, Taken) and not things.in_order:
        return Names(things)
    return [thing.message.id for thing in things]


class Consumer:
    """One subscription and what a worker would do with it."""

    def __init__(
        self, subscription: Subscription, patience: float, *, in_order: bool = True
    ) -> None:
        self.subscription = subscription
        self._patience = patience
        self._in_order = in_order

    def _taken(self, deliveries: Iterable[Delivery] = ()) -> Taken:
        taken = Taken(deliveries)
        taken.in_order = self._in_order
        return taken

    def take(self, limit: int = 10) -> Taken:
        """Whatever is there, up to *limit*, without waiting for more."""
        taken = self._taken()
        while len(taken) < limit:
            more = self.subscription.take(limit - len(taken), self._patience)
            if not more:
                break
            taken += more
        return taken

    def run(self, limit: int = 10) -> Taken:
        """Take and start."""
        return self._taken(one for one in self.take(limit) if self.subscription.start(one))

    def finish(self, verdict: Verdict = ACK, limit: int = 10) -> list[str]:
        """Take, start and settle, one after the other; the ids in that order.

        What was taken and may not start, for it is too late or was handed back, is skipped.
        """
        finished = self._taken()
        while len(finished) < limit and (taken := self.take(1)):
            if self.subscription.start(taken[0]):
                assert self.subscription.settle(taken[0], verdict)
                finished += taken
        return ids(finished)

    def settle(self, delivery: Delivery, verdict: Verdict = ACK) -> bool:
        """End *delivery*."""
        return self.subscription.settle(delivery, verdict)

    def crash(self) -> None:
        """Vanish without a word, as a killed process does."""
        del self.subscription
        gc.collect()


class Errand(threading.Thread):
    """Something done in its own thread, which most likely waits when the case goes on."""

    def __init__(self, work: Callable[[], list[Any]]) -> None:
        super().__init__(daemon=True)
        self._work = work
        self.found: list[Any] = []
        self.start()
        self.join(0.02)

    def run(self) -> None:
        """Do it."""
        self.found = self._work()

    def end(self, meanwhile: Callable[[], object] = lambda: None) -> list[Any]:
        """What it found, at last; *meanwhile* happens again and again."""
        for _ in range(200):
            self.join(0.05)
            if not self.is_alive():
                return self.found
            meanwhile()
        raise AssertionError("it still waits")


class Worker(Errand):
    """Takes one delivery, waiting for it."""

    def __init__(self, consumer: Consumer, timeout: float | None) -> None:
        super().__init__(lambda: consumer.subscription.take(1, timeout))

    def took(self, meanwhile: Callable[[], object] = lambda: None) -> list[str]:
        """The ids of what it got."""
        return ids(self.end(meanwhile))


class Scene:
    """A driver, a clock and one queue `q` with its dead letters in `q.dead`."""

    def __init__(self, make: Factory, pace: Pace = VIRTUAL) -> None:
        self.pace = pace
        self.clock: SuiteClock = StrictClock() if pace.is_virtual else FastClock()
        self.events: list[Event] = []
        self._make = make
        self.driver = make(self.clock)
        self.driver.open(self.events.append)
        self.patience = pace.patience
        self.spec = QueueSpec("q", dead_letter="q.dead")
        self._now_declared = self.spec
        """What a restart declares: as the case has it, so that nothing acts by a default."""
        self.driver.declare(self.spec)
        self._names = (f"message-{number}" for number in itertools.count(1))

    def restart(self) -> None:
        """End the driver and begin with a new one, as a new process does on what is stored."""
        self.driver.close()
        self.driver = self._make(self.clock)
        self.driver.open(self.events.append)
        self.driver.declare(self._now_declared)

    def declare(self, name: str = "q", **fields: Any) -> QueueSpec:
        """Declare `q` (or another) with some fields as the test wants them."""
        fields.setdefault("dead_letter", f"{name}.dead")
        spec = QueueSpec(name, **fields)
        if name == self.spec.name:
            self._now_declared = spec
        self.driver.declare(spec)
        return spec

    def message(self, name: str | None = None, **fields: Any) -> Message:
        """A message that is named in its body, too."""
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

    def consumer(self, prefetch: int = 10, queue: str = "q", **terms: Any) -> Consumer:
        """A consumer of *queue*; *terms* are those of `subscribe`.

        Its handlers have a time limit, as they have where nobody writes one.
        """
        terms.setdefault("timeout", DEFAULT_TIMEOUT)
        subscription = self.driver.subscribe(queue, prefetch, **terms)
        return Consumer(subscription, self.patience, in_order=self.is_exact("order"))

    def serving(self, *names: str, prefetch: int = 10, **fields: Any) -> Consumer:
        """A consumer of `q`, to which one message of each name was published."""
        self.publish(*names, **fields)
        return self.consumer(prefetch)

    def publisher(self, name: str, *, body: bytes = b"", **limits: bool) -> Errand:
        """Publishes one message into `q`, in a thread that may wait."""
        message = self.message(name, body=body or name.encode())
        return Errand(lambda: self.driver.publish("q", [message], 5.0, **limits))

    def taken(self, name: str, **fields: Any) -> tuple[Consumer, Delivery]:
        """A message that was published and is in a consumer's hands."""
        consumer = self.serving(name, **fields)
        (delivery,) = consumer.take()
        return consumer, delivery

    def running(self, name: str, **fields: Any) -> tuple[Consumer, Delivery]:
        """A message whose handler has begun."""
        consumer, delivery = self.taken(name, **fields)
        assert consumer.subscription.start(delivery)
        return consumer, delivery

    def kill(self, *names: str, queue: str = "q") -> None:
        """Publish messages, and let all of *queue* become dead letters at once."""
        self.publish(*names, queue=queue)
        self.consumer(queue=queue).finish(dead())

    def reopen(self, name: str = "") -> None:
        """Close the driver and open it again."""
        self.driver.close()
        self.driver.open(self.events.append, name=name)

    @contextmanager
    def neighbour(self, name: str) -> Iterator[Driver]:
        """Another host's driver at the same store, on which `q` is declared as here."""
        driver = self._make(self.clock)
        driver.open(self.events.append, name=name)
        try:
            driver.declare(self._now_declared)
            yield driver
        finally:
            driver.close()

    def later(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.advance(seconds)

    def almost(self, seconds: float) -> None:
        """Let time pass until the last moment before *seconds* are over; a `moment` is left."""
        self.clock.advance(seconds - self.pace.grain)

    def moment(self) -> None:
        """Let the shortest time pass that the driver tells apart."""
        self.clock.advance(self.pace.grain)

    def near(self, value: float | None, wanted: float) -> bool:
        """Whether *value*, in seconds, is *wanted* as nearly as the pace allows."""
        if isinstance(value, Vague):
            return True
        return value is not None and abs(value - wanted) <= self.pace.tolerance

    def info(self, queue: str = "q") -> QueueInfo:
        """What the driver counts; numbers that it does not promise agree with everything."""
        info = self.driver.info(queue)
        if self.is_exact("exact_info"):
            return info
        names = set(QueueInfo._fields) - {"paused", "exact"}
        vague: dict[str, Any] = dict.fromkeys(names, VAGUE)
        return info._replace(**vague)

    def peek(self, queue: str = "q", limit: int = 100, **asked: Any) -> list[Stored]:
        """The first page of a queue."""
        return self.driver.peek(queue, limit, **asked).items

    def shown(self, queue: str = "q") -> object:
        """All that the driver shows of a queue and that time does not change, to be compared."""
        shown = self.peek(queue) if self.keeps("peek") else []
        info = self.info(queue)._replace(oldest_age=None)
        return info, [one._replace(due=None, expires=None) for one in shown]

    def pages(self, limit: int, **asked: Any) -> Iterator[list[str]]:
        """The ids on each page of `q`; things may happen between two of them."""
        page = self.driver.peek("q", limit, **asked)
        while page.next:
            yield ids(page.items)
            page = self.driver.peek("q", limit, page.next, **asked)
        yield ids(page.items)

    def find(self, name: str, queue: str = "q") -> Stored:
        """A message wherever it is in the queue; it must be there.

        A driver that finds none by its id is looked at by consuming: then it must be ready.
        """
        find = self.driver.find if self.keeps("find") else self._consumed
        found = find(queue, name)
        assert found is not None, f"{name} is not in {queue}"
        return found

    def _consumed(self, queue: str, name: str) -> Stored | None:
        """Take what is ready, show the one called *name*, and hand all back."""
        consumer = self.consumer(1000, queue)
        taken = consumer.take(1000)
        consumer.subscription.stop()
        consumer.subscription.close(self.clock.monotonic() + 10)
        shown = (Stored(one.message, "ready", *one[2:4]) for one in taken)
        return next((one for one in shown if one.message.id == name), None)

    def letter(self, name: str) -> Stored:
        """A dead letter of `q`."""
        return self.find(name, "q.dead")

    def reason(self, name: str) -> object:
        """Why it is a dead letter."""
        return self.letter(name).message.headers["x_dead_letter_reason"]

    def counts(self, queue: str = "q") -> dict[str, int | None]:
        """Those states in which there is something."""
        if not self.is_exact("exact_info"):
            return VagueCounts()
        fields = self.info(queue)._asdict()
        states = ("ready", "delayed", "leased", "running", "dead")
        return {state: fields[state] for state in states if fields[state]}

    def is_exact(self, ability: str) -> bool:
        """Whether the driver has *ability* without a limit."""
        return getattr(self.driver.capabilities(), ability) in {"native", "emulated"}

    def keeps(self, ability: str) -> bool:
        """Whether the driver can do *ability* without a limit; where not at all, it refuses."""
        return self.promises(ability) and self.is_exact(ability)

    def told(self, kind: str) -> int:
        """How many of *kind* the driver reported."""
        return sum(event.count for event in self.events if event.kind == kind)

    def promises(self, ability: str) -> bool:
        """Whether the driver can do *ability*; where it cannot, that it refuses."""
        if getattr(self.driver.capabilities(), ability) != "none":
            return True
        if ability in ASKING:
            with refused(Unsupported):
                ASKING[ability](self)
        return False


def _publish(**fields: Any) -> Callable[[Scene], None]:
    def ask(scene: Scene) -> None:
        answer = scene.offer(**fields)
        if isinstance(answer, QueueError):
            raise answer

    return ask


#: How one asks for an ability; a driver without it answers `Unsupported`. What is not here is not
#: asked for: it is kept, or not.
ASKING: dict[str, Callable[[Scene], Any]] = {
    "durable": lambda scene: scene.declare("other", options={"durable": True}),
    "delay": _publish(delay=1.0),
    "ttl": _publish(ttl=1.0),
    "priority": _publish(priority=Priority.HIGH),
    "dedup": _publish(dedup_key="key"),
    "group": _publish(group="group"),
    "group_skip": lambda scene: scene.declare("other", group_on_failure="skip"),
    "max_length": lambda scene: scene.declare("other", max_length=3),
    "max_bytes": lambda scene: scene.declare("other", max_bytes=10_000),
    "drop_oldest": lambda scene: scene.declare("other", max_length=3, overflow="drop_oldest"),
    "peek": lambda scene: scene.driver.peek("q", 1),
    "find": lambda scene: scene.driver.find("q", "a"),
    "select": lambda scene: scene.driver.purge("q", ["a"]),
    "purge": lambda scene: scene.driver.purge("q"),
    "redrive": lambda scene: scene.driver.redrive("q.dead", ""),
    "move": lambda scene: mover(scene.driver).adopt("q", []),
    "pause": lambda scene: scene.driver.pause("q"),
}
