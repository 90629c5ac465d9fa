"""Dead letters get another life: each is published first, and taken from its queue afterwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from moonq.drivers.amqp.envelope import unpack
from moonq.drivers.amqp.wire.channel import Channel
from moonq.drivers.amqp.wire.messages import Incoming, Settle
from moonq.drivers.letters import X_ORIGINAL_QUEUE, redriven
from moonq.errors import QueueError
from moonq.model import Message, Receipt

#: Letters that are held at once.
MANY = 200
Publish = Callable[[str, Sequence[Message]], list[Receipt | QueueError]]


def redrive(
    channel: Channel,
    name: str,
    target: str,
    publish: Publish,
    now: Callable[[], float],
    at_home: Callable[[str], str],
) -> int:
    """Move what lies in the queue *name* now, by *publish*, and return how many were moved.

    What is no dead letter stays, and so does what cannot be moved.

    Raises:
        QueueError: Nothing was moved, for this reason.
    """
    moved = 0
    staying: list[Incoming] = []
    refusal: QueueError | None = None
    try:
        while batch := _some(channel, name):
            letters = [unpack(one, now, at_home)[0] for one in batch]
            done: list[Settle] = []
            for queue, members in _by_target(letters, target).items():
                answers = _answers(publish, queue, [letters[at] for at in members])
                for at, answer in zip(members, answers, strict=True):
                    if isinstance(answer, Receipt):
                        done.append(Settle(batch[at].tag))
                        moved += 1
                    else:
                        staying.append(batch[at])
                        refusal = refusal or answer
            origin = [X_ORIGINAL_QUEUE in letter.headers for letter in letters]
            staying += [one for one, dead in zip(batch, origin, strict=True) if not dead]
            channel.settle(done)
            if refusal is not None:
                break
    finally:
        tags = sorted({one.tag for one in staying})
        channel.settle([Settle(tag, False, False, True) for tag in tags])
    if refusal is not None and not moved:
        raise refusal
    return moved


def _some(channel: Channel, name: str) -> list[Incoming]:
    found: list[Incoming] = []
    while len(found) < MANY and (one := channel.get(name)) is not None:
        found.append(one)
        if not one.count:
            break
    return found


def _by_target(letters: Sequence[Message], target: str) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for at, letter in enumerate(letters):
        origin = letter.headers.get(X_ORIGINAL_QUEUE)
        if origin is not None:
            found.setdefault(target or str(origin), []).append(at)
    return found


def _answers(
    publish: Publish, queue: str, letters: Sequence[Message]
) -> list[Receipt | QueueError]:
    try:
        return publish(queue, [redriven(letter) for letter in letters])
    except QueueError as refusal:
        return [refusal] * len(letters)
