"""The contract between moonq and whatever stores its messages.

A message moves through four verbs: `Driver.publish` stores it, `Subscription.take` leases it to
us as a delivery, `Subscription.start` says that its handler begins, and `Subscription.settle`
ends that delivery with a verdict. A lease that runs out counts as an interruption: the message is
ready again at once, and the next delivery tells when that was (`lost_at`), until a verdict on it.

`moonq.conformance` holds the suite; a driver that passes it is a driver. A driver has no
base class: it fits these Protocols. One into which messages can be moved is an `Adopter` too, and
one that shows them before they leave a `Mover`; from the others they are moved by consuming them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple, Protocol, runtime_checkable

from moonq.errors import QueueError, Unsupported
from moonq.model import (
    Delivery,
    Headers,
    Message,
    MessageState,
    Page,
    Priority,
    QueueInfo,
    QueueSpec,
    Receipt,
    Stored,
    Verdict,
)

Ability = Literal["native", "emulated", "approximate", "none"]
Happening = Literal[
    "expired",
    "dropped",
    "interrupted",
    "lease_lost",
    "dead_letter_failed",
    "blocked",
    "cancelled",
    "reconnecting",
    "reconnected",
]
"""What a driver does or meets unasked:

expired, dropped: messages that are gone from their queue, for their time or for want of room;
interrupted: leases that ended without a verdict; lease_lost: verdicts that came too late;
dead_letter_failed: a dead letter could not be stored, its message stays where it was;
blocked: the broker takes no publish for now; cancelled: the broker ended a subscription;
reconnecting, reconnected: the broker is away, and back.
"""
#: Seconds for which a consumer keeps what it holds when it vanishes, where nothing else is said.
LEASE = 30.0
#: What takes messages away.
LOSSES = frozenset(("expired", "dropped"))


@dataclass(frozen=True, slots=True)
class Event:
    """Something a driver did unasked: worth a count and perhaps a log line."""

    kind: Happening
    queue: str | None
    """The driver's name of the queue; None: it concerns the driver as a whole."""
    count: int = 1
    detail: str = ""


class Limit(NamedTuple):
    """An ability that the broker does not have by itself."""

    ability: Ability
    reason: str
    """Why, or where the limit lies, for people."""


class Peer(NamedTuple):
    """A process that has a driver open at the store, this one among them."""

    name: str
    """What its host is called; "" where nobody said, as of a command's private host."""
    machine: str
    pid: int
    """Its process id on that machine."""
    since: float
    """When it opened the driver, as the wall clock shows it."""
    busy: int
    """How many messages it runs or holds."""

    @classmethod
    def mine(cls, name: str, since: float, busy: int) -> Peer:
        """Return what this process says of itself."""
        return cls(name, machine(), os.getpid(), since, busy)


def machine() -> str:
    """Return what this machine is called."""
    return os.uname().nodename


