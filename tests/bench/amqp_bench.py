"""How fast the AMQP driver is beside pika, and a whole host beside Celery and Dramatiq.

All of it at one RabbitMQ of this machine, started for it, in turn; the driver and pika at quorum
queues of the same arguments. The best of some rounds counts, for the machine is shared. pika's own
ways are its fastest: one connection for each publishing thread, `select` connections with a window
for batches, `multiple` acks.

Run it with the package installed: `python tests/bench/amqp_bench.py [ROUNDS]`.
"""

from __future__ import annotations

import itertools
import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2]))

import pika
import rivals
from tests.servers import rabbit

from moonq.clock import SystemClock
from moonq.drivers import descriptor
from moonq.drivers.amqp.wire.address import Address
from moonq.drivers.amqp.wire.connection import Connection
from moonq.drivers.base import Driver
from moonq.host import Host
from moonq.kinds import load
from moonq.model import Message, QueueSpec

TEXT = json.dumps(rivals.BODY)
BODY = TEXT.encode()
#: Messages of one case: one by one, and in batches; and of a rival's backlog.
FEW, MANY, BACKLOG = 4_000, 40_000, 10_000
THREADS, BATCH = 8, 100
PROJECT = """
namespace: bench
entries:
  - name: broker
    kind: queue.driver.amqp
    url: {url}
  - name: tasks
    kind: queue.queue
    driver: broker
    queue_name: tasks
  - name: worker
    kind: queue.consumer
    queue: tasks
    func: handler
    timeout: 60s
    concurrency: 2
    prefetch: 512
  - name: handler
    kind: function.lua
    source: file://handler.lua
"""
HANDLER = "return function(task) return task.id ~= nil and task.action ~= nil end"
Rate = Callable[[str], float]
_ids = itertools.count()


