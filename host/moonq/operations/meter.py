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

from moonq import threads
from moonq.host import Host

KEPT = 61
PERIOD = 1.0


class Reading(NamedTuple):
    """All counters at one moment; or, as rates, how much they grow in a second."""

    time: float
    """Seconds by the monotonic clock; of rates, how many they were taken over."""
    cpu: float
    """Seconds of processor time; of rates, cores in use."""
    published: Mapping[str, float] = {}
    """By queue."""
    acked: Mapping[str, float] = {}
    """By consumer, as are the next two."""
    retried: Mapping[str, float] = {}
    dead: Mapping[str, float] = {}


#: What is known of a host that was not sampled twice.
NO_RATES = Reading(0.0, 0.0)


class Meter:
    """Samples one host, in a thread between `start` and `stop`."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._samples: deque[Reading] = deque(maxlen=KEPT)
        self._stop = threading.Event()
        self.sample()

    def start(self) -> None:
        """Sample once a second from now on."""
        threads.start(threading.Thread(target=self._run, name="moonq-meter", daemon=True))

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
            Reading(
                host.clock.monotonic(),
                time.process_time(),
                host.queues.traffic(),
                {name: consumer.acked() for name, consumer in consumers.items()},
                {name: host.metrics.get("retried", name) for name in consumers},
                {name: host.metrics.get("dead", name) for name in consumers},
            )
        )

    def rates(self) -> Reading:
        """Return what the kept samples tell; without two of them, nothing."""
        first, last = self._samples[0], self._samples[-1]
        seconds = last.time - first.time
        if seconds <= 0:
            return NO_RATES

        def per_second(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
            # A consumer that was replaced begins to count anew: better nothing than less than
            # nothing.
            return {
                name: round(max(0, count - before.get(name, 0)) / seconds, 2)
                for name, count in after.items()
            }

        return Reading(
            seconds,
            max(0.0, (last.cpu - first.cpu) / seconds),
            *map(per_second, first[2:], last[2:]),
        )


def memory_bytes() -> int | None:
    """Return how much memory this process holds; None where the system does not say."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123
            pages = int(file.read().split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")
