"""How fast each driver is beside the memory driver, one table for all.

Every round asks every driver in turn, and the medians count: machines are shared and noisy. Servers
are those of `tests/servers`, started on this machine with the settings of the drivers' tests; where
one is missing, its row says why. The page `which-driver.md` shows such a table.

Run it with the package installed: `python tests/bench/drivers_bench.py [NAME...]`.
"""

from __future__ import annotations

import itertools
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.drivers.conftest import DRIVERS, PLACES  # noqa: E402

from moonq.clock import SystemClock  # noqa: E402
from moonq.drivers.base import Driver  # noqa: E402
from moonq.drivers.descriptors import Descriptor  # noqa: E402
from moonq.host import Host  # noqa: E402
from moonq.kinds import load  # noqa: E402
from moonq.model import Message, QueueSpec  # noqa: E402

#: How long one case runs, and how often.
SECONDS, ROUNDS = 1.0, 3
#: Seconds that a driver may take to come to the end of what was published.
PATIENCE = 60.0
#: What a driver is measured with instead of its defaults, so that no bound is in the way.
FIELDS: dict[str, dict[str, Any]] = {"queue.driver.memory": {"max_length": 100_000_000}}
BODY = (
    '{"id":"task-123","action":"process","data":{"user":42,"amount":19.95,"items":[1,2,3],'
    '"note":"a remark that makes the whole body about two hundred bytes long, no more"},'
    '"tags":["new","paid","post"],"ok":true}'
)
HANDLER = "return function(task) return task.id ~= nil and task.action ~= nil end"
PUBLISHER = f"""
local json, queue = require("json"), require("queue")
local body = json.decode([[{BODY}]])
return function(count)
  for _ = 1, count do assert(queue.publish("bench:tasks", body)) end
  return true
end
"""
_ids = itertools.count()
Fields = dict[str, Any]


def messages(count: int) -> list[Message]:
    return [Message(f"bench-{next(_ids)}", BODY.encode(), time.time()) for _ in range(count)]


def publishing(driver: Driver, queue: str, batch: int) -> float:
    """Messages per second that one thread publishes, *batch* with each call."""
    done, began = 0, time.perf_counter()
    while (took := time.perf_counter() - began) < SECONDS:
        for answer in driver.publish(queue, messages(batch), PATIENCE):
            if isinstance(answer, Exception):
                raise answer
        done += batch
    return done / took


def draining(driver: Driver, queue: str) -> float:
    """Messages per second that one thread takes, starts and acknowledges."""
    subscription = driver.subscribe(queue, 256, timeout=60.0, name="bench")
    clock, done = SystemClock(), 0
    began = last = time.perf_counter()
    while last - began < SECONDS and (taken := subscription.take(64, 2.0)):
        started = [one for one in taken if subscription.start(one)]
        done += sum(subscription.ack(started))
        last = time.perf_counter()
    subscription.stop()
    closing = time.perf_counter()
    # What has not reached the broker is no work done.
    assert subscription.close(clock.monotonic() + PATIENCE)
    return done / (last - began + time.perf_counter() - closing)


def end_to_end(kind: str, fields: Fields, folder: Path) -> float:
    """Messages per second from a Lua publisher to the acknowledgement of a Lua handler."""
    with host(kind, fields, folder) as running:
        published, began = 0, time.perf_counter()
        while time.perf_counter() - began < SECONDS:
            result = running.call("bench:publish", "50")
            assert result.fault is None, result.fault
            published += 50
        while running.report().acked < published:
            assert time.perf_counter() < began + PATIENCE, (
                f"{running.report().acked} of {published}"
            )
            time.sleep(0.001)
        return published / (time.perf_counter() - began)


@contextmanager
def host(kind: str, fields: Fields, folder: Path) -> Iterator[Host]:
    entries: list[Fields] = [
        {**fields, "name": "driver", "kind": kind},
        {"name": "tasks", "kind": "queue.queue", "driver": "driver"},
        {"name": "worker", "kind": "queue.consumer", "queue": "tasks", "func": "handle",
         "concurrency": 2, "prefetch": 256},
        {"name": "handle", "kind": "function.lua", "source": HANDLER},
        {"name": "publish", "kind": "function.lua", "source": PUBLISHER,
         "modules": ["json", "queue"]},
    ]  # fmt: skip
    index = {"namespace": "bench", "entries": entries}
    (folder / "_index.yaml").write_text(json.dumps(index))  # YAML reads JSON
    running = Host(load(folder))
    running.start()
    try:
        yield running
    finally:
        running.stop(timeout=10)


