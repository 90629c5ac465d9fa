"""Brings verdicts to the broker: its one thread collects them and ends deliveries in few frames.

    ack      -> acknowledged
    release  -> given back; a copy that says more than is true now is published anew instead
    retry, snooze, wait, interrupt, dead -> a copy is published; confirmed -> acknowledged

Of a message with a group, which must keep its place, no copy is made but of a dead letter: what
puts it off is noted, and it waits here.

A copy comes first and the end of its source afterwards: what fails in between is there twice, and
nothing is lost.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import NamedTuple

from moonq import threads
from moonq.clock import Clock
from moonq.drivers.amqp import ladder
from moonq.drivers.amqp.envelope import pack, renewed
from moonq.drivers.amqp.line import AmqpDesk, Held, Line
from moonq.drivers.amqp.partition import Partition
from moonq.drivers.amqp.publishing import Outcome, Parcel, Publisher
from moonq.drivers.amqp.wire.messages import Outgoing
from moonq.drivers.base import Event
from moonq.drivers.buffered import Abandon, Expire
from moonq.drivers.letters import dead_letter
from moonq.drivers.story import Story
from moonq.errors import QueueError
from moonq.model import (
    RELEASE,
    Ack,
    Dead,
    DeadReason,
    Interrupt,
    Release,
    Retry,
    Snooze,
    Verdict,
    Wait,
)

#: The most endings that go out at once.
MANY = 1000
#: Seconds after which a message is back whose dead letter could not be stored.
LATER = 30.0
#: Real seconds between two looks at what could not be done, and at what lies too long.
TICK = 1.0


class Copied(NamedTuple):
    """A copy of the delivery is stored: its source can go."""


class Noted(NamedTuple):
    """What the delivery has been through is noted: it waits in its place."""

    story: Story
    due: float | None


class Failed(NamedTuple):
    """The copy that *ending* leads to was not stored."""

    ending: Verdict | Expire | Abandon
    why: str


Ending = Verdict | Expire | Abandon | Copied | Noted | Failed
COPIED = Copied()


class Settler:
    """See the module."""

    def __init__(self, clock: Clock, publisher: Publisher) -> None:
        self._clock = clock
        self._publisher = publisher
        self._zero = clock.now() - clock.monotonic()
        self.on_event: Callable[[Event], None] = lambda event: None
        self.name_of: Callable[[str], str] = str
        """Gives our name for one of the broker's."""
        self.queue_of: Callable[[str], str] = str
        """Gives the broker's name for one of ours."""
        self.repair: Callable[[Line, QueueError | None], None] = lambda line, problem: None
        """Has a line that lost its channel consume again."""
        self.oldest: Callable[[], Iterable[Held]] = lambda: ()
        """Gives what has lain in buffers for too long."""
        self.orphans: SimpleQueue[AmqpDesk] = SimpleQueue()
        """Desks whose subscription was dropped."""
        self.copied = 0
        """Grows with every copy that is on its way somewhere else."""
        self.troubles: dict[str, str] = {}
        """What cannot be stored now, by queue."""
        self._queue: SimpleQueue[tuple[Held, Ending] | None] = SimpleQueue()
        self._late: list[tuple[Held, Ending]] = []
        self._open = 0
        self._done = threading.Condition()
        self._thread: threading.Thread | None = None

    def now(self) -> float:
        """Seconds since the epoch, as the clock was set when the driver was made.

        Whoever sets the clock meanwhile makes no message late and keeps none.
        """
        return self._zero + self._clock.monotonic()

    def start(self) -> None:
        """Begin."""
        thread = threading.Thread(target=self._run, name="moonq-amqp-settles", daemon=True)
        threads.start(thread)
        self._thread = thread

    def stop(self) -> None:
        """End, with what is there by now."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
            self._thread = None
        self._late.clear()
        with self._done:
            self._open = 0
            self._done.notify_all()

    def put(self, endings: Sequence[tuple[Held, Ending]]) -> None:
        """End deliveries; never waits."""
        with self._done:
            self._open += len(endings)
        for one in endings:
            self._queue.put(one)

    def release(self, back: Iterable[Held]) -> None:
        """Give deliveries back to the broker, in their order."""
        self.put([(held, RELEASE) for held in back])

    def expire(self, held: Held) -> None:
        """End a delivery that is too late."""
        self.put(((held, Expire()),))

    def orphan(self, desk: AmqpDesk) -> None:
        """Note a desk whose subscription was dropped; takes no lock."""
        self.orphans.put(desk)

    def flush(self, seconds: float) -> bool:
        """Wait until all that was asked for so far is done, in real time; False: it is not."""
        with self._done:
            return self._done.wait_for(lambda: not self._open, seconds)

    # The thread

    def _run(self) -> None:
        ticked = time.monotonic()
        while True:
            batch: list[tuple[Held, Ending]] = []
            try:
                one = self._queue.get(timeout=TICK)
                while one is not None:
                    batch.append(one)
                    if len(batch) >= MANY:
                        break
                    one = self._queue.get_nowait()
            except Empty:
                one = batch[-1] if batch else (None, None)  # type: ignore[assignment]
            if batch:
                self._settle(batch)
            if one is None:
                return
            if time.monotonic() - ticked >= TICK:
                ticked = time.monotonic()
                self._tick()

    def _tick(self) -> None:
        late, self._late = self._late, []
        for one in late:
            self._queue.put(one)
        self.release(self.oldest())
        with suppress(Empty):
            while True:
                desk = self.orphans.get_nowait()
                desk.queue.leave(desk, Abandon(), self.now())

    def _settle(self, batch: list[tuple[Held, Ending]]) -> None:
        ends: defaultdict[tuple[Line, int], tuple[list[int], list[int]]]
        ends = defaultdict(lambda: ([], []))
        parcels: list[Parcel] = []
        finished = 0
        for held, ending in batch:
            if not held.is_open:
                finished += 1
                self._late_for(held, ending)
            elif isinstance(ending, Ack | Copied):
                ends[held.line, held.epoch][0].append(held.incoming.tag)
            elif isinstance(ending, Noted) or _waits_in_place(held, ending):
                noted = self._put_off(held, ending)
                parcels += noted
                finished += not noted and not isinstance(ending, Failed)
            elif isinstance(ending, Release) and not self._is_untrue(held):
                ends[held.line, held.epoch][1].append(held.incoming.tag)
            elif isinstance(ending, Failed):
                parcels += self._after_failure(held, ending)
            elif (outgoing := self._copy(held, ending)) is None:
                ends[held.line, held.epoch][0].append(held.incoming.tag)
            else:
                parcels.append(self._parcel(held, ending, outgoing))
        if parcels:
            self.copied += len(parcels)
            self._publisher.submit(parcels)
        for (line, epoch), (acks, nacks) in ends.items():
            line.settle(epoch, acks, nacks)
            finished += len(acks) + len(nacks)
        self._finish(finished)

    def _finish(self, count: int) -> None:
        with self._done:
            self._open -= count
            if self._open <= 0:
                self._done.notify_all()

    def _late_for(self, held: Held, ending: Ending) -> None:
        """Note a verdict that its delivery did not live to see."""
        if isinstance(ending, Verdict) and not isinstance(ending, Release):
            assert held.message is not None
            self.on_event(Event("lease_lost", held.line.spec.name, detail=held.message.id))

    def _put_off(self, held: Held, ending: Ending) -> list[Parcel]:
        """Let a message wait where it is; returns what is to be stored before."""
        partition = held.line
        assert isinstance(partition, Partition)
        if isinstance(ending, Failed):
            self.mend(partition)
            if not isinstance(ending.ending, Dead | Expire):
                self._late.append((held, ending.ending))
                return []
            self._tell_failed(partition, ending)
            ending = Wait(LATER)
        if isinstance(ending, Noted) or (isinstance(ending, Release) and not held.is_marked):
            noted = ending if isinstance(ending, Noted) else Noted(held.story, held.due)
            with partition.lock:
                partition.put_off(held, *noted)
            return []
        when = self.now() if held.ended is None else held.ended
        if isinstance(ending, Abandon):
            self.on_event(Event("interrupted", partition.spec.name))
            ending = Interrupt()
        assert isinstance(ending, Verdict)
        delay = ending.delay if isinstance(ending, Retry | Snooze | Wait) else 0.0
        noted = Noted(held.story.after(ending, when), when + delay if delay else None)
        return [self._note(partition, held, ending, noted)]

    def _note(self, partition: Partition, held: Held, ending: Verdict, noted: Noted) -> Parcel:
        def done(outcome: Outcome | QueueError) -> None:
            is_stored = outcome == "stored"
            self._queue.put((held, noted if is_stored else Failed(ending, str(outcome))))

        out = partition.note(held, *noted, is_running=False)
        return Parcel(out, done, lambda: held.is_open)

    def mend(self, line: Line) -> None:
        """Have what *line* needs declared anew: something of it is gone."""
        (line.parent if isinstance(line, Partition) else line).is_declared = False
        self.repair(line, None)

    @staticmethod
    def _is_untrue(held: Held) -> bool:
        """Whether the copy at the broker says of a message what is not so any more."""
        return held.is_marked or (held.is_begun and held.expires is not None)

    # Copies

    def _parcel(self, held: Held, ending: Verdict | Expire | Abandon, out: Outgoing) -> Parcel:
        def done(outcome: Outcome | QueueError) -> None:
            if outcome == "stored":
                if isinstance(ending, Dead | Expire):
                    self.troubles.pop(held.line.spec.name, None)
                self._queue.put((held, COPIED))
            else:
                self._queue.put((held, Failed(ending, str(outcome))))

        # Without its source there is no need of a copy: the broker delivers that again.
        return Parcel(out, done, lambda: held.is_open)

    def _after_failure(self, held: Held, failed: Failed) -> list[Parcel]:
        line, ending = held.line, failed.ending
        self.mend(line)
        if not isinstance(ending, Dead | Expire):
            self._late.append((held, ending))
            return []
        self._tell_failed(line, failed)
        return [self._parcel(held, Wait(LATER), self._delayed(held, held.story, LATER, exact=True))]

    def _tell_failed(self, line: Line, failed: Failed) -> None:
        """Say that a dead letter could not be stored."""
        name = line.spec.name
        why = f"its dead-letter queue takes none ({failed.why})"
        self.troubles[name] = f"a dead letter of {name!r} cannot be stored: {why}"
        self.on_event(Event("dead_letter_failed", name, detail=why))

    def _copy(self, held: Held, ending: Ending) -> Outgoing | None:
        """Return what is to be published; None: nothing, the message just goes."""
        when = self.now() if held.ended is None else held.ended
        if isinstance(ending, Expire):
            return self._expired(held, when)
        if isinstance(ending, Abandon):
            self.on_event(Event("interrupted", held.line.spec.name))
            ending = Interrupt()
        assert isinstance(ending, Verdict)
        story = held.story.after(ending, when)
        if isinstance(ending, Dead):
            return self._letter(held, story, ending.reason, when)
        delay = ending.delay if isinstance(ending, Retry | Snooze | Wait) else 0.0
        return self._delayed(held, story, delay, exact=isinstance(ending, Snooze))

    def _expired(self, held: Held, when: float) -> Outgoing | None:
        self.on_event(Event("expired", held.line.spec.name))
        if held.line.spec.on_expire == "drop":
            return None
        return self._letter(held, held.story, "expired", when)

    def _delayed(self, held: Held, story: Story, delay: float, *, exact: bool) -> Outgoing:
        line, incoming = held.line, held.incoming
        properties = renewed(incoming.properties, story, started=held.is_begun)
        assert held.message is not None
        properties = properties._replace(message_id=held.message.id)
        exchange, key = "", line.again
        if delay > 0:
            count = ladder.units(delay / self._clock.rate, exact=exact)
            exchange, key = ladder.key(line.name, count)
        return Outgoing(exchange, key, properties, incoming.body)

    def _letter(self, held: Held, story: Story, reason: DeadReason, when: float) -> Outgoing | None:
        line, message = held.line, held.message
        assert message is not None
        if line.spec.dead_letter is None:
            self.on_event(Event("dropped", line.spec.name))
            return None
        name = line.spec.name
        letter = dead_letter(
            message, story, queue=name, reason=reason, time=when, ran=held.is_begun
        )
        properties = pack(letter, Story(errors=story.errors), durable=True)
        return Outgoing("", self.queue_of(line.spec.dead_letter), properties, letter.body)


def _waits_in_place(held: Held, ending: Ending) -> bool:
    """Whether what *ending* puts off has a group, and so must keep its place."""
    return isinstance(held.line, Partition) and not isinstance(ending, Dead | Expire)
