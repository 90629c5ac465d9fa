"""How many messages a second the memory driver moves, with nothing around it.

Run it with the package installed: `python tests/bench/memory_bench.py`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from moonq.clock import SystemClock
from moonq.drivers.memory.driver import MemoryDriver
from moonq.model import ACK, Message, QueueSpec

BODY = b"x" * 200
ROUNDS = 3


def a_driver() -> MemoryDriver:
    driver = MemoryDriver(SystemClock(), max_length=1_000_000)
    driver.open(lambda event: None)
    driver.declare(QueueSpec("bench"))
    return driver


def messages(count: int) -> list[Message]:
    return [Message(str(number), BODY, 0.0) for number in range(count)]


def one_by_one(count: int) -> float:
    """One thread: publish one, take one, start, settle."""
    driver, batch = a_driver(), messages(count)
    subscription = driver.subscribe("bench", 10)
    begun = time.perf_counter()
    for message in batch:
        driver.publish("bench", (message,), 0.0)
        (delivery,) = subscription.take(1, 0.0)
        subscription.start(delivery)
        subscription.settle(delivery, ACK)
    return count / (time.perf_counter() - begun)


def publish_only(count: int) -> float:
    driver, batch = a_driver(), messages(count)
    begun = time.perf_counter()
    for message in batch:
        driver.publish("bench", (message,), 0.0)
    return count / (time.perf_counter() - begun)


def drain(count: int, *, workers: int, prefetch: int) -> float:
    """A full queue, emptied by *workers* threads."""
    driver = a_driver()
    driver.publish("bench", messages(count), 0.0)
    subscription = driver.subscribe("bench", prefetch)
    gate = threading.Barrier(workers + 1)

    def work() -> None:
        gate.wait()
        while taken := subscription.take(1, 0.0):
            for delivery in taken:
                subscription.start(delivery)
                subscription.settle(delivery, ACK)

    with ThreadPoolExecutor(workers) as pool:
        done = [pool.submit(work) for _ in range(workers)]
        gate.wait()
        begun = time.perf_counter()
        for one in done:
            one.result()
        return count / (time.perf_counter() - begun)


def busy(count: int, *, publishers: int, workers: int) -> float:
    """Publishers and workers at once, the workers waiting for what comes."""
    driver = a_driver()
    subscription = driver.subscribe("bench", 2 * workers)
    batches = [messages(count // publishers) for _ in range(publishers)]

    def publish(batch: list[Message]) -> None:
        for message in batch:
            driver.publish("bench", (message,), 0.0)

    def work() -> None:
        while taken := subscription.take(1, 0.5):
            for delivery in taken:
                subscription.start(delivery)
                subscription.settle(delivery, ACK)
                settled.append(time.perf_counter())

    settled: list[float] = []
    with ThreadPoolExecutor(publishers + workers) as pool:
        begun = time.perf_counter()
        done = [pool.submit(work) for _ in range(workers)]
        done += [pool.submit(publish, batch) for batch in batches]
        for one in done:
            one.result()
    return len(settled) / (max(settled) - begun)


def main() -> None:
    cases: list[tuple[str, Callable[[int], float]]] = [
        ("publish, take, start, settle: 1 thread", one_by_one),
        ("publish: 1 thread", publish_only),
        ("take, start, settle: 1 thread", lambda n: drain(n, workers=1, prefetch=10)),
        ("take, start, settle: 4 threads", lambda n: drain(n, workers=4, prefetch=10)),
        (
            "take, start, settle: 4 threads, prefetch 100",
            lambda n: drain(n, workers=4, prefetch=100),
        ),
        (
            "take, start, settle: 16 threads, prefetch 16",
            lambda n: drain(n, workers=16, prefetch=16),
        ),
        ("1 publisher, 1 worker", lambda n: busy(n, publishers=1, workers=1)),
        ("2 publishers, 4 workers", lambda n: busy(n, publishers=2, workers=4)),
    ]
    for title, case in cases:
        best = max(case(100_000) for _ in range(ROUNDS))
        print(f"{title:48} {best:>10,.0f} msg/s")


if __name__ == "__main__":
    main()