def per_second(count: int, work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return count / (time.perf_counter() - began)


def at_once(work: Callable[[], object]) -> None:
    """Have so many threads do the same."""
    with ThreadPoolExecutor(THREADS) as pool:
        for done in [pool.submit(work) for _ in range(THREADS)]:
            done.result()


# The driver


def a_driver(url: str) -> Driver:
    kind = descriptor("queue.driver.amqp")
    asked = kind.fields.model_validate({"name": "bench", "kind": kind.kind, "url": url})
    driver = kind.make(asked, SystemClock(), Path())
    driver.open(lambda event: None)
    driver.declare(QueueSpec("tasks", dead_letter="tasks.dead"))
    return driver


def fill(url: str, count: int) -> None:
    driver = a_driver(url)
    for _ in range(count // 1000):
        driver.publish("tasks", messages(1000), 30.0)
    driver.close()


def messages(count: int) -> list[Message]:
    return [Message(f"bench-{next(_ids)}", BODY, time.time()) for _ in range(count)]


def publish(count: int, batch: int) -> Rate:
    def run(url: str) -> float:
        driver = a_driver(url)

        def work() -> None:
            for _ in range(count // THREADS // batch):
                driver.publish("tasks", messages(batch), 30.0)

        rate = per_second(count, lambda: at_once(work))
        driver.close()
        return rate

    return run


def drain(url: str) -> float:
    fill(url, MANY)
    driver = a_driver(url)

    def work() -> None:
        subscription = driver.subscribe("tasks", 512, timeout=60.0)
        left = MANY
        while left > 0:
            taken = subscription.take(64, 5.0)
            for delivery in taken:
                subscription.start(delivery)
            subscription.ack(taken)
            left -= len(taken)
        subscription.close(time.monotonic() + 5)

    rate = per_second(MANY, work)
    driver.close()
    return rate


# pika


def properties() -> pika.BasicProperties:
    return pika.BasicProperties(
        content_type="application/json", delivery_mode=2, message_id=f"bench-{next(_ids)}",
        headers={"source": "bench"},
    )  # fmt: skip


def pika_one_by_one(url: str) -> float:
    a_driver(url).close()

    def work() -> None:
        channel = pika.BlockingConnection(pika.URLParameters(url)).channel()
        channel.confirm_delivery()
        for _ in range(FEW // THREADS):
            channel.basic_publish("", "tasks", BODY, properties(), mandatory=True)
        channel.connection.close()

    return per_second(FEW, lambda: at_once(work))


class Selecting:
    """pika's callbacks: a channel of a `SelectConnection`, until `stop`."""

    def __init__(self, url: str, begin: Callable[[Any], None]) -> None:
        self._begin = begin
        self._loop = pika.SelectConnection(
            pika.URLParameters(url),
            on_open_callback=lambda one: one.channel(on_open_callback=begin),
            on_close_callback=lambda one, _: one.ioloop.stop(),
        )

    def run(self) -> None:
        self._loop.ioloop.start()


def pika_windowed(url: str) -> float:
    a_driver(url).close()
    sent = confirmed = 0

    def begin(channel: Any) -> None:
        def on_confirm(frame: Any) -> None:
            nonlocal confirmed
            confirmed = frame.method.delivery_tag
            if confirmed >= MANY:
                channel.connection.close()
            elif sent - confirmed < 1000:
                pump()

        def pump() -> None:
            nonlocal sent
            while sent < MANY and sent - confirmed < 2000:
                channel.basic_publish("", "tasks", BODY, properties(), mandatory=True)
                sent += 1

        channel.confirm_delivery(on_confirm, callback=lambda _: pump())

    return per_second(MANY, Selecting(url, begin).run)


def pika_drain(url: str) -> float:
    fill(url, MANY)
    done = 0

    def begin(channel: Any) -> None:
        def deliver(_: Any, method: Any, _properties: Any, _body: Any) -> None:
            nonlocal done
            done += 1
            if done % 100 == 0:
                channel.basic_ack(method.delivery_tag, multiple=True)
            if done == MANY:
                channel.connection.close()

        channel.basic_qos(prefetch_count=512)
        channel.basic_consume("tasks", deliver)

    return per_second(MANY, Selecting(url, begin).run)


# The client alone, and whole programs


def bare_client(url: str) -> float:
    """Our own codec without a driver: what the client could do for a host."""
    fill(url, MANY)
    connection = Connection(Address.parse(url), name="bench", heartbeat=0, timeout=10)
    connection.open()
    channel, over, done = connection.channel(), threading.Event(), 0
    channel.qos(512)

    def receive(batch: list[Any]) -> None:
        nonlocal done
        for message in batch:
            json.loads(message.body)
        done += len(batch)
        channel.ack(batch[-1].tag, multiple=True)
        if done == MANY:
            over.set()

    def work() -> None:
        channel.consume("tasks", on_batch=receive)
        over.wait(120)

    rate = per_second(MANY, work)
    connection.close(time.monotonic() + 5)
    return rate


def whole_host(url: str) -> float:
    fill(url, MANY)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "_index.yaml").write_text(PROJECT.format(url=url))
        (Path(folder) / "handler.lua").write_text(HANDLER)
        host = Host(load(Path(folder)))
        host.start()
        try:
            while not (first := host.report().acked):
                time.sleep(0.001)
            began = time.perf_counter()
            while host.report().acked < MANY:
                time.sleep(0.001)
            return (MANY - first) / (time.perf_counter() - began)
        finally:
            host.stop()


def rival(name: str) -> Rate:
    return lambda url: rivals.drain(name, url, BACKLOG)


#: What is measured, and what beside, with the ratio that it is held to.
CASES: list[tuple[str, Rate, str | None, float]] = [
    ("pika, blocking: 8 threads, one by one", pika_one_by_one, None, 0.0),
    ("publish: 8 threads, one by one", publish(FEW, 1), "pika, blocking: 8 threads, one by one",
     1.2),
    ("pika, windowed confirms", pika_windowed, None, 0.0),
    ("publish: 8 threads, 100 a call", publish(MANY, BATCH), "pika, windowed confirms", 0.9),
    ("pika, drain, multiple acks", pika_drain, None, 0.0),
    ("drain", drain, "pika, drain, multiple acks", 1.0),
    ("Celery, 2 processes", rival("celery"), None, 0.0),
    ("Dramatiq, 2 processes, 8 threads", rival("dramatiq"), None, 0.0),
    ("host, JSON, 2 workers", whole_host, "Celery, 2 processes", 7.0),
    ("  beside Dramatiq", whole_host, "Dramatiq, 2 processes, 8 threads", 3.5),
    ("bare client, JSON, 1 thread", bare_client, "Celery, 2 processes", 0.0),
]  # fmt: skip


def main() -> None:
    # As in a running host: many short turns, so that one thread does not hold up the others.
    sys.setswitchinterval(0.0005)
    node = rabbit.shared()
    rates: dict[str, float] = {}
    for _ in range(int(sys.argv[1]) if len(sys.argv) > 1 else 3):
        for title, run, _, _ in CASES:
            if not title.startswith(" "):
                rates[title] = max(rates.get(title, 0.0), run(node.url(node.vhost())))
    rates["  beside Dramatiq"] = rates["host, JSON, 2 workers"]
    print(f"{'':40} {'msg/s':>9} {'ratio':>7} {'wanted':>7}")
    for title, _, beside, wanted in CASES:
        ratio = f"{rates[title] / rates[beside]:>6.1f}x" if beside else ""
        aim = f"{wanted:>6.1f}x" if wanted else ""
        print(f"{title:40} {rates[title]:>9,.0f} {ratio:>7} {aim:>7}")


if __name__ == "__main__":
    main()
