"""Remembers the last minute of a host's counters and says what follows from them.

history = History()
history.add(sample(client))         # about once a second
history.view()                      # rates over the last ten seconds, trends over the last sixty

A single sample has no past: its rates are averages since the host's start, and the view says so.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from moonq.dashboard.view import Row, View, total
from moonq.run import times

if TYPE_CHECKING:
    from moonq.control.client import Client
    from moonq.control.together import Together

#: Seconds of the past that rates are about.
WINDOW = 10.0
#: Seconds of one number of a trend, and how many there are.
STRETCH = 5.0
STRETCHES = 12

Fields = Mapping[str, Any]


class Sample(NamedTuple):
    """What a host answered at one moment."""

    time: float
    """Seconds since the epoch."""
    status: Fields
    queues: Mapping[str, Fields]
    consumers: Mapping[str, Fields]


def sample(host: Client | Together, now: Callable[[], float] = time.time) -> Sample:
    """Ask *host* for all its numbers.

    Raises:
        MoonqError: It does not answer.
    """
    status = host.request("status")
    queues = host.request("queues")["queues"]
    consumers = host.request("consumers")["consumers"]
    return Sample(now(), status, _by_id(queues), _by_id(consumers))


def _by_id(rows: Sequence[Fields]) -> dict[str, Fields]:
    return {row["id"]: row for row in rows}


class History:
    """What is left of the samples of the last minute."""

    def __init__(self) -> None:
        self._samples: deque[Sample] = deque()
        self._trends = _Trends()
        self._view: View | None = None

    def add(self, new: Sample) -> None:
        """Remember *new*, and forget what is too old or of another process."""
        samples = self._samples
        if samples and _pids(samples[-1].status) != _pids(new.status):
            samples.clear()
            self._trends = _Trends()
        while samples and not 0 <= new.time - samples[0].time <= WINDOW:
            samples.popleft()
        samples.append(new)
        self._trends.add(new)
        self._view = None

    def view(self, now: float | None = None) -> View:
        """Return what is known; *now* is later than the last sample when the host is silent."""
        if self._view is None:
            # Every key draws anew, and a project may have a thousand queues.
            self._view = self._seen()
        if now is None:
            return self._view
        host = {**self._view.host, "silent_for": max(0.0, now - self._view.time)}
        return replace(self._view, time=now, host=host)

    def _seen(self) -> View:
        recent = list(self._samples)
        last = recent[-1]
        past = _Past(recent[0] if len(recent) > 1 else None, last)
        letters = {row["dead_letter"] for row in last.queues.values() if row.get("dead_letter")}
        every = times.merged(past.times(name) for name in last.consumers)
        return View(
            time=last.time,
            seconds=past.seconds,
            since_start=past.first is None,
            host=_host(past),
            queues=tuple(self._queue(past, name, letters) for name in last.queues),
            consumers=tuple(_consumer(past, recent, name) for name in last.consumers),
            p50=times.quantile(every, 0.5),
            p95=times.quantile(every, 0.95),
            p99=times.quantile(every, 0.99),
        )

    def _queue(self, past: _Past, name: str, letters: Collection[str]) -> Row:
        row = past.last.queues[name]
        consumers = tuple(row.get("consumers", ()))
        settled = [(one, key) for one in consumers for key in ("acked", "dead")]
        return {
            "id": name,
            "ready": row.get("ready"),
            "in_flight": total(row.get(key) for key in ("leased", "running")),
            **{key: row.get(key) for key in ("delayed", "dead", "oldest_age")},
            "in_rate": past.rate("queues", name, "published"),
            "out_rate": total(past.rate("consumers", one, key) for one, key in settled),
            "consumers": consumers,
            "elsewhere": row.get("elsewhere"),
            "keeps_dead": name in letters,
            "paused": bool(row.get("paused")),
            "problem": row.get("problem", ""),
            "trend": tuple(self._trends.of(name, past.last.time)),
        }


class _Trends:
    """How many messages of each queue were ready, at most, in each stretch of the last minute."""

    def __init__(self) -> None:
        self._highest: deque[tuple[int, dict[str, int]]] = deque(maxlen=STRETCHES)

    def add(self, new: Sample) -> None:
        stretch = int(new.time // STRETCH)
        if not self._highest or self._highest[-1][0] != stretch:
            self._highest.append((stretch, {}))
        highest = self._highest[-1][1]
        for name, row in new.queues.items():
            if row.get("ready") is not None:
                highest[name] = max(row["ready"], highest.get(name, 0))

    def of(self, name: str, now: float) -> Iterator[int | None]:
        """Return one number per stretch; None where there was no sample."""
        last, known = int(now // STRETCH), dict(self._highest)
        stretches = range(last - STRETCHES + 1, last + 1)
        return (known.get(stretch, {}).get(name) for stretch in stretches)


class _Past(NamedTuple):
    """Two samples and what lies between them; without a first one, the host's whole life."""

    first: Sample | None
    last: Sample

    @property
    def seconds(self) -> float:
        if self.first is None:
            return float(self.last.status["up"])
        return self.last.time - self.first.time

    def rate(self, table: str, name: str, key: str) -> float | None:
        """Return how fast a counter grew, per second."""
        after = getattr(self.last, table).get(name, {}).get(key)
        if after is None or self.seconds <= 0:
            return None
        before = self._before(table, name).get(key, 0)
        # What was replaced counts anew: then all it has is new.
        return float(after - before if after >= before else after) / self.seconds

    def times(self, name: str) -> times.Pairs:
        """Return how long a consumer's handlers took."""
        after = [(seconds, count) for seconds, count in self.last.consumers[name].get("times", ())]
        before = self._before("consumers", name).get("times", ())
        return times.since([(seconds, count) for seconds, count in before], after)

    def calls(self) -> int | None:
        """Return how many calls were made to brokers that are paid by the call; None: to none."""
        after = _calls(self.last)
        return None if after is None else after - ((self.first and _calls(self.first)) or 0)

    def messages(self) -> float:
        """Return how many messages were published and done; one that was both counts twice."""
        keys = [("queues", "published"), ("consumers", "acked"), ("consumers", "dead")]
        rates = [
            self.rate(table, name, key) for table, key in keys for name in getattr(self.last, table)
        ]
        return (total(rates) or 0.0) * self.seconds

    def _before(self, table: str, name: str) -> Fields:
        found: Fields = getattr(self.first, table).get(name, {}) if self.first else {}
        return found


