"""A host's driver in a process of its own, which tests freeze, kill, or give another time of day.

It consumes from one queue and says what happens, a line of JSON each: `seen` before a handler
would run, `settled` behind it, `skipped` where the driver says that the lease is lost. It ends,
as hosts do, when its standard input does.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from tests.servers.process import until

ROOT = Path(__file__).parents[2]


class Child:
    """The process, and what it has said."""

    def __init__(self, fields: dict[str, Any], **how: Any) -> None:
        self.said: list[dict[str, Any]] = []
        self.process = subprocess.Popen(
            [sys.executable, __file__, json.dumps({"fields": fields, **how})],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": f"{os.environ.get('PYTHONPATH', '')}:{ROOT}"},
        )
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()
        atexit.register(self.process.kill)
        until(lambda: self.told("ready") or self.process.poll() is not None, "the host is up")
        assert self.told("ready"), "the other host did not come up"

    def told(self, what: str) -> list[Any]:
        """The values of all lines that say *what*."""
        return [line[what] for line in list(self.said) if what in line]

    def end(self) -> None:
        """Let it leave as a host does."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self._gone()

    def kill(self) -> None:
        """End it without a word."""
        self.process.kill()
        self._gone()

    def _gone(self) -> None:
        self.process.wait(30)
        self._reader.join(10)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.endswith("\n"):
                self.said.append(json.loads(line))


def say(**what: Any) -> None:
    # In one system call: whoever is killed has said it or not, and no other thread comes between.
    os.write(1, json.dumps({"at": time.monotonic(), **what}).encode() + b"\n")


def main(how: dict[str, Any]) -> None:
    """Consume until standard input ends; *how* are a driver's fields and what is unusual."""
    skew = how.get("skew", 0.0)
    real = time.time
    # Before moonq is imported, whose clock is this very function.
    time.time = lambda: real() + skew

    from moonq import drivers
    from moonq.clock import SystemClock
    from moonq.model import ACK, QueueSpec

    descriptor = drivers.descriptor(how["fields"]["kind"])
    driver = descriptor.make(descriptor.fields.model_validate(how["fields"]), SystemClock(), Path())
    driver.open(lambda event: say(event=event.kind), name=how.get("name", ""))
    driver.declare(QueueSpec(how["queue"], dead_letter=f"{how['queue']}.dead"))
    subscription = driver.subscribe(
        how["queue"], how.get("prefetch", 10), lease=how.get("lease", 30.0)
    )
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            for delivery in subscription.take(how.get("take", 10), 0.2):
                name = delivery.message.id
                if not subscription.start(delivery):
                    say(skipped=name)
                    continue
                say(seen=name, interruptions=delivery.interruptions)
                time.sleep(how.get("work", 0.0))
                say(settled=name, accepted=subscription.settle(delivery, ACK))

    workers = [threading.Thread(target=work) for _ in range(how.get("workers", 1))]
    for worker in workers:
        worker.start()
    say(ready=True)
    sys.stdin.read()
    over.set()
    for worker in workers:
        worker.join()
    subscription.close(time.monotonic() + 5)
    driver.close(time.monotonic() + 5)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
