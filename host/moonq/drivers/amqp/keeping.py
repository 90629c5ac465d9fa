"""Has all of it declared and consumed, and mends what breaks, on a thread of its own."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue

from moonq import log, threads
from moonq.drivers.amqp import topology
from moonq.drivers.amqp.declaring import Declarer
from moonq.drivers.amqp.entry import AmqpFields
from moonq.drivers.amqp.line import Line
from moonq.drivers.amqp.links import Links
from moonq.drivers.amqp.partition import Partition
from moonq.drivers.amqp.publishing import Publisher
from moonq.drivers.amqp.session import Session
from moonq.drivers.amqp.settling import Settler
from moonq.drivers.amqp.wire.faults import ChannelClosed
from moonq.drivers.base import Event
from moonq.errors import QueueError, Unavailable

_log = log.get("moonq.amqp")

#: Real seconds between two looks at who has which partitions.
BALANCE = 2.0


class Keeper:
    """See the module."""

    def __init__(
        self,
        fields: AmqpFields,
        root: Path,
        session: Session,
        declarer: Declarer,
        publisher: Publisher,
        settler: Settler,
    ) -> None:
        self._fields = fields
        self._root = root
        self._session = session
        self._declarer = declarer
        self._publisher = publisher
        self._settler = settler
        self.on_event: Callable[[Event], None] = lambda event: None
        self._is_begun = False
        """Whether all of it is declared and consumed at these connections."""
        self._broken: SimpleQueue[Line | None] = SimpleQueue()
        """What is to be mended: a line, or None for all of it."""
        self._balanced = 0.0
        """When the shares of partitions were looked at, in real monotonic seconds."""
        self._thread: threading.Thread | None = None

    def connect(self, name: str) -> None:
        """Connect under the host's *name*, declare and consume.

        Raises:
            QueueError: That could not be done; no connection is left.
        """
        session = self._session
        self._broken = SimpleQueue()
        try:
            session.links = Links(
                self._fields, self._root, name, self._note_blocked, self._note_lost
            )
            session.links.connect()
            session.blocked = None
            self._declarer.open()
            self._begin()
        except QueueError as problem:
            session.problem = problem
            if session.links is not None:
                session.links.close(time.monotonic())
            raise

    def start(self) -> None:
        """Begin to mend what breaks, and what broke meanwhile."""
        thread = threading.Thread(target=self._run, name="moonq-amqp-keeper", daemon=True)
        threads.start(thread)
        self._thread = thread

    def stop(self) -> None:
        """Mend nothing more; the session must be ended."""
        self._broken.put(None)
        if self._thread is not None:
            self._thread.join()

    def consume(self, line: Line) -> None:
        """Consume *line* at a new channel."""
        links = self._session.links
        assert links is not None
        assert links.consuming is not None
        with line.admin:
            self._declarer.have(line, again=True)
            epoch = line.epoch + 1
            channel = links.consuming.channel(on_closed=lambda problem: line.lose(epoch, problem))
            line.begin(channel)
        self._settler.troubles.pop(line.again, None)

    def repair(self, line: Line, problem: QueueError | None = None) -> None:
        """Look at *line* soon; never waits."""
        if isinstance(problem, ChannelClosed):
            (line.parent if isinstance(line, Partition) else line).is_declared = False
            self.on_event(Event("cancelled", line.spec.name, detail=problem.message))
        self._broken.put(line)

    def _begin(self) -> None:
        """Publish and consume at new connections, at which everything is declared."""
        links = self._session.links
        assert links is not None
        assert links.publishing is not None
        self._publisher.connected(links.publishing.channel(on_closed=self._note_closed))
        for line in list(self._declarer.lines.values()):
            if line.desks:
                self._consume_if_it_answers(line)
        self._is_begun = True

    def _consume_if_it_answers(self, line: Line) -> None:
        """Consume *line*, perhaps later: one queue without a leader holds up no other."""
        links = self._session.links
        assert links is not None
        try:
            self.consume(line)
        except Unavailable as problem:
            if not links.is_open:
                raise
            self._settler.troubles[line.again] = f"queue {line.spec.name!r}: {problem.message}"
            self._broken.put(line)

    # The thread

    def _run(self) -> None:
        """Wait for something that is broken, and have it as it was."""
        delay = self._fields.reconnect_delay
        while True:
            line = self._broken.get()
            if not self._session.is_open:
                return
            try:
                self._mend(line)
            except Exception as error:  # noqa: BLE001 - without this thread nothing is mended
                if not isinstance(error, QueueError):
                    _log.exception("the AMQP driver met a bug")
                self._session.set_connected(
                    error if isinstance(error, QueueError) else Unavailable(f"{error}")
                )
                self._session.rest(delay)
                delay = min(max(delay, 0.01) * 2, self._fields.reconnect_max_delay)
                self._broken.put(line)
            else:
                delay = self._fields.reconnect_delay

    def _mend(self, line: Line | None) -> None:
        links = self._session.links
        assert links is not None
        if not links.is_open or not self._is_begun:
            self._drain()
            self._is_begun = False
            links.connect()
            self._session.blocked = None  # a new connection is told, if it is so
            self._declarer.everything(is_known=False)
            self._begin()
            self.on_event(Event("reconnected", None, detail=links.where))
        elif isinstance(line, Partition):
            if not line.parent.is_declared:
                self._declarer.renew(line.parent)
            line.adjust()
        elif line is not None:
            if not line.is_declared:
                self._declarer.renew(line)
            is_dead = line.channel is None or not line.channel.is_open
            if line.desks and (is_dead or not any(desk.tags for desk in line.desks)):
                self.consume(line)
            else:
                self._balance(line)
        self._session.set_connected(None)

    def balance(self) -> None:
        """See soon that no host has more than its share of partitions; never waits."""
        if (now := time.monotonic()) >= self._balanced + BALANCE:
            self._balanced = now
            for line in list(self._declarer.lines.values()):
                if line.partitions and line.desks:
                    self._broken.put(line)

    def _balance(self, line: Line) -> None:
        """Leave to other hosts what is more than a fair share of the partitions of *line*.

        The broker gives all of them to whoever was there first.
        """
        active = [one for one in line.partitions if isinstance(one, Partition) and one.is_active]
        if len(active) < 2:
            return
        with self._session.asking() as channel:
            # Of a partition only the active one is counted, of the queue beside them all are.
            found = topology.count(channel, line.name)
        ours = sum(bool(desk.tags) for desk in line.desks)
        every = max(found[1] if found else 0, ours, 1)
        share = math.ceil(len(line.partitions) * ours / every)
        with line.lock:
            for one in active[share:]:
                one.give_up()

    def _drain(self) -> None:
        with suppress(Empty):
            while True:
                self._broken.get_nowait()

    # What the connections tell

    def _note_lost(self, problem: QueueError) -> None:
        """Hear that a connection is gone."""
        self._publisher.lost()
        if self._session.lose(problem):
            self.on_event(Event("reconnecting", None, detail=problem.message))
        self._broken.put(None)

    def _note_closed(self, problem: QueueError) -> None:
        """Hear that the channel that publishes is gone, as when the ladder was deleted."""
        self._publisher.lost()
        self._is_begun = False
        self._broken.put(None)

    def _note_blocked(self, reason: str | None) -> None:
        self._session.blocked = reason
        self._publisher.block(reason is not None)
        if reason is not None:
            self.on_event(Event("blocked", None, detail=reason))
        self._session.block(reason)
