"""The numbers that moonq is held to, in one table: `python tests/bench/table_bench.py [--json]`.

The bare loop is one thread that decodes the same body in pure Lua and calls the same handler,
whatever codec moonq has, so that the goal does not move with the codec. What is compared runs in
turns, and medians count. A machine whose bare loop stays below 100 000/s is too busy to tell: the
table says `noisy`, and then it does not count.
"""

from __future__ import annotations

import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import delivery_bench as delivery
import json_bench
import report
import rivals
import sqlite_bench as sqlite
from lupa.lua54 import LuaRuntime
from report import At, Row

from moonq import log
from moonq.cli import collector
from moonq.host import Host
from moonq.sandbox import chunks, native

ROUNDS = 5
MESSAGES = 30_000
QUIET = 100_000
"""What the bare loop does in a second on a machine that nobody else uses."""
DEFAULT_PREFETCH = 10
LYING = 300_000
EXAMPLE = Path(__file__).parents[2] / "examples" / "seed"
Measured = tuple[float, float]
"""Messages per second, CPU seconds per message."""


def end_to_end(workers: int, prefetch: int) -> Measured:
    """Published by a Lua function and acknowledged."""
    with delivery.host(workers, prefetch=prefetch) as running:
        running.call("bench:publish", "100")
        running.wait(threading.Event(), until_idle=True)
        return timed(running, lambda: publish(running))


def drain(workers: int, prefetch: int) -> Measured:
    """A backlog, acknowledged."""
    with delivery.host(workers, prefetch=prefetch) as running:
        consumer = running.consumers["bench:worker"]
        consumer.pause()
        publish(running)
        return timed(running, consumer.resume)


def publish(running: Host, count: int = MESSAGES) -> None:
    for begun in range(0, count, MESSAGES):
        result = running.call("bench:publish", str(min(MESSAGES, count - begun)))
        assert result.fault is None, result.fault


def timed(running: Host, act: Callable[[], object]) -> Measured:
    """Return what came of *act*, after which all messages are to be acknowledged."""
    done = running.report().acked + MESSAGES
    begun, burnt = time.perf_counter(), time.process_time()
    act()
    while running.report().acked < done:
        time.sleep(0.001)
    took, burnt = time.perf_counter() - begun, time.process_time() - burnt
    return MESSAGES / took, burnt / MESSAGES


def bare() -> Measured:
    burnt = time.process_time()
    rate = delivery.bare_rate("json")
    return rate, (time.process_time() - burnt) / delivery.MESSAGES


MEMORY: dict[str, Callable[[], Measured]] = {
    "bare loop in pure Lua": bare,
    "end to end, 2 workers, prefetch 256": lambda: end_to_end(2, 256),
    "end to end, 2 workers, default prefetch": lambda: end_to_end(2, DEFAULT_PREFETCH),
    "end to end, 1 worker, default prefetch": lambda: end_to_end(1, DEFAULT_PREFETCH),
    "end to end, 4 workers, default prefetch": lambda: end_to_end(4, DEFAULT_PREFETCH),
    "drain, 2 workers, prefetch 256": lambda: drain(2, 256),
    "drain, 1 worker, default prefetch": lambda: drain(1, DEFAULT_PREFETCH),
    "drain, 4 workers, default prefetch": lambda: drain(4, DEFAULT_PREFETCH),
    "Huey in memory, drain, 2 threads": lambda: rivals.huey("memory", MESSAGES),
}
BARE, E2E, E2E_10, E2E_ONE, E2E_FOUR, DRAIN, DRAIN_ONE, DRAIN_FOUR, HUEY = MEMORY
RAW, LISTED = "raw SQLite, a commit for each", "raw SQLite, a commit for 100"
S8, S64, S1 = (f"SQLite, publish to ack, {one}" for one in ("8 / 2", "64 / 4", "1 / 1"))
S_DRAIN, S_HUEY = "SQLite, drain, default prefetch", "Huey on SQLite, drain, 2 threads"
FILES: dict[str, sqlite.Run] = {
    RAW: sqlite.raw(1),
    LISTED: sqlite.raw(100),
    S8: sqlite.to_ack(8, 2, 1),
    S64: sqlite.to_ack(64, 4, 1),
    S1: sqlite.to_ack(1, 1, 1),
    S_DRAIN: sqlite.draining(DEFAULT_PREFETCH),
    S_HUEY: lambda _: sqlite.Measured(*rivals.huey("sqlite", 1000)),
}


def memory_rows() -> list[Row]:
    rounds = [{name: case() for name, case in MEMORY.items()} for _ in range(ROUNDS)]
    at = {
        name: (
            statistics.median(one[name][0] for one in rounds),
            statistics.median(one[name][1] for one in rounds) * 1e6,
        )
        for name in MEMORY
    }

    def row(name: str, beside: str, what: str, target: At | None = None) -> Row:
        (rate, cpu), (other, _) = at[name], at[beside]
        return Row(name, rate, "/s", cpu, rate / other, what, target)

    return [
        Row(BARE, at[BARE][0], "/s", at[BARE][1]),
        row(E2E, BARE, "bare", At(">=", 0.75, of_ratio=True)),
        row(E2E_10, BARE, "bare", At(">=", 0.4, of_ratio=True)),
        row(E2E_ONE, BARE, "bare"),
        row(E2E_FOUR, E2E_ONE, "1 worker", At(">=", 0.9, of_ratio=True)),
        row(DRAIN, BARE, "bare", At(">=", 1.8, of_ratio=True)),
        row(DRAIN, HUEY, "Huey"),
        row(DRAIN_ONE, BARE, "bare"),
        row(DRAIN_FOUR, DRAIN_ONE, "1 worker", At(">=", 0.9, of_ratio=True)),
        row(HUEY, BARE, "bare"),
    ]


