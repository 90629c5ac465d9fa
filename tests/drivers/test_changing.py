"""The page about changing the driver of a running project does what it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.servers.process import Process, until

from .conftest import BESIDE, place

PAGE = Path("host", "moonq", "manual", "changing-the-driver.md")
FENCE = re.compile(r"^```(yaml|console)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
KIND = 'kind: queue.driver.redis, url: "${env:REDIS_URL}"'
BEFORE = (
    ["publish", "orders", "{}", "--id", "late-1", "--delay", "1h"],
    ["publish", "orders", "{}", "--id", "late-2", "--delay", "1h"],
    ["publish", "orders", "{}", "--id", "late-3", "--delay", "1h"],
)


def moonq(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Type a command in the folder of the project."""
    command = [sys.executable, "-m", "moonq", *words]
    environ = {**os.environ, "NO_COLOR": "1"}
    return subprocess.run(
        command, cwd=project, env=environ, capture_output=True, text=True, timeout=60, check=False
    )


@BESIDE[0]
def test_the_page_takes_a_running_project_to_another_driver(root: Path, tmp_path: Path) -> None:
    parts = FENCE.findall((root / PAGE).read_text("utf-8"))
    assert [kind for kind, _ in parts] == [
        "yaml", "yaml", "console", "console", "console", "console", "yaml", "console",
    ]  # fmt: skip
    fields = place("redis")
    redis = f'kind: queue.driver.redis, url: "{fields["url"]}", prefix: {fields["prefix"]}'
    index = tmp_path / "_index.yaml"
    index.write_text(parts[0][1])
    host = Process([sys.executable, "-m", "moonq", "run"], tmp_path, lambda: _answers(tmp_path))
    host.start()
    try:
        for words in BEFORE:
            assert moonq(tmp_path, *words).returncode == 0
        _bury(tmp_path)
        for kind, text in parts[1:]:
            if kind == "yaml":
                assert KIND in text
                index.write_text(text.replace(KIND, redis))
            else:
                _type(tmp_path, text.splitlines())
        found = moonq(tmp_path, "peek", "sales", "--json").stdout
        assert all(f'"id": "late-{n}"' in found for n in (1, 2, 3))
        assert '"id": "bad"' in moonq(tmp_path, "peek", "sales.dead", "--json").stdout
    finally:
        host.stop()


def _answers(project: Path) -> bool:
    return moonq(project, "status").returncode == 0


def _bury(project: Path) -> None:
    """Leave a dead letter: one that has expired."""
    words = ("publish", "orders", "{}", "--id", "bad", "--ttl", "1s", "--delay", "1h")
    assert moonq(project, *words).returncode == 0
    until(
        lambda: '"id": "bad"' in moonq(project, "peek", "orders.dead", "--json").stdout, "it died"
    )


def _type(project: Path, lines: Sequence[str]) -> None:
    """Type each command, and look for what the page says that it answers."""
    said = ""
    for line in lines:
        if line.startswith("$ moonq "):
            answer = moonq(project, *line.split()[2:])
            assert answer.returncode == 0, (line, answer.stdout, answer.stderr)
            said = answer.stdout + answer.stderr
        else:
            assert line in said, (line, said)
