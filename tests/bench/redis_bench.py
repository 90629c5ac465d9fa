"""How fast the Redis driver is beside raw redis-py, and a whole host beside Celery and Dramatiq.

The machine decides, so every number stands beside that of the same work without moonq, measured in
the same run at the same server: a Redis with an append-only file, written every second.

Run it with the package installed: `python tests/bench/redis_bench.py`. Celery and Dramatiq are
installed into a virtual environment of their own; `--without-others` leaves them out.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from tests.servers.redis import Server  # noqa: E402

from moonq import drivers  # noqa: E402
from moonq.clock import SystemClock  # noqa: E402
from moonq.model import Message, QueueSpec  # noqa: E402

BODY = b"x" * 200
#: How long one case runs, and how often: the best counts, for the machine is shared.
SECONDS, ROUNDS = 1.5, 3
THREADS, BATCH = 8, 100
#: Messages of one drain, and of the growth.
DRAINED, FEW, MANY = 60_000, 1_000, 1_000_000
#: What each host has before it, as many as it does in some seconds.
OURS, CELERYS, DRAMATIQS = 150_000, 3_000, 12_000
KIND = "queue.driver.redis"

PROJECT = """\
namespace: bench
entries:
  - {name: store, kind: queue.driver.redis, url: "%s", prefix: host}
  - {name: orders, kind: queue.queue, driver: store}
  - name: worker
    kind: queue.consumer
    queue: orders
    func: handle
    concurrency: 2
    prefetch: 256
  - {name: handle, kind: function.lua, source: file://handle.lua}
"""
HANDLER = """\
return function(order)
  local total = 0
  for _, item in ipairs(order.items) do
    total = total + item.price
  end
  assert(order.total == total)
end
"""


class Costs:
    """CPU seconds of this process and of the server since it was made."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._begun = (time.process_time(), self._server())

    def _server(self) -> float:
        info = self._client.info("cpu")
        return float(info["used_cpu_user"]) + float(info["used_cpu_sys"])

    def per_message(self, count: int) -> tuple[float, float]:
        """Microseconds for each of *count* messages: here, at the server."""
        here, there = time.process_time() - self._begun[0], self._server() - self._begun[1]
        return here / count * 1e6, there / count * 1e6


def per_second(step: Callable[[], int]) -> float:
    done, begun = 0, time.perf_counter()
    while (took := time.perf_counter() - begun) < SECONDS:
        done += step()
    return done / took


def by_threads(step_of: Callable[[int], Callable[[], int]]) -> float:
    """The sum of what THREADS threads do, each with a step of its own."""
    with ThreadPoolExecutor(THREADS) as pool:
        rates = [pool.submit(per_second, step_of(number)) for number in range(THREADS)]
        return sum(rate.result() for rate in rates)


# Raw


def xadd(server: Server, batch: int) -> float:
    """Raw publishes: every thread has a connection of its own."""

    def step_of(number: int) -> Callable[[], int]:
        client = redis.Redis(port=server.port)

        def one() -> int:
            client.xadd("raw", {"body": BODY})
            return 1

        def many() -> int:
            pipe = client.pipeline(transaction=False)
            for _ in range(batch):
                pipe.xadd("raw", {"body": BODY})
            pipe.execute()
            return batch

        return one if batch == 1 else many

    rate = by_threads(step_of)
    server.client().delete("raw")
    return rate


def raw_drain(server: Server) -> float:
    """Raw: read, acknowledge and delete by BATCH on one connection, in one round trip each."""
    client = redis.Redis(port=server.port)
    pipe = client.pipeline(transaction=False)
    for _ in range(DRAINED):
        pipe.xadd("raw", {"body": BODY})
    pipe.execute()
    client.xgroup_create("raw", "g", "0")
    done, begun = 0, time.perf_counter()
    while done < DRAINED:
        ((_, entries),) = client.xreadgroup("g", "c", {"raw": ">"}, count=BATCH)
        names = [name for name, _ in entries]
        pipe = client.pipeline(transaction=False)
        pipe.xack("raw", "g", *names)
        pipe.xdel("raw", *names)
        pipe.execute()
        done += len(names)
    rate = done / (time.perf_counter() - begun)
    client.delete("raw")
    return rate


# The driver


@contextmanager
def a_driver(server: Server, prefix: str = "bench") -> Iterator[Any]:
    descriptor = drivers.descriptor(KIND)
    fields = {"name": "bench", "kind": KIND, "url": server.url, "prefix": prefix}
    driver = descriptor.make(descriptor.fields.model_validate(fields), SystemClock(), HERE)
    driver.open(lambda event: None)
    driver.declare(QueueSpec("bench"))
    yield driver
    driver.close(time.monotonic() + 2)


def messages(count: int, body: bytes = BODY) -> list[Message]:
    return [Message(str(number), body, 0.0) for number in range(count)]


def publishing(server: Server, batch: int) -> float:
    with a_driver(server) as driver:
        batch_of = messages(batch)

        def step() -> int:
            driver.publish("bench", batch_of, 5.0)
            return batch

        rate = by_threads(lambda number: step)
        driver.purge("bench")
    return rate


def fill(driver: Any, queue: str, found: list[Message]) -> None:
    for first in range(0, len(found), 1000):
        driver.publish(queue, found[first : first + 1000], 30.0)


def draining(server: Server) -> tuple[float, float, float]:
    """One worker that takes by BATCH; messages a second, CPU of a message here and there."""
    with a_driver(server) as driver:
        fill(driver, "bench", messages(DRAINED))
        subscription = driver.subscribe("bench", 5 * BATCH)
        done, begun, costs = 0, time.perf_counter(), Costs(server.client())
        while done < DRAINED:
            taken = subscription.take(BATCH, 5.0)
            for delivery in taken:
                subscription.start(delivery)
            subscription.ack(taken)
            done += len(taken)
        driver.info("bench")
        rate = done / (time.perf_counter() - begun)
        return rate, *costs.per_message(done)


def turning(driver: Any, subscription: Any) -> Callable[[], int]:
    """Publish BATCH and work off BATCH: the queue stays as deep as it is."""
    batch = messages(BATCH)

    def step() -> int:
        driver.publish("bench", batch, 5.0)
        done = 0
        while done < BATCH:
            taken = subscription.take(BATCH, 5.0)
            for delivery in taken:
                subscription.start(delivery)
            subscription.ack(taken)
            done += len(taken)
        return done

    return step


def at_depths(server: Server) -> tuple[float, float]:
    """How fast that is with FEW and with MANY messages waiting, in turns."""
    few, many = 0.0, 0.0
    with a_driver(server, "few") as shallow, a_driver(server, "many") as deep:
        steps = []
        for driver, depth in ((shallow, FEW), (deep, MANY)):
            fill(driver, "bench", messages(depth))
            steps.append(turning(driver, driver.subscribe("bench", 5 * BATCH)))
        for _ in range(2 * ROUNDS):
            few, many = max(few, per_second(steps[0])), max(many, per_second(steps[1]))
    with server.client() as client:
        client.flushall()
    return few, many


# Whole hosts


def emptying(left: Callable[[], int], count: int, seconds: float = 120.0) -> float:
    """How fast *count* messages go, between a tenth and nine tenths of them."""
    moments: list[tuple[float, int]] = []
    give_up = time.monotonic() + seconds
    while (now := left()) > count / 10:
        if now < count * 0.9:
            moments.append((time.perf_counter(), now))
        if time.monotonic() > give_up:
            raise SystemExit(f"{now} of {count} are left after {seconds:g} s")
        time.sleep(0.01)
    (begun, first), (ended, last) = moments[0], moments[-1]
    return (first - last) / (ended - begun)


@contextmanager
def running(argv: list[str], **env: str) -> Iterator[None]:
    child = subprocess.Popen(
        argv,
        cwd=HERE,
        env={**os.environ, **env},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        os.killpg(child.pid, signal.SIGTERM)
        child.wait(30)


def moonq_host(server: Server) -> float:
    """A host with two workers, each a Lua state of its own, that decode JSON."""
    with tempfile.TemporaryDirectory() as folder, a_driver(server, "host") as driver:
        (Path(folder) / "_index.yaml").write_text(PROJECT % server.url, encoding="utf-8")
        (Path(folder) / "handle.lua").write_text(HANDLER, encoding="utf-8")
        driver.declare(QueueSpec("bench:orders", dead_letter="bench:orders.dead"))
        orders = []
        for number in range(OURS):
            items = [{"name": "tea", "price": number}, {"name": "cup", "price": 7}]
            order = {"id": number, "items": items, "total": number + 7}
            orders.append(Message(str(number), json.dumps(order).encode(), time.time()))
        fill(driver, "bench:orders", orders)

        def left() -> int:
            return int(driver.info("bench:orders").ready)

        with running([sys.executable, "-m", "moonq", "run", folder, "--socket", "none"]):
            return emptying(left, OURS)


def others() -> Path:
    """The Python of a virtual environment that has Celery and Dramatiq."""
    folder = Path(tempfile.gettempdir()) / "moonq-bench-others"
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        venv.create(folder, with_pip=True, clear=True)
        install = [python, "-m", "pip", "install", "--quiet", "celery[redis]", "dramatiq[redis]"]
        subprocess.run([*install, "hiredis"], check=True)
        (folder / "ready").touch()
    return python


def other_host(server: Server, module: str, count: int, queue: str, argv: list[str]) -> float:
    """A host of somebody else with two workers, at a server with nothing else to do."""
    python = str(others())
    subprocess.run(
        [python, f"{module}.py", str(count)],
        cwd=HERE,
        env={**os.environ, "BROKER": server.url},
        check=True,
    )
    client = server.client()
    with running([python, "-m", *argv], BROKER=server.url):
        rate = emptying(lambda: int(client.llen(queue)), count)
    client.flushall()
    return rate


CELERY = ["celery", "-A", "celery_tasks", "worker", "-c", "2", "--loglevel", "error"]
#: Two processes with the threads that it comes with; with one each it would mostly wait.
DRAMATIQ = ["dramatiq", "dramatiq_tasks", "-p", "2"]


def main() -> None:
    # As in a running host: many short turns, so that one thread does not hold up the others.
    sys.setswitchinterval(0.0005)
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder)).start()
        the_driver(server)
        growth(server)
        if "--without-others" not in sys.argv:
            hosts(server)
        server.stop()


