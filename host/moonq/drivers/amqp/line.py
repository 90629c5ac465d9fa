"""One queue as this process has it: what the broker has delivered, and the desks that share it.

    broker -> buffer -> desks of consumers -> workers
                 ^           |
                 +-----------+   handed back while another desk is open; else back to the broker

All consumers of a queue in this process share one channel and one buffer, so that none is idle
while messages lie in another's. The line's lock guards all of it.
"""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from moonq.drivers.amqp.envelope import EXPIRES, RUN, unpack
from moonq.drivers.amqp.tags import Tags
from moonq.drivers.amqp.topology import AGAIN, Shape
from moonq.drivers.amqp.wire.channel import Channel
from moonq.drivers.amqp.wire.messages import Incoming, Settle
from moonq.drivers.base import Event
from moonq.drivers.desk import Desk
from moonq.drivers.story import Story
from moonq.errors import QueueError
from moonq.model import Delivery, Interrupt, Message, QueueSpec

#: Real seconds for which no marked copy is waited for, once one did not come back in time.
BUSY = 2.0
_receipts = itertools.count(1)


class Sender(Protocol):
    """What ends deliveries at the broker, and mends what broke there."""

    on_event: Callable[[Event], None]
    name_of: Callable[[str], str]
    """Gives our name for one of the broker's."""
    repair: Callable[[Line, QueueError | None], None]
    """Has a line that lost its channel consume again; never waits."""

    def now(self) -> float:
        """Return the seconds since the epoch."""

    def put(self, endings: Sequence[tuple[Held, Any]], /) -> None:
        """End deliveries; never waits."""

    def release(self, back: Iterable[Held], /) -> None:
        """Give deliveries back to the broker, in their order."""

    def expire(self, held: Held, /) -> None:
        """End a delivery that is too late."""

    def orphan(self, desk: AmqpDesk, /) -> None:
        """Note a desk whose subscription was dropped; takes no lock."""

    def flush(self, seconds: float, /) -> bool:
        """Wait until all that was asked for so far is done; False: it is not."""


@dataclass(slots=True, eq=False)
class Held:
    """A delivery that is ours: in the buffer, with a worker, or about to end."""

    line: Line
    incoming: Incoming
    epoch: int
    """The life of the channel it came by; its tag means nothing at another."""
    came: float
    """Real monotonic seconds."""
    message: Message | None = None
    story: Story = field(default_factory=Story)
    expires: float | None = None
    """By when its first run must have started."""
    desk: AmqpDesk | None = None
    started: bool = False
    is_begun: bool = False
    """Whether it was started here, perhaps before it was handed back to the buffer."""
    is_marked: bool = False
    """Whether this copy names the run that begins with it."""
    ended: float | None = None

    @property
    def is_suspect(self) -> bool:
        """Whether a run of it may have ended with its host: the copy to be run must be marked."""
        return self.incoming.redelivered and not self.is_begun

    @property
    def is_open(self) -> bool:
        """Whether the broker still has it as ours."""
        return self.epoch == self.line.epoch


class AmqpDesk(Desk["Line", Held]):
    """What one subscription holds of a line."""

    def __init__(self, line: Line, prefetch: int, name: str) -> None:
        super().__init__(line, prefetch, threading.Condition(line.lock))
        self.name = name
        """Of its consumer, which brokers show."""
        self.tags: list[str] = []
        """Its consumers at the broker; none while it takes nothing."""

    def end(self, receipt: object, ending: Any, when: float | None = None) -> bool:
        """Settle what *receipt* stands for; False: it was settled before."""
        held = self.held.pop(receipt, None)
        if held is None:
            return False
        held.ended = when
        self.queue.settler.put(((held, ending),))
        return True

    def recall(self) -> None:
        """Put everything that has not started back into the line; its lock must be held."""
        back = {receipt: held for receipt, held in self.held.items() if not held.started}
        for receipt in back:
            del self.held[receipt]
        self.queue.put_back(back.values())


