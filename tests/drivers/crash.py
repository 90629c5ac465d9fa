"""A project whose host is killed again and again, and the books about its messages.

A handler writes down what it has seen in a queue of a file of its own, and only then succeeds: the
other way round a kill in between would look like a loss.
"""

from __future__ import annotations

import json
import random
import signal
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from moonq.clock import SystemClock
from moonq.drivers.sqlite.driver import SqliteDriver
from moonq.model import Message, QueueSpec, Receipt

INDEX = """\
namespace: app
entries:
  - {name: file, kind: queue.driver.sqlite, path: jobs.db, ballast_mb: 0}
  - {name: book, kind: queue.driver.sqlite, path: seen.db, ballast_mb: 0}
  - name: jobs
    kind: queue.queue
    driver: file
    retry: {initial_delay: 100ms, max_interruptions: 1000}
  - {name: seen, kind: queue.queue, driver: book}
  - name: worker
    kind: queue.consumer
    queue: jobs
    func: work
    concurrency: 4
    prefetch: 20
  - {name: work, kind: function.lua, source: file://work.lua, modules: [queue]}
  - {name: feed, kind: function.lua, source: file://feed.lua, modules: [queue, logger]}
"""

WORK = """\
local queue = require("queue")

return function(job)
  local message = queue.message()
  if job.kind == "hopeless" then
    return nil, errors.new({ message = "hopeless", retryable = false })
  elseif job.kind == "unlucky" and message:attempt() == 1 then
    return nil, "out of luck"
  end
  assert(queue.publish("app:seen", message:id()))
end
"""

FEED = """\
local queue = require("queue")
local logger = require("logger")

local KINDS = { "good", "good", "good", "good", "unlucky", "hopeless" }

return function()
  for number = 1, 20000 do
    local id = queue.publish("app:jobs", { kind = KINDS[number % #KINDS + 1] })
    if not id then
      return number
    end
    logger.info("confirmed", { job = id })
  end
end
"""

#: A project has one control socket, and here it may have two hosts.
HOST = ("--log", "json", "--socket", "none")
SPEC = QueueSpec("app:jobs", dead_letter="app:jobs.dead")


class Host:
    """A `moonq run` that can be killed, and what it said."""

    def __init__(self, project: Path, *args: str) -> None:
        self.said: list[dict[str, Any]] = []
        self._heard = threading.Condition()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "moonq", "run", str(project), *HOST, *args],
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()

    def _listen(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if line.endswith("\n") and line.startswith("{"):
                with self._heard:
                    self.said.append(json.loads(line))
                    self._heard.notify_all()

    def heard(self) -> list[dict[str, Any]]:
        """Everything so far, or a moment later."""
        with self._heard:
            self._heard.wait(0.1)
            return list(self.said)

    def told(self, message: str) -> list[dict[str, Any]]:
        with self._heard:
            return [line for line in self.said if line["message"] == message]

    def wait_for(self, message: str, count: int = 1, seconds: float = 20) -> list[dict[str, Any]]:
        """Wait until it has said *message* so often."""
        with self._heard:
            self._heard.wait_for(lambda: len(self._told(message)) >= count, seconds)
            told = self._told(message)
        assert len(told) >= count, f"{message!r} was told {len(told)} times: {self.said[-5:]}"
        return told

    def _told(self, message: str) -> list[dict[str, Any]]:
        return [line for line in self.said if line["message"] == message]

    def kill(self) -> None:
        """End it without a word."""
        self.process.send_signal(signal.SIGKILL)
        self.end()

    def stop(self) -> int:
        """End it as an operator would."""
        self.process.send_signal(signal.SIGTERM)
        return self.end()

    def end(self, seconds: float = 20) -> int:
        """Wait for its end, and return its exit code."""
        code = self.process.wait(seconds)
        self._reader.join(10)
        assert self.process.stderr is not None
        self.process.stderr.close()
        return code


@dataclass
class Books:
    """What is known outside of the host: ids that were confirmed, ids that were in its hands."""

    folder: Path
    confirmed: set[str] = field(default_factory=set)
    in_flight: set[str] = field(default_factory=set)
    kills: int = 0

    def __post_init__(self) -> None:
        for name, text in (("_index.yaml", INDEX), ("work.lua", WORK), ("feed.lua", FEED)):
            (self.folder / name).write_text(text, encoding="utf-8")

    def crash_once(self, dice: random.Random) -> None:
        """Let a host publish and work while others publish, and kill it at some moment."""
        host = Host(self.folder, "--call", "app:feed")
        host.wait_for("ready")
        self.publish(dice.randint(1, 40))
        threading.Event().wait(dice.random() * 0.3)
        host.kill()
        self.kills += 1
        self.confirmed |= {line["job"] for line in host.told("confirmed")}
        self.in_flight |= set(self._mids("jobs.db", "sess IS NOT NULL"))

    def publish(self, count: int) -> None:
        """Publish from this process, as a neighbour on the same file."""
        driver = SqliteDriver(SystemClock(), self.folder / "jobs.db", ballast_mb=0)
        driver.open(lambda event: None)
        driver.declare(SPEC)
        for number in range(count):
            name = f"neighbour-{self.kills}-{number}"
            body = b'{"kind": "good"}'
            if driver.publish("app:jobs", [Message(name, body, 0.0)], 5.0) == [Receipt(name)]:
                self.confirmed.add(name)
        driver.close()

    def seen(self) -> Counter[str]:
        """How often each id was handled successfully."""
        rows = self._rows("seen.db", "SELECT body FROM msg")
        return Counter(json.loads(body) for (body,) in rows)

    def left(self) -> set[str]:
        """The ids that are still there, dead letters included."""
        return set(self._mids("jobs.db", "1"))

    def check(self) -> None:
        """Account for every confirmed id, and for every one that was handled twice."""
        seen, left = self.seen(), self.left()
        missing = self.confirmed - set(seen) - left
        assert not missing, f"{len(missing)} of {len(self.confirmed)} are lost: {missing}"
        twice = {name for name, times in seen.items() if times > 1}
        assert twice <= self.in_flight, f"handled twice without a reason: {twice - self.in_flight}"
        (verdict,) = self._rows("jobs.db", "PRAGMA integrity_check")
        assert verdict == ("ok",)

    @staticmethod
    def ids_in(path: Path) -> set[str]:
        """The ids of all messages in a file."""
        connection = sqlite3.connect(path, timeout=10)
        try:
            return {mid for (mid,) in connection.execute("SELECT mid FROM msg")}
        finally:
            connection.close()

    def _mids(self, file: str, where: str) -> list[str]:
        return [mid for (mid,) in self._rows(file, f"SELECT mid FROM msg WHERE {where}")]

    def _rows(self, file: str, sql: str) -> list[Any]:
        connection = sqlite3.connect(self.folder / file, timeout=10)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()
