"""The same commands without a host: on a durable driver they work, on memory they say why not."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.shell_completion import ShellComplete

from moonq.cli import moonq as group
from moonq.host import Host
from moonq.kinds import load
from moonq.model import Dead, Message, Stored
from moonq.operations.performing import Operations

from ..conftest import until

Moonq = Callable[..., Any]

MEMORY = """\
namespace: app
entries:
  - {name: memory, kind: queue.driver.memory}
  - {name: jobs, kind: queue.queue, driver: memory}
  - {name: worker, kind: queue.consumer, queue: jobs, func: work}
  - name: work
    kind: function.lua
    source: "return function(n) return n end"
"""
DURABLE = MEMORY.replace(
    "{name: memory, kind: queue.driver.memory}", "{name: file, kind: queue.driver.sqlite}"
).replace("driver: memory", "driver: file")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return tmp_path


def run(moonq: Moonq, project: Path, command: str, *args: object) -> Any:
    head, *more = command.split()
    return moonq(head, *more, "-C", project, *args)


@pytest.mark.parametrize(
    "command",
    ["queues", "peek jobs", "publish jobs 1", "purge jobs --yes", "dead ls jobs", "pause jobs",
     "pause worker", "tail", "stop", "reload", "status"],
)  # fmt: skip
def test_what_is_in_another_processs_memory_cannot_be_reached(
    moonq: Moonq, project: Path, command: str
) -> None:
    (project / "_index.yaml").write_text(MEMORY)
    said = run(moonq, project, command)
    assert (said.code, said.out) == (4, "")
    assert "[A801]" in said.err
    assert "moonq run" in said.err
    assert json.loads(run(moonq, project, command, "--json").err)["error"]["code"] == "A801"


def test_what_is_in_the_files_can_be_shown_all_the_same(moonq: Moonq, project: Path) -> None:
    (project / "_index.yaml").write_text(MEMORY)
    assert "app:worker" in run(moonq, project, "ls").out
    assert "queue.consumer" in run(moonq, project, "show worker").out
    assert "app:jobs" in run(moonq, project, "graph").out
    assert run(moonq, project, "call work 7").out.startswith("returned     7")
    assert run(moonq, project, "eval", "1 + 1").out == "2\n"


def test_a_durable_queue_is_published_into_looked_at_and_purged(
    moonq: Moonq, project: Path
) -> None:
    (project / "_index.yaml").write_text(DURABLE)
    assert run(moonq, project, "publish jobs", '{"id":1}', "--count", "3").code == 0
    look = json.loads(run(moonq, project, "peek jobs --json").out)
    assert [one["body"] for one in look["messages"]] == [{"id": 1}] * 3
    rows = json.loads(run(moonq, project, "queues --json").out)["queues"]
    assert {row["id"]: row["ready"] for row in rows}["app:jobs"] == 3
    purged = json.loads(run(moonq, project, "purge jobs --yes --json").out)
    assert purged["dropped"] == 3
    assert run(moonq, project, "publish jobs", "--ndjson", purged["backup"]).code == 0
    assert json.loads(run(moonq, project, "peek jobs --json").out)["info"]["ready"] == 3


def test_a_raw_queue_takes_a_file_that_is_no_text(moonq: Moonq, project: Path) -> None:
    (project / "_index.yaml").write_text(
        DURABLE.replace("driver: file", "driver: file, codec: raw")
    )
    (project / "body").write_bytes(b"\xff\xfe")
    assert run(moonq, project, "publish jobs", "--file", project / "body").code == 0
    [message] = json.loads(run(moonq, project, "peek jobs --json").out)["messages"]
    assert message["base64"] == "//4="


@pytest.mark.parametrize("how", ["publish", "publish_batch"])
def test_a_call_sends_nothing_into_the_memory_of_its_own_process(
    moonq: Moonq, project: Path, how: str
) -> None:
    what = "{ { body = 1 } }" if how == "publish_batch" else "1"
    sends = f"""
  - name: sends
    kind: function.lua
    modules: [queue]
    source: "return function() return require('queue').{how}('app:jobs', {what}) end"
