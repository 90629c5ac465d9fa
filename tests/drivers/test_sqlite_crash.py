"""Contract sections 1 and 5 with a real host, a real file and a real SIGKILL."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.drivers.crash import Books, Host

pytestmark = pytest.mark.aside("stores")
#: The short form ends after so many kills or seconds, but not before so few kills.
ENOUGH, SECONDS, FEW = 15, 9, 8
MANY = 60


def test_a_host_that_is_killed_again_and_again_loses_nothing(tmp_path: Path) -> None:
    """§1 I1, `durability: full`: every confirmed id is seen, still there or dead; none missing."""
    books, dice = Books(tmp_path), random.Random()
    begun = time.monotonic()
    while books.kills < ENOUGH:
        books.crash_once(dice)
        if books.kills >= FEW and time.monotonic() > begun + SECONDS:
            break
    books.check()
    assert len(books.confirmed) > 20 * books.kills
    assert sum(books.seen().values()) > 5 * books.kills


@pytest.mark.slow
def test_sixty_kills_lose_nothing_and_the_rest_is_done_in_the_end(tmp_path: Path) -> None:
    """§1 I1: and a host that is left alone afterwards finishes what there is."""
    books, dice = Books(tmp_path), random.Random()
    for _ in range(MANY):
        books.crash_once(dice)
        books.check()
    host = Host(tmp_path, "--until-idle")
    assert host.end(300) == 0
    books.check()
    assert len(books.left()) == len(set(books._mids("jobs.db", "origin IS NOT NULL")))


POISON = """\
local queue = require("queue")
local logger = require("logger")
local time = require("time")

return function(job)
  logger.info("begun", { job = job })
  if job == "poison" then
    time.sleep(60)
  end
  time.sleep(0.3)
  logger.info("finished", { job = job })
end
"""

POISONED = """\
local queue = require("queue")

return function()
  for number = 1, 9 do
    assert(queue.publish("app:jobs", "innocent " .. number))
  end
  assert(queue.publish("app:jobs", "poison"))
end
"""


@pytest.mark.slow
def test_what_kills_its_host_dies_alone(tmp_path: Path) -> None:
    """§4 interruptions: ten are held together, one kills the host: nine are done, one is dead."""
    index = TWO_HOSTS.replace("driver: file}", "driver: file, retry: {max_interruptions: 2}}")
    index = index.replace("concurrency: 2", "concurrency: 10")
    for name, text in (("_index.yaml", index), ("work.lua", POISON), ("publish.lua", POISONED)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    finished: list[str] = []
    args = ["--call", "app:publish"]
    deadly = True
    for _ in range(6):
        host = Host(tmp_path, *args)
        args = []
        deadly = wait_for_poison_or_death(host)
        if not deadly:
            host.wait_for("finished", 9 - len(finished))
        host.kill()
        finished += [line["job"] for line in host.told("finished")]
        if not deadly:
            break
    assert not deadly, "the poison was never buried"
    assert sorted(finished) == [f"innocent {number}" for number in range(1, 10)]


def wait_for_poison_or_death(host: Host) -> bool:
    """Wait until the poison runs (True), or is a dead letter."""
    give_up = time.monotonic() + 30
    while time.monotonic() < give_up:
        for line in host.heard():
            if line.get("job") == "poison":
                return True
            if line["message"].startswith("dead (interrupted)"):
                return False
    raise AssertionError(f"neither came to pass: {host.said[-3:]}")


HELD = """\
local queue = require("queue")
local logger = require("logger")
local time = require("time")

return function(job)
  local interruptions = queue.message():interruptions()
  logger.info("begun", { job = job, interruptions = interruptions })
  if interruptions == 0 then
    time.sleep(60)
  end
  logger.info("finished", { job = job })
end
"""

TWO_HOSTS = """\
namespace: app
entries:
  - {name: file, kind: queue.driver.sqlite, path: jobs.db, ballast_mb: 0}
  - {name: jobs, kind: queue.queue, driver: file}
  - {name: worker, kind: queue.consumer, queue: jobs, func: work, concurrency: 2}
  - name: work
    kind: function.lua
    source: file://work.lua
    modules: [queue, logger, time]
  - {name: publish, kind: function.lua, source: file://publish.lua, modules: [queue]}
"""

PUBLISH = """\
local queue = require("queue")

return function()
  assert(queue.publish("app:jobs", "one"))
  assert(queue.publish("app:jobs", "two"))
end
"""


def test_what_a_killed_host_was_at_runs_on_another_one(tmp_path: Path) -> None:
    """§5: within lease + 10 s; the released lock tells at once."""
    for name, text in (("_index.yaml", TWO_HOSTS), ("work.lua", HELD), ("publish.lua", PUBLISH)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    first = Host(tmp_path, "--call", "app:publish")
    first.wait_for("begun", 2)
    second = Host(tmp_path)
    second.wait_for("ready")
    first.kill()
    killed = time.monotonic()
    finished = second.wait_for("finished", 2)
    assert time.monotonic() - killed < 15
    assert sorted(line["job"] for line in finished) == ["one", "two"]
    assert {line["interruptions"] for line in second.told("begun")} == {1}
    assert second.stop() == 0


def test_the_durable_example_does_every_task_though_it_is_killed(
    root: Path, tmp_path: Path
) -> None:
    """What the example's page says: publish, kill, start again."""
    project = tmp_path / "durable"
    shutil.copytree(root / "examples/durable", project, ignore=shutil.ignore_patterns(".moonq"))
    call = ["call", "app.queue:publish_tasks", "--project", str(project), "--send"]
    subprocess.run([sys.executable, "-m", "moonq", *call], check=True, capture_output=True)
    killed = Host(project)
    killed.wait_for("done", 3)
    killed.kill()
    second = Host(project, "--until-idle")
    assert second.end() == 0
    done = [line["task"] for host in (killed, second) for line in host.told("done")]
    assert set(done) == set(range(1, 21))
    assert len(done) < 2 * 20


@pytest.mark.parametrize("seconds", [2, pytest.param(30, marks=pytest.mark.slow)])
def test_neighbours_on_one_file_lose_nothing_and_hold_nobody_up(
    tmp_path: Path, seconds: int
) -> None:
    """§1 I1: two processes publish and handle at once; no message twice, nobody refused."""
    script = str(Path(__file__).with_name("neighbour.py"))
    commands = [
        [sys.executable, script, str(tmp_path / "q.db"), name, str(seconds)] for name in "ab"
    ]
    running = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for command in commands
    ]
    said = [process.communicate(timeout=seconds + 30) for process in running]
    assert [process.returncode for process in running] == [0, 0], said
    books = [json.loads(out) for out, _ in said]
    published = {name for book in books for name in book["published"]}
    handled = [name for book in books for name in book["handled"]]
    assert len(handled) == len(set(handled))
    left = Books.ids_in(tmp_path / "q.db")
    assert set(handled) | left == published
    assert not set(handled) & left
    assert all(book["handled"] for book in books)
    # A shared machine is slow at odd moments; SQLite's own waiting starves for seconds.
    assert max(book["stall"] for book in books) < 2