class Capabilities(NamedTuple):
    """What a driver can do, clause by clause, each with what it is for people.

    Asking for a `none` is an error, never ignored. What nobody asks for, such as exact counts, is
    `approximate` or `none` where the contract's word is not kept, and the reason says how far.
    """

    durable: Annotated[Ability, "messages outlive the process"] = "native"
    delay: Annotated[Ability, "`delay` and `at`"] = "native"
    ttl: Annotated[Ability, "`ttl`, `on_expire`"] = "native"
    priority: Annotated[Ability, "`priority` 9 : 3 : 1"] = "native"
    dedup: Annotated[Ability, "`dedup_key`"] = "native"
    group: Annotated[Ability, "`group`: order per key"] = "native"
    max_length: Annotated[Ability, "`max_length`, reject or block"] = "native"
    max_bytes: Annotated[Ability, "`max_bytes` of a queue with its dead letters"] = "native"
    drop_oldest: Annotated[Ability, "`overflow: drop_oldest`"] = "native"
    exact_info: Annotated[Ability, "exact counts"] = "native"
    peek: Annotated[Ability, "peek without consuming"] = "native"
    purge: Annotated[Ability, "purge"] = "native"
    redrive: Annotated[Ability, "redrive dead letters"] = "native"
    move: Annotated[Ability, "move messages in, with their story"] = "native"
    pause: Annotated[Ability, "pause a queue"] = "native"
    attempts: Annotated[Ability, "exact attempts"] = "native"
    several_hosts: Annotated[Ability, "several hosts share a queue"] = "native"
    find: Annotated[Ability, "find a message by its id"] = "native"
    select: Annotated[Ability, "purge or redrive by id"] = "native"
    interruptions: Annotated[Ability, "exact interruptions"] = "native"
    expiry: Annotated[Ability, "expire on time, not at delivery"] = "native"
    survives_reopen: Annotated[Ability, "what runs outlives a reconnect"] = "native"
    dead_by_origin: Annotated[Ability, "shared dead letters counted by origin"] = "native"
    group_skip: Annotated[Ability, "`group_on_failure: skip`"] = "native"
    order: Annotated[Ability, "publish order without a group"] = "native"
    retention: Annotated[Ability, "keep messages for as long as it takes"] = "native"

    @classmethod
    def but(cls, limits: Mapping[str, Limit]) -> Capabilities:
        """Return what a driver can do that is native but for *limits*."""
        return cls(**{name: limit.ability for name, limit in limits.items()})


class Subscription(Protocol):
    """One consumer's standing at a queue; all methods are called by many worker threads."""

    def take(self, limit: int, timeout: float | None) -> list[Delivery]:
        """Lease up to *limit* deliveries, waiting at most *timeout* seconds for the first.

        Returns an empty list when the time was up, the queue is paused or the subscription is
        stopping. Never holds more than `prefetch` unsettled deliveries in all.
        """

    def waiting(self) -> int:
        """Return how many deliveries are leased and wait for a `take`, as far as is known."""
        ...

    def start(self, delivery: Delivery) -> bool:
        """Say that the handler begins. False: the lease is lost or was handed back, skip it."""

    def settle(self, delivery: Delivery, verdict: Verdict) -> bool:
        """End *delivery* as *verdict* says, exactly once.

        Never waits for a broker: what it cannot do at once it sends with the next batch, so True
        means that it was accepted and will be sent. Returns False when the delivery was settled
        before or its lease is lost; nothing changes then. A refusal that comes after True is the
        event `lease_lost`.
        """

    def ack(self, deliveries: Sequence[Delivery]) -> list[bool]:
        """Settle *deliveries* as done, all in one go; answers as `settle` does for each."""

    def pause(self) -> None:
        """Deliver nothing more for now; hand back what is buffered and not started."""

    def resume(self) -> None:
        """Deliver again."""

    def stop(self) -> None:
        """Take no more, hand back all that has not started, wake every waiting `take`."""

    def close(self, deadline: float) -> bool:
        """Flush the settles until *deadline* (the clock's monotonic seconds) and leave.

        Returns False when some could not be sent: their messages will run again.
        """


