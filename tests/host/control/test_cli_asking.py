"""What commands ask before they destroy something, on a real terminal."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from moonq.host import Host
from moonq.kinds import load

from ..conftest import MakeHost, until
from .conftest import ENTRIES, FILES, Serve


class Terminal:
    """A command at a terminal: what it shows, and what is typed."""

    def __init__(self, *args: object) -> None:
        self._here, there = pty.openpty()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "moonq", *map(str, args)],
            stdin=there,
            stdout=there,
            stderr=there,
            env={**os.environ, "TERM": "xterm", "NO_COLOR": "1", "PYTHONUTF8": "1"},
        )
        os.close(there)
        self.shown = ""

    def until(self, text: str) -> None:
        """Read until *text* is shown."""
        deadline = time.monotonic() + 20
        while text not in self.shown:
            assert time.monotonic() < deadline, self.shown
            assert self._read(), f"it ended: {self.shown}"

    def type(self, text: str) -> None:
        os.write(self._here, text.encode() + b"\n")

    def interrupt(self) -> None:
        """As Ctrl-C would, pressed again until it ends: Python forgets one in front of its read."""
        deadline = time.monotonic() + 20
        while self._process.poll() is None and time.monotonic() < deadline:
            self._process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(0.5)

    def ended(self) -> int:
        """Read to the end and return the exit code."""
        deadline = time.monotonic() + 20
        while self._read():
            assert time.monotonic() < deadline, self.shown
        code = self._process.wait(20)
        os.close(self._here)
        return code

    def _read(self) -> bool:
        if not select.select([self._here], [], [], 20)[0]:
            return False
        try:
            data = os.read(self._here, 65536)
        except OSError:  # how Linux says that nobody has the other end open any more
            return False
        self.shown += data.decode().replace("\r\n", "\n")
        return bool(data)


def fill(host: Host, count: int) -> None:
    for _ in range(count):
        host.queues.publish(b"app:idle", b"1")


def test_many_messages_are_purged_only_once_their_queue_is_named(host: Host) -> None:
    fill(host, 12)
    asked = Terminal("purge", "idle", "-C", host.project.root)
    asked.until("type the queue name to confirm:")
    assert "purge 12 messages from app:idle" in asked.shown
    asked.type("yes")
    assert asked.ended() == 7
    assert "nothing was done" in asked.shown
    assert host.queues.info("app:idle").ready == 12
    asked = Terminal("purge", "idle", "-C", host.project.root)
    asked.until("confirm:")
    fill(host, 1)
    asked.type("idle")
    assert asked.ended() == 0
    assert re.search(r"saved  \S+\.ndjson \(.+, kept 7 days\)\npurged 12 · undo: ", asked.shown)
    assert host.queues.info("app:idle").ready == 1


def test_a_few_need_a_yes_and_no_input_means_no(host: Host) -> None:
    fill(host, 2)
    asked = Terminal("purge", "idle", "-C", host.project.root)
    asked.until("proceed? [y/N]")
    asked.type("")
    assert asked.ended() == 7
    assert Terminal("purge", "idle", "-C", host.project.root, "--no-input").ended() == 7
    asked = Terminal("purge", "idle", "-C", host.project.root)
    asked.until("proceed?")
    asked.type("y")
    assert asked.ended() == 0
    assert host.queues.info("app:idle").ready == 0


def test_ctrl_c_at_a_question_destroys_nothing(host: Host) -> None:
    fill(host, 2)
    asked = Terminal("purge", "idle", "-C", host.project.root)
    asked.until("proceed?")
    asked.interrupt()
    assert asked.ended() == 130
    assert host.queues.info("app:idle").ready == 2


@contextmanager
def in_production(make_host: MakeHost, serve: Serve) -> Iterator[Host]:
    root = make_host(ENTRIES, start=False, **FILES).project.root
    (root / "moonq.yaml").write_text("production: true\n")
    host = Host(load(root))
    host.start()
    serve(host)
    yield host
    host.stop(timeout=1)


def test_production_is_spelled_out_and_asked_about(make_host: MakeHost, serve: Serve) -> None:
    with in_production(make_host, serve) as host:
        root: Path = host.project.root
        asked = Terminal("pause", "worker", "-C", root)
        asked.until("is in PRODUCTION. pause worker? [y/N]")
        asked.type("n")
        assert asked.ended() == 6
        assert "[S602]" in asked.shown
        assert not host.consumers["app:worker"].status().paused
        asked = Terminal("pause", "worker", "-C", root)
        asked.until("pause worker?")
        asked.type("y")
        assert asked.ended() == 0
        assert host.consumers["app:worker"].status().paused
        assert Terminal("resume", "worker", "-C", root, "--yes").ended() == 0
        # Even one message has its queue typed here.
        fill(host, 1)
        asked = Terminal("purge", "idle", "-C", root)
        asked.until("purge idle? [y/N]")
        asked.type("y")
        asked.until("type the queue name to confirm:")
        asked.type("app:idle")
        assert asked.ended() == 0


def test_a_call_that_sends_is_asked_about_in_production_and_a_dry_one_is_not(
    make_host: MakeHost, serve: Serve
) -> None:
    with in_production(make_host, serve) as host:
        call = ("call", "work", '{"id":1,"total":1}', "-C", host.project.root)
        assert Terminal(*call).ended() == 0
        asked = Terminal(*call, "--send")
        asked.until("is in PRODUCTION. let work act for real? [y/N]")
        asked.type("n")
        assert asked.ended() == 6
        assert "add --yes if you mean it" in asked.shown
        assert Terminal(*call, "--send", "--yes").ended() == 0


def test_many_dead_letters_are_dropped_only_once_their_queue_is_named(host: Host) -> None:
    for number in range(11):
        host.queues.publish(b"app:jobs", b'{"id":%d,"total":-1}' % number)
    until(lambda: host.queues.info("app:jobs.dead").ready == 11)
    asked = Terminal("dead", "drop", "jobs", "-C", host.project.root)
    asked.until("type the queue name to confirm:")
    assert "drop 11 messages from app:jobs.dead" in asked.shown
    asked.type("y")
    assert asked.ended() == 7
    assert host.queues.info("app:jobs.dead").ready == 11


def test_a_watched_table_is_drawn_again_until_ctrl_c(host: Host) -> None:
    watched = Terminal("queues", "--watch", "-C", host.project.root)
    watched.until("app:idle")
    fill(host, 3)
    until(lambda: host.queues.info("app:idle").ready == 3)
    watched.until("app:idle           3")
    assert watched.shown.count("\x1b[H\x1b[2J") > 1
    watched.interrupt()
    assert watched.ended() == 130


def test_a_tail_ends_with_ctrl_c_and_counts_what_it_showed(host: Host) -> None:
    tail = Terminal("tail", "--event", "publish", "-C", host.project.root)
    until(lambda: host.metrics.observer is not None)
    fill(host, 2)
    tail.until("publish")
    tail.interrupt()
    assert tail.ended() == 0
    assert "dropped" in tail.shown