def _calls(one: Sample) -> int | None:
    calls = one.status.get("calls")
    return None if calls is None else sum(sum(of.values()) for of in calls.values())


def _host(past: _Past) -> Row:
    names = ("project", "profile", "production", "pid", "name", "pids", "up", "cpu", "memory_bytes")
    host: dict[str, Any] = {name: past.last.status.get(name) for name in names}
    calls = past.calls()
    if calls is not None:
        moved = past.messages()
        host["call_rate"] = calls / past.seconds if past.seconds > 0 else None
        host["calls_per_message"] = calls / moved if moved else None
    return {**host, "silent_for": 0.0}


def _pids(status: Fields) -> list[int]:
    """The processes whose counters were read: those of others have nothing to do with them."""
    found: list[int] = status.get("pids") or [status["pid"]]
    return found


def _consumer(past: _Past, recent: Sequence[Sample], name: str) -> Row:
    row = past.last.consumers[name]
    return {
        "id": name,
        "queue": row["queue"],
        "function": row["function"],
        "state": "paused" if row.get("paused") else row["state"],
        "workers": row.get("workers"),
        "concurrency": row["concurrency"],
        "busy": _busy(recent, name),
        "ok_rate": past.rate("consumers", name, "acked"),
        "fail_rate": total(past.rate("consumers", name, key) for key in ("retried", "dead")),
        "p95": times.quantile(past.times(name), 0.95),
        "last_error": row.get("last_error", "") or row.get("problem", ""),
        "last_error_age": max(0.0, past.last.time - row["last_error_at"])
        if "last_error_at" in row
        else None,
    }


def _busy(recent: Sequence[Sample], name: str) -> float | None:
    """The share of workers at work, on average over *recent*."""
    rows = [one.consumers[name] for one in recent if name in one.consumers]
    shares = [row["busy"] / row["concurrency"] for row in rows if "busy" in row]
    return sum(shares) / len(shares) if shares else None
