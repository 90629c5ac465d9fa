"""How quickly a running host answers over its socket, and what watching it costs its messages.

Run it with the package installed: `python tests/bench/control_bench.py`.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from moonq.control.client import Client, connect
from moonq.control.locating import place_of
from moonq.control.server import Server
from moonq.host import Host
from moonq.kinds import load

INDEX = """\
namespace: app
entries:
  - {name: memory, kind: queue.driver.memory, max_length: 1000000}
  - {name: jobs, kind: queue.queue, driver: memory}
  - {name: worker, kind: queue.consumer, queue: jobs, func: work, concurrency: 2, prefetch: 100}
  - name: work
    kind: function.lua
    source: "return function() end"
"""
ENTRIES = 1000
MESSAGES = 20_000


def project(folder: Path) -> Path:
    """A project with a thousand entries beside its queue."""
    more = "".join(
        f"  - {{name: note{number}, kind: registry.entry, data: {number}}}\n"
        for number in range(ENTRIES)
    )
    (folder / "_index.yaml").write_text(INDEX + more)
    return folder


def times(act: Callable[[], object], count: int) -> list[float]:
    """Seconds that each of *count* calls took, sorted."""
    found = []
    for _ in range(count):
        began = time.perf_counter()
        act()
        found.append(time.perf_counter() - began)
    return sorted(found)


def show(what: str, found: list[float]) -> None:
    p50, p99 = found[len(found) // 2], found[int(len(found) * 0.99)]
    print(f"{what:34} p50 {p50 * 1000:7.3f} ms   p99 {p99 * 1000:7.3f} ms")


def answers(client: Client) -> None:
    show("eval 1 + 1", times(lambda: client.request("eval", src="1 + 1"), 2000))
    source = 'queue.info("app:jobs").ready'
    show("eval queue.info", times(lambda: client.request("eval", src=source), 2000))
    show("complete que", times(lambda: client.request("complete", path="que"), 1000))
    show(f"entries ({ENTRIES})", times(lambda: client.request("entries"), 50))
    show("queues", times(lambda: client.request("queues"), 500))


def cancels(client: Client) -> None:
    found = []
    for _ in range(50):
        running = client.begin("eval", src="while true do end")
        time.sleep(0.005)
        began = time.perf_counter()
        running.cancel()
        running.wait()
        found.append(time.perf_counter() - began)
    show("cancel a loop", sorted(found))


def messages_per_second(host: Host) -> float:
    done, began = host.report().acked + MESSAGES, time.perf_counter()
    for _ in range(MESSAGES):
        host.queues.publish(b"app:jobs", b"1")
    while host.report().acked < done:
        time.sleep(0.001)
    return MESSAGES / (time.perf_counter() - began)


def watching(host: Host, client: Client) -> None:
    print(f"{'messages, nobody listens':34} {messages_per_second(host):9.0f}/s")
    with client.subscribe("tail", events=["dead"]):
        print(f"{'messages, a tail that fits none':34} {messages_per_second(host):9.0f}/s")
    with client.subscribe("tail"):
        print(f"{'messages, a tail that fits all':34} {messages_per_second(host):9.0f}/s")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_RUNTIME_DIR"] = folder
        host = Host(load(project(Path(folder))))
        server = Server(host, place_of(host.project.root))
        server.claim()
        host.start()
        server.listen()
        with connect(host.project.root) as client:
            answers(client)
            cancels(client)
            watching(host, client)
        server.stop()
        host.stop()


if __name__ == "__main__":
    main()
