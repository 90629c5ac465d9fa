"""How fast the SQLite driver is beside a raw loop over the same kind of file.

The disk decides: a commit waits for it. So every number stands beside that of a raw loop, measured
in the same moment on the same disk, with the same journal and the same synchronous level. CPU is
that of the whole process, publishers and workers included, and of the commits in the kernel.

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
from typing import NamedTuple

from moonq.clock import SystemClock
from moonq.drivers.sqlite.driver import SqliteDriver
from moonq.model import Message, QueueSpec

BODY = b"x" * 200
#: How long one case runs, and how often: the best counts, for the disk is shared.
SECONDS, ROUNDS = 1.0, 3
#: How many messages lie there to be drained.
LYING = 20_000
DEFAULT_PREFETCH = 10


class Measured(NamedTuple):
    """What came of one run."""

    rate: float
    """Messages per second."""
    cpu: float
    """CPU seconds per message."""


Run = Callable[[Path], Measured]


def raw(batch: int, journal: str = "WAL") -> Run:
    """A loop without a queue: insert *batch* rows, commit."""

    def run(folder: Path) -> Measured:
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

        found = per_second(step)
        connection.close()
        return found

    return run


def same_rows(batch: int) -> Run:
    """A loop without a queue over the driver's own table: what a row that can be served costs."""

    def run(folder: Path) -> Measured:
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

        found = per_second(step)
        connection.close()
        return found

    return run


def publishing(threads: int, batch: int) -> Run:
    """Publishers of *batch* messages a call, all at once."""

    def run(folder: Path) -> Measured:
        driver = a_driver(folder)
        messages = [Message(str(number), BODY, 0.0) for number in range(batch)]

        def step() -> int:
            driver.publish("bench", messages, 5.0)
            return batch

        burnt = time.process_time()
        with ThreadPoolExecutor(threads) as pool:
            runs = [pool.submit(per_second, step) for _ in range(threads)]
            total = sum(one.result().rate for one in runs)
        burnt = time.process_time() - burnt
        driver.close()
        return Measured(total, burnt / (total * SECONDS))

    return run


def to_ack(publishers: int, workers: int, batch: int) -> Run:
    """Publishers and workers at once; what counts is acknowledged."""

    def run(folder: Path) -> Measured:
        driver = a_driver(folder)
        messages = [Message(str(number), BODY, 0.0) for number in range(batch)]
        subscription = driver.subscribe("bench", 32 * workers)
        begun, burnt = time.perf_counter(), time.process_time()

        def publish() -> None:
            while time.perf_counter() < begun + SECONDS:
                driver.publish("bench", messages, 5.0)

        def work() -> int:
            done = 0
            while taken := subscription.take(16, 0.5):
                started = [one for one in taken if subscription.start(one)]
                done += sum(subscription.ack(started))
            return done

        with ThreadPoolExecutor(publishers + workers) as pool:
            done = [pool.submit(work) for _ in range(workers)]
            for publisher in [pool.submit(publish) for _ in range(publishers)]:
                publisher.result()
            total = sum(one.result() for one in done)
        # The workers' last wait is not work.
        took, burnt = time.perf_counter() - begun - 0.5, time.process_time() - burnt
        driver.close()
        return Measured(total / took, burnt / total)

    return run


def draining(prefetch: int) -> Run:
    """One worker that takes, starts and acknowledges what lies there."""

    def run(folder: Path) -> Measured:
        driver = a_driver(folder)
        for _ in range(LYING // 500):
            driver.publish("bench", [Message("m", BODY, 0.0)] * 500, 5.0)
        subscription = driver.subscribe("bench", prefetch)
        begun, burnt, done = time.perf_counter(), time.process_time(), 0
        while done < LYING:
            taken = subscription.take(64, 5.0)
            done += sum(subscription.ack([one for one in taken if subscription.start(one)]))
        assert subscription.close(time.monotonic() + 5.0)  # what is not in the file is no work done
        took, burnt = time.perf_counter() - begun, time.process_time() - burnt
        driver.close()
        return Measured(done / took, burnt / done)

    return run


def a_driver(folder: Path) -> SqliteDriver:
    driver = SqliteDriver(SystemClock(), folder / "queues.db")
    driver.open(lambda event: None)
    driver.declare(QueueSpec("bench"))
    return driver


def per_second(step: Callable[[], int]) -> Measured:
    done, begun, burnt = 0, time.perf_counter(), time.process_time()
    while (took := time.perf_counter() - begun) < SECONDS:
        done += step()
    return Measured(done / took, (time.process_time() - burnt) / done)


CASES: list[tuple[str, Run]] = [
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
    ("publish to ack: 1 publisher, 1 worker", to_ack(1, 1, 1)),
    ("publish to ack: 8 publishers, 2 workers", to_ack(8, 2, 1)),
    ("publish to ack: 64 publishers, 4 workers", to_ack(64, 4, 1)),
    ("publish to ack: 2 publishers, 10 a call, 2 workers", to_ack(2, 2, 10)),
    ("take and ack what lies there, prefetch 10", draining(DEFAULT_PREFETCH)),
    ("take and ack what lies there, prefetch 256", draining(256)),
]


def main() -> None:
    # As in a running host: many short turns, so that one thread does not hold up the others.
    sys.setswitchinterval(0.0005)
    best: dict[str, Measured] = {}
    for _ in range(ROUNDS):
        for title, run in CASES:
            with tempfile.TemporaryDirectory() as folder:
                found = run(Path(folder))
            rate, cpu = best.get(title, found)
            best[title] = Measured(max(rate, found.rate), min(cpu, found.cpu))
    one, grouped = best[CASES[0][0]].rate, best[CASES[3][0]].rate
    head = f"{'msg/s':>9} {'CPU us':>8} {'/ one by one':>13} {'/ by 100':>9}"
    print(f"{'':52} {head}")
    for title, (rate, cpu) in best.items():
        ratios = f"{rate / one:>12.1f}x {rate / grouped:>8.2f}x"
        print(f"{title:52} {rate:>9,.0f} {cpu * 1e6:>8.1f} {ratios}")


if __name__ == "__main__":
    main()
