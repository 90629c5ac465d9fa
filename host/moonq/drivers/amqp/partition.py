"""The groups of a queue: a partition each, which one host at a time consumes in its order.

    orders.p0 … p7          a group is always in the same one, see `number_of`
    orders.p0.notes …       what became of messages there that did not end at once

The broker gives a partition to one consumer (`x-single-active-consumer`), and to the next one
when that is gone. A message that fails stays where it is, unacknowledged, until its delay is over;
others of its group wait behind it, those of other groups are taken past it. What a message has been
through cannot be written into it there, so that it is noted beside it, and read by whoever comes
next. All that this host holds goes back at once, by the end of the channel, and keeps its order.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import NamedTuple

from moonq.drivers.amqp.envelope import DUE, PLACE, RUN, note, number, story_of
from moonq.drivers.amqp.line import AmqpDesk, Held, Line, lease
from moonq.drivers.amqp.topology import NOTES
from moonq.drivers.amqp.wire.channel import Channel
from moonq.drivers.amqp.wire.messages import Incoming, Outgoing
from moonq.drivers.base import Event
from moonq.drivers.story import Story
from moonq.errors import QueueError
from moonq.model import Delivery, Interrupt, Message

#: The fewest messages that are looked at at once: a group that waits is taken past within them.
WINDOW = 100
Connect = Callable[[Callable[[QueueError], None]], Channel]


def number_of(group: str, partitions: int) -> int:
    """Return which of the *partitions* has *group*; the same in every process."""
    return zlib.crc32(group.encode()) % partitions


class Note(NamedTuple):
    """What a message has been through."""

    story: Story
    due: float | None
    is_running: bool
    """Whether it was about to run: whoever reads that knows that the run did not end."""


class Partition(Line):
    """See the module; the lock, the desks and what is declared are those of *parent*."""

    is_ordered = True

    def __init__(self, parent: Line, number: int, connect: Connect) -> None:
        super().__init__(parent.spec, parent.shape, f"{parent.name}.p{number}", parent.settler)
        self.parent = parent
        self.lock, self.admin, self.desks = parent.lock, parent.admin, parent.desks
        self.out: dict[int, Held] = {}
        """What is not in the buffer and not settled, by its tag: its groups wait."""
        self._connect = connect
        self._noted: set[str] = set()
        """Messages here of which there are notes, by their places."""
        self._notes: dict[str, Note] = {}
        """Notes that were read and whose messages have not been seen."""
        self._is_informed = self._is_asked = False
        self._is_leaving = False

    @property
    def is_active(self) -> bool:
        """Whether the broker has delivered here."""
        return bool(self.buffer or self.out)

    # With the lock held

    def lend(self, desk: AmqpDesk, limit: int) -> list[Delivery]:
        """Give the first of up to *limit* groups to *desk*; a group that waits is passed by."""
        lent: list[Delivery] = []
        taken: set[int] = set()
        now = self.settler.now()
        waiting = {_group(held) for held in self.out.values()}
        for held in self.buffer if not self._is_leaving else ():
            if len(lent) >= limit or not desk.has_room() or not self._is_known(held):
                break
            message = held.message or self._read(held)
            group = _group(held)
            is_late = held.expires is not None and held.expires <= now
            if group in waiting:
                continue
            waiting.add(group)
            if held.due is None or held.due <= now or is_late:
                taken.add(held.incoming.tag)
                self.out[held.incoming.tag] = held
                if is_late:
                    self.settler.expire(held)
                else:
                    lent.append(lease(held, desk, message))
        if taken:
            self.buffer = type(self.buffer)(
                held for held in self.buffer if held.incoming.tag not in taken
            )
        return lent

    def next_due(self, now: float) -> float | None:
        """Return the next moment at which something here is due."""
        return min((one.due for one in self.buffer if one.due and one.due > now), default=None)

    def put_back(self, back: Iterable[Held]) -> None:
        """Put deliveries back at their old places, for their turn."""
        found = [held for held in back if held.is_open]
        for held in found:
            self.out.pop(held.incoming.tag, None)
        super().put_back(found)
        self._leave_if_idle()

    def put_off(self, held: Held, story: Story, due: float | None) -> None:
        """Let *held*, which was noted, wait for *due* where it is."""
        held.story, held.due = story, due
        held.is_marked = False
        if held.is_begun:
            held.expires = None
        self.put_back((held,))

    def wake(self) -> None:
        """Wake workers: what is in the buffer may have its turn."""
        self.parent.wake()

    def stale(self, before: float) -> list[Held]:
        """Give all of it back, once nothing runs, if something came before that moment."""
        if any(held.came < before for held in (*self.buffer, *self.out.values())):
            self.give_up()
        return []

    def give_up(self) -> None:
        """Let the next consumer have it, once nothing runs here."""
        self._is_leaving = True
        self._leave_if_idle()

    def _leave_if_idle(self) -> None:
        if self._is_leaving and not self.out:
            self.settler.repair(self, None)

    def _is_known(self, held: Held) -> bool:
        """Whether it is known what *held* has been through; else somebody is asked to find out."""
        if self._is_informed or not held.incoming.redelivered:
            return True
        if not self._is_asked:
            self._is_asked = True
            self.settler.repair(self, None)
        return False

    def _read(self, held: Held) -> Message:
        message = super()._read(held)
        raw = held.incoming.properties.headers or {}
        held.place = str(raw.get(PLACE) or message.id)
        held.due = number(raw, DUE)
        if not held.incoming.redelivered:
            self._notes.clear()  # what was delivered before comes first: these are of nobody
        elif (found := self._notes.pop(held.place, None)) is not None:
            held.story, held.due, held.is_noted = found.story, found.due, True
            self._noted.add(held.place)
            if found.is_running:
                held.story = found.story.after(Interrupt(), self.settler.now())
                held.expires = None
                self.settler.on_event(Event("interrupted", self.spec.name))
        return message

    def _forget(self) -> None:
        super()._forget()
        self.out.clear()
        self._noted.clear()
        self._notes.clear()
        self._is_informed = self._is_asked = self._is_leaving = False

    # Notes

    def note(self, held: Held, story: Story, due: float | None, *, is_running: bool) -> Outgoing:
        """Return what is to be stored before *held* goes on with *story*."""
        assert held.message is not None
        with self.lock:
            held.is_noted = True
            self._noted.add(held.place)
        properties = note(
            held.message.id, held.place, story, due, is_running=is_running,
            durable=self.shape.durable,
        )  # fmt: skip
        return Outgoing("", self.name + NOTES, properties, b"")

    def settle(self, epoch: int, acks: list[int], nacks: list[int]) -> None:
        """Tell the broker what has ended; the next of their groups have their turn."""
        super().settle(epoch, acks, nacks)
        with self.lock:
            if epoch != self.epoch:
                return
            ended = [self.out.pop(tag, None) for tag in (*acks, *nacks)]
            noted = {held.place for held in ended if held is not None} & self._noted
            self._noted -= noted
            if noted and not self._noted and not self._notes and self.channel is not None:
                with suppress(QueueError):
                    self.channel.drop(self.name + NOTES)
            self.wake()
            self._leave_if_idle()

    # Consuming; not for the I/O thread, nor with the lock held

    def adjust(self) -> None:
        """Consume while a desk is open, learn what was noted, and leave once nothing runs.

        Raises:
            QueueError: The broker does not let us, or is away.
        """
        with self.admin:
            is_live = self.channel is not None and self.channel.is_open
            is_wanted = any(desk.is_open() for desk in self.desks)
            if is_live and (self._is_leaving or not is_wanted):
                with self.lock:
                    self._is_leaving = True
                    if self.out:
                        return
                    channel, self.channel = self.channel, None
                    self._forget()
                assert channel is not None
                channel.close(2.0)
                is_live = False
            if is_wanted and not is_live:
                self._consume_anew()
            elif is_live and self._is_asked and not self._is_informed:
                self._learn()

    def _consume_anew(self) -> None:
        epoch = self.epoch + 1
        channel = self._connect(lambda problem: self.lose(epoch, problem))
        with self.lock:
            self._forget()
            self.channel = channel
            wanted = sum(2 * desk.prefetch for desk in self.desks if desk.is_open())
        channel.qos(min(max(WINDOW, wanted), 65_535))

        def receive(batch: list[Incoming]) -> None:
            self.receive(epoch, batch)

        channel.consume(
            self.name,
            tag=f"moonq-{os.urandom(6).hex()}",
            on_batch=receive,
            on_cancel=lambda: self.cancelled(epoch),
        )

    def _learn(self) -> None:
        """Read the notes, the last of each message last, and leave them where they are."""
        epoch, found = self.epoch, dict[str, Note]()
        channel = self._connect(lambda problem: None)
        try:
            while (one := channel.get(self.name + NOTES)) is not None:
                raw = one.properties.headers or {}
                found[str(raw.get(PLACE))] = Note(story_of(raw), number(raw, DUE), RUN in raw)
        finally:
            channel.close(2.0)
        with self.lock:
            if epoch == self.epoch:
                self._notes, self._is_informed = found, True
                self.wake()


def _group(held: Held) -> str:
    """Return what *held* waits for; another client's message without a group waits for none."""
    group = held.message.group if held.message is not None else None
    return group if group is not None else f"\0{held.incoming.tag}"