"""
    (project / "_index.yaml").write_text(MEMORY + sends)
    said = run(moonq, project, "call sends --send")
    assert said.code == 1
    assert "no moonq host is running" in said.out
    assert "published" not in said.out
    (project / "_index.yaml").write_text(DURABLE + sends)
    said = run(moonq, project, "call sends --send")
    assert said.code == 0
    assert "published    app:jobs  1" in said.out


@pytest.mark.parametrize("after", ["", "; return 1"])
def test_code_publishes_nothing_into_the_memory_of_its_own_process(
    moonq: Moonq, project: Path, after: str
) -> None:
    (project / "_index.yaml").write_text(MEMORY)
    said = run(moonq, project, "eval", f"local id, e = queue.publish('app:jobs', 1){after}")
    assert (said.code, said.out) == (4, "")
    assert "no moonq host is running" in said.err
    (project / "_index.yaml").write_text(DURABLE)
    assert run(moonq, project, "eval", "#queue.publish('app:jobs', 1)").out == "36\n"


def test_a_private_console_says_what_ends_with_its_memory(moonq: Moonq, project: Path) -> None:
    (project / "_index.yaml").write_text(MEMORY)
    (project / "fill.lua").write_text("for n = 1, 2 do require('queue').publish('app:jobs', n) end")
    said = run(moonq, project, "repl", "-f", project / "fill.lua")
    assert (said.code, said.out) == (0, "")
    assert said.err.startswith("2 messages in memory end with this private host\n  hint: ")
    said = run(moonq, project, "repl --json", "-e", "#queue.publish('app:jobs', 1)")
    assert json.loads(said.out)["values"] == [36]
    assert said.err.startswith("1 message in memory ends with this private host\n")
    assert run(moonq, project, "repl", "-e", "1").err == ""
    (project / "_index.yaml").write_text(DURABLE)
    assert run(moonq, project, "repl", "-f", project / "fill.lua").err == ""


def test_a_damaged_store_is_unavailable_to_every_command(moonq: Moonq, project: Path) -> None:
    (project / "_index.yaml").write_text(DURABLE)
    assert run(moonq, project, "publish jobs", "1").code == 0
    [file] = project.rglob("*.db")
    file.write_bytes(bytes(range(256)) * 16)
    for command in ("run --until-idle", "publish jobs 1", "peek jobs", "eval 1"):
        said = run(moonq, project, command)
        assert said.code == 5, command
        assert "is damaged or no database" in said.err


def test_a_stop_waits_a_second_for_a_store_that_another_program_holds(
    moonq: Moonq, project: Path
) -> None:
    entries = DURABLE.replace("sqlite}", "sqlite, lifecycle: {start_timeout: 100ms}}")
    (project / "_index.yaml").write_text(entries)
    assert run(moonq, project, "publish jobs", "1").code == 0
    [file] = project.rglob("*.db")
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        began = time.monotonic()
        said = run(moonq, project, "run --until-idle")
        assert time.monotonic() - began < 8
    assert said.code == 5
    assert "is held by another process for too long" in said.err


def test_a_durable_queue_is_paused_for_the_host_to_come(moonq: Moonq, project: Path) -> None:
    (project / "_index.yaml").write_text(DURABLE)
    assert run(moonq, project, "pause jobs").out == "paused app:jobs\n"
    assert json.loads(run(moonq, project, "peek jobs --json").out)["info"]["paused"]
    assert run(moonq, project, "resume jobs").code == 0


def test_waiting_for_a_handler_that_nobody_runs_is_refused_before_the_publish(
    moonq: Moonq, project: Path
) -> None:
    (project / "_index.yaml").write_text(DURABLE)
    said = run(moonq, project, "publish jobs 1 --wait")
    assert said.code == 4
    assert "nobody would handle it" in said.err
    assert json.loads(run(moonq, project, "peek jobs --json").out)["info"]["ready"] == 0


@pytest.mark.parametrize(
    "command",
    ["peek jbos", "purge jbos", "pause jbos", "dead ls jbos", "publish jbos 1", "show jbos",
     "graph jbos", "call wrok"],
)  # fmt: skip
def test_a_name_that_is_not_there_is_4_with_what_was_meant(
    moonq: Moonq, project: Path, command: str
) -> None:
    (project / "_index.yaml").write_text(DURABLE)
    said = run(moonq, project, command)
    assert said.code == 4
    assert "did you mean" in said.err
    assert "A801" not in said.err


def test_what_is_no_queue_has_no_messages_with_or_without_a_host(
    moonq: Moonq, project: Path
) -> None:
    (project / "_index.yaml").write_text(DURABLE)
    said = run(moonq, project, "peek worker")
    assert said.code == 4
    assert "A801" not in said.err
    assert "not queue.queue or queue.consumer" in run(moonq, project, "pause work").err


def test_production_asks_without_a_running_host_too(moonq: Moonq, project: Path) -> None:
    (project / "_index.yaml").write_text(DURABLE)
    (project / "moonq.yaml").write_text("production: true\n")
    said = run(moonq, project, "publish jobs 1")
    assert said.code == 6
    assert "add --yes if you mean it" in said.err
    assert run(moonq, project, "publish jobs 1 --yes").code == 0
    assert run(moonq, project, "peek jobs").code == 0


def test_a_broken_project_is_3_with_its_findings(moonq: Moonq, project: Path) -> None:
    (project / "_index.yaml").write_text(MEMORY.replace("queue: jobs", "queue: jbos"))
    said = run(moonq, project, "ls")
    assert said.code == 3
    assert "R202" in said.err


def test_completion_works_without_a_host_and_loads_nothing_heavy(project: Path) -> None:
    (project / "_index.yaml").write_text(MEMORY)
    code = (
        "import os, sys, moonq.__main__ as m\n"
        f"os.environ.update(_MOONQ_COMPLETE='bash_complete', COMP_CWORD='4',"
        f" COMP_WORDS='moonq peek -C {project} jo')\n"
        "sys.argv = ['moonq']\n"
        "try: m.main()\n"
        "finally: print(sorted({'rich','pydantic','lupa','yaml'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == ["plain,app:jobs", "[]"]


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("call wo", ["app:work"]),
        ("pause ", ["app:jobs", "app:worker"]),
        ("dead retry jobs --to jo", ["app:jobs"]),
        ("show me", ["app:memory"]),
    ],
)
def test_what_an_argument_names_is_completed(
    moonq: Moonq, project: Path, monkeypatch: pytest.MonkeyPatch, typed: str, offered: list[str]
) -> None:
    (project / "_index.yaml").write_text(MEMORY)
    monkeypatch.chdir(project)
    completing = ShellComplete(group, {}, "moonq", "_MOONQ_COMPLETE")
    *words, last = typed.split(" ")
    assert [one.value for one in completing.get_completions(words, last)] == offered


TWO = """\
namespace: app
entries:
  - {name: file, kind: queue.driver.sqlite}
  - {name: jobs, kind: queue.queue, driver: file}
  - {name: other, kind: queue.queue, driver: file}