class Driver(Protocol):
    """Adapter to whatever stores messages."""

    kind: str
    """The entry kind, such as ``queue.driver.memory``."""

    def capabilities(self) -> Capabilities:
        """What this driver can do."""

    def open(self, on_event: Callable[[Event], None], *, name: str = "") -> None:
        """Connect, and check version and durability.

        *name* is what this process is called among those at the same store, see `peers`.

        Raises:
            Unavailable: The broker does not answer.
            Refused: It turns us away; to try again does not help.
            Unsupported: It answers, but cannot keep the contract.
        """

    def close(self, deadline: float | None = None) -> bool:
        """Send what was accepted until *deadline* (the clock's monotonic seconds) and leave.

        Without a deadline it takes the driver's own patience. Returns False when something could
        not be sent: those messages will run again. Leased messages stay leased until their lease
        ends.
        """

    def health(self) -> Sequence[str]:
        """Return what is wrong with the driver now, a sentence each; nothing: all is well.

        Asks no broker and never waits: it says what the driver has met.
        """

    def peers(self) -> Sequence[Peer] | None:
        """Return who has a driver open at this store now, the longest first; None: it cannot tell.

        One that has vanished may be among them for as long as its lease lasts.

        Raises:
            Unavailable: The driver is closed, or its broker away.
        """

    def declare(self, spec: QueueSpec) -> None:
        """Make the queue (and its dead letters) exist as *spec* says; may be repeated.

        Raises:
            Unsupported: The driver cannot do what the spec asks; names the key.
            Conflict: The broker knows the queue with other settings.
            Unavailable: The driver is closed, or its broker away; the queue is made once it is not.
        """

    def publish(
        self, queue: str, messages: Sequence[Message], timeout: float, *, may_wait: bool = True
    ) -> list[Receipt | QueueError]:
        """Store *messages* durably, by this driver's own standard, and answer for each.

        Waits at most *timeout* seconds for a broker that is away or, where the queue's overflow
        is `block` and *may_wait* is true, for a place in a full queue. Answers `QueueFull`,
        `Unavailable`, `Refused` or `Uncertain` in the place of a message that was not (surely)
        stored.

        Raises:
            QueueNotFound: No such queue was declared.
        """

    def subscribe(
        self,
        queue: str,
        prefetch: int,
        *,
        lease: float = LEASE,
        timeout: float | None = None,
        name: str = "",
    ) -> Subscription:
        """Begin to take from *queue*, as the consumer called *name*.

        What it holds, buffered and running alike, stays its own for *lease* seconds after it was
        last heard of, and the driver renews that by itself: a handler may run for *timeout* seconds
        (None: without limit) without any word. When it vanishes, its messages run again within
        *lease* + 10 seconds.

        Raises:
            Unsupported: The broker cannot lend a message for as long as *timeout*.
            QueueNotFound: No such queue was declared.
            Unavailable: The driver is closed.
        """

    def info(self, queue: str) -> QueueInfo:
        """Count the messages of *queue* by state; a number that nobody can give is None.

        `dead` are the dead letters of this queue; without the ability `dead_by_origin` they are
        all that lie where its dead letters go.
        """

    def peek(
        self, queue: str, limit: int, cursor: str = "", state: MessageState | None = None
    ) -> Page:
        """Show up to *limit* messages in delivery order, from where *cursor* says.

        The answer's `next` is the cursor of the next page. A message that stays where it is is
        shown on exactly one of the pages.

        Raises:
            NotFound: The cursor is not one of this queue's.
        """

    def find(self, queue: str, message_id: str) -> Stored | None:
        """Show one message of *queue* whatever its state."""

    def purge(self, queue: str, ids: Sequence[str | int] | None = None) -> int:
        """Drop ready and delayed messages (those of *ids*, or all) and return how many.

        A text in *ids* means every message with that id, a number the one `Stored` of that number.

        Raises:
            Unsupported: Messages are named, and the driver cannot `select`.
        """

    def redrive(self, source: str, target: str, ids: Sequence[str | int] | None = None) -> int:
        """Move dead letters of *source* to *target* ("" is the queue each came from).

        Counters start anew, the id stays; *ids* are as in `purge`, and move in the order of their
        numbers. Returns how many were moved.
        """

    def pause(self, queue: str) -> None:
        """Deliver nothing from *queue*; buffers are handed back within a second."""

    def resume(self, queue: str) -> None:
        """Deliver again."""

    def erase(self) -> None:
        """Delete all that lies at this driver's place, and whatever it keeps there for itself.

        The driver is closed. Only drivers that were made to try things out are erased, see
        `Descriptor.twin`; what is not there is no error.
        """


