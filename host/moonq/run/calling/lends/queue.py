"""Publishing, looking at queues, and what a handler asks of its message."""

from __future__ import annotations

import json
from typing import Any

from moonq.errors import QueueError
from moonq.model import Receipt
from moonq.run.calling.lending import Caller, lent
from moonq.run.publishing import Wanted, from_lua
from moonq.run.queues import info_object
from moonq.sandbox.lend import MAX_NAME, name, text

QUEUE = "queue.queue"
PUBLISH = ("queue.publish", "queue.publish.queue")


@lent(action=PUBLISH, names=QUEUE, writes=True, captured=True, waits=False, holds=True)
def publish(caller: Caller, queue: bytes, body: bytes, headers: bytes, options: bytes) -> bytes:
    """Publish one message; into the queue that the caller serves it never waits."""
    may_wait = queue != caller.context.serves
    return caller.sink.publish(queue[:MAX_NAME], body, headers, options, may_wait=may_wait).encode()


@lent(action=PUBLISH, names=QUEUE, writes=True, captured=True, waits=False, holds=True)
def publish_batch(caller: Caller, queue: bytes, *parts: bytes) -> bytes:
    """Publish messages given as body, headers and options in turn, and answer for each."""
    sink = caller.sink
    may_wait = queue != caller.context.serves
    triples = zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    wanted = [_wanted(*triple) for triple in triples]
    answers = sink.publish_many(name(queue), wanted, may_wait=may_wait)
    return json.dumps([_answer(answer) for answer in answers]).encode()


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


def _wanted(body: bytes, headers: bytes, options: bytes) -> Wanted | QueueError:
    try:
        return from_lua(body, headers, options)
    except QueueError as refusal:
        return refusal


def _answer(answer: Receipt | QueueError) -> str | dict[str, Any]:
    if isinstance(answer, QueueError):
        return {"kind": answer.kind, "message": answer.in_one_line(), "retryable": answer.retryable}
    return answer.id
