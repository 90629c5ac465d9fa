"""What the SQS driver costs beside raw boto3 that sends, receives and deletes by the same tens.

Against AWS the network decides; what is ours is the processor's time for each message. Both are
measured at one ElasticMQ on this machine, which takes some of it, too: the rate is no more than a
hint, the ratio of the processor's times is the point.

Run it with the package installed: `python tests/bench/sqs_bench.py`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[2]))

import boto3
from botocore.config import Config
from tests.servers import elastic

from moonq.clock import SystemClock
from moonq.drivers import descriptor
from moonq.drivers.base import Driver
from moonq.model import Message, QueueSpec

BODY = "x" * 200
#: Messages of one round, and how many rounds: the best counts, for the machine is shared.
COUNT, ROUNDS = 1000, 5
MOST_RATIO = 1.2


class Cost(NamedTuple):
    """What one message cost."""

    cpu: float
    """Microseconds of this process's processor time."""
    rate: float
    """Messages in a second."""


def measured(work: Callable[[], int]) -> Cost:
    begun, cpu = time.perf_counter(), time.process_time()
    count = work()
    took, used = time.perf_counter() - begun, time.process_time() - cpu
    return Cost(used / count * 1e6, count / took)


def raw(client: Any, url: str) -> tuple[Callable[[], int], Callable[[], int]]:
    """A program without moonq: an id beside each body; it reads how often it came, and when."""
    number = "0190b5c5-7f00-7000-8000-000000000000"
    attribute = {"id": {"DataType": "String", "StringValue": number}}

    def publish() -> int:
        for _ in range(COUNT // 10):
            entries = [
                {"Id": str(n), "MessageBody": BODY, "MessageAttributes": attribute}
                for n in range(10)
            ]
            client.send_message_batch(QueueUrl=url, Entries=entries)
        return COUNT

    def drain() -> int:
        done = 0
        while done < COUNT:
            found = client.receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=10,
                MessageAttributeNames=["All"],
                MessageSystemAttributeNames=["ApproximateReceiveCount", "SentTimestamp"],
            )["Messages"]
            handles = [
                {"Id": str(n), "ReceiptHandle": one["ReceiptHandle"]} for n, one in enumerate(found)
            ]
            client.delete_message_batch(QueueUrl=url, Entries=handles)
            done += len(found)
        return done

    return publish, drain


def ours(driver: Driver) -> tuple[Callable[[], int], Callable[[], int]]:
    """The same through the driver, as a host with one worker does it."""

    def publish() -> int:
        for first in range(0, COUNT, 100):
            batch = [Message(str(first + n), BODY.encode(), 0.0) for n in range(100)]
            driver.publish("bench", batch, 30.0)
        return COUNT

    def drain() -> int:
        done, consumer = 0, driver.subscribe("bench", 50)
        while done < COUNT:
            taken = consumer.take(10, 10.0)
            for delivery in taken:
                consumer.start(delivery)
            done += sum(consumer.ack(taken))
        consumer.stop()
        consumer.close(time.monotonic() + 10)
        return done

    return publish, drain


def main() -> int:
    place = elastic.place()
    kind = descriptor("queue.driver.sqs")
    fields = kind.fields.model_validate({"name": "bench", "kind": kind.kind, **place})
    driver = kind.make(fields, SystemClock(), Path())
    driver.open(lambda event: None)
    driver.declare(QueueSpec("bench"))
    config = Config(retries={"total_max_attempts": 1}, tcp_keepalive=True)
    client = boto3.client(
        "sqs", endpoint_url=place["endpoint"], region_name="us-east-1", config=config
    )
    url = client.create_queue(QueueName=f"{place['queue_prefix']}raw", tags={"moonq": "1"})
    rows: list[tuple[str, Callable[[], int], Callable[[], int]]] = [
        (what, one, other)
        for what, one, other in zip(
            ("publish by tens", "receive and delete"),
            raw(client, url["QueueUrl"]),
            ours(driver),
            strict=True,
        )
    ]
    best: dict[str, tuple[Cost, Cost]] = {}
    for _ in range(ROUNDS):
        for what, one, other in rows:
            pair = measured(one), measured(other)
            before = best.get(what, pair)
            best[what] = min(before[0], pair[0]), min(before[1], pair[1])
    worst = 0.0
    print(f"{'':22}{'boto3':>12}{'moonq':>12}{'ratio':>8}{'boto3':>10}{'moonq':>10}")
    for what, (theirs, mine) in best.items():
        ratio = mine.cpu / theirs.cpu
        worst = max(worst, ratio)
        costs = f"{theirs.cpu:9.0f} µs{mine.cpu:9.0f} µs{ratio:8.2f}"
        print(f"{what:22}{costs}{theirs.rate:8.0f}/s{mine.rate:8.0f}/s")
    print(*(f"{name} {count}" for name, count in driver.calls.items()), sep=" · ")
    driver.close()
    driver.erase()
    return 0 if worst <= MOST_RATIO else 1


if __name__ == "__main__":
    sys.exit(main())