@contextmanager
def a_driver(kind: str, fields: Fields, folder: Path) -> Iterator[Driver]:
    descriptor = DRIVERS[kind.rpartition(".")[2]]
    checked = descriptor.fields.model_validate({**fields, "name": "driver", "kind": kind})
    driver = descriptor.make(checked, SystemClock(), folder)
    driver.open(lambda event: None)
    try:
        for queue in ("single", "batches"):
            driver.declare(QueueSpec(queue, f"{queue}.dead"))
        yield driver
    finally:
        driver.close()
        driver.erase()


def one_round(kind: str) -> list[float]:
    """Return the rates of every column."""
    place: Callable[[], Fields] = PLACES.get(kind, dict)
    fields = FIELDS.get(kind, {})
    with tempfile.TemporaryDirectory() as folder:
        with a_driver(kind, {**fields, **place()}, Path(folder)) as driver:
            rates = [
                publishing(driver, "single", 1),
                publishing(driver, "batches", 100),
                draining(driver, "batches"),
            ]
        project = Path(folder, "project")
        project.mkdir()
        return [*rates, end_to_end(kind, {**fields, **place()}, project)]


COLUMNS = ("publish one by one", "publish by 100", "take and ack", "handled from Lua to Lua")


def measured(names: list[str]) -> dict[str, list[float] | str]:
    """Return the medians of each driver, or why there are none."""
    rates: dict[str, list[list[float]]] = {name: [] for name in names}
    missing: dict[str, str] = {}
    for number in range(ROUNDS):
        for name in names:
            if name in missing:
                continue
            if sys.stderr.isatty():
                print(f"\r\033[Kround {number + 1}: {name}", end="", file=sys.stderr, flush=True)
            try:
                rates[name].append(one_round(DRIVERS[name].kind))
            except (pytest.skip.Exception, pytest.fail.Exception) as reason:
                missing[name] = str(reason)
            except Exception as problem:  # noqa: BLE001 - one driver's fault is not the others'
                missing[name] = f"{type(problem).__name__}: {problem}".splitlines()[0]
    medians = {name: [*map(statistics.median, zip(*rates[name], strict=True))] for name in names}
    return {name: missing.get(name) or medians[name] for name in names}


def main() -> None:
    # As in a running host: many short turns, so that one thread does not hold up the others.
    sys.setswitchinterval(0.0005)
    names = sys.argv[1:] or list(DRIVERS)
    found = measured(list(dict.fromkeys(["memory", *names])))
    base = found["memory"]
    assert not isinstance(base, str), base
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    print(f"messages per second, and beside memory; {time.strftime('%Y-%m-%d')}, {machine()}\n")
    print(f"| driver | {' | '.join(COLUMNS)} |\n|---|{'---:|' * len(COLUMNS)}")
    for name, row in found.items():
        if isinstance(row, str):
            print(f"| {name} | not measured: {row} |{' |' * (len(COLUMNS) - 1)}")
        else:
            cells = (
                f"{rate:,.0f} ({shown(rate / best)})" for rate, best in zip(row, base, strict=True)
            )
            print(f"| {name} | {' | '.join(cells)} |")
    for name in (one for one in found if not isinstance(found[one], str)):
        if told := server(DRIVERS[name]):
            print(f"\n{name}: {told}")


def server(descriptor: Descriptor) -> str:
    """Return what the server says of itself; nothing where there is none."""
    if descriptor.reach is None:
        return ""
    place = {"name": "driver", "kind": descriptor.kind, **PLACES.get(descriptor.kind, dict)()}
    return descriptor.reach(descriptor.fields.model_validate(place), Path())


def shown(ratio: float) -> str:
    return f"{ratio:.2f}x" if ratio >= 0.1 else f"{ratio:.3f}x"


def machine() -> str:
    """Return what kind of machine this is, without its name."""
    version = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{os.cpu_count()} cores {platform.machine()}, {platform.system()}, {version}"


if __name__ == "__main__":
    main()
