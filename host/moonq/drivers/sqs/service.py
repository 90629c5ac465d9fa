"""SQS as the rest of the driver sees it: batches in, an answer for each entry out.

service.send(url, [Entry(packed, delay=5)])     --> [None], or an error in the place of what failed

Nothing is tried again here, and every call is counted: they cost money.
"""

from __future__ import annotations

import logging
import math
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any, NamedTuple

from moonq.drivers.sqs.bounds import BATCH_BYTES, LONG_POLL, MANY
from moonq.drivers.sqs.envelope import ATTRIBUTE, TYPE, Packed
from moonq.drivers.sqs.errors import answered, translated
from moonq.errors import Invalid, QueueError, Unavailable, Uncertain
from moonq.text.extras import client

Answer = QueueError | None
#: Real seconds between two looks at the clock of the service.
LOOK = 60.0
#: Seconds by which it may be off ours, for its dates are whole seconds.
SKEW = 1.5
_SYSTEM = [
    "ApproximateReceiveCount",
    "SentTimestamp",
    "MessageGroupId",
    "DeadLetterQueueSourceArn",
]


class Settings(NamedTuple):
    """Where the service is, and who we are there."""

    endpoint: str | None = None
    region: str | None = None
    profile: str | None = None
    timeout: float = 5.0
    hasty: float = 0.05
    """Real seconds before the first new try, and at most between two."""
    patient: float = 5.0


class Entry(NamedTuple):
    """One message to be sent."""

    packed: Packed
    delay: int = 0
    """Real seconds."""
    group: str = ""
    """Of a FIFO queue: its group, and what it is known by for five minutes."""
    key: str = ""


@cache
def _client(settings: Settings, read_timeout: float, service: str = "sqs") -> Any:
    """Return a client, which any threads may share; making one takes a tenth of a second."""
    boto3: Any = client("sqs", "boto3")
    config: Any = client("sqs", "botocore.config").Config(
        retries={"total_max_attempts": 1},
        connect_timeout=settings.timeout,
        read_timeout=read_timeout,
        max_pool_connections=50,
        tcp_keepalive=True,
        # A tenth of the processor's time of a call, to check what is put together below.
        parameter_validation=False,
        user_agent_extra="moonq",
    )
    # All of AWS's own tools but this one know the first name.
    region = settings.region or os.environ.get("AWS_REGION")
    session = boto3.session.Session(profile_name=settings.profile, region_name=region)
    endpoint = settings.endpoint if service == "sqs" else None
    # An emulator knows no regions; the signature wants one.
    region = session.region_name or ("us-east-1" if settings.endpoint else None)
    return session.client(service, region_name=region, endpoint_url=endpoint, config=config)


_making = threading.Lock()
# It tells anew for every client where it found credentials.
logging.getLogger("botocore").setLevel(logging.WARNING)


def made(settings: Settings, read_timeout: float, service: str = "sqs") -> Any:
    """Return a client; sessions are not to be made by two threads at once."""
    with _making:
        return _client(settings, read_timeout, service)


