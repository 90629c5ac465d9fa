"""The Redis driver as a project declares it: the seed's example, one entry changed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.servers import redis as servers

from moonq.drivers.redis.entry import RedisFields
from moonq.kinds import inspect, load

#: It starts servers of its own, and mostly waits.
pytestmark = pytest.mark.aside("redis")

MEMORY = "kind: queue.driver.memory\n"


@pytest.fixture
def seed(root: Path, tmp_path: Path) -> Path:
    """The seed's example, with Redis instead of memory."""
    folder = tmp_path / "seed"
    shutil.copytree(root / "examples/seed", folder)
    text = (folder / "_index.yaml").read_text(encoding="utf-8")
    assert text.count(MEMORY) == 1
    (folder / "_index.yaml").write_text(text.replace("queue.driver.memory", "queue.driver.redis"))
    return folder


def moonq(*args: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "moonq", *map(str, args)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_one_changed_word_is_a_sound_project(seed: Path) -> None:
    _, findings = inspect(seed)
    assert list(findings) == []
    fields = load(seed).resolve("memory_driver").fields(RedisFields)
    assert (fields.url, fields.prefix) == ("redis://127.0.0.1:6379/0", "moonq")
    assert (fields.durability, fields.scripts) == ("aof", "auto")


def test_the_seed_on_redis_handles_every_task_once_and_leaves_nothing(seed: Path) -> None:
    place = servers.place()
    index = seed / "_index.yaml"
    where = f"  url: {place['url']}\n  prefix: {place['prefix']}\n"
    kind = "kind: queue.driver.redis\n"
    index.write_text(index.read_text(encoding="utf-8").replace(kind, kind + where))
    done = moonq("run", seed, "--call", "app.queue:publish_tasks", "--until-idle", "--log", "json")
    assert done.returncode == 0, done.stderr
    lines: list[dict[str, Any]] = [json.loads(line) for line in done.stderr.splitlines()]
    handled = [line["task_id"] for line in lines if line["message"] == "Verarbeite"]
    assert sorted(map(str, handled)) == [f"task-{number}" for number in range(123, 128)]
    assert lines[-1]["acked"] == 5
    with servers.shared().client() as client:
        base = f"{{{place['prefix']}}}:"
        assert client.hlen(f"{base}app.queue:tasks:m") == 0
        assert client.exists(f"{base}seats") == 0


def test_a_server_that_is_away_is_said_in_a_sentence(seed: Path) -> None:
    index = seed / "_index.yaml"
    kind = "kind: queue.driver.redis\n"
    index.write_text(
        index.read_text(encoding="utf-8").replace(kind, f"{kind}  url: redis://127.0.0.1:1/0\n")
    )
    done = moonq("doctor", "--project", seed)
    assert "nothing listens at redis://127.0.0.1:1/0" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
