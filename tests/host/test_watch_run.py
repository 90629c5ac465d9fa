"""`moonq run --watch`: what a person sees who edits a project while it runs."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from moonq.cli.hosting import reloading
from moonq.control.client import Client, connect
from moonq.registry.project import Project
from moonq.registry.settings import Settings

from .conftest import until

INDEX = """\
namespace: app
entries:
  - {name: mem, kind: queue.driver.memory}
  - {name: orders, kind: queue.queue, driver: mem}
  - {name: done, kind: queue.queue, driver: mem}
  - name: worker
    kind: queue.consumer
    queue: orders
    func: work
    concurrency: 2
  - {name: work, kind: function.lua, source: file://work.lua, modules: [queue, time]}
"""
WORK = """\
local queue = require("queue")
local time = require("time")

return function(order)
  if order.waits then
    time.sleep(order.waits)
  end
  assert(queue.publish("app:done", { id = order.id, version = VERSION }))
end
"""


class Edited:
    """A project that runs with --watch, and somebody who edits it."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.folder = folder
        self.write("_index.yaml", INDEX)
        self.version(1)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "moonq", "run", folder, "--watch", *arguments],
            stderr=subprocess.PIPE,
            text=True,
        )
        self._limit = threading.Timer(60, self.process.kill)
        self._limit.start()

    def write(self, name: str, text: str) -> None:
        fresh = self.folder / f"{name}.new"
        fresh.write_text(text)
        fresh.rename(self.folder / name)

    def version(self, number: int) -> None:
        self.write("work.lua", WORK.replace("VERSION", str(number)))

    def line(self, text: str) -> str:
        """Read what it says up to the next line with *text*."""
        assert self.process.stderr
        seen = []
        for line in self.process.stderr:
            seen.append(line)
            if text in line:
                return line
        raise AssertionError(f"no {text!r} in {''.join(seen)}")

    def event(self, message: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.line(f'"message":"{message}"'))
        return found

    def end(self) -> None:
        self._limit.cancel()
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def edited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Edited]:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    folder = tmp_path / "shop"
    folder.mkdir()
    running = Edited(folder, "--log", "json")
    try:
        running.event("watching")
        yield running
    finally:
        running.end()


def publish(client: Client, *orders: dict[str, Any], queue: str = "app:orders") -> None:
    messages = [{"json": json.dumps(order)} for order in orders]
    client.request("publish", queue=queue, messages=messages)


def done(client: Client) -> dict[int, int]:
    """Which version did which order; fails when one was done twice."""
    bodies: list[dict[str, int]] = []
    after = ""
    while True:
        page = client.request("peek", queue="app:done", limit=1000, after=after)["messages"]
        if not page:
            break
        bodies += [one["body"] for one in page]
        after = page[-1]["id"]
    found = {body["id"]: body["version"] for body in bodies}
    assert len(found) == len(bodies)
    return found


def test_new_messages_meet_the_saved_handler_and_running_ones_end_on_the_old(
    edited: Edited,
) -> None:
    with connect(edited.folder) as client:
        publish(client, {"id": 1, "waits": 1})
        until(lambda: client.request("peek", queue="orders")["info"]["running"] == 1)
        edited.version(2)
        event = edited.event("reloaded")
        assert event["files"] == ["work.lua"]
        assert event["changed"] == ["app:work"]
        assert event["finishing"] == 1
        publish(client, {"id": 2})
        until(lambda: done(client) == {1: 1, 2: 2})


def test_a_broken_edit_is_shown_and_changes_nothing(edited: Edited) -> None:
    with connect(edited.folder) as client:
        for text in ("return function(", 'error("at load")'):
            edited.write("work.lua", text)
            event = edited.event("not reloaded")
            assert event["findings"][0]["file"] == "work.lua"
        publish(client, {"id": 1})
        until(lambda: done(client) == {1: 1})
        edited.version(2)
        edited.event("reloaded")
        publish(client, {"id": 2})
        until(lambda: done(client) == {1: 1, 2: 2})


def test_entries_come_change_and_go_and_messages_stay(edited: Edited) -> None:
    with connect(edited.folder) as client:
        publish(client, {"id": 1})
        until(lambda: done(client) == {1: 1})
        more = "  - {name: more, kind: queue.queue, driver: mem}\n"
        second = "  - {name: second, kind: queue.consumer, queue: more, func: work}\n"
        index = INDEX.replace("concurrency: 2", "concurrency: 3") + more + second
        edited.write("_index.yaml", index)
        event = edited.event("reloaded")
        assert (event["added"], event["changed"]) == (["app:more", "app:second"], ["app:worker"])
        publish(client, {"id": 2}, queue="app:more")
        until(lambda: done(client) == {1: 1, 2: 1})
        (worker,) = [
            one for one in client.request("consumers")["consumers"] if one["id"] == "app:worker"
        ]
        assert worker["concurrency"] == 3
        edited.write("_index.yaml", INDEX)
        assert edited.event("reloaded")["removed"] == ["app:more", "app:second"]
        assert done(client) == {1: 1, 2: 1}


def test_a_save_without_a_difference_is_not_worth_a_word(edited: Edited) -> None:
    edited.version(1)
    edited.version(2)
    assert edited.event("reloaded")["changed"] == ["app:work"]
    edited.write("notes_test.lua", "return 1")
    edited.version(3)
    assert "work.lua" in edited.event("reloaded")["files"]


def test_twenty_edits_under_load_lose_and_repeat_nothing(edited: Edited) -> None:
    stop = threading.Event()
    published = 0

    def press() -> None:
        nonlocal published
        with connect(edited.folder) as own:
            while not stop.wait(0.002):
                publish(own, {"id": published}, {"id": published + 1})
                published += 2

    with connect(edited.folder) as client:
        publisher = threading.Thread(target=press)
        publisher.start()
        for version in range(2, 22):
            edited.version(version)
            assert edited.event("reloaded")["changed"] == ["app:work"]
        stop.set()
        publisher.join()
        until(lambda: client.request("status")["acked"] == published)
        versions = done(client)
        assert sorted(versions) == list(range(published))
        assert len(set(versions.values())) > 10, "they did meet the edits"
        status = client.request("status")
        assert (status["retried"], status["dead"]) == (0, 0)


def test_a_bug_in_a_reload_ends_neither_host_nor_watch(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        """A host whose reload does what no reload should do."""

        project = Project(tmp_path, "shop", Settings(), {})

        def reload(self) -> None:
            raise ZeroDivisionError

    ready = threading.Event()
    narrator = SimpleNamespace(watching=lambda _: ready.set())
    with reloading(cast("Any", Broken()), cast("Any", narrator)):
        assert ready.wait(20)
        for number in (1, 2):
            (tmp_path / "work.lua").write_text("")
            until(lambda number=number: caplog.text.count("the reload failed: a bug") == number)


def test_the_end_comes_as_usual(edited: Edited) -> None:
    edited.process.send_signal(signal.SIGINT)
    assert edited.event("stopped")["acked"] == 0
    assert edited.process.wait(20) == 0


def test_a_person_reads_what_was_reloaded_and_what_was_not(tmp_path: Path) -> None:
    running = Edited(tmp_path, "--log", "pretty", "--socket", "none")
    try:
        running.line(f"watching {tmp_path.name}: what you save is reloaded")
        running.version(2)
        assert "reload  work.lua → app:work  (" in running.line("reload ")
        running.write("work.lua", "return function(")
        assert "✗ not applied: the host keeps running" in running.line("reload ")
        assert "work.lua:1:" in running.line("─ ")
    finally:
        running.end()