class Service:
    """See the module."""

    def __init__(self, settings: Settings, told: Callable[[str, str], None]) -> None:
        self.settings = settings
        self.place = settings.endpoint or f"SQS in {settings.region or 'the default region'}"
        self.calls: Counter[str] = Counter()
        """How many calls were made, by what they do."""
        self.problem: QueueError | None = None
        """Why the last call failed for the service as a whole; None: it did not."""
        self._told = told
        self._zero = time.time() - time.monotonic()
        self._looked = 0.0
        self._lock = threading.Lock()

    def now(self) -> float:
        """Return the time of the service, whatever the clock of this machine is set to."""
        return time.monotonic() + self._zero

    def pause(self, tries: int) -> float:
        """Return the real seconds to wait after so many tries, never the same for two hosts."""
        longest = min(self.settings.patient, self.settings.hasty * 2.0 ** min(tries, 30))
        return random.uniform(0.5, 1.0) * longest

    # Messages

    def send(
        self, url: str, entries: Sequence[Entry], *, patience: float = math.inf
    ) -> list[Answer]:
        """Send up to ten messages; an answer that takes longer than *patience* is none."""
        sent = [_sent(number, entry) for number, entry in enumerate(entries)]
        return self._batch(
            "SendMessageBatch", len(sent), patience=patience, QueueUrl=url, Entries=sent
        )

    def receive(
        self, url: str, most: int, *, wait: int, visibility: int, attempt: str = ""
    ) -> list[dict[str, Any]]:
        """Receive up to ten messages for *visibility* seconds, waiting for the first.

        *attempt* names the receive at a FIFO queue, which answers the same to the same name.
        """
        named: dict[str, Any] = {"ReceiveRequestAttemptId": attempt} if attempt else {}
        found = self._call(
            "ReceiveMessage",
            QueueUrl=url,
            MaxNumberOfMessages=min(most, MANY),
            WaitTimeSeconds=wait,
            VisibilityTimeout=visibility,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=_SYSTEM,
            **named,
        )
        messages: list[dict[str, Any]] = found.get("Messages") or []
        return messages

    def delete(self, url: str, handles: Sequence[str]) -> list[Answer]:
        """Delete up to ten messages by their receipts."""
        entries = [{"Id": str(n), "ReceiptHandle": one} for n, one in enumerate(handles)]
        return self._batch("DeleteMessageBatch", len(entries), QueueUrl=url, Entries=entries)

    def lend(self, url: str, handles: Sequence[tuple[str, int]]) -> list[Answer]:
        """Keep up to ten messages out of sight for so many seconds from now; 0: give them back."""
        entries = [
            {"Id": str(n), "ReceiptHandle": handle, "VisibilityTimeout": seconds}
            for n, (handle, seconds) in enumerate(handles)
        ]
        return self._batch(
            "ChangeMessageVisibilityBatch", len(entries), QueueUrl=url, Entries=entries
        )

    # Queues

    def url(self, name: str) -> str:
        """Return the URL of the queue called *name*."""
        return str(self._call("GetQueueUrl", QueueName=name)["QueueUrl"])

    def create(self, name: str, attributes: Mapping[str, str], tags: Mapping[str, str]) -> str:
        """Make a queue, and return its URL."""
        found = self._call(
            "CreateQueue", QueueName=name, Attributes=dict(attributes), tags=dict(tags)
        )
        return str(found["QueueUrl"])

    def attributes(self, url: str) -> dict[str, str]:
        """Return all that a queue says of itself, its counts included."""
        found: dict[str, str] = self._call(
            "GetQueueAttributes", QueueUrl=url, AttributeNames=["All"]
        ).get("Attributes", {})
        return found

    def tags(self, url: str) -> dict[str, str]:
        """Return the tags of a queue."""
        found: dict[str, str] = self._call("ListQueueTags", QueueUrl=url).get("Tags") or {}
        return found

    def urls(self, prefix: str, most: int | None = None) -> list[str]:
        """Return the URLs of all queues whose names begin with *prefix*, or *most* of them."""
        asked: dict[str, Any] = {"MaxResults": most or 1000}
        if prefix:
            asked["QueueNamePrefix"] = prefix
        found: list[str] = []
        while True:
            page = self._call("ListQueues", **asked)
            found += page.get("QueueUrls") or []
            if most or not page.get("NextToken"):
                return found[:most]
            asked["NextToken"] = page["NextToken"]

    def purge(self, url: str) -> None:
        """Drop whatever lies in a queue."""
        self._call("PurgeQueue", QueueUrl=url)

    def remove(self, url: str) -> None:
        """Delete a queue."""
        self._call("DeleteQueue", QueueUrl=url)

    # Calling

    def _batch(
        self, operation: str, count: int, *, patience: float = math.inf, **asked: Any
    ) -> list[Answer]:
        """Call, and return an answer for each entry; what fails as a whole fails for all."""
        try:
            found = self._call(operation, patience=patience, **asked)
        except QueueError as problem:
            return [problem] * count
        answers: list[Answer] = [None] * count
        for failed in found.get("Failed") or ():
            answer = answered(failed.get("Code", ""), failed.get("Message", ""))
            if not failed.get("SenderFault") and isinstance(answer, Invalid):
                answer = Unavailable(answer.message)
            answers[int(failed["Id"])] = answer
        return answers

    def _call(self, operation: str, *, patience: float = math.inf, **asked: Any) -> dict[str, Any]:
        """Call, count it, and remember how it went.

        Raises:
            QueueError: See `errors.translated`.
        """
        # One of three, for each takes a client of its own.
        most = self.settings.timeout
        timeout = next((one for one in (most, most / 2) if one <= patience), 1.0)
        settings = self.settings._replace(timeout=timeout)
        if asked.get("WaitTimeSeconds"):
            timeout += LONG_POLL
        self.calls[operation] += 1
        try:
            found: dict[str, Any] = getattr(made(settings, timeout), _METHODS[operation])(**asked)
        except Exception as error:  # noqa: BLE001 - whatever a client raises is translated
            sends = operation == "SendMessageBatch"
            problem = translated(error, self.place, sends=sends)
            self._note(problem if isinstance(problem, Unavailable | Uncertain) else None)
            raise problem from None
        self._note(None)
        if time.monotonic() - self._looked > LOOK:
            self._look(found)
        return found

    def _note(self, problem: QueueError | None) -> None:
        """Tell that the service is away or back, once each."""
        before = self.problem
        if before is None and problem is None:
            return
        with self._lock:
            before, self.problem = self.problem, problem
        if before is None and problem is not None:
            self._told("reconnecting", problem.message)
        elif before is not None and problem is None:
            self._told("reconnected", "")

    def _look(self, found: dict[str, Any]) -> None:
        """Compare our clock with the service's; late rather than early, if they differ."""
        self._looked = time.monotonic()
        date = found.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
        if date:
            theirs = parsedate_to_datetime(date).timestamp()
            if abs(theirs - self.now()) > SKEW:
                self._zero = theirs - time.monotonic()