@runtime_checkable
class Adopter(Driver, Protocol):
    """A driver that can `move`: it takes messages with all that happened to them elsewhere."""

    def adopt(
        self, queue: str, stored: Sequence[Stored], source: str = "", *, keys: Sequence[str] = ()
    ) -> list[Receipt | QueueError]:
        """Store messages that lay elsewhere, with all that happened to them, and answer for each.

        They keep id, headers, counters, errors and the order of their groups; what is left of a
        delay or a ttl goes on. A receipt says that a message is as safe as a publish. Those of
        *source*, a queue of this driver (declared or not), leave it in the same step; one that was
        taken meanwhile is answered with `Conflict`.

        *keys*, one for each message, name this very move of it: one that was stored under its key
        within the queue's `dedup_window` is answered as a duplicate, and not stored again. Without
        the ability `dedup` they mean nothing.
        """
        ...


@runtime_checkable
class Mover(Adopter, Protocol):
    """A driver that tells of queues nobody declares, and shows what is to leave them."""

    def unserved(self) -> Mapping[str, int]:
        """Return how many messages lie in each queue, declared or not, that no consumer serves.

        A queue without messages is left out, and so is one that the broker does not tell of.
        """

    def waiting(self, queue: str, limit: int, after: int = 0) -> list[Stored]:
        """Return up to *limit* messages that are ready or delayed, in the order of publishing.

        They are those whose numbers are greater than *after*. The queue may be one that was not
        declared, as long as messages lie there.
        """

    def resting(self, queue: str) -> AbstractContextManager[None]:
        """Deliver nothing from *queue* inside a `with`; it ends with the process, if not before."""
        ...


class Put(Protocol):
    """The short way into a driver that has one, as a method called `put`.

    It stores one message that has neither delay nor ttl nor keys, if there is no more to it than
    that. False: nothing was stored, and `Driver.publish` is to be asked, which waits, or says why.
    """

    def __call__(
        self,
        queue: str,
        message_id: str,
        body: bytes,
        published_at: float,
        headers: Headers,
        content_type: str,
        priority: Priority = Priority.NORMAL,
        /,
    ) -> bool:
        """Take a message as its first fields."""
        ...


def putter(driver: Driver) -> Put | None:
    """Return the short way into *driver*, if it has one."""
    put: Put | None = getattr(driver, "put", None)
    return put


def adopter(driver: Driver) -> Adopter | None:
    """Return *driver* as what it is where messages keep their story in it; else None."""
    can = isinstance(driver, Adopter) and driver.capabilities().move != "none"
    return driver if can and isinstance(driver, Adopter) else None


@runtime_checkable
class Varied(Protocol):
    """A driver whose queues differ in what they can do."""

    def capabilities_of(self, queue: str) -> Capabilities:
        """What this driver can do with that queue.

        Raises:
            QueueNotFound: No such queue was declared.
        """


def capabilities(driver: Driver, queue: str) -> Capabilities:
    """Return what *driver* can do with one of its queues."""
    return driver.capabilities_of(queue) if isinstance(driver, Varied) else driver.capabilities()


@runtime_checkable
class Billed(Protocol):
    """A driver whose broker is paid by the call."""

    @property
    def calls(self) -> Mapping[str, int]:
        """How often each operation was called since the driver was made."""


def mover(driver: Driver) -> Mover:
    """Return *driver* as what it is, where what waits can be shown and moved in one step.

    Raises:
        Unsupported: It says that it cannot, or knows nothing of that.
    """
    if isinstance(driver, Mover) and driver.capabilities().move != "none":
        return driver
    raise Unsupported(f"a {driver.kind} does not show what is to be moved out of it")


def keyed(stored: Sequence[Stored], keys: Sequence[str]) -> list[tuple[Stored, str]]:
    """Return each message that is to be adopted with its key, "" where it has none."""
    return list(zip(stored, keys or [""] * len(stored), strict=True))


def cut(text: str, limit: int = 8192) -> str:
    """Return *text*, at most *limit* characters of it, marked where it was cut."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