def the_driver(server: Server) -> None:
    cases: dict[str, Callable[[], float]] = {
        "raw XADD, one by one": lambda: xadd(server, 1),
        "publish, one by one": lambda: publishing(server, 1),
        "raw XADD, by 100": lambda: xadd(server, BATCH),
        "publish, by 100": lambda: publishing(server, BATCH),
        "raw XREADGROUP, XACK, XDEL by 100": lambda: raw_drain(server),
    }
    rates = dict.fromkeys([*cases, "drain by 100"], 0.0)
    here = there = float("inf")
    for _ in range(ROUNDS):
        for title, run in cases.items():
            rates[title] = max(rates[title], run())
        rate, *costs = draining(server)
        rates["drain by 100"] = max(rates["drain by 100"], rate)
        here, there = min(here, costs[0]), min(there, costs[1])
    print(f"{f'{THREADS} threads publish, one worker drains':40} {'msg/s':>9} {'/ raw':>7}")
    raw = 1.0
    for title, rate in rates.items():
        raw = rate if title.startswith("raw") else raw
        print(f"{title:40} {rate:>9,.0f} {rate / raw:>6.2f}x")
    print(f"CPU of a message drained: {here:.1f} us in the client, {there:.1f} us in the server")


def growth(server: Server) -> None:
    few, many = at_depths(server)
    print(f"{f'publish and drain, {FEW:,} waiting':40} {few:>9,.0f}")
    print(f"{f'publish and drain, {MANY:,} waiting':40} {many:>9,.0f} {many / few:>6.2f}x")


def hosts(server: Server) -> None:
    ours = moonq_host(server)
    server.client().flushall()
    celery = other_host(server, "celery_tasks", CELERYS, "celery", CELERY)
    dramatiq = other_host(server, "dramatiq_tasks", DRAMATIQS, "dramatiq:default", DRAMATIQ)
    print(f"{'a whole host, JSON, 2 workers':40} {'msg/s':>9} {'ours':>7}")
    print(f"{'moonq':40} {ours:>9,.0f}")
    print(f"{'Celery':40} {celery:>9,.0f} {ours / celery:>6.1f}x")
    print(f"{'Dramatiq':40} {dramatiq:>9,.0f} {ours / dramatiq:>6.1f}x")


if __name__ == "__main__":
    main()
