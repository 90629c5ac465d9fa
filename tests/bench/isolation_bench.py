"""What `isolation: process` costs: start, memory, messages a second, and two cores.

Run it with the package installed: `python tests/bench/isolation_bench.py`. It prints the table of
the manual page "When workers get processes of their own". Both isolations take turns, and the best
of each counts, because machines are shared and noisy.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from moonq.host import Host
from moonq.kinds import load
from moonq.sandbox.process.children import CHILDREN

ROUNDS = 3
WORKERS = {"thread": 400, "process": 20}
HANDLERS = {
    "quick": "return function(task) return task.id ~= nil end",
    "lent": """
      local store = require("store")
      return function(task)
        local seen = store.open("app:seen")
        for n = 1, 5 do seen:incr("n") end
      end
    """,
    "cpu": """
      return function(task)
        local sum = 0
        for n = 1, 400000 do sum = (sum * 31 + n) % 65537 end
        return sum
      end
    """,
}
MESSAGES = {"quick": 20_000, "lent": 1000, "cpu": 100}
BODY = b'{"id":"task-123","data":{"user":42,"items":[1,2,3]},"note":"' + b"x" * 120 + b'"}'
ENTRIES = """
namespace: app
entries:
  - {{name: memory, kind: queue.driver.memory, max_length: 100000}}
  - {{name: tasks, kind: queue.queue, driver: memory}}
  - {{name: seen, kind: store.memory}}
  - name: worker
    kind: queue.consumer
    queue: tasks
    func: handler
    concurrency: {workers}
    prefetch: 200
    isolation: {isolation}
    lifecycle: {{auto_start: {starts}}}
  - {{name: handler, kind: function.lua, modules: [store], source: file://handler.lua}}
"""


@contextmanager
def host_of(isolation: str, handler: str, workers: int, *, starts: bool = True) -> Iterator[Host]:
    """Run a host with one consumer."""
    with tempfile.TemporaryDirectory() as folder:
        text = ENTRIES.format(isolation=isolation, workers=workers, starts=str(starts).lower())
        (Path(folder) / "_index.yaml").write_text(text)
        (Path(folder) / "handler.lua").write_text(HANDLERS[handler])
        host = Host(load(Path(folder)))
        host.start()
        yield host
        host.stop()


def rate(isolation: str, handler: str, workers: int) -> float:
    """Return messages a second, all of them waiting from the start."""
    count = MESSAGES[handler]
    with host_of(isolation, handler, workers, starts=False) as host:
        for _ in range(count):
            host.queues.publish(b"app:tasks", BODY)
        began = time.perf_counter()
        host._building.start("app:worker")
        while host.consumers["app:worker"].acked() < count:
            time.sleep(0.001)
        return count / (time.perf_counter() - began)


def start(isolation: str) -> float:
    """Return the seconds from nothing to a worker with its function open."""
    with host_of(isolation, "quick", 1, starts=False) as host:
        began = time.perf_counter()
        host._building.start("app:worker")
        return time.perf_counter() - began


def own_memory(pids: list[str]) -> int:
    """Return the bytes that are a process's own, in all of *pids*."""
    total = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Private_"):
                total += int(line.split()[1]) * 1024
    return total


def children() -> list[str]:
    """Return the processes of the fork server's children."""
    server = [
        stat.parent.name
        for stat in Path("/proc").glob("[0-9]*/cmdline")
        if b"moonq.sandbox.process.server" in stat.read_bytes()
    ]
    return sorted(server, key=int)[1:]


def memory(isolation: str) -> float:
    """Return the bytes of one more idle worker."""
    from moonq.run.calling.context import CallContext
    from moonq.run.calling.lending import Caller

    with host_of(isolation, "quick", 1, starts=False) as host:
        before = own_memory(["self"])
        states = [
            host.functions.open("app:handler", Caller(CallContext("x")), isolation=isolation)  # type: ignore[arg-type]
            for _ in range(WORKERS[isolation])
        ]
        used = own_memory(["self"]) - before + own_memory(children())
        for state in states:
            state.close()
    return used / WORKERS[isolation]


def main() -> None:
    """Print the table."""
    kinds = ("thread", "process")
    CHILDREN.spawn().close()
    rows: list[tuple[str, dict[str, float], str]] = []

    def best(words: str, unit: str, of: object, *, low: bool = False) -> None:
        found = {kind: [of(kind) for _ in range(ROUNDS)] for kind in kinds}  # type: ignore[operator]
        rows.append((words, {kind: (min if low else max)(found[kind]) for kind in kinds}, unit))

    best("start of a worker", "ms", lambda kind: start(kind) * 1000, low=True)
    # The most: what one round has given back, the next one takes again.
    best("memory of an idle worker", "KB", lambda kind: memory(kind) / 1000)
    for handler in HANDLERS:
        for workers in (1, 2):
            words = f"{handler}, {workers} worker{'s' if workers > 1 else ''}"
            best(words, "messages/s", lambda kind, h=handler, w=workers: rate(kind, h, w))  # type: ignore[misc]
    for words, found, unit in rows:
        told = "  ".join(f"{kind} {found[kind]:10,.1f}" for kind in kinds)
        print(f"{words:28} {told}  {unit}")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