def sqlite_rows() -> list[Row]:
    best: dict[str, Measured] = {}
    before = sys.getswitchinterval()
    sys.setswitchinterval(0.0005)  # as in a running host
    for _ in range(2):
        for name, run in FILES.items():
            with tempfile.TemporaryDirectory() as folder:
                rate, cpu = run(Path(folder))
            best[name] = max(best.get(name, (0.0, 0.0)), (rate, cpu * 1e6))
    sys.setswitchinterval(before)

    def row(name: str, beside: str, what: str, least: float | None = None) -> Row:
        rate, cpu = best[name]
        target = None if least is None else At(">=", least)
        return Row(name, rate, "/s", cpu, rate / best[beside][0], what, target)

    return [
        Row(RAW, best[RAW][0], "/s", best[RAW][1]),
        row(LISTED, RAW, "raw"),
        row(S8, RAW, "raw", 12_000),
        row(S64, RAW, "raw", 22_000),
        row(S1, RAW, "raw", 3_000),
        row(S_DRAIN, RAW, "raw", 40_000),
        row(S_DRAIN, S_HUEY, "Huey"),
        row(S_HUEY, RAW, "raw"),
    ]


def json_rows() -> list[Row]:
    """What moonq's codec takes for a message of 200 bytes."""
    value = json.loads(delivery.TABLE)
    text = json.dumps(value, separators=(",", ":")).encode()
    runtime = LuaRuntime(encoding=None, unpack_returned_tuples=True)
    decode, encode = runtime.execute(json_bench.LOOPS, chunks.source, native.path(), text)
    return [
        Row("decode", json_bench.microseconds(decode), "µs", target=At("<=", 1.5)),
        Row("encode", json_bench.microseconds(encode), "µs", target=At("<=", 1.6)),
    ]


def crowd_rows() -> list[Row]:
    _, busy, weight = delivery.crowd()
    return [
        Row("1000 workers are at work after", busy, "s", target=At("<=", 1.2)),
        Row("1000 workers weigh", weight / 1e6, "MB", target=At("<=", 260.0)),
    ]


def start_row() -> Row:
    """From the start of the process to the first line that a handler logs."""
    took = statistics.median(first_line() for _ in range(5))
    return Row("start of `run` to the first handler", took, "s", target=At("<=", 0.35))


def first_line() -> float:
    run = ["run", str(EXAMPLE), "--call", "app.queue:publish_tasks", "--until-idle"]
    begun = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "moonq", *run, "--log", "json"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as child:
        assert child.stderr is not None
        lines = child.stderr
        took = next((time.perf_counter() - begun for line in lines if b"Verarbeite" in line), 0.0)
        lines.read()
    assert took, "the example's handler logged nothing"
    return took


def pause_row() -> Row:
    """The longest collection, which stops every thread, until 300 000 wait, and a full one then."""
    pauses, began = [0.0], [0.0]

    def note(phase: str, _: dict[str, Any]) -> None:
        if phase == "start":
            began[0] = time.perf_counter()
        else:
            pauses.append(time.perf_counter() - began[0])

    with delivery.host(1) as running, collector.sparing():
        running.consumers["bench:worker"].pause()
        gc.callbacks.append(note)
        publish(running, LYING)
        gc.collect()
        gc.callbacks.remove(note)
    return Row(f"longest pause, {LYING:,} waiting", max(pauses) * 1e3, "ms", target=At("<=", 20.0))


def latency_row() -> Row:
    _, p99 = delivery.latency()
    return Row("publish to handler at 500/s, p99", p99 * 1e3, "ms", target=At("<=", 1.0))


def main() -> None:
    log.configure("json", "error")
    # As a process that has a host to itself.
    with collector.sparing():
        # First what looks at memory and processes: threads and bodies leave traces.
        rest = [*crowd_rows(), start_row(), pause_row(), latency_row(), *json_rows()]
        rows = [*memory_rows(), *sqlite_rows(), *rest]
    codec, is_noisy = native.codec().name, rows[0].value < QUIET
    if "--json" in sys.argv:
        about = {"codec": codec, "bare": rows[0].value, "noisy": is_noisy, "cores": os.cpu_count()}
        print(report.as_json(about, rows))
        return
    missed = sum(row.is_met() is False for row in rows)
    notes = [f"JSON codec: {codec}. Bare loop in pure Lua: {rows[0].value:,.0f}/s."]
    if is_noisy:
        notes.append(f"noisy: the bare loop is below {QUIET:,}/s, so this run does not count.")
    notes.append(f"{missed} targets missed." if missed else "All targets met.")
    report.show(f"moonq, {os.cpu_count()} cores", rows, notes)


if __name__ == "__main__":
    main()
