"""The driver that keeps messages at Amazon SQS.

    publish -------------------------------> SendMessageBatch
    pollers -> loans -> desks -> workers -> verdicts -> the queue's clerk -> copies, deletes

Every message travels with its story, see `envelope`; what SQS leases for whole seconds, the clerk
of each queue prolongs. What SQS cannot do is refused, see `entry.LIMITS`.
"""

from __future__ import annotations

import math
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from moonq.clock import Clock, pause
from moonq.drivers import refusals
from moonq.drivers.base import LEASE, Capabilities, Event
from moonq.drivers.sqs import looking
from moonq.drivers.sqs.ages import Ages
from moonq.drivers.sqs.bounds import DEDUP_WINDOW, MOST_TIMEOUT, PURGE_PAUSE
from moonq.drivers.sqs.declaring import TAG, Declarer, is_fifo
from moonq.drivers.sqs.entry import ELSEWHERE, FIFO, LIMITS, STANDARD, problem_of
from moonq.drivers.sqs.names import at_sqs
from moonq.drivers.sqs.publishing import Answer, Publisher, order
from moonq.drivers.sqs.queue import SqsDesk, SqsQueue
from moonq.drivers.sqs.service import Service, Settings, batches
from moonq.drivers.sqs.station import Station
from moonq.drivers.sqs.steps import entry
from moonq.drivers.sqs.subscription import SqsSubscription
from moonq.drivers.story import Story, left_of
from moonq.errors import (
    Conflict,
    QueueError,
    QueueNotFound,
    Refused,
    Unavailable,
    Unsupported,
)
from moonq.model import Message, MessageState, Page, QueueInfo, QueueSpec, Stored

#: Real seconds that a close may take when nobody names a deadline, and takes at least.
MOST, LEAST = 15.0, 2.0
#: How long messages that come from elsewhere wait for a service that is away, in seconds.
ADOPTION = 30.0