_METHODS = {
    "SendMessageBatch": "send_message_batch",
    "ReceiveMessage": "receive_message",
    "DeleteMessageBatch": "delete_message_batch",
    "ChangeMessageVisibilityBatch": "change_message_visibility_batch",
    "GetQueueUrl": "get_queue_url",
    "CreateQueue": "create_queue",
    "GetQueueAttributes": "get_queue_attributes",
    "ListQueueTags": "list_queue_tags",
    "ListQueues": "list_queues",
    "PurgeQueue": "purge_queue",
    "DeleteQueue": "delete_queue",
}


def _sent(number: int, entry: Entry) -> dict[str, Any]:
    attribute = {"DataType": TYPE, "StringValue": entry.packed.attribute}
    found: dict[str, Any] = {
        "Id": str(number),
        "MessageBody": entry.packed.body,
        "MessageAttributes": {ATTRIBUTE: attribute},
    }
    if entry.delay:
        found["DelaySeconds"] = entry.delay
    if entry.group:
        found |= {"MessageGroupId": entry.group, "MessageDeduplicationId": entry.key}
    return found


def batches(entries: Sequence[Entry], most: int) -> list[list[int]]:
    """Return the numbers of *entries* that go together: at most ten, and *most* bytes in all."""
    found: list[list[int]] = []
    size = 0
    for number, entry in enumerate(entries):
        size += entry.packed.size
        if not found or len(found[-1]) == MANY or size > min(most, BATCH_BYTES):
            found.append([])
            size = entry.packed.size
        found[-1].append(number)
    return found
