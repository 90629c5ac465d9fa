"""The driver that keeps messages in RabbitMQ.

    publishers -> Store -> Publisher -> broker -> Line -> desks -> workers
                               ^                                      |
                               +--------------- Settler <-------------+

`Session` is how we stand at the broker, `Declarer` has queues made, `Keeper` mends what breaks;
`envelope` is what a message looks like on its way, `ladder` how it waits.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from moonq.clock import Clock
from moonq.drivers import refusals
from moonq.drivers.amqp import topology
from moonq.drivers.amqp.counting import Counter
from moonq.drivers.amqp.declaring import Declarer
from moonq.drivers.amqp.entry import MARGIN, PARTITIONED, PLAIN, AmqpFields
from moonq.drivers.amqp.keeping import Keeper
from moonq.drivers.amqp.line import AmqpDesk, Held
from moonq.drivers.amqp.links import Links, management
from moonq.drivers.amqp.management import Management
from moonq.drivers.amqp.publishing import Publisher
from moonq.drivers.amqp.redriving import redrive
from moonq.drivers.amqp.session import Session
from moonq.drivers.amqp.settling import Settler
from moonq.drivers.amqp.storing import LEAST, Answer, Store
from moonq.drivers.amqp.subscription import AmqpSubscription
from moonq.drivers.base import LEASE, Capabilities, Event
from moonq.drivers.story import Story, left_of
from moonq.errors import Unavailable, Unsupported
from moonq.model import Message, MessageState, Page, QueueInfo, QueueSpec, Stored

#: Real seconds that closing may take when nobody names a deadline.
MOST = 10.0
#: Real seconds that a count waits for verdicts that are on their way.
FLUSH = 0.5
#: How long messages that come from elsewhere wait for a broker that is away, in seconds.
ADOPTION = 30.0


class AmqpDriver:
    """See `moonq.drivers.base.Driver`."""

    kind = "queue.driver.amqp"

    def __init__(self, fields: AmqpFields, clock: Clock, root: Path) -> None:
        self._fields = fields
        self._clock = clock
        self._root = root
        self._session = session = Session(clock)
        self._publisher = publisher = Publisher()
        self._settler = settler = Settler(clock, publisher)
        self._declarer = declarer = Declarer(fields, session, settler)
        self._keeper = Keeper(fields, root, session, declarer, publisher, settler)
        self._store = Store(clock, session, declarer, publisher, settler)
        self._counter = Counter(session.asking, self._in_flight)
        self._management: Management | None = None
        settler.repair = self._keeper.repair
        settler.oldest = self._oldest
        settler.queue_of, settler.name_of = declarer.at_broker, declarer.at_home

    def capabilities(self) -> Capabilities:
        """What this driver can do."""
        return Capabilities.but(PARTITIONED if self._fields.partitions else PLAIN)

    # Life

    def open(self, on_event: Callable[[Event], None], *, name: str = "") -> None:
        """Connect, declare what is known, and keep it so until `close`.

        Raises:
            Unavailable: No broker answers.
            Refused: It turns us away: credentials, virtual host, TLS.
            Unsupported: It is older than is needed.
        """
        self._keeper.on_event = self._settler.on_event = on_event
        self._management = management(self._fields, self._root)
        self._keeper.connect(name or "moonq")
        self._settler.start()
        self._session.open()
        self._keeper.start()

    def close(self, deadline: float | None = None) -> bool:
        """Hand back, send what was accepted, and leave."""
        if not self._session.end():
            return True
        left = MOST
        if deadline is not None:
            left = (deadline - self._clock.monotonic()) / self._clock.rate
        until = time.monotonic() + max(left, LEAST)
        lines = list(self._declarer.lines.values())
        for line in lines:
            with line.lock:
                for desk in line.desks:
                    desk.stop()
            line.adjust_soon()
        is_done = self._settler.flush(until - time.monotonic())
        self._keeper.stop()
        self._publisher.lost()
        self._publisher.fail(self._session.away())
        self._settler.stop()
        for line in lines:
            line.lose(line.epoch)
            line.channel = None
        if self._session.links is not None:
            self._session.links.close(until)
        self._session.is_connected = False
        return is_done

    def peers(self) -> None:
        """Return None: the broker does not tell who else is there."""

    def health(self) -> Sequence[str]:
        """Return what is wrong with the broker, or with a queue at it."""
        session = self._session
        found = [session.problem.message] if session.problem is not None else []
        if session.blocked is not None:
            found.append(f"RabbitMQ takes no messages: {session.blocked}")
        if self._management is not None and self._management.problem is not None:
            found.append(self._management.problem.message)
        return [*found, *self._settler.troubles.values()]

    def _oldest(self) -> list[Held]:
        """Take out of the buffers what the broker would soon take back."""
        self._keeper.balance()
        limit = self._fields.consumer_timeout
        if limit is None:
            return []
        found: list[Held] = []
        for line in list(self._declarer.lines.values()):
            # What waited must have time to run.
            age = min(limit / 2, limit - MARGIN / 2 - line.longest)
            with line.lock:
                found += line.stale(time.monotonic() - age)
        return found

    def declare(self, spec: QueueSpec) -> None:
        """Make the queue and its dead letters exist as *spec* says.

        Raises:
            Unsupported: It asks for what RabbitMQ cannot do.
            Conflict: The broker has it in another way.
            Unavailable: The broker is away; the queue is made once it is back.
        """
        self._declarer.declare(spec)

    # Publishing

    def publish(
        self, queue: str, messages: Sequence[Message], timeout: float, *, may_wait: bool = True
    ) -> list[Answer]:
        """Store *messages* and answer for each when the broker has confirmed it."""
        return self._store.store(queue, messages, (), timeout, may_wait=may_wait)

    def adopt(
        self, queue: str, stored: Sequence[Stored], source: str = "", *, keys: Sequence[str] = ()
    ) -> list[Answer]:
        """Store messages that lay elsewhere, with all that happened to them.

        Raises:
            Unsupported: They are to leave another queue in the same step.
        """
        refusals.check_no_step(source, "RabbitMQ")
        now = self._settler.now()
        messages = [left_of(one, now) for one in stored]
        stories = [Story.of(one) for one in stored]
        return self._store.store(queue, messages, stories, ADOPTION, may_wait=True)

    # Consuming

    def subscribe(
        self,
        queue: str,
        prefetch: int,
        *,
        lease: float = LEASE,
        timeout: float | None = None,
        name: str = "",
    ) -> AmqpSubscription:
        """Begin to take from *queue*; the connection is every lease.

        Raises:
            Unsupported: The broker takes a message away before a handler may be done with it.
        """
        line = self._declarer.line(queue)
        if (refusal := self._fields.refuse_timeout(timeout)) is not None:
            raise refusal
        if not self._session.is_open:
            raise self._session.away()
        self._settler.flush(LEAST)
        desk = AmqpDesk(line, prefetch, name)
        with line.lock:
            line.longest = max(line.longest, timeout or 0.0)
            line.desks.append(desk)
        try:
            with line.admin:
                if line.channel is None or not line.channel.is_open:
                    self._keeper.consume(line)
                else:
                    self._declarer.have(line, again=True)
                    line.adjust()
        except Unavailable:
            self._keeper.repair(line)
        except BaseException:
            with line.lock:
                line.desks.remove(desk)
            raise
        return AmqpSubscription(desk, self._clock, self._publisher)

    # Operations on what lies there

    def info(self, queue: str) -> QueueInfo:
        """Count what can be counted, as of a second ago at most."""
        line, dead = self._declarer.line(queue), None
        if line.spec.dead_letter is not None:
            dead = self._declarer.at_broker(line.spec.dead_letter)
        self._settler.flush(FLUSH)
        return self._counter.info(line, dead, (self._store.published, self._settler.copied))

    def _in_flight(self, names: list[str]) -> int | None:
        return None if self._management is None else self._management.unacknowledged(names)

    def peek(
        self, queue: str, limit: int, cursor: str = "", state: MessageState | None = None
    ) -> Page:
        """Refuse: it would change what it shows."""
        self._declarer.line(queue)
        raise _cannot(queue, "shown", "consume it, or look at it in RabbitMQ's own management page")

    def find(self, queue: str, message_id: str) -> Stored | None:
        """Refuse: nothing is found by its id."""
        self._declarer.line(queue)
        raise _cannot(queue, "found by their id", "consume it")

    def purge(self, queue: str, ids: Sequence[str | int] | None = None) -> int:
        """Drop what is ready and return how much it was; what is delayed still comes.

        Raises:
            Unsupported: Messages are named.
        """
        line = self._declarer.line(queue)
        if ids is not None:
            raise _cannot(queue, "dropped by their id", "purge all of it")
        self._settler.flush(LEAST)
        self._declarer.have(line)
        dropped = 0
        partitions = [one.name for one in line.partitions]
        for name in (line.name, line.again, *partitions):
            with self._session.asking() as channel:
                if topology.count(channel, name) is not None:
                    dropped += channel.purge_queue(name)
        self._counter.forget()
        return dropped

    def redrive(self, source: str, target: str, ids: Sequence[str | int] | None = None) -> int:
        """Move all dead letters of *source* to *target* ("" is the queue each came from).

        Raises:
            Unsupported: Letters are named.
            QueueNotFound: Nothing could be moved, for want of a queue to move it to.
            QueueFull: Nothing could be moved, for want of room.
        """
        declarer, letters = self._declarer, self._declarer.line(source)
        if ids is not None:
            raise _cannot(source, "redriven by their id", "redrive all of them")
        if target:
            declarer.line(target)
        self._settler.flush(LEAST)
        declarer.have(letters)

        def publish(queue: str, messages: Sequence[Message]) -> list[Answer]:
            return self.publish(queue, messages, LEAST, may_wait=False)

        with self._session.asking() as channel:
            try:
                moved = redrive(
                    channel, letters.name, target, publish, self._settler.now, declarer.at_home
                )
            finally:
                self._counter.forget()
        return moved

    def pause(self, queue: str) -> None:
        """Deliver nothing from *queue* in this process; what has not started is handed back."""
        self._change_pause(queue, paused=True)

    def resume(self, queue: str) -> None:
        """Deliver again."""
        self._change_pause(queue, paused=False)

    def _change_pause(self, queue: str, *, paused: bool) -> None:
        line = self._declarer.line(queue)
        with line.lock:
            line.paused = paused
            for desk in line.desks:
                desk.recall()
        line.adjust_soon()

    def erase(self) -> None:
        """Delete the queues that were made at this place, by whatever driver of this process."""
        links = Links(
            self._fields, self._root, "moonq erases", lambda reason: None, lambda problem: None
        )
        self._declarer.lines.clear()
        self._counter.forget()
        names = self._declarer.place.end()
        if not names:
            return
        links.connect()
        try:
            assert links.consuming is not None
            channel = links.consuming.channel()
            for name in names:
                channel.delete_queue(name)
        finally:
            links.close(time.monotonic() + 2.0)


def _cannot(queue: str, what: str, instead: str) -> Unsupported:
    return Unsupported(f"queue {queue!r}: RabbitMQ's messages cannot be {what}", hint=instead)
