"""How fast messages go through the memory driver, against a bare loop over the same handler.

Run it with the package installed: `python tests/bench/delivery_bench.py`.

The bare loop is what the machine can do at best with one thread and pure Lua: lupa decodes the same
body and calls the same handler, with no queue, no limits and no sandbox around, and with JSON in
Lua, so that the goal does not move with the codec. Every round of a host is
preceded by one of the bare loop, and the ratio is that of the medians, because machines are shared
and noisy.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lupa.lua54 import LuaRuntime

from moonq import log
from moonq.host import Host
from moonq.kinds import load
from moonq.sandbox import chunks, native

ROUNDS = 5
MESSAGES = 40_000
HANDLER = """
local function handler(task)
  local id, action = task.id, task.action
  return id ~= nil and action ~= nil
end

return handler
"""
TEXT_HANDLER = """
local function handler(text)
  return #text > 0
end

return handler
"""
PUBLISHER = """
local queue = require("queue")

return function(count)
  local body = {
    id = "task-123",
    action = "process",
    data = {
      user = 42,
      amount = 19.95,
      items = { 1, 2, 3 },
      note = "a remark that makes the whole body about two hundred bytes long, no more",
    },
    tags = { "new", "paid", "post" },
    ok = true,
  }
  for _ = 1, count do
    local id, err = queue.publish("bench:tasks", BODY)
    if not id then
      return nil, err
    end
  end
  return count
end
"""
TEXT = "x" * 200
TABLE = (
    '{"id":"task-123","action":"process","data":{"user":42,"amount":19.95,"items":[1,2,3],'
    '"note":"a remark that makes the whole body about two hundred bytes long, no more"},'
    '"tags":["new","paid","post"],"ok":true}'
)
PROJECT = """
namespace: bench
entries:
  - name: memory
    kind: queue.driver.memory
  - name: tasks
    kind: queue.queue
    driver: memory
    codec: {codec}
    options:
      max_length: 1000000
  - name: waits
    kind: queue.queue
    driver: memory
  - name: worker
    kind: queue.consumer
    queue: tasks
    func: handler
    concurrency: {workers}
    prefetch: {prefetch}
  - name: handler
    kind: function.lua
    source: file://handler.lua
    modules: [queue, time]
  - name: publish
    kind: function.lua
    source: file://publish.lua
    modules: [queue]
"""
BARE = b"""
local source, is_json = ...
local loaded = {}
function require(name)
  loaded[name] = loaded[name] or load(source(name), name, "b")(name)
  return loaded[name]
end
local decode = require("json").decode
local handler = load(HANDLER)()
if is_json then
  return function(body) return handler(decode(body)) end
end
return handler
"""


def bare_rate(codec: str) -> float:
    """Messages per second that one thread decodes and handles with nothing around it."""
    lua = LuaRuntime(encoding=None)
    lua.globals()[b"HANDLER"] = (HANDLER if codec == "json" else TEXT_HANDLER).encode()
    handle = lua.execute(BARE, chunks.source, codec == "json")
    body = (TABLE if codec == "json" else TEXT).encode()
    began = time.perf_counter()
    for _ in range(MESSAGES):
        handle(body)
    return MESSAGES / (time.perf_counter() - began)


@contextmanager
def host(workers: int, codec: str = "json", handler: str = "", prefetch: int = 0) -> Iterator[Host]:
    """A running host with one queue, one consumer and a function that publishes."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "_index.yaml").write_text(
            PROJECT.format(workers=workers, codec=codec, prefetch=prefetch or 256 * workers)
        )
        chosen = handler or (HANDLER if codec == "json" else TEXT_HANDLER)
        (root / "handler.lua").write_text(chosen)
        body = "body" if codec == "json" else f'"{TEXT}"'
        (root / "publish.lua").write_text(PUBLISHER.replace("BODY", body))
        running = Host(load(root))
        running.start()
        try:
            yield running
        finally:
            running.stop()


def host_rate(workers: int, codec: str) -> float:
    """Messages per second published by a Lua function and acknowledged, from first to last."""
    with host(workers, codec) as running:
        running.call("bench:publish", "100")
        running.wait(threading.Event(), until_idle=True)
        began = time.perf_counter()
        result = running.call("bench:publish", str(MESSAGES))
        assert result.fault is None, result.fault
        while running.report().acked < MESSAGES + 100:
            time.sleep(0.001)
        return MESSAGES / (time.perf_counter() - began)


def throughput() -> None:
    for codec, what in (("json", "200-byte JSON table"), ("raw", "200-byte string")):
        print(f"\npublished and acknowledged, {what}")
        for workers in (1, 2, 4):
            pairs = [(bare_rate(codec), host_rate(workers, codec)) for _ in range(ROUNDS)]
            bare = statistics.median(rate for rate, _ in pairs)
            ours = statistics.median(rate for _, rate in pairs)
            print(
                f"  {workers} worker{'s' if workers > 1 else ' '} {ours:10,.0f}/s"
                f"   bare loop {bare:10,.0f}/s   ratio {ours / bare:.2f}"
            )


LATENCY_HANDLER = """
local queue, time = require("queue"), require("time")

return function()
  local waited = time.now() - queue.message():published_at()
  queue.publish("bench:waits", waited)
  return true
end
"""


def latency() -> tuple[float, float]:
    """Median and 99th percentile from publish to the handler's start, in seconds, at 500/s."""
    with host(2, handler=LATENCY_HANDLER) as running:
        due = time.perf_counter()
        for _ in range(2000):
            due += 0.002
            time.sleep(max(0.0, due - time.perf_counter()))
            running.queues.publish(b"bench:tasks", TABLE.encode())
        running.wait(threading.Event(), until_idle=True)
        driver = running.queues.route("bench:waits").driver
        waits = sorted(float(one.message.body) for one in driver.peek("bench:waits", 2000).items)
    return waits[len(waits) // 2], waits[int(len(waits) * 0.99)]


SLOW_HANDLER = """
local time = require("time")

return function()
  time.sleep("20s")
  return true
end
"""


def crowd(workers: int = 1000) -> tuple[float, float, float]:
    """When the host is up, when all workers are at work, in seconds, and how many bytes it took."""
    before = resident()
    began = time.perf_counter()
    with host(workers, handler=SLOW_HANDLER, prefetch=workers) as running:
        ready = time.perf_counter() - began
        running.call("bench:publish", str(workers))
        while (running.queues.info("bench:tasks").running or 0) < workers:
            time.sleep(0.005)
            assert time.perf_counter() - began < 30, running.queues.info("bench:tasks")
        busy = time.perf_counter() - began
        return ready, busy, resident() - before


def resident() -> int:
    """Bytes of memory that this process really has."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    log.configure("json", "error")
    codec = native.codec().name
    print(
        f"delivery through the memory driver, {os.cpu_count()} cores, JSON {codec}, bare loop lua"
    )
    ready, busy, weight = crowd()
    print(
        f"\n1000 workers: host up in {ready * 1000:.0f} ms, all at work after {busy:.2f} s, "
        f"{weight / 1e6:.0f} MB in all"
    )
    p50, p99 = latency()
    print(f"\nfrom publish to handler at 500/s: p50 {p50 * 1000:.2f} ms, p99 {p99 * 1000:.2f} ms")
    throughput()


if __name__ == "__main__":
    sys.exit(main())