class Line:
    """See the module."""

    def __init__(self, spec: QueueSpec, shape: Shape, name: str, settler: Sender) -> None:
        self.spec = spec
        self.shape = shape
        self.name = name
        """Its name at the broker."""
        self.settler = settler
        self.paused = False
        self.lock = threading.Lock()
        self.admin = threading.RLock()
        """Held by whoever changes the channel or its consumers, before the lock."""
        self.desks: list[AmqpDesk] = []
        self.buffer: deque[Held] = deque()
        self.epoch = 0
        self.channel: Channel | None = None
        self.is_declared = False
        self.has_again = False
        self.awaited: dict[str, Callable[[Held], None]] = {}
        """Marked copies that are on their way here, by the run that they name."""
        self._tags = Tags()
        self._busy_until = 0.0

    @property
    def again(self) -> str:
        """The broker's name of the queue for what comes back."""
        return self.name + AGAIN

    # What comes, on the I/O thread

    def receive(self, epoch: int, batch: list[Incoming]) -> None:
        """Buffer what was delivered, and wake the workers that wait."""
        now = time.monotonic()
        with self.lock:
            if epoch != self.epoch:
                return
            self._tags.opened([incoming.tag for incoming in batch])
            for incoming in batch:
                held = Held(self, incoming, epoch, now)
                if not (self.awaited and self._is_awaited(held)):
                    self.buffer.append(held)
            self.wake()

    def _is_awaited(self, held: Held) -> bool:
        run = (held.incoming.properties.headers or {}).get(RUN)
        attach = self.awaited.pop(run, None) if isinstance(run, str) else None
        if attach is None or held.incoming.redelivered:
            return False
        attach(held)
        return True

    def cancelled(self, epoch: int) -> None:
        """Note that the broker has ended a consumer, as when its queue was deleted."""
        with self.lock:
            if epoch != self.epoch:
                return
        self.settler.on_event(Event("cancelled", self.spec.name, detail="by the broker"))
        self.lose(epoch)

    def lose(self, epoch: int, problem: QueueError | None = None) -> None:
        """Forget all that came by a channel that is gone: the broker delivers it again."""
        with self.lock:
            if epoch != self.epoch:
                return
            self._forget()
        self.settler.repair(self, problem)

    def _forget(self) -> None:
        self.epoch += 1
        self._tags = Tags()
        self.buffer.clear()
        self.awaited.clear()
        for desk in self.desks:
            desk.held.clear()
            desk.tags.clear()

    # For desks; with the lock held

    def wake(self) -> None:
        """Wake workers for what is in the buffer."""
        left = len(self.buffer)
        for desk in self.desks:
            if left <= 0:
                return
            if desk.waiting and desk.has_room():
                desk.bell.notify_all()

    def put_back(self, back: Iterable[Held]) -> None:
        """Put deliveries back at their old places."""
        found = [*back]
        for held in found:
            held.desk, held.started = None, False
        if found:
            ordered = sorted((*found, *self.buffer), key=lambda held: held.incoming.tag)
            self.buffer = deque(ordered)
            self.wake()

    def lend(self, desk: AmqpDesk, limit: int) -> list[Delivery]:
        """Give up to *limit* deliveries to *desk*."""
        lent: list[Delivery] = []
        buffer = self.buffer
        while buffer and len(lent) < limit and desk.has_room():
            held = buffer.popleft()
            message = held.message or self._read(held)
            if held.expires is not None and held.expires <= self.settler.now():
                self.settler.expire(held)
                continue
            held.desk = desk
            receipt = next(_receipts)
            desk.held[receipt] = held
            lent.append(Delivery(message, receipt, *held.story, held.expires))
        return lent

    def _read(self, held: Held) -> Message:
        """Find out what a message is, and whether its last run ended with its host."""
        incoming, now = held.incoming, self.settler.now
        message, story, expires = unpack(incoming, now, self.settler.name_of)
        run = (incoming.properties.headers or {}).get(RUN)
        if run is not None and incoming.redelivered:
            story = story.after(Interrupt(), now())
            self.settler.on_event(Event("interrupted", self.spec.name))
        held.is_marked = run is not None and not incoming.redelivered
        held.message, held.story, held.expires = message, story, expires
        return message

    def surplus(self) -> list[Held]:
        """Take out of the buffer what no open desk can take soon: it is handed back."""
        room = sum(2 * desk.prefetch for desk in self.desks if desk.is_open())
        back = [self.buffer.pop() for _ in range(max(0, len(self.buffer) - room))]
        return back[::-1]

    def is_waited_for(self) -> bool:
        """Whether it is worth a moment to wait for a marked copy to come back."""
        return time.monotonic() >= self._busy_until

    def wait_no_more(self) -> None:
        """Note that one did not: there is a crowd before it, or another host was faster."""
        if self.is_waited_for():
            self._busy_until = time.monotonic() + BUSY

    def stale(self, before: float) -> list[Held]:
        """Take out what came before that moment and was not taken."""
        back = [held for held in self.buffer if held.came < before]
        if back:
            self.buffer = deque(held for held in self.buffer if held.came >= before)
        return back

    # Settling

    def settle(self, epoch: int, acks: list[int], nacks: list[int]) -> None:
        """Tell the broker what has ended, in one go."""
        with self.lock:
            if epoch != self.epoch or self.channel is None:
                return
            frames: list[Settle] = self._tags.close(acks, nacks)
            self.channel.settle(frames)

    # Consuming; not for the I/O thread, nor with the lock held

    def begin(self, channel: Channel) -> None:
        """Consume at a new *channel*."""
        with self.admin:
            with self.lock:
                # Nobody was told of the end of a channel that we closed ourselves.
                self._forget()
                self.channel = channel
            self.adjust()

    def adjust(self) -> None:
        """Consume for the desks that are open and for no other; hand back what is too much.

        Raises:
            QueueError: The broker does not let us, or is away.
        """
        with self.admin:
            for desk in list(self.desks):
                if desk.is_open():
                    self._consume(desk)
                elif desk.tags:
                    self._cancel(desk)
            with self.lock:
                back = self.surplus()
            self.settler.release(back)

    def adjust_soon(self) -> None:
        """The same; what the broker cannot do now is done when it is back."""
        with suppress(QueueError):
            self.adjust()

    def leave(self, desk: AmqpDesk, ending: Any, when: float) -> None:
        """Take *desk* away, and end what still runs there."""
        with self.lock:
            if desk not in self.desks:
                return
            desk.stop()
            running = [(receipt, held) for receipt, held in desk.held.items()]
            for receipt, _ in running:
                desk.end(receipt, ending, when)
        self.adjust_soon()
        with self.lock:
            if desk in self.desks:
                self.desks.remove(desk)

    def _consume(self, desk: AmqpDesk) -> None:
        channel, epoch = self.channel, self.epoch
        if desk.tags or channel is None or not channel.is_open:
            return

        def receive(batch: list[Incoming]) -> None:
            self.receive(epoch, batch)

        channel.qos(desk.prefetch)
        for name in (self.name, self.again):
            # A tag of its own: after a crash of the broker it is no consumer that was there before.
            tag = channel.consume(
                name,
                tag=f"{desk.name[:100] or 'moonq'}-{os.urandom(6).hex()}",
                on_batch=receive,
                on_cancel=lambda: self.cancelled(epoch),
            )
            desk.tags.append(tag)

    def _cancel(self, desk: AmqpDesk) -> None:
        tags, desk.tags = desk.tags, []
        if self.channel is not None and self.channel.is_open:
            for tag in tags:
                self.channel.cancel(tag, 2.0)


def is_expiring(held: Held) -> bool:
    """Whether the copy at the broker would be too late, though it has started."""
    return EXPIRES in (held.incoming.properties.headers or {})