class SqsDriver:
    """See `moonq.drivers.base.Driver`."""

    kind = "queue.driver.sqs"

    def __init__(
        self,
        clock: Clock,
        settings: Settings,
        *,
        prefix: str = "",
        create: bool = True,
        fifo: bool = False,
    ) -> None:
        self._clock = clock
        self._prefix = prefix
        self._fifo = fifo
        self._on_event: Callable[[Event], None] = lambda event: None
        self._service = Service(settings, self._told)
        self._declarer = Declarer(self._service, prefix, create=create)
        self._counter = looking.Counter(self._service)
        self._ages = Ages(self._service)
        self._queues: dict[str, SqsQueue] = {}
        self._stations: dict[str, Station] = {}
        self._purged: dict[str, float] = {}
        self._opening = threading.Condition()
        self._declaring = threading.RLock()
        self._is_open = False

    def capabilities(self) -> Capabilities:
        """What this driver can do with a queue that says nothing about its type."""
        return Capabilities.but(FIFO if self._fifo else STANDARD)

    def capabilities_of(self, queue: str) -> Capabilities:
        """What this driver can do with a queue of its type."""
        return Capabilities.but(FIFO if self._queue(queue).fifo else STANDARD)

    @property
    def calls(self) -> Mapping[str, int]:
        """How often each operation of SQS was called, which is what costs money."""
        return dict(self._service.calls)

    def peers(self) -> None:
        """Return nothing: SQS does not know who receives."""

    # Life

    def open(self, on_event: Callable[[Event], None], *, name: str = "") -> None:
        """Ask SQS who we are, and make or find the queues that were declared.

        Raises:
            Unavailable: It does not answer.
            Refused: It does not take our credentials.
        """
        self._on_event = on_event
        self._declarer.greet()
        for queue in [*self._queues.values()]:
            if not queue.url:
                self._resolve(queue)
        for station in self._stations.values():
            station.on_event = on_event
            station.open()
        with self._opening:
            self._is_open = True
            self._opening.notify_all()

    def close(self, deadline: float | None = None) -> bool:
        """Stop to deliver and to accept; store what was accepted until *deadline*."""
        with self._opening:
            if not self._is_open:
                return True
            self._is_open = False
        left = MOST
        if deadline is not None:
            left = max(LEAST, (deadline - self._clock.monotonic()) / self._clock.rate)
        ends = time.monotonic() + left
        stations = [*self._stations.values()]
        for station in stations:
            station.stop()
        done = [one.close(max(0.1, ends - time.monotonic())) for one in stations]
        return all(done)

    def health(self) -> Sequence[str]:
        """Return what hinders it: the service, letters that were not stored, old messages."""
        found = [self._service.problem.message] if self._service.problem else []
        for station in self._stations.values():
            clerk = station.clerk
            found += [clerk.unburied, clerk.problem, station.problem, station.queue.note]
        found += self._ages.told(self._queues.values())
        return [*dict.fromkeys(filter(None, found))]

    def _told(self, kind: str, detail: str) -> None:
        self._on_event(Event(kind, None, detail=detail))  # type: ignore[arg-type]

    # Queues

    def declare(self, spec: QueueSpec) -> None:
        """Make the queue exist as *spec* says; a known one keeps its messages.

        Raises:
            Unsupported: The spec asks for what SQS cannot do; names the key.
            Conflict: Another queue has its name at SQS, or it is of the other type.
            QueueNotFound: It is not there, and is not to be made.
            Unavailable: The driver is closed, or SQS away; the queue is made once it is not.
        """
        fifo = is_fifo(spec, fifo=self._fifo)
        _check(spec, fifo=fifo)
        with self._declaring:
            dead = None
            if spec.dead_letter is not None:
                dead = self._known(QueueSpec(spec.dead_letter), fifo=fifo)
                dead.keeps_letters = True
            queue = self._known(spec, fifo=fifo)
            queue.spec, queue.dead = spec, dead
        if not self._is_open:
            raise Unavailable(
                f"queue {spec.name!r}: its SQS driver is not running",
                hint="start the driver first",
            )
        for one in filter(None, (dead, queue)):
            self._resolve(one)

    def _known(self, spec: QueueSpec, *, fifo: bool) -> SqsQueue:
        queue = self._queues.get(spec.name)
        if queue is not None:
            if queue.fifo != fifo and spec.options:
                raise Conflict(
                    f"queue {spec.name!r}: `fifo` cannot be changed while it is declared",
                    hint="give it another `queue_name`, and drain the old one",
                )
            return queue
        name = at_sqs(self._prefix, spec.name, fifo=fifo)
        for other in self._queues.values():
            if other.name == name:
                raise Conflict(
                    f"queues {other.spec.name!r} and {spec.name!r} would both be {name!r} at SQS",
                    hint="give one of them another `queue_name`",
                )
        queue = SqsQueue(spec, name, fifo=fifo)
        station = Station(
            queue, self._service, self._clock, self._name_of, self._flush, self._resolve
        )
        station.on_event = self._on_event
        self._stations[spec.name] = station
        self._queues[spec.name] = queue
        return queue

    def _resolve(self, queue: SqsQueue) -> None:
        """Find or make *queue* at SQS."""
        with self._declaring:
            if not queue.url:
                self._declarer.resolve(queue)

    def _name_of(self, at_sqs: str) -> str:
        """Return our name of the queue with this name at SQS."""
        known = (one.spec.name for one in self._queues.values() if one.name == at_sqs)
        return next(known, at_sqs)

    def _queue(self, name: str) -> SqsQueue:
        return refusals.declared(self._queues, name, "SQS")

    def _open_queue(self, name: str) -> SqsQueue:
        queue = self._queue(name)
        if not self._is_open:
            raise self._closed()
        self._resolve(queue)
        return queue

    def _closed(self) -> Unavailable:
        problem = self._service.problem
        said = f"the SQS driver is not running{f': {problem.message}' if problem else ''}"
        if isinstance(problem, Refused):
            return Refused(said, hint=problem.hint)
        return Unavailable(said, hint="start the driver, or wait until SQS is back")

    # Publishing and taking

    def publish(
        self, queue: str, messages: Sequence[Message], timeout: float, *, may_wait: bool = True
    ) -> list[Answer]:
        """Store *messages* and answer for each when SQS has taken it."""
        return self._store(queue, messages, (), (), timeout)

    def adopt(
        self, queue: str, stored: Sequence[Stored], source: str = "", *, keys: Sequence[str] = ()
    ) -> list[Answer]:
        """Store messages that lay elsewhere, with all that happened to them.

        Raises:
            Unsupported: They are to leave another queue in the same step.
        """
        refusals.check_no_step(source, "SQS")
        now = self._clock.now()
        messages = [left_of(one, now) for one in stored]
        stories = [Story.of(one) for one in stored]
        return self._store(queue, messages, stories, keys, ADOPTION)

    def _store(
        self,
        queue: str,
        messages: Sequence[Message],
        stories: Sequence[Story],
        keys: Sequence[str],
        timeout: float,
    ) -> list[Answer]:
        target = self._queue(queue)
        deadline = self._clock.monotonic() + timeout
        if not self._await_open(deadline):
            return [self._closed() for _ in messages]

        def left() -> float:
            return (deadline - self._clock.monotonic()) / self._clock.rate

        publisher = Publisher(target, self._service, self._clock.rate, left, self._resolve)
        return publisher.publish(messages, stories, keys)

    def _await_open(self, deadline: float) -> bool:
        left = deadline - self._clock.monotonic()
        return self._is_open or not pause(self._clock, self._opening, left, lambda: self._is_open)

    def subscribe(
        self,
        queue: str,
        prefetch: int,
        *,
        lease: float = LEASE,
        timeout: float | None = None,
        name: str = "",
    ) -> SqsSubscription:
        """Begin to take from *queue*."""
        source = self._open_queue(queue)
        if (timeout is None and name) or (timeout or 0) > MOST_TIMEOUT:
            raise Unsupported(
                f"consumer {name!r}: SQS lends a message for 12 hours at most, so its `timeout` "
                f"must be at most 11 h, not {'none' if timeout is None else f'{timeout:g} s'}",
                hint="write `timeout: 11h` or less, or use a queue.driver.redis or sqlite",
            )
        station = self._stations[queue]
        desk = SqsDesk(source, prefetch, lease, station.clerk.end)
        with source.lock:
            source.desks.append(desk)
        station.clerk.ring()
        return SqsSubscription(desk, station, self._clock)

    def _flush(self) -> None:
        """Wait until what was settled so far is stored, whatever its queue."""
        for station in [*self._stations.values()]:
            station.flush(LEAST)

    # Operations on what lies there

    def info(self, queue: str) -> QueueInfo:
        """Count the messages of *queue*, as SQS said at most 15 s ago."""
        return self._counter.info(self._open_queue(queue))

    def peek(
        self, queue: str, limit: int, cursor: str = "", state: MessageState | None = None
    ) -> Page:
        """Show dead letters; there is one page only.

        Raises:
            Unsupported: It is a queue of messages that wait to run.
        """
        source = self._letters_of(queue)
        if limit <= 0 or cursor:
            return Page([])
        with self._looking_at(source) as letters:
            found = [letter for part in letters.received(limit) for letter in part]
        return Page(looking.shown(found, state)[:limit])

    def find(self, queue: str, message_id: str) -> Stored | None:
        """Show one dead letter.

        Raises:
            Unsupported: It is a queue of messages that wait to run.
        """
        source = self._letters_of(queue)
        with self._looking_at(source) as letters:
            for part in letters.received():
                for letter in part:
                    if letter.is_among([message_id]):
                        return letter.stored()
        return None

    def _letters_of(self, name: str) -> SqsQueue:
        queue = self._open_queue(name)
        if not queue.keeps_letters:
            raise Unsupported(
                f"queue {name!r}: SQS cannot show a message without delivering it",
                hint=f"look at {queue.dead.spec.name}, whose letters nothing runs"
                if queue.dead
                else "let a consumer take it",
            )
        return queue

    def _looking_at(self, queue: SqsQueue) -> looking.Letters:
        self._flush()
        return looking.Letters(queue, self._service, self._name_of, self._clock.now())

    def purge(self, queue: str, ids: Sequence[str | int] | None = None) -> int:
        """Drop what waits (of dead letters perhaps those of *ids*); the count is approximate.

        Raises:
            Unsupported: Messages are named that wait to run.
            Unavailable: It was purged less than a minute ago.
        """
        if ids is not None:
            return self._purge_some(self._letters_of(queue), ids)
        source = self._open_queue(queue)
        self._flush()
        counts = self._counter.count(source, anew=True)
        there = counts.ready + counts.delayed
        left = self._purged.get(queue, -math.inf) + PURGE_PAUSE - time.monotonic()
        if left > 0 and not there:
            return 0
        if left > 0:
            raise Unavailable(
                f"queue {queue!r} was purged a moment ago, and SQS does it once a minute",
                hint=f"purge again in {left:.0f} s",
            )
        self._service.purge(source.url)
        self._purged[queue] = time.monotonic()
        self._counter.count(source, anew=True)
        return there

    def _purge_some(self, queue: SqsQueue, ids: Sequence[str | int]) -> int:
        gone = 0
        with self._looking_at(queue) as letters:
            for part in letters.received():
                gone += letters.delete([letter for letter in part if letter.is_among(ids)])
        return gone

    def redrive(self, source: str, target: str, ids: Sequence[str | int] | None = None) -> int:
        """Publish dead letters anew, each confirmed before it is deleted.

        SQS could move them itself, but not reset what they have counted.

        Raises:
            QueueNotFound: Nothing could be moved, for want of a queue to move it to.
        """
        queue = self._open_queue(source)
        moved = 0
        problems: list[QueueError] = []
        with self._looking_at(queue) as letters:
            parts = letters.received(1_000_000)
            for part in looking.in_order(parts) if queue.fifo else parts:
                wanted = [one for one in part if one.is_dead and (ids is None or one.is_among(ids))]
                for home in {target or _home(letter) for letter in wanted}:
                    those = [one for one in wanted if (target or _home(one)) == home]
                    try:
                        sent = self._send_home(home, those)
                    except QueueError as problem:
                        problems.append(problem)
                        continue
                    moved += letters.delete(sent)
        if problems and not moved:
            raise problems[0]
        return moved

    def _send_home(self, home: str, letters: Sequence[looking.Letter]) -> list[looking.Letter]:
        """Send *letters* to the queue called *home*, and return those that it has."""
        queue = self._open_queue(home)
        first, rate, now = order(), self._clock.rate, self._service.now()
        made = [
            entry(queue, looking.next_life(letter, first + number), rate, uuid.uuid4().hex, now)
            for number, letter in enumerate(letters)
        ]
        sent: list[looking.Letter] = []
        problems: list[QueueError] = []
        for numbers in batches(made, queue.most_bytes):
            answers = self._service.send(queue.url, [made[number] for number in numbers])
            for number, answer in zip(numbers, answers, strict=True):
                if answer is None:
                    sent.append(letters[number])
                else:
                    problems.append(answer)
        if problems and not sent:
            raise problems[0]
        return sent

    def pause(self, queue: str) -> None:
        """Deliver nothing from *queue* in this host; what has not started is handed back."""
        source = self._queue(queue)
        with source.lock:
            source.paused = True
            for desk in source.desks:
                desk.recall()

    def resume(self, queue: str) -> None:
        """Deliver again."""
        source = self._queue(queue)
        with source.lock:
            source.paused = False
            self._stations[queue].stir()

    def erase(self) -> None:
        """Delete the queues of this prefix that moonq has made."""
        for url in self._service.urls(self._prefix):
            if url.rpartition("/")[2].startswith(self._prefix):
                try:
                    if TAG in self._service.tags(url):
                        self._service.remove(url)
                except QueueNotFound:
                    pass
        for queue in self._queues.values():
            queue.url = ""
            queue.loans.clear()


def _home(letter: looking.Letter) -> str:
    from moonq.drivers.letters import X_ORIGINAL_QUEUE

    return str(letter.parcel.message.headers[X_ORIGINAL_QUEUE])


def _check(spec: QueueSpec, *, fifo: bool) -> None:
    """Refuse what no queue of this type can do."""
    refusals.check_options(spec, {"durable", "fifo"})
    refusals.check_no_bytes(spec, LIMITS["max_bytes"].reason)
    wrong = partial(refusals.option, spec.name)
    if not spec.options.get("durable", True):
        raise wrong("durable", "is always true at SQS", hint="use a queue.driver.memory")
    for option in ("max_length", "overflow", "ttl", "group_on_failure"):
        problem = problem_of(option, getattr(spec, option))
        if problem:
            raise wrong(option, problem, hint=ELSEWHERE)
    if spec.dedup_window != DEDUP_WINDOW:
        said = "FIFO queues know a key for 5 minutes always" if fifo else LIMITS["dedup"].reason
        raise wrong("dedup_window", f"cannot be kept: {said}", hint=ELSEWHERE)
