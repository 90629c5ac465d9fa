"""The specification's own text, against which its example is held."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

YAML_TEXTS = [
    """\
- name: memory_driver
  kind: queue.driver.memory
  lifecycle:
    auto_start: true
""",
    """\
- name: tasks
  kind: queue.queue
  driver: app.queue:memory_driver
""",
    """\
- name: task_consumer
  kind: queue.consumer
  queue: app.queue:tasks
  func: app.queue:task_handler
  concurrency: 4
  prefetch: 20
  lifecycle:
    auto_start: true
    depends_on:
      - app.queue:tasks
""",
    """\
- name: task_handler
  kind: function.lua
  source: file://task_handler.lua
  modules:
    - json
    - logger
""",
]

HANDLER = """\
local json = require("json")
local logger = require("logger")

local function handler(body)
    local data = json.decode(body)

    logger.info("Verarbeite", {task_id = data.id})

    local result, err = process_task(data)
    if err then
        return nil, err  -- Nack: Nachricht erneut einreihen
    end

    return result  -- Ack: Aus Queue entfernen
end

return handler
"""

PUBLISH = """\
local queue = require("queue")

queue.publish("app.queue:tasks", {
    id = "task-123",
    action = "process",
    data = payload
})
"""


@pytest.mark.parametrize("text", YAML_TEXTS, ids=["driver", "queue", "consumer", "function"])
def test_the_seed_declares_its_entries_letter_by_letter(root: Path, text: str) -> None:
    assert f"\n{text}" in (root / "examples/seed/_index.yaml").read_text(encoding="utf-8")


def test_the_seed_handles_and_publishes_letter_by_letter(root: Path) -> None:
    seed = root / "examples/seed"
    assert (seed / "task_handler.lua").read_text(encoding="utf-8").endswith(f"\n{HANDLER}")
    assert f"\n{PUBLISH}" in (seed / "publisher.lua").read_text(encoding="utf-8")


def run(project: Path, call: str, log: str) -> list[str]:
    """Run an example until it is idle; return what it says."""
    args = ["run", project, "--call", call, "--until-idle", "--log", log]
    done = subprocess.run(
        [sys.executable, "-m", "moonq", *args],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr.splitlines()


def said_by(argv: Sequence[object], environment: Mapping[str, str]) -> tuple[int, str]:
    """Run a command; return its exit code and what it said on stdout."""
    done = subprocess.run(
        [sys.executable, "-m", "moonq", *map(str, argv)],
        capture_output=True,
        text=True,
        env=environment,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout


def log_of(project: Path, call: str) -> list[dict[str, object]]:
    """Run an example until it is idle; return its log."""
    return [json.loads(line) for line in run(project, call, "json")]


def likeness(lines: list[str]) -> list[str]:
    """The lines without times, ids and chance; sorted, because workers race."""
    varying = r"\d\d:\d\d:\d\d\S*|pid \d+|  \d+ ms$|[\d.]+ ?[mµ]?s\b|id=\S+"
    return sorted(re.sub(varying, "", line) for line in lines)


@pytest.mark.parametrize(
    ("name", "call"), [("seed", "app.queue:publish_tasks"), ("orders", "shop:publish_orders")]
)
def test_the_readme_shows_what_happens(root: Path, name: str, call: str) -> None:
    example = root / "examples" / name
    blocks = (example / "README.md").read_text(encoding="utf-8").split("```\n")
    [shown] = [block for block in blocks if block.startswith("moonq 0")]
    assert likeness(run(example, call, "pretty")) == likeness(shown.splitlines())


def test_the_readme_shows_what_a_call_by_hand_says(root: Path) -> None:
    example = root / "examples" / "orders"
    readme = (example / "README.md").read_text(encoding="utf-8")
    command, _, shown = readme.rpartition("```\nmoonq call ")[2].partition("\n")
    args = ["call", *shlex.split(command)]
    done = subprocess.run(
        [sys.executable, "-m", "moonq", *args],
        capture_output=True,
        text=True,
        cwd=root,
        check=False,
    )
    said = [line for line in (done.stdout + done.stderr).splitlines() if "took" not in line]
    assert said == [line for line in shown.splitlines() if "took" not in line][: len(said)]
    assert len(said) > 4


def test_the_seed_handles_every_task_once_and_ends(root: Path) -> None:
    lines = log_of(root / "examples/seed", "app.queue:publish_tasks")
    handled = [line["task_id"] for line in lines if line["message"] == "Verarbeite"]
    assert sorted(map(str, handled)) == [f"task-{number}" for number in range(123, 128)]
    assert lines[-1]["message"] == "stopped"
    assert lines[-1]["acked"] == 5


def test_each_order_ends_charged_with_its_e_mail_or_dead(root: Path) -> None:
    lines = log_of(root / "examples/orders", "shop:publish_orders")
    charged = {line["order"] for line in lines if line["message"] == "charged"}
    sent = {line["to"] for line in lines if line["message"] == "e-mail sent"}
    assert charged == {1, 2, 3, 4, 6, 8, 9, 12}
    assert sent == {f"customer{order}@example.org" for order in charged}
    assert lines[-1]["acked"] == 2 * len(charged)
    assert lines[-1]["retried"] == 8 - 1
    assert lines[-1]["dead"] == 4
