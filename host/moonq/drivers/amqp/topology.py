"""What moonq declares at a broker: one table of names and arguments, all declared from here.

    orders                  what is published; quorum, `x-delivery-limit` always set
    orders.again            what was delayed, failed or was interrupted; unbounded, so that a full
                            queue holds up nothing in the ladder, which all queues share
    orders.dead             its dead letters
    orders.p0 …             messages with a group, where `partitions` says how many; each has one
                            consumer at a time, and what happened there in orders.p0.notes
    moonq.delay.v1.0 … 27   the ladder: an exchange and a queue each, see `ladder`
    moonq.delay.v1.deliver  where messages leave it
    moonq.dead.v1           dead letters that the broker makes itself, by the queue they come from
    moonq.unroutable        what belongs nowhere any more

Nothing is ever deleted and made again: what is there in another way is a `Conflict`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from moonq.drivers import refusals
from moonq.drivers.amqp import ladder
from moonq.drivers.amqp.entry import LIMITS
from moonq.drivers.amqp.wire.channel import Channel
from moonq.drivers.amqp.wire.faults import NOT_FOUND, PRECONDITION_FAILED, ChannelClosed
from moonq.errors import Conflict, Unsupported
from moonq.model import Priority, QueueSpec

#: Returns to a quorum queue before the broker buries a message. Without it they would go to the
#: end of the queue; hand-backs count, so that it must be far above what deploys cost.
DELIVERY_LIMIT = 10_000
DEAD = "moonq.dead.v1"
UNROUTABLE = "moonq.unroutable"
AGAIN = ".again"
NOTES = ".notes"
#: How many notes are kept for a partition; what they are about should have ended long before.
MANY_NOTES = 10_000
#: Milliseconds after which the broker drops a queue that was made for trying things out.
EXPIRES = 600_000
#: The longest name of a queue at the broker, in bytes, with all that is put around it.
LONGEST_NAME = 240
OPTIONS = frozenset(("queue_type", "durable", "priorities", "partitions"))
#: The most partitions of a queue: each is two queues at the broker, and a channel of every host.
MOST_PARTITIONS = 64
#: From when on quorum queues have priorities, and what does not last must be exclusive.
STRICT = (4, 3)
_REFUSED = re.compile(r"inequivalent arg '([^']+)'.*received (.*?) but current is (.*)", re.DOTALL)
#: The settings that people know, by the arguments that the broker names.
_SETTINGS = {
    "x-max-length": "max_length",
    "x-queue-type": "options.queue_type",
    "durable": "options.durable",
    "x-max-priority": "options.priorities",
}
_QUORUM_ONLY = ("x-delivery-limit", "x-dead-letter-strategy")
_CLASSIC_ONLY = ("x-max-priority",)
_OF = ".p/"


class Queue(NamedTuple):
    """A queue to declare."""

    name: str
    arguments: Mapping[str, Any]
    durable: bool = True


class Shape(NamedTuple):
    """What of a spec the broker has to know."""

    kind: str = "quorum"
    durable: bool = True
    max_length: int | None = None
    is_twin: bool = False
    has_priorities: bool = False
    partitions: int = 0
    """0: it takes no messages with a group."""

    @classmethod
    def of(cls, spec: QueueSpec, *, is_twin: bool, partitions: int | None = None) -> Shape:
        """Return the shape of *spec*, where *partitions* are what it has by default.

        Raises:
            Unsupported: It asks for what RabbitMQ cannot do; names the key.
        """
        refusals.check_options(spec, OPTIONS)
        refusals.check_no_bytes(spec, LIMITS["max_bytes"].reason)
        options = spec.options
        kind, durable = str(options.get("queue_type", "quorum")), bool(options.get("durable", True))
        if kind not in {"quorum", "classic"}:
            raise refusals.option(
                spec.name, "queue_type", f"is {kind!r}", hint="write quorum or classic"
            )
        if kind == "quorum" and not durable:
            raise refusals.option(
                spec.name,
                "durable",
                "is always true of a quorum queue",
                hint="write `queue_type: classic` in its options",
            )
        if spec.overflow == "drop_oldest":
            raise Unsupported(
                f"queue {spec.name!r}: RabbitMQ cannot do `overflow: drop_oldest`",
                hint="write `reject` or `block`",
            )
        if spec.group_on_failure == "skip":
            raise Unsupported(
                f"queue {spec.name!r}: RabbitMQ cannot do `group_on_failure: skip`",
                hint="write `block`: a message that waits keeps its place in its group",
            )
        if len(spec.name.encode()) > LONGEST_NAME - len(AGAIN):
            raise Unsupported(f"queue {spec.name[:40]!r}…: its name is too long for RabbitMQ")
        has_priorities = kind == "classic" or bool(options.get("priorities", False))
        number = _partitions(spec, partitions)
        return cls(kind, durable, spec.max_length, is_twin, has_priorities, number)

    def check(self, name: str, version: tuple[int, ...]) -> None:
        """See that a broker of *version* can have the queue *name* so.

        Raises:
            Unsupported: It cannot; names the option.
        """
        found = ".".join(map(str, version))
        if self.kind == "quorum" and self.has_priorities and version < STRICT:
            raise refusals.option(
                name,
                "priorities",
                f"needs RabbitMQ 4.3 or later for a quorum queue, and this is {found}",
                hint="write `queue_type: classic`, or leave `priorities` out",
            )
        if not self.durable and version >= STRICT:
            raise refusals.option(
                name,
                "durable",
                f"cannot be false with RabbitMQ {found}, which has no such queues any more",
                hint="leave `durable` out",
            )

    def main(self, name: str) -> Queue:
        """Return what takes the publishes."""
        bounds: dict[str, Any] = {}
        if self.max_length is not None:
            bounds = {"x-max-length": self.max_length}
        return self._queue(name, bounds)

    def again(self, name: str) -> Queue:
        """Return what takes that which comes back; never full."""
        return self._queue(name + AGAIN, {})

    def partition(self, name: str, number: int) -> tuple[Queue, Queue]:
        """Return a partition of the queue *name*, and where is noted what happened there."""
        bounds = {} if self.max_length is None else {"x-max-length": self.max_length}
        made = self._queue(f"{name}.p{number}", bounds)
        one = {"x-single-active-consumer": True, "x-dead-letter-routing-key": self.letters(name)}
        arguments = {**made.arguments, **one}
        # Its order is that of publishing, whatever the priority.
        arguments.pop("x-max-priority", None)
        kept = {"x-queue-type", "x-delivery-limit", "x-expires"}
        notes = {key: value for key, value in made.arguments.items() if key in kept}
        notes |= {"x-max-length": MANY_NOTES, "x-overflow": "drop-head"}
        return made._replace(arguments=arguments), Queue(made.name + NOTES, notes, self.durable)

    def letters(self, name: str) -> str:
        """Return the key by which the broker's own dead letters leave a partition.

        It tells how many there are, for a broker compares it with what was declared before.
        """
        return f"{name}{_OF}{self.partitions}"

    def _queue(self, name: str, more: Mapping[str, Any]) -> Queue:
        arguments: dict[str, Any] = {
            "x-queue-type": self.kind,
            "x-dead-letter-exchange": DEAD,
            "x-dead-letter-routing-key": name.removesuffix(AGAIN),
            "x-overflow": "reject-publish",
            **more,
        }
        if self.kind == "quorum":
            arguments["x-delivery-limit"] = DELIVERY_LIMIT
            arguments["x-dead-letter-strategy"] = "at-least-once"
        if self.has_priorities:
            arguments["x-max-priority"] = int(Priority.HIGH)
        if self.is_twin:
            arguments["x-expires"] = EXPIRES
        return Queue(name, arguments, self.durable)


def _partitions(spec: QueueSpec, default: int | None) -> int:
    found = spec.options.get("partitions")
    if found is None:
        return default or 0
    if isinstance(found, bool) or not isinstance(found, int) or not 1 <= found <= MOST_PARTITIONS:
        raise refusals.option(
            spec.name, "partitions", f"is {found!r}", hint=f"write 1 to {MOST_PARTITIONS}"
        )
    return found


def declare(channel: Channel, queue: Queue) -> tuple[int, int]:
    """Make *queue* exist; returns how many messages and consumers it has.

    Raises:
        Conflict: The broker has it in another way; says what was wanted and what is there.
    """
    try:
        return channel.declare_queue(
            queue.name, durable=queue.durable, arguments=dict(queue.arguments)
        )
    except ChannelClosed as problem:
        raise _conflict(queue, problem) or problem from None


def _conflict(queue: Queue, problem: ChannelClosed) -> Conflict | None:
    """Return *problem* as the difference between what was wanted and what is there, if it is."""
    found = _REFUSED.search(problem.text)
    if problem.code != PRECONDITION_FAILED or found is None:
        return None
    key, wanted, there = (part.strip() for part in found.groups())
    if key in _QUORUM_ONLY and key not in queue.arguments:
        # Brokers compare this first; it is there because the whole queue is another.
        key, wanted, there = "x-queue-type", "classic", "quorum"
    elif key in _CLASSIC_ONLY and key not in queue.arguments:
        key, wanted, there = "x-queue-type", "quorum", "classic"
    setting = _SETTINGS.get(key, key)
    if key == "x-dead-letter-routing-key" and _OF in wanted and _OF in there:
        setting = "options.partitions"
        wanted, there = (part.rpartition(_OF)[2].split("'")[0] for part in (wanted, there))
    return Conflict(
        f"queue {queue.name!r}: {setting} is to be {_plain(wanted)}, and at the broker is"
        f" {_plain(there)} ({key})",
        hint="write what is there, or give it another queue_name; to change it, empty and delete"
        " it at the broker",
    )


def buried_in(exchange: str, key: str) -> str:
    """Return the queue, as it was declared, whose broker has buried what came so; "": none."""
    name, of, number = key.rpartition(_OF)
    return "" if exchange != DEAD else name if of and number.isdigit() else key


def count(channel: Channel, name: str) -> tuple[int, int] | None:
    """Return messages and consumers of a queue; None: it is not there, and the channel closed."""
    try:
        return channel.declare_queue(name, passive=True)
    except ChannelClosed as problem:
        if problem.code == NOT_FOUND:
            return None
        raise


def declare_shared(channel: Channel) -> int:
    """Make exist what all queues of the virtual host share: the ladder, and the last resort.

    Returns how many messages lie in the last resort.

    Raises:
        Conflict: Something of it is there in another way.
    """
    quorum = {"x-queue-type": "quorum"}
    channel.declare_exchange(UNROUTABLE, "fanout")
    left, _ = declare(channel, Queue(UNROUTABLE, quorum))
    channel.bind_queue(UNROUTABLE, UNROUTABLE, "")
    for name, kind in ((ladder.DELIVER, "topic"), (DEAD, "direct")):
        channel.declare_exchange(name, kind, arguments={"alternate-exchange": UNROUTABLE})
    for level in range(ladder.LEVELS):
        name, below = ladder.exchange(level), ladder.exchange(level - 1)
        channel.declare_exchange(name, "topic")
        arguments = {
            "x-message-ttl": int(ladder.UNIT * 1000) << level,
            "x-dead-letter-exchange": below,
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
        }
        declare(channel, Queue(name, quorum | arguments))
        channel.bind_queue(name, name, ladder.pattern(level, "1"))
        channel.bind_exchange(below, name, ladder.pattern(level, "0"))
    return left


def _plain(text: str) -> str:
    """Return what the broker says of a value without its types: 'the value '3' of type 'long''."""
    found = re.search(r"value '([^']*)'", text)
    word = found[1] if found else text.strip("'")
    return word if word == "none" else repr(word)
