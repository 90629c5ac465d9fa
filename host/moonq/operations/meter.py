"""How fast things go: counters read once a second, kept for a minute.

meter.sample()                      # once a second
meter.rates().published["app:orders"]   --> 84.0 per second, over the last 60 s
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Mapping
from typing import NamedTuple

from moonq.host import Host

KEPT = 61
PERIOD = 1.0


class Sample(NamedTuple):
    """All counters at one moment."""

    time: float
    published: Mapping[str, int]
    """By queue."""
    acked: Mapping[str, int]
    """By consumer, as are the next two."""
    retried: Mapping[str, int]
    dead: Mapping[str, int]
    cpu: float
    """Seconds of processor time."""


class Rates(NamedTuple):
    """Per second, over the last `seconds`."""

    seconds: float
    published: Mapping[str, float]
    acked: Mapping[str, float]
    retried: Mapping[str, float]
    dead: Mapping[str, float]
    cpu: float
    """Cores in use."""


class Meter:
    """Samples one host, in a thread of its own between `start` and `stop`."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._samples: deque[Sample] = deque(maxlen=KEPT)
        self._stop = threading.Event()
        self.sample()

    def start(self) -> None:
        """Sample once a second from now on."""
        threading.Thread(target=self._run, name="moonq-meter", daemon=True).start()

    def stop(self) -> None:
        """Sample no more."""
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.wait(PERIOD):
            self.sample()

    def sample(self) -> None:
        """Read the counters."""
        host = self._host
        consumers = dict(host.consumers)
        self._samples.append(
            Sample(
                host.clock.monotonic(),
                host.queues.traffic(),
                {name: consumer.acked() for name, consumer in consumers.items()},
                {name: host.metrics.get("retried", name) for name in consumers},
                {name: host.metrics.get("dead", name) for name in consumers},
                time.process_time(),
            )
        )

    def rates(self) -> Rates:
        """Return what the kept samples tell; without two of them, nothing."""
        first, last = self._samples[0], self._samples[-1]
        seconds = last.time - first.time
        if seconds <= 0:
            return Rates(0.0, {}, {}, {}, {}, 0.0)
        return Rates(
            seconds,
            _per_second(first.published, last.published, seconds),
            _per_second(first.acked, last.acked, seconds),
            _per_second(first.retried, last.retried, seconds),
            _per_second(first.dead, last.dead, seconds),
            max(0.0, (last.cpu - first.cpu) / seconds),
        )


def _per_second(
    before: Mapping[str, int], after: Mapping[str, int], seconds: float
) -> dict[str, float]:
    # A consumer that was replaced begins to count anew: better nothing than less than nothing.
    return {
        name: round(max(0, count - before.get(name, 0)) / seconds, 2)
        for name, count in after.items()
    }


def memory_bytes() -> int | None:
    """Return how much memory this process holds; None where the system does not say."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123
            pages = int(file.read().split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")
