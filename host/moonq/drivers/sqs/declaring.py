"""Finds queues at SQS, or makes them: kept for 14 days, as large as the service allows, tagged."""

from __future__ import annotations

from moonq.drivers.sqs.bounds import MOST_SIZE, OLD_SIZE, RETENTION
from moonq.drivers.sqs.names import FIFO
from moonq.drivers.sqs.queue import SqsQueue
from moonq.drivers.sqs.service import Service
from moonq.errors import Conflict, Invalid, QueueNotFound, Refused
from moonq.model import QueueSpec

#: The tag of every queue that moonq has made: no other is ever deleted.
TAG = "moonq"


def may_not_list(problem: Refused) -> bool:
    """Whether that is all: who may use queues need not be one who may list them."""
    return "AccessDenied" in problem.message


def is_fifo(spec: QueueSpec, *, fifo: bool) -> bool:
    """Whether *spec* asks for a FIFO queue, of a driver whose queues usually are or are not."""
    return bool(spec.options.get("fifo", fifo)) or spec.name.endswith(FIFO)


class Declarer:
    """See the module."""

    def __init__(self, service: Service, prefix: str, *, create: bool) -> None:
        self._service = service
        self._prefix = prefix
        self._create = create

    def greet(self) -> None:
        """Ask for anything, to see whether SQS answers and knows us.

        Raises:
            Unavailable: It does not answer.
            Refused: It does not take our credentials.
        """
        try:
            self._service.urls(self._prefix, 1)
        except Refused as problem:
            if not may_not_list(problem):
                raise

    def resolve(self, queue: SqsQueue) -> None:
        """Learn the URL and the limits of *queue*, which is made where that is wanted.

        Raises:
            QueueNotFound: It is not there, and is not to be made.
            Conflict: What is there is of the other type.
        """
        try:
            url = self._service.url(queue.name)
        except QueueNotFound:
            if not self._create:
                raise QueueNotFound(
                    f"there is no queue {queue.name!r} at {self._service.place}",
                    hint="make it, or let moonq do it with `create: true`",
                ) from None
            url = self._make(queue)
        found = self._service.attributes(url)
        if (found.get("FifoQueue") == "true") != queue.fifo:
            raise Conflict(
                f"queue {queue.spec.name!r} is {queue.name!r} at SQS, which is of the other type",
                hint="set `fifo` as it is there, or give the queue another `queue_name`",
            )
        queue.most_bytes = int(found.get("MaximumMessageSize", OLD_SIZE))
        queue.note = _note(queue, found)
        queue.url = url

    def _make(self, queue: SqsQueue) -> str:
        """Make *queue*, for messages as large as the service allows."""
        attributes = {"MessageRetentionPeriod": str(RETENTION), "VisibilityTimeout": "30"}
        if queue.fifo:
            # For the whole queue, not for each group: that is what a key is unique in.
            attributes |= {"FifoQueue": "true", "ContentBasedDeduplication": "false"}
        for size in (MOST_SIZE, OLD_SIZE):
            try:
                return self._service.create(
                    queue.name, {**attributes, "MaximumMessageSize": str(size)}, {TAG: "1"}
                )
            except Invalid as problem:
                if size == OLD_SIZE:
                    raise problem from None
            except Conflict:
                return self._service.url(queue.name)  # another host was faster
        raise AssertionError("one of the sizes was taken")


def _note(queue: SqsQueue, found: dict[str, str]) -> str:
    """Return what people should know of a queue; nothing: it is as we would make it."""
    kept = int(found.get("MessageRetentionPeriod", RETENTION))
    if kept < RETENTION:
        return (
            f"{queue.spec.name}: {queue.name} at SQS forgets messages after {kept / 86_400:g} days;"
            f" set its MessageRetentionPeriod to {RETENTION} (14 days)"
        )
    return ""
