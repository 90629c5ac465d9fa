"""Publishing, looking at queues, and what a handler asks of its message."""

from __future__ import annotations

import json
from typing import Any

from moonq.errors import QueueError
from moonq.run.calling.lending import Caller, lent
from moonq.run.queues import info_object
from moonq.sandbox.lend import MAX_NAME, Several, name, text

QUEUE = "queue.queue"
PUBLISH = ("queue.publish", "queue.publish.queue")


@lent(action=PUBLISH, names=QUEUE, writes=True, captured=True, waits=False, holds=True)
def publish(caller: Caller, queue: bytes, *message: Any) -> bytes:
    """Publish one message, see `crossed`; into the queue that the caller serves it never waits."""
    context = caller.context
    sink = context.sink or caller.host.sink
    may_wait = queue != context.serves
    return sink.publish(queue[:MAX_NAME], *message, may_wait=may_wait).encode()


@lent(action=PUBLISH, names=QUEUE, writes=True, captured=True, waits=False, holds=True)
def publish_batch(caller: Caller, queue: bytes, are_bare: bool, *messages: Any) -> Several:
    """Publish messages, see `crossed.several`, and answer for each.

    First come the refusals as a JSON array, or nothing, then the ids, empty for what was refused.
    """
    may_wait = queue != caller.context.serves
    answers = caller.sink.publish_all(queue[:MAX_NAME], messages, are_bare, may_wait=may_wait)
    refused = [_told(one) for one in answers if isinstance(one, QueueError)]
    ids = (one.encode() if isinstance(one, str) else b"" for one in answers)
    return Several((json.dumps(refused).encode() if refused else b"", *ids))


@lent(action="queue.info", names=QUEUE, writes=False, waits=False, holds=True)
def queue_info(caller: Caller, queue: bytes) -> bytes:
    """Return the numbers of a queue as JSON."""
    return json.dumps(info_object(caller.sink.info(name(queue)))).encode()


@lent(action=None, writes=False, waits=False)
def stopping(caller: Caller) -> bool:
    """Whether the worker is to stop."""
    return caller.context.is_stopping()


@lent(action=None, writes=False, waits=False)
def settle(caller: Caller, index: int, action: bytes, delay: float, reason: bytes) -> bool:
    """Settle a message of the running call early."""
    return caller.settle(index, text(action), delay, text(reason))


@lent(action=None, writes=False, waits=False)
def waits(caller: Caller, *progress: Any) -> None:
    """Hear that the handler of one of several messages waits."""
    caller.waits(progress)


@lent(action=None, writes=False, waits=False)
def message(caller: Caller, index: int) -> bytes:
    """Return everything about a message of the running call as JSON."""
    return caller.message(index)


def _told(refusal: QueueError) -> dict[str, Any]:
    words = refusal.in_one_line()
    return {"kind": refusal.kind, "message": words, "retryable": refusal.retryable}
