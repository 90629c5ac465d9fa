"""What is published, from a message to its answer: as it is sent, refused, sent once more."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

from moonq.clock import Clock
from moonq.drivers.amqp import ladder
from moonq.drivers.amqp.declaring import Declarer
from moonq.drivers.amqp.envelope import DUE, PLACE, pack
from moonq.drivers.amqp.line import Line
from moonq.drivers.amqp.partition import number_of
from moonq.drivers.amqp.publishing import Batch, Publisher
from moonq.drivers.amqp.session import Session
from moonq.drivers.amqp.settling import Settler
from moonq.drivers.amqp.wire.messages import Outgoing
from moonq.drivers.story import Story
from moonq.errors import (
    QueueError,
    QueueFull,
    QueueNotFound,
    Unavailable,
    Uncertain,
    Unsupported,
)
from moonq.model import Message, Priority, Receipt

#: Real seconds that the broker may take to store what it was sent, whatever a publisher's patience.
LEAST = 5.0
#: Real seconds between two tries of a full queue, for a publisher that waits.
PAUSE = 0.05
Answer = Receipt | QueueError


class Store:
    """See the module."""

    def __init__(
        self,
        clock: Clock,
        session: Session,
        declarer: Declarer,
        publisher: Publisher,
        settler: Settler,
    ) -> None:
        self._clock = clock
        self._session = session
        self._declarer = declarer
        self._publisher = publisher
        self._settler = settler
        self.published = 0
        """Grows with every publish."""

    def store(
        self,
        queue: str,
        messages: Sequence[Message],
        stories: Sequence[Story],
        timeout: float,
        *,
        may_wait: bool,
    ) -> list[Answer]:
        """Store *messages*, with their *stories* where they have lain elsewhere."""
        line = self._declarer.line(queue)
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
        self.published += 1
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
                answers[at] = _refusal(line, is_full=at in full)
        self.published += 1
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
                answers[at] = self._session.away()
        return full, lost

    def _mended(self, line: Line, lost: dict[int, Outgoing]) -> dict[int, Outgoing]:
        """Declare a queue that somebody deleted; returns what can be sent once more."""
        line.is_declared = line.has_again = False
        try:
            self._declarer.renew(line)
        except QueueError:
            return {}
        return lost

    def _outgoing(self, line: Line, message: Message, story: Story | None = None) -> Outgoing:
        """Return *message* as it is sent, with its *story* where it has lain elsewhere.

        Raises:
            Unsupported: It wants what this queue cannot do.
        """
        _check_wishes(line, message)
        ttl = message.ttl if message.ttl is not None or story else line.spec.ttl
        expires = None if ttl is None else self._settler.now() + ttl
        properties = pack(message, story, expires=expires, durable=line.shape.durable)
        if message.group is not None:
            found = line.partitions[number_of(message.group, len(line.partitions))]
            headers = {**(properties.headers or {}), PLACE: os.urandom(8).hex()}
            if message.delay > 0:
                headers[DUE] = self._settler.now() + message.delay
            return Outgoing("", found.name, properties._replace(headers=headers), message.body)
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
        if not self._session.await_broker(deadline):
            return self._session.away()
        needs_again = any(out.exchange for out in going.values())
        groups = any(not out.exchange and out.key != line.name for out in going.values())
        is_there = line.is_declared and (line.has_again or not needs_again)
        if not is_there or (groups and not line.has_partitions):
            try:
                self._declarer.have(line, again=needs_again, groups=groups)
            except QueueError as problem:
                return problem
        return None


def _refusal(line: Line, *, is_full: bool) -> QueueError:
    name, room = line.spec.name, line.spec.max_length
    if not is_full:
        return QueueNotFound(f"queue {name!r} is not at the broker any more")
    if room is None:
        return Unavailable(f"queue {name!r}: the broker refuses the message just now")
    return QueueFull(
        f"queue {name!r} is full: it holds about {room} messages",
        hint="publish again when its consumers have caught up, or raise max_length",
    )


def _check_wishes(line: Line, message: Message) -> None:
    name = line.spec.name
    if message.dedup_key is not None:
        raise Unsupported(
            f"queue {name!r}: RabbitMQ cannot do dedup_key",
            hint="have the handler tell what it has done already, as with the stdlib's idempotency",
        )
    if message.group is not None and not line.partitions:
        raise Unsupported(
            f"queue {name!r}: RabbitMQ cannot do group without partitions",
            hint="write `partitions: 8` in its options, or in the driver's entry for all queues",
        )
    if message.group is not None and message.priority is not Priority.NORMAL:
        raise Unsupported(
            f"queue {name!r}: RabbitMQ cannot do group and priority in one message",
            hint="leave the priority out: a group is served in its order",
        )
    if message.priority is not Priority.NORMAL and not line.shape.has_priorities:
        raise Unsupported(
            f"queue {name!r}: a quorum queue cannot do priority",
            hint="write `queue_type: classic` in its options, or `priorities: true` from RabbitMQ"
            " 4.3 on; or use one queue per priority",
        )