"""


def stored(project: Path, queue: str) -> list[Stored]:
    host = Host(load(project))
    try:
        host.start()
        return host.queues.route(queue).driver.peek(queue, 100).items
    finally:
        host.stop()


def test_what_a_purge_dropped_is_published_again_as_it_was(moonq: Moonq, project: Path) -> None:
    (project / "_index.yaml").write_text(TWO)
    bodies = ['{"id":1,"name":"Grüße"}', '{ "spaced": 1.50 }', '"text"', "[]"]
    for number, body in enumerate(bodies):
        wishes = [
            ["--priority", "high", "--group", "g", "-H", "tenant=t1"],
            ["--delay", "1h", "--ttl", "2h"],
            ["--dedup-key", "k", "--priority", "low"],
            ["--id", "mine", "--ttl", "1h"],
        ][number]
        assert run(moonq, project, "publish jobs", body, *wishes).code == 0
    before = stored(project, "app:jobs")
    purged = json.loads(run(moonq, project, "purge jobs --yes --json").out)
    assert purged["dropped"] == 4
    said = run(moonq, project, "publish jobs --json", "--ndjson", purged["backup"])
    assert json.loads(said.out)["published"] == 4
    after = stored(project, "app:jobs")
    moments = {"due", "expires"}
    for old, new in zip(before, after, strict=True):
        assert new.message._replace(published_at=old.message.published_at) == old.message
        assert (new.state, new.attempt) == (old.state, old.attempt)
        for moment in moments:
            was, now = getattr(old, moment), getattr(new, moment)
            assert (was is None) == (now is None)
            assert was is None or abs(was - now) < 30


def test_dead_letters_are_retried_into_another_queue_without_a_host(
    moonq: Moonq, project: Path
) -> None:
    (project / "_index.yaml").write_text(TWO)
    host = Host(load(project))
    host.start()
    driver = host.queues.route("app:jobs").driver
    driver.publish("app:jobs", [Message("a", b"1", 1.0)], 1.0)
    subscription = driver.subscribe("app:jobs", 1)
    (delivery,) = subscription.take(1, 5.0)
    subscription.start(delivery)
    subscription.settle(delivery, Dead("rejected"))
    host.stop()
    said = run(moonq, project, "dead retry jobs --to other --yes --json")
    assert said.code == 0, said.err
    assert json.loads(said.out)["retried"] == 1
    assert [one.message.id for one in stored(project, "app:other")] == ["a"]


def test_a_long_queue_is_looked_at_with_little_memory(project: Path) -> None:
    """4 000 messages of 8 KB are 32 MB; the last one, or their errors, need a page of them."""
    (project / "_index.yaml").write_text(TWO)
    many, story = 4_000, {"x_original_queue": "app:jobs", "x_dead_letter_reason": "rejected"}
    letters = [Message(f"m{n}", b"1" * 8192, float(n), story) for n in range(many)]
    host = Host(load(project))
    try:
        host.start(consumers=False)
        operations = Operations(host, "tester")
        host.queues.route("app:jobs").driver.publish("app:jobs.dead", letters, 60.0)
        for kind, fields in (
            ("peek", {"queue": "app:jobs.dead", "tail": True, "limit": 1}),
            ("dead_letters", {"queue": "jobs", "limit": 1}),
            ("snapshot", {"queue": "jobs", "dead": True}),
        ):
            tracemalloc.start()
            answer = operations.perform(kind, fields)
            _, most = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            assert most < 8_000_000, kind
            assert answer.get("count", many) == many
            assert [one["id"] for one in answer.get("messages", [])] in ([], [f"m{many - 1}"])
    finally:
        host.stop()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
@pytest.mark.parametrize(
    "command", [("call", "spin"), ("call", "spin", "--as-message"), ("eval", "while true do end")]
)
def test_a_signal_ends_a_command_that_leaves_nothing_behind(
    project: Path, command: Any, number: int, code: int
) -> None:
    folder = Path(tempfile.mkdtemp(prefix="mq"))
    spin = """
  - name: spin
    kind: function.lua
    source: "return function() print('at work') while true do end end"
"""
    (project / "_index.yaml").write_text(MEMORY + spin)
    process = subprocess.Popen(
        [sys.executable, "-m", "moonq", "-C", project, *command],
        env={**os.environ, "TMPDIR": str(folder)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until(lambda: any(folder.glob("moonq-*/host.sock")))
    time.sleep(0.3)
    process.send_signal(number)
    assert process.wait(10) == code
    assert list(folder.iterdir()) == []
    folder.rmdir()
