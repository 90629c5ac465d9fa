"""Runs a project on several hosts, kills, stops and adds some, and accounts for every message.

    python examples/fleet/fleet.py
    python examples/fleet/fleet.py --changes 40 --hosts 5
    python examples/fleet/fleet.py --no-keys               # RabbitMQ knows no `dedup_key`

Every step of a walk is a message; the steps of a walk are a group, so they must be taken one at a
time and in order, whichever host takes them. Ends with 1 when a step is lost or out of order.
"""

# ruff: noqa: S603 - it runs commands of its own

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from moonq.client import Client, Publication
from moonq.errors import MoonqError

WALKS = 8
#: Seconds between two steps of a walk, and between two changes of the fleet.
STEP, PAUSE = 0.15, 1.0
NAMES = ("ada", "bea", "cleo", "dora", "edda", "finn", "gro", "hal", "ida", "jon", "kim", "lea")
MOONQ = [sys.executable, "-m", "moonq"]


class Fleet:
    """The hosts that run, by name."""

    def __init__(self, project: Path) -> None:
        self.project = project
        self._began = time.monotonic()
        self._hosts: dict[str, subprocess.Popen[bytes]] = {}
        self._names = self._fresh_names()
        self._ways = itertools.cycle([self.kill, self.stop, self.kill])

    def add(self) -> None:
        """Start one more host."""
        name = next(self._names)
        command = [*MOONQ, "run", str(self.project), "--name", name, "--log-level", "error", "-q"]
        env = {**os.environ, "FLEET_HOST": name}
        self._hosts[name] = subprocess.Popen(command, env=env)
        self._tell("started", name)

    def kill(self) -> None:
        """End a host at once, whatever it is doing."""
        name = self._any()
        host = self._hosts.pop(name)
        host.kill()
        host.wait()
        self._tell("killed", name)

    def stop(self) -> None:
        """End a host as a deploy does: what runs may finish, the rest goes back."""
        name = self._any()
        host = self._hosts.pop(name)
        host.send_signal(signal.SIGTERM)
        host.wait()
        self._tell("stopped", name)

    def change(self) -> None:
        """Let a host come and another one go, in this way or that."""
        self.add()
        next(self._ways)()

    def await_all(self) -> None:
        """Wait until every host is up, which its record in the project tells."""
        while not all(map(self._is_up, self._hosts)):
            self.check()
            time.sleep(0.05)

    def _is_up(self, name: str) -> bool:
        try:
            record = json.loads((self.project / ".moonq" / "run" / f"{name}.json").read_text())
        except FileNotFoundError:
            return False
        return Path(record["socket"]).is_socket()

    def check(self) -> None:
        """See that none has ended by itself, which would have said why."""
        for name, host in self._hosts.items():
            if host.poll() is not None:
                raise SystemExit(f"{name} ended with {host.returncode}")

    def stop_all(self) -> None:
        """End those that are left."""
        while self._hosts:
            self.stop()

    def audit(self) -> Iterator[dict[str, object]]:
        """Let one last host finish what is left, and yield the lines of the ledger in order."""
        command = [*MOONQ, "run", str(self.project), "--name", "auditor", "--log", "json"]
        command += ["--until-idle", "--idle-timeout", "60s"]
        env = {**os.environ, "FLEET_HOST": "auditor", "FLEET_AUDIT": "true"}
        with subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True) as host:
            for line in host.stderr or ():
                found = json.loads(line)
                if found["logger"] == "app:audit":
                    yield found
                elif found["level"] == "error":
                    print(line.rstrip())

    def _any(self) -> str:
        """Some host; not the newest, which may not have begun yet."""
        names = list(self._hosts)
        return random.choice(names[:-1] or names)

    def _tell(self, what: str, name: str) -> None:
        print(f"{time.monotonic() - self._began:5.1f} s  {what:8} {name}", flush=True)

    def _fresh_names(self) -> Iterator[str]:
        for number in itertools.count():
            yield from (f"{name}{number or ''}" for name in NAMES)


class Publisher:
    """Publishes steps through whichever host is there."""

    def __init__(self, client: Client, fleet: Fleet, *, keys: bool = True) -> None:
        self._client = client
        self._fleet = fleet
        self._keys = keys
        #: A run's walks are its own, whatever an earlier run has left.
        self.walks = [f"{os.getpid()}-{number}" for number in range(1, WALKS + 1)]
        self.steps = 0

    def step(self) -> None:
        """Publish the next step of every walk, until each is confirmed."""
        self.steps += 1
        waiting = [self._publication(walk) for walk in self.walks]
        while waiting:
            answers = self._answers(waiting)
            waiting = [
                step
                for step, answer in zip(waiting, answers, strict=True)
                if isinstance(answer, MoonqError)
            ]
            if waiting:
                self._fleet.check()
                time.sleep(0.05)

    def _publication(self, walk: str) -> Publication:
        name = f"{walk}/{self.steps}"
        # Without an answer it may be stored or not: with its key it can be published again. Where
        # no key is known it may be stored twice then, and be done twice.
        key = {"dedup_key": name} if self._keys else {}
        return Publication(
            {"walk": walk, "number": self.steps}, options={"id": name, "group": walk, **key}
        )

    def _answers(self, steps: list[Publication]) -> Sequence[object]:
        try:
            answers: Sequence[object] = self._client.publish_batch("app:steps", steps)
        except MoonqError as problem:
            answers = [problem] * len(steps)
        for answer in answers:
            if isinstance(answer, MoonqError) and not answer.retryable:
                raise answer
        return answers


def account(publisher: Publisher, lines: Iterable[dict[str, object]]) -> bool:
    """Print what became of every step; whether all is well."""
    last = dict.fromkeys(publisher.walks, 0)
    by_host: Counter[str] = Counter()
    wrong = again = twice = 0
    for line in lines:
        walk, number = str(line["walk"]), int(str(line["number"]))
        if walk not in last:
            continue  # of an earlier run
        by_host[str(line["host"])] += 1
        again += bool(line["again"])
        twice += number == last[walk]
        wrong += number not in (last[walk], last[walk] + 1)
        last[walk] = max(number, last[walk])
    published = publisher.steps * WALKS
    lost = published - (sum(by_host.values()) - twice)
    print(f"\n{published} steps of {WALKS} walks were published")
    print("  ".join(f"{name} {count}" for name, count in by_host.items()))
    print(f"{again} began again, for their host was killed; {twice} of them had been done already")
    print(f"{lost} lost, {wrong} out of order")
    return not (lost or wrong)


def main() -> int:
    """Do as asked on the command line."""
    asked = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    asked.add_argument("project", nargs="?", type=Path, default=Path(__file__).parent)
    asked.add_argument("--changes", type=int, default=10, help="how often a host goes and comes")
    asked.add_argument("--hosts", type=int, default=3, help="how many there are at a time")
    asked.add_argument("--no-keys", action="store_true", help="publish without a `dedup_key`")
    given = asked.parse_args()
    fleet = Fleet(given.project)
    with Client(given.project) as client:
        publisher = Publisher(client, fleet, keys=not given.no_keys)
        try:
            for _ in range(given.hosts):
                fleet.add()
            fleet.await_all()
            for _ in range(given.changes):
                due = time.monotonic() + PAUSE
                while time.monotonic() < due:
                    publisher.step()
                    time.sleep(STEP)
                publisher.step()
                fleet.change()  # while those steps are taken
        finally:
            fleet.stop_all()
    return 0 if account(publisher, fleet.audit()) else 1


if __name__ == "__main__":
    sys.exit(main())
