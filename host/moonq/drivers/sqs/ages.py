"""Whether messages are about to be forgotten: SQS keeps them for 14 days, dead letters too.

What we receive tells its age. What nobody receives, CloudWatch knows, which is asked once an hour
where the queues are AWS's own and the credentials may.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from moonq import threads
from moonq.drivers.sqs.bounds import OLD_AGE
from moonq.drivers.sqs.queue import SqsQueue
from moonq.drivers.sqs.service import Service, made

#: Real seconds between two looks, and for which a message that was seen is remembered.
HOUR = 3600.0
DAY = 24 * HOUR


class Ages:
    """See the module."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._asked_at = -HOUR
        self._old: dict[str, float] = {}
        """The age of the oldest message by the queue's name at SQS."""

    def told(self, queues: Iterable[SqsQueue]) -> list[str]:
        """Return a sentence for each of *queues* that has messages near their end; never waits."""
        known = list(queues)
        self._ask([queue.name for queue in known if queue.url])
        now = self._service.now()
        return [
            f"{queue.spec.name} has messages older than 12 days: SQS forgets them after 14"
            for queue in known
            if self._old.get(queue.name, 0.0) > OLD_AGE or now - queue.old_at < DAY
        ]

    def _ask(self, names: Sequence[str]) -> None:
        now = time.monotonic()
        if self._service.settings.endpoint is None and names and now - self._asked_at >= HOUR:
            self._asked_at = now
            threads.has_started(
                threading.Thread(
                    target=self.look, args=(names,), name="moonq-sqs-ages", daemon=True
                )
            )

    def look(self, names: Sequence[str]) -> None:
        """Ask CloudWatch for the ages of the oldest messages."""
        with contextlib.suppress(Exception):  # without the right to ask, nothing is known
            client: Any = made(self._service.settings, self._service.settings.timeout, "cloudwatch")
            for name in names:
                self._old[name] = _oldest(client, name)


def _oldest(client: Any, name: str) -> float:
    """Return the age of the oldest message of the queue called *name*, in seconds."""
    now = datetime.now(UTC)
    found = client.get_metric_statistics(
        Namespace="AWS/SQS",
        MetricName="ApproximateAgeOfOldestMessage",
        Dimensions=[{"Name": "QueueName", "Value": name}],
        StartTime=now - timedelta(hours=2),
        EndTime=now,
        Period=3600,
        Statistics=["Maximum"],
    )
    points = sorted(found.get("Datapoints", ()), key=lambda point: point["Timestamp"])
    return float(points[-1]["Maximum"]) if points else 0.0
