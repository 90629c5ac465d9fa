"""The driver that keeps messages in RabbitMQ.

    publishers -> Publisher -> broker -> Line -> desks -> workers
                     ^                                       |
                     +------------- Settler <----------------+

`links` has the connections, `topology` what is declared, `envelope` what a message looks like on
its way, `ladder` how it waits.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, SimpleQueue

from moonq.clock import Clock
from moonq.drivers import refusals
from moonq.drivers.amqp import ladder, topology
from moonq.drivers.amqp.counting import Counter
from moonq.drivers.amqp.entry import LIMITS, AmqpFields
from moonq.drivers.amqp.envelope import pack
from moonq.drivers.amqp.line import AmqpDesk, Held, Line
from moonq.drivers.amqp.links import Links
from moonq.drivers.amqp.places import Place, place_of
from moonq.drivers.amqp.publishing import Batch, Publisher
from moonq.drivers.amqp.redriving import redrive
from moonq.drivers.amqp.settling import Settler
from moonq.drivers.amqp.subscription import AmqpSubscription
from moonq.drivers.amqp.topology import Shape
from moonq.drivers.amqp.wire.address import Address
from moonq.drivers.amqp.wire.channel import Channel
from moonq.drivers.amqp.wire.faults import ChannelClosed
from moonq.drivers.amqp.wire.messages import Outgoing
from moonq.drivers.base import LEASE, Capabilities, Event
from moonq.drivers.story import Story, left_of
from moonq.errors import (
    Conflict,
    QueueError,
    QueueFull,
    QueueNotFound,
    Refused,
    Unavailable,
    Uncertain,
    Unsupported,
)
from moonq.model import (
    Message,
    MessageState,
    Page,
    Priority,
    QueueInfo,
    QueueSpec,
    Receipt,
    Stored,
)
from moonq.text.wording import plural

#: Real seconds that the broker may take to store what it was sent, whatever a publisher's patience.
LEAST = 5.0
#: Real seconds that closing may take when nobody names a deadline.
MOST = 10.0
#: Real seconds that a count waits for verdicts that are on their way.
FLUSH = 0.5
#: Real seconds between two tries of a full queue, for a publisher that waits.
PAUSE = 0.05
#: How long messages that come from elsewhere wait for a broker that is away, in seconds.
ADOPTION = 30.0
#: Seconds by which a handler must be done before the broker takes its message away.
MARGIN = 60.0
Answer = Receipt | QueueError
#: Virtual hosts in which this process has made the ladder: 112 questions that need no second time.
_ladders: set[Address] = set()


class AmqpDriver:
    """See `moonq.drivers.base.Driver`."""

    kind = "queue.driver.amqp"

    def __init__(self, fields: AmqpFields, clock: Clock, root: Path) -> None:
        self._fields = fields
        self._clock = clock
        self._root = root
        self._publisher = Publisher()
        self._settler = Settler(clock, self._publisher)
        self._settler.repair = self._repair
        self._settler.oldest = self._oldest
        self._settler.queue_of = self._at_broker
        self._settler.name_of = self._at_home
        self._on_event: Callable[[Event], None] = lambda event: None
        self._place: Place = place_of(fields)
        self._lines: dict[str, Line] = {}
        self._counter = Counter(self._asking)
        self._published = 0
        """Grows with every publish."""
        self._links: Links | None = None
        self._changed = threading.Condition()
        """Guards what follows, and tells of it."""
        self._is_open = False
        self._is_connected = False
        self._problem: QueueError | None = None
        self._blocked: str | None = None
        self._is_begun = False
        """Whether all of it is declared and consumed at these connections."""
        self._broken: SimpleQueue[Line | None] = SimpleQueue()
        """What the keeper is to mend: a line, or None for all of it."""
        self._keeper: threading.Thread | None = None

    def capabilities(self) -> Capabilities:
        """What this driver can do."""
        return Capabilities.but(LIMITS)

    # Life

    def open(self, on_event: Callable[[Event], None], *, name: str = "") -> None:
        """Connect, declare what is known, and keep it so until `close`.

        Raises:
            Unavailable: No broker answers.
            Refused: It turns us away: credentials, virtual host, TLS.
            Unsupported: It is older than is needed.
        """
        self._on_event = self._settler.on_event = on_event
        try:
            self._links = Links(
                self._fields, self._root, name or "moonq", self._note_blocked, self._note_lost
            )
            self._links.connect()
            self._place = place_of(self._fields)
            address = self._links.address
            self._begin(is_known=address in _ladders)
            _ladders.add(address)
        except QueueError as problem:
            self._problem = problem
            if self._links is not None:
                self._links.close(time.monotonic())
            raise
        self._settler.start()
        self._broken = SimpleQueue()
        with self._changed:
            self._is_open = True
        self._set_connected(None)
        self._keeper = threading.Thread(target=self._keep, name="moonq-amqp-keeper", daemon=True)
        self._keeper.start()

    def close(self, deadline: float | None = None) -> bool:
        """Hand back, send what was accepted, and leave."""
        with self._changed:
            if not self._is_open:
                return True
            self._is_open = False
            self._changed.notify_all()
        left = MOST
        if deadline is not None:
            left = (deadline - self._clock.monotonic()) / self._clock.rate
        until = time.monotonic() + max(left, LEAST)
        for line in list(self._lines.values()):
            with line.lock:
                for desk in line.desks:
                    desk.stop()
            line.adjust_soon()
        is_done = self._settler.flush(until - time.monotonic())
        self._broken.put(None)
        if self._keeper is not None:
            self._keeper.join()
        self._publisher.lost()
        self._publisher.fail(self._away())
        self._settler.stop()
        for line in self._lines.values():
            line.lose(line.epoch)
            line.channel = None
        if self._links is not None:
            self._links.close(until)
        self._is_connected = False
        return is_done

    def peers(self) -> None:
        """Return None: the broker does not tell who else is there."""

    def health(self) -> Sequence[str]:
        """Return what is wrong with the broker, or with a queue at it."""
        found = [self._problem.message] if self._problem is not None else []
        if self._blocked is not None:
            found.append(f"RabbitMQ takes no messages: {self._blocked}")
        return [*found, *self._settler.troubles.values()]

    def _begin(self, *, is_known: bool) -> None:
        """Declare and consume at new connections; *is_known*: the ladder was made by us before."""
        assert self._links is not None
        assert self._links.publishing is not None
        self._blocked = None  # a new connection is told, if it is so
        self._declare_shared(is_known=is_known)
        for line in list(self._lines.values()):
            line.is_declared = line.has_again = False
            try:
                self._declare(line)
            except Conflict as problem:
                self._settler.troubles[line.spec.name] = problem.message
        self._publisher.connected(self._links.publishing.channel(on_closed=self._note_closed))
        for line in list(self._lines.values()):
            if line.desks:
                self._consume_if_it_answers(line)
        self._is_begun = True

    def _declare_shared(self, *, is_known: bool) -> None:
        if is_known:
            with self._asking() as channel:
                if topology.count(channel, ladder.exchange(ladder.LEVELS - 1)) is not None:
                    return
        with self._asking() as channel:
            left = topology.declare_shared(channel)
        self._settler.troubles.pop(topology.UNROUTABLE, None)
        if left:
            self._settler.troubles[topology.UNROUTABLE] = (
                f"{plural(left, 'message')} of queues that were deleted in {topology.UNROUTABLE}"
            )

    def _consume_if_it_answers(self, line: Line) -> None:
        """Consume *line*, perhaps later: one queue without a leader holds up no other."""
        assert self._links is not None
        try:
            self._consume(line)
        except Unavailable as problem:
            if not self._links.is_open:
                raise
            self._settler.troubles[line.again] = f"queue {line.spec.name!r}: {problem.message}"
            self._broken.put(line)

    def _consume(self, line: Line) -> None:
        assert self._links is not None
        assert self._links.consuming is not None
        with line.admin:
            self._declare(line, again=True)
            epoch = line.epoch + 1
            channel = self._links.consuming.channel(
                on_closed=lambda problem: line.lose(epoch, problem)
            )
            line.begin(channel)
        self._settler.troubles.pop(line.again, None)

    # The keeper

    def _keep(self) -> None:
        """Mend what breaks: wait for something, and have it as it was."""
        delay = self._fields.reconnect_delay
        while True:
            line = self._broken.get()
            if not self._is_open:
                return
            try:
                self._mend(line)
            except QueueError as problem:
                self._set_connected(problem)
                self._rest(delay)
                delay = min(max(delay, 0.01) * 2, self._fields.reconnect_max_delay)
                self._broken.put(line)
            else:
                delay = self._fields.reconnect_delay

    def _mend(self, line: Line | None) -> None:
        links = self._links
        assert links is not None
        if not links.is_open or not self._is_begun:
            self._drain_broken()
            self._is_begun = False
            links.connect()
            self._begin(is_known=False)
            self._on_event(Event("reconnected", None, detail=links.where))
        elif line is not None:
            if not line.is_declared:
                self._declare_shared(is_known=False)
                self._declare(line, again=True)
            is_dead = line.channel is None or not line.channel.is_open
            if line.desks and (is_dead or not any(desk.tags for desk in line.desks)):
                self._consume(line)
        self._set_connected(None)

    def _drain_broken(self) -> None:
        with suppress(Empty):
            while True:
                self._broken.get_nowait()

    def _rest(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        with self._changed:
            while self._is_open and (left := deadline - time.monotonic()) > 0:
                self._changed.wait(left)

    def _set_connected(self, problem: QueueError | None) -> None:
        with self._changed:
            self._is_connected = self._links is not None and self._links.is_open
            self._problem = problem
            self._changed.notify_all()

    def _repair(self, line: Line, problem: QueueError | None) -> None:
        """Have the keeper look at *line*; never waits."""
        if isinstance(problem, ChannelClosed):
            line.is_declared = False
            self._on_event(Event("cancelled", line.spec.name, detail=problem.message))
        self._broken.put(line)

    def _note_lost(self, problem: QueueError) -> None:
        """Hear that a connection is gone."""
        self._publisher.lost()
        was_connected = self._is_connected
        self._is_connected = False
        with self._changed:
            self._problem = problem
        if was_connected and self._is_open:
            self._on_event(Event("reconnecting", None, detail=problem.message))
        self._broken.put(None)

    def _note_closed(self, problem: QueueError) -> None:
        """Hear that the channel that publishes is gone, as when the ladder was deleted."""
        self._publisher.lost()
        self._is_begun = False
        self._broken.put(None)

    def _note_blocked(self, reason: str | None) -> None:
        self._blocked = reason
        self._publisher.block(reason is not None)
        if reason is not None:
            self._on_event(Event("blocked", None, detail=reason))
        # Only a thread that is not the connection's may wait for the lock of those who wait.
        with self._changed:
            self._changed.notify_all()

    def _oldest(self) -> list[Held]:
        """Take out of the buffers what the broker would soon take back."""
        limit = self._fields.consumer_timeout
        if limit is None:
            return []
        before = time.monotonic() - limit / 2
        found: list[Held] = []
        for line in list(self._lines.values()):
            with line.lock:
                found += line.stale(before)
        return found

    # Declaring

    def declare(self, spec: QueueSpec) -> None:
        """Make the queue and its dead letters exist as *spec* says.

        Raises:
            Unsupported: It asks for what RabbitMQ cannot do.
            Conflict: The broker has it in another way.
            Unavailable: The broker is away; the queue is made once it is back.
        """
        shape = Shape.of(spec, is_twin=self._fields.is_twin)
        before = self._lines.get(spec.name)
        line = before or Line(spec, shape, self._at_broker(spec.name), self._settler)
        old = line.spec, line.shape
        line.spec, line.shape = spec, shape
        if spec.dead_letter is not None and spec.dead_letter not in self._lines:
            letters = QueueSpec(spec.dead_letter)
            self._lines[letters.name] = Line(
                letters,
                Shape(is_twin=self._fields.is_twin),
                self._at_broker(letters.name),
                self._settler,
            )
        self._lines[spec.name] = line
        line.is_declared = line.is_declared and old == (spec, shape)
        if not self._is_open:
            return
        try:
            self._declare(line)
        except Conflict:
            if before is None:
                del self._lines[spec.name]
            else:
                line.spec, line.shape = old
            raise

    def _declare(self, line: Line, *, again: bool = False) -> None:
        """Make exist what *line* needs, as far as it is not known to; on a channel of its own."""
        with line.admin:
            if not line.is_declared:
                self._place.add(line.name)
                with self._asking() as channel:
                    topology.declare(channel, line.shape.main(line.name))
                    if line.spec.dead_letter is not None:
                        letters = self._lines[line.spec.dead_letter]
                        self._place.add(letters.name)
                        topology.declare(channel, letters.shape.main(letters.name))
                        letters.is_declared = True
                        channel.bind_queue(letters.name, topology.DEAD, line.name)
                line.is_declared = True
                again = again or line.has_again
                line.has_again = False
            if again and not line.has_again:
                self._place.add(line.again)
                with self._asking() as channel:
                    topology.declare(channel, line.shape.again(line.name))
                    channel.bind_queue(line.again, ladder.DELIVER, ladder.arrival(line.name))
                line.has_again = True

    @contextmanager
    def _asking(self) -> Iterator[Channel]:
        """Open a channel for some questions: one that was refused cannot be used again.

        Raises:
            Unavailable: The broker is away.
        """
        link = self._links.consuming if self._links is not None else None
        if link is None or not link.is_open:
            raise self._away()
        channel = link.channel()
        try:
            yield channel
        finally:
            channel.close(2.0)

    def _at_broker(self, name: str) -> str:
        return f"{self._place.prefix}{name}"

    def _at_home(self, name: str) -> str:
        return name.removeprefix(self._place.prefix)

    # Publishing

    def publish(
        self, queue: str, messages: Sequence[Message], timeout: float, *, may_wait: bool = True
    ) -> list[Answer]:
        """Store *messages* and answer for each when the broker has confirmed it."""
        return self._store(queue, messages, (), timeout, may_wait=may_wait)

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
        return self._store(queue, messages, stories, ADOPTION, may_wait=True)

    def _store(
        self,
        queue: str,
        messages: Sequence[Message],
        stories: Sequence[Story],
        timeout: float,
        *,
        may_wait: bool,
    ) -> list[Answer]:
        line = self._line(queue)
        deadline = self._clock.monotonic() + timeout
        answers: dict[int, Answer] = {}
        going: dict[int, Outgoing] = {}
        for at, message in enumerate(messages):
            try:
                going[at] = self._outgoing(line, message, stories[at] if stories else None)
            except QueueError as refusal:
                answers[at] = refusal
        if going and (problem := self._await_broker(line, going, deadline)) is not None:
            answers |= dict.fromkeys(going, problem)
            going = {}
        self._published += 1
        is_patient = may_wait and line.spec.overflow == "block"
        is_mended = False
        while going:
            full, lost = self._send(line, going, messages, answers, deadline)
            going = {}
            if lost and not is_mended:
                is_mended = True
                going |= self._mended(line, lost)
            if full and is_patient and self._clock.monotonic() < deadline:
                time.sleep(PAUSE)
                going |= full
            for at in (full | lost).keys() - going.keys():
                answers[at] = self._refusal(line, is_full=at in full)
        self._published += 1
        return [answers[at] for at in range(len(messages))]

    def _send(
        self,
        line: Line,
        going: dict[int, Outgoing],
        messages: Sequence[Message],
        answers: dict[int, Answer],
        deadline: float,
    ) -> tuple[dict[int, Outgoing], dict[int, Outgoing]]:
        """Send what is *going*, note the answers; returns what is refused and what came back."""
        full: dict[int, Outgoing] = {}
        lost: dict[int, Outgoing] = {}
        batch = Batch(list(going.values()))
        self._publisher.submit(batch.parcels)
        left = (deadline - self._clock.monotonic()) / self._clock.rate
        batch.wait(max(left, LEAST))
        for (at, outgoing), parcel, outcome in zip(
            going.items(), batch.parcels, batch.outcomes, strict=True
        ):
            if outcome == "stored":
                answers[at] = Receipt(
                    messages[at].id, duplicate=None if messages[at].dedup_key else False
                )
            elif outcome == "refused":
                full[at] = outgoing
            elif outcome == "unroutable":
                lost[at] = outgoing
            elif isinstance(outcome, QueueError) and not parcel.is_sent:
                answers[at] = outcome
            elif parcel.is_sent:
                answers[at] = Uncertain(
                    "the broker did not confirm the message in time: it may be stored",
                    hint="publish it again with the same id",
                )
            else:
                answers[at] = self._away()
        return full, lost

    def _mended(self, line: Line, lost: dict[int, Outgoing]) -> dict[int, Outgoing]:
        """Declare a queue that somebody deleted; returns what can be sent once more."""
        line.is_declared = line.has_again = False
        try:
            self._declare_shared(is_known=False)
            self._declare(line, again=True)
        except QueueError:
            return {}
        return lost

    def _refusal(self, line: Line, *, is_full: bool) -> QueueError:
        name, room = line.spec.name, line.spec.max_length
        if not is_full:
            return QueueNotFound(f"queue {name!r} is not at the broker any more")
        if room is None:
            return Unavailable(f"queue {name!r}: the broker refuses the message just now")
        return QueueFull(
            f"queue {name!r} is full: it holds about {room} messages",
            hint="publish again when its consumers have caught up, or raise max_length",
        )

    def _outgoing(self, line: Line, message: Message, story: Story | None = None) -> Outgoing:
        """Return *message* as it is sent, with its *story* where it has lain elsewhere.

        Raises:
            Unsupported: It wants what this queue cannot do.
        """
        _check_wishes(line, message)
        ttl = message.ttl if message.ttl is not None or story else line.spec.ttl
        expires = None if ttl is None else self._settler.now() + ttl
        properties = pack(message, story, expires=expires, durable=line.shape.durable)
        if message.delay <= 0:
            return Outgoing("", line.name, properties, message.body)
        seconds = message.delay / self._clock.rate
        if seconds > ladder.LONGEST:
            raise Unsupported(
                f"queue {line.spec.name!r}: RabbitMQ cannot delay by"
                f" {message.delay / 86400:.0f} days",
                hint="310 days are the most",
            )
        exchange, key = ladder.key(line.name, ladder.units(seconds))
        return Outgoing(exchange, key, properties, message.body)

    def _await_broker(
        self, line: Line, going: dict[int, Outgoing], deadline: float
    ) -> QueueError | None:
        """Wait until the broker takes messages for *line*; returns why it does not."""
        if not self._is_connected or self._blocked is not None or not self._is_open:
            with self._changed:
                while not self._is_connected or self._blocked is not None or not self._is_open:
                    left = deadline - self._clock.monotonic()
                    if left <= 0:
                        return self._away()
                    self._clock.wait(self._changed, left)
        needs_again = any(out.exchange for out in going.values())
        if not line.is_declared or (needs_again and not line.has_again):
            try:
                self._declare(line, again=needs_again)
            except QueueError as problem:
                return problem
        return None

    def _away(self) -> QueueError:
        if self._blocked is not None:
            return Unavailable(
                f"RabbitMQ takes no messages: {self._blocked}",
                hint="have its consumers catch up, or give it memory and disk",
            )
        problem = self._problem
        if isinstance(problem, Refused):
            return problem
        where = self._links.where if self._links is not None else "the broker"
        return Unavailable(
            problem.message if problem is not None else f"the connection to {where} is closed",
            hint=(problem.hint if problem is not None else "") or "publish again when it is back",
        )

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
        line = self._line(queue)
        self._check_timeout(queue, timeout)
        if not self._is_open:
            raise self._away()
        self._settler.flush(LEAST)
        desk = AmqpDesk(line, prefetch, name)
        with line.lock:
            line.desks.append(desk)
        try:
            with line.admin:
                if line.channel is None or not line.channel.is_open:
                    self._consume(line)
                else:
                    self._declare(line, again=True)
                    line.adjust()
        except Unavailable:
            self._broken.put(line)
        except BaseException:
            with line.lock:
                line.desks.remove(desk)
            raise
        return AmqpSubscription(desk, self._clock, self._publisher)

    def _check_timeout(self, queue: str, timeout: float | None) -> None:
        limit = self._fields.consumer_timeout
        if limit is None or (timeout is not None and timeout <= limit - MARGIN):
            return
        wanted = "without a limit" if timeout is None else f"for {timeout:g} s"
        raise Unsupported(
            f"queue {queue!r}: RabbitMQ takes a message away after {limit:g} s, and its handler"
            f" may run {wanted}",
            hint="write a `timeout` a minute shorter; or raise consumer_timeout at the broker, and"
            " say so in the driver's entry",
        )

    # Operations on what lies there

    def info(self, queue: str) -> QueueInfo:
        """Count what can be counted, as of a second ago at most."""
        line, dead = self._line(queue), None
        if line.spec.dead_letter is not None:
            dead = self._at_broker(line.spec.dead_letter)
        self._settler.flush(FLUSH)
        return self._counter.info(line, dead, (self._published, self._settler.copied))

    def peek(
        self, queue: str, limit: int, cursor: str = "", state: MessageState | None = None
    ) -> Page:
        """Refuse: it would change what it shows."""
        self._line(queue)
        raise _cannot(queue, "shown", "consume it, or look at it in RabbitMQ's own management page")

    def find(self, queue: str, message_id: str) -> Stored | None:
        """Refuse: nothing is found by its id."""
        self._line(queue)
        raise _cannot(queue, "found by their id", "consume it")

    def purge(self, queue: str, ids: Sequence[str | int] | None = None) -> int:
        """Drop what is ready and return how much it was; what is delayed still comes.

        Raises:
            Unsupported: Messages are named.
        """
        line = self._line(queue)
        if ids is not None:
            raise _cannot(queue, "dropped by their id", "purge all of it")
        self._settler.flush(LEAST)
        self._declare(line)
        dropped = 0
        for name in (line.name, line.again):
            with self._asking() as channel:
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
        letters = self._line(source)
        if ids is not None:
            raise _cannot(source, "redriven by their id", "redrive all of them")
        if target:
            self._line(target)
        self._settler.flush(LEAST)
        self._declare(letters)

        def publish(queue: str, messages: Sequence[Message]) -> list[Answer]:
            return self.publish(queue, messages, LEAST, may_wait=False)

        with self._asking() as channel:
            try:
                moved = redrive(
                    channel, letters.name, target, publish, self._settler.now, self._at_home
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
        line = self._line(queue)
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
        self._lines.clear()
        self._counter.forget()
        names = self._place.end()
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

    def _line(self, name: str) -> Line:
        return refusals.declared(self._lines, name, "AMQP")


def _check_wishes(line: Line, message: Message) -> None:
    name = line.spec.name
    if message.dedup_key is not None:
        raise Unsupported(
            f"queue {name!r}: RabbitMQ cannot do dedup_key",
            hint="have the handler tell what it has done already, as with the stdlib's idempotency",
        )
    if message.group is not None:
        raise Unsupported(f"queue {name!r}: RabbitMQ cannot do group")
    if message.priority is not Priority.NORMAL and line.shape.kind != "classic":
        raise Unsupported(
            f"queue {name!r}: a quorum queue cannot do priority",
            hint="write `queue_type: classic` in its options, or use one queue per priority",
        )


def _cannot(queue: str, what: str, instead: str) -> Unsupported:
    return Unsupported(f"queue {queue!r}: RabbitMQ's messages cannot be {what}", hint=instead)
