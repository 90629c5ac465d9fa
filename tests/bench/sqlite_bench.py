"""How fast the SQLite driver is beside a raw loop over the same kind of file.

The disk decides: a commit waits for it. So every number stands beside that of a raw loop, measured
in the same moment on the same disk, with the same journal and the same synchronous level.

Run it with the package installed: `python tests/bench/sqlite_bench.py`.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from moonq.clock import SystemClock
from moonq.drivers.sqlite.driver import SqliteDriver
from moonq.model import ACK, Message, QueueSpec

BODY = b"x" * 200
#: How long one case runs, and how often: the best counts, for the disk is shared.
SECONDS, ROUNDS = 1.0, 3
Rate = Callable[[Path], float]


def raw(batch: int, journal: str = "WAL") -> Rate:
    """A loop without a queue: insert *batch* rows, commit."""

    def run(folder: Path) -> float:
        connection = sqlite3.connect(folder / "raw.db", isolation_level=None)
        connection.execute(f"PRAGMA journal_mode = {journal}")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE m(id INTEGER PRIMARY KEY, mid TEXT, body BLOB)")

        def step() -> int:
            connection.execute("BEGIN IMMEDIATE")
            rows = [(str(number), BODY) for number in range(batch)]
            connection.executemany("INSERT INTO m(mid, body) VALUES(?, ?)", rows)
            connection.execute("COMMIT")
            return batch

        rate = per_second(step)
        connection.close()
        return rate

    return run


def same_rows(batch: int) -> Rate:
    """A loop without a queue over the driver's own table: what a row that can be served costs."""

    def run(folder: Path) -> float:
        a_driver(folder).close()
        connection = sqlite3.connect(folder / "queues.db", isolation_level=None)
        connection.execute("PRAGMA synchronous = FULL")
        insert = (
            "INSERT INTO msg(q, state, pri, pos, mid, pub, body) VALUES(1, 0, 1, 1.0, ?, 0.0, ?)"
        )

        def step() -> int:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(insert, [(str(number), BODY) for number in range(batch)])
            connection.execute("COMMIT")
            return batch

        rate = per_second(step)
        connection.close()
        return rate

    return run


def publishing(threads: int, batch: int) -> Rate:
    """Publishers of *batch* messages a call, all at once."""

    def run(folder: Path) -> float:
        driver = a_driver(folder)
        messages = [Message(str(number), BODY, 0.0) for number in range(batch)]

        def step() -> int:
            driver.publish("bench", messages, 5.0)
            return batch

        with ThreadPoolExecutor(threads) as pool:
            rates = [pool.submit(per_second, step) for _ in range(threads)]
            total = sum(rate.result() for rate in rates)
        driver.close()
        return total

    return run


def to_ack(publishers: int, workers: int, batch: int) -> Rate:
    """Publishers and workers at once; what counts is acknowledged."""

    def run(folder: Path) -> float:
        driver = a_driver(folder)
        messages = [Message(str(number), BODY, 0.0) for number in range(batch)]
        subscription = driver.subscribe("bench", 32 * workers)
        begun = time.perf_counter()

        def publish() -> None:
            while time.perf_counter() < begun + SECONDS:
                driver.publish("bench", messages, 5.0)

        def work() -> int:
            done = 0
            while taken := subscription.take(16, 0.5):
                for delivery in taken:
                    subscription.start(delivery)
                    subscription.settle(delivery, ACK)
                done += len(taken)
            return done

        with ThreadPoolExecutor(publishers + workers) as pool:
            done = [pool.submit(work) for _ in range(workers)]
            for publisher in [pool.submit(publish) for _ in range(publishers)]:
                publisher.result()
            total = sum(one.result() for one in done)
        # The workers' last wait is not work.
        rate = total / (time.perf_counter() - begun - 0.5)
        driver.close()
        return rate

    return run


def a_driver(folder: Path) -> SqliteDriver:
    driver = SqliteDriver(SystemClock(), folder / "queues.db")
    driver.open(lambda event: None)
    driver.declare(QueueSpec("bench"))
    return driver


def per_second(step: Callable[[], int]) -> float:
    done, begun = 0, time.perf_counter()
    while (took := time.perf_counter() - begun) < SECONDS:
        done += step()
    return done / took


CASES: list[tuple[str, Rate]] = [
    ("raw: a commit for each message", raw(1)),
    ("raw: a commit for each, journal as SQLite comes", raw(1, "DELETE")),
    ("raw: a commit for 8", raw(8)),
    ("raw: a commit for 100", raw(100)),
    ("raw: a commit for 100, rows of the driver", same_rows(100)),
    ("publish: 1 publisher", publishing(1, 1)),
    ("publish: 8 publishers", publishing(8, 1)),
    ("publish: 16 publishers", publishing(16, 1)),
    ("publish: 64 publishers", publishing(64, 1)),
    ("publish: 8 publishers, 10 a call", publishing(8, 10)),
    ("publish: 8 publishers, 100 a call", publishing(8, 100)),
    ("publish: 1 publisher, 100 a call", publishing(1, 100)),
    ("publish to ack: 8 publishers, 2 workers", to_ack(8, 2, 1)),
    ("publish to ack: 2 publishers, 10 a call, 2 workers", to_ack(2, 2, 10)),
]


def main() -> None:
    # As in a running host: many short turns, so that one thread does not hold up the others.
    sys.setswitchinterval(0.0005)
    rates: dict[str, float] = {}
    for _ in range(ROUNDS):
        for title, run in CASES:
            with tempfile.TemporaryDirectory() as folder:
                rates[title] = max(rates.get(title, 0.0), run(Path(folder)))
    one, grouped = rates[CASES[0][0]], rates[CASES[3][0]]
    print(f"{'':52} {'msg/s':>9} {'/ one by one':>13} {'/ by 100':>9}")
    for title, rate in rates.items():
        print(f"{title:52} {rate:>9,.0f} {rate / one:>12.1f}x {rate / grouped:>8.2f}x")


if __name__ == "__main__":
    main()
