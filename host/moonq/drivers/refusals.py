"""What every driver answers in the same words: no such queue, no room, no such option.

Each function returns or raises the error; the names in it are those that people wrote.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TypeVar

from moonq.errors import Conflict, QueueFull, QueueNotFound, Unsupported
from moonq.model import QueueSpec
from moonq.text.sizes import show

Queue = TypeVar("Queue")


def declared(queues: Mapping[str, Queue], name: str, driver: str) -> Queue:
    """Return the queue called *name*.

    Raises:
        QueueNotFound: It was not declared.
    """
    try:
        return queues[name]
    except KeyError:
        raise QueueNotFound(
            f"no queue {name!r} on the {driver} driver", hint="declare it, or check its name"
        ) from None


def full(queue: str, length: int, room: float) -> QueueFull:
    """Return the refusal of a publish."""
    return QueueFull(
        f"queue {queue!r} is full: it holds {length} messages of {room:.0f}",
        hint="publish again when its consumers have caught up, or raise max_length",
    )


def too_heavy(queue: str, held: int, dead: int, most: float) -> QueueFull:
    """Return the refusal of a publish that `max_bytes` has no room for."""
    return QueueFull(
        f"queue {queue!r} is full: it and its dead letters hold {held + dead} bytes of"
        f" {most:.0f} (`max_bytes`), {dead} of them dead letters",
        hint="publish again when its consumers have caught up, retry or drop dead letters, or"
        " raise max_bytes",
    )


def clogged(queue: str, dead: int, most: float) -> str:
    """Return what is wrong with a queue that its dead letters fill."""
    return (
        f"queue {queue!r}: its dead letters fill it, {show(dead)} of {show(int(most))}"
        " (`max_bytes`), so publishes are refused: retry or drop them, or raise max_bytes"
    )


def check_no_bytes(spec: QueueSpec, reason: str) -> None:
    """Refuse a bound in bytes.

    Raises:
        Unsupported: The queue has one.
    """
    if spec.max_bytes is not None:
        raise option(
            spec.name,
            "max_bytes",
            f"cannot be kept: {reason}",
            hint="leave it out, or use a queue.driver.redis or sqlite, which can",
        )


def taken_meanwhile(queue: str, message: str) -> Conflict:
    """Return why a message is not moved: it is not what it was when it was looked at."""
    return Conflict(f"queue {queue!r}: message {message!r} was taken or dropped meanwhile")


def check_no_step(source: str, broker: str) -> None:
    """See that messages which are adopted need not leave *source* in the same step.

    Raises:
        Unsupported: They are to.
    """
    if source:
        raise Unsupported(
            f"{broker} moves no message with its story from queue to queue in one step",
            hint="consume the one and adopt into the other",
        )


def check_room_for_letter(queue: str, length: int, room: float, *, is_own: bool) -> None:
    """Let a dead letter return to *queue*; where it lies already it needs no further place.

    Raises:
        QueueFull: There is no room for it.
    """
    if length >= room and not is_own:
        raise QueueFull(
            f"queue {queue!r} is full: it holds {length} messages",
            hint="redrive when its consumers have caught up",
        )


def option(queue: str, key: str, says: str, *, hint: str) -> Unsupported:
    """Return the refusal of an option that is not kept."""
    return Unsupported(f"queue {queue!r}: option {key!r} {says}", hint=hint)


def check_options(spec: QueueSpec, known: Collection[str]) -> None:
    """Refuse options that a driver does not know.

    Raises:
        Unsupported: Names the key and what the driver knows.
    """
    for key in spec.options:
        if key not in known:
            wanted = ", ".join(sorted(known)) or "none"
            raise option(spec.name, key, "is not known to this driver", hint=f"it knows: {wanted}")
