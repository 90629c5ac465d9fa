"""Huey with two threads, run by the rivals' Python: `huey_drain.py memory|sqlite COUNT FOLDER`.

It works off a backlog of handlers that do nothing and prints messages a second and CPU seconds per
message. On SQLite each commit waits for the disk, as moonq's do.
"""

from __future__ import annotations

import itertools
import logging
import sys
import time
from pathlib import Path
from typing import Any

from huey import MemoryHuey, SqliteHuey

STORES: dict[str, Any] = {
    "memory": lambda _: MemoryHuey("rival"),
    "sqlite": lambda folder: SqliteHuey("rival", filename=str(folder / "huey.db"), fsync=True),
}
BODY = {"id": "task-123", "action": "process", "tags": ["new", "paid", "post"], "note": "x" * 150}


def main(store: str, count: int, folder: Path) -> None:
    logging.disable(logging.CRITICAL)
    huey = STORES[store](folder)
    done = itertools.count(1)
    last = [0]

    @huey.task()  # type: ignore[untyped-decorator, unused-ignore]
    def handle(body: dict[str, Any]) -> None:
        last[0] = next(done)

    for _ in range(count):
        handle(BODY)
    consumer = huey.create_consumer(workers=2, periodic=False, initial_delay=0.01)
    begun, burnt = time.perf_counter(), time.process_time()
    consumer.start()
    while last[0] < count:
        time.sleep(0.002)
    took, burnt = time.perf_counter() - begun, time.process_time() - burnt
    consumer.stop()
    print(count / took, burnt / count)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
