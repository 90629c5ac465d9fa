"""The page about changing the driver of a running project does what it says."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.servers.process import Process, until

from .conftest import BESIDE, place

PAGE = Path("host", "moonq", "manual", "changing-the-driver.md")
FENCE = re.compile(r"^```(yaml|console)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
Moonq = Callable[..., Any]
KIND = 'kind: queue.driver.redis, url: "${env:REDIS_URL}"'
BEFORE = (
    ["publish", "orders", "{}", "--id", "late-1", "--delay", "1h"],
    ["publish", "orders", "{}", "--id", "late-2", "--delay", "1h"],
    ["publish", "orders", "{}", "--id", "late-3", "--delay", "1h"],
)


@BESIDE[0]
def test_the_page_takes_a_running_project_to_another_driver(
    root: Path, tmp_path: Path, moonq: Moonq, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    parts = FENCE.findall((root / PAGE).read_text("utf-8"))
    assert [kind for kind, _ in parts] == [
        "yaml", "yaml", "console", "console", "console", "console", "yaml", "console",
    ]  # fmt: skip
    fields = place("redis")
    redis = f'kind: queue.driver.redis, url: "{fields["url"]}", prefix: {fields["prefix"]}'
    index = tmp_path / "_index.yaml"
    index.write_text(parts[0][1])
    host = Process(
        [sys.executable, "-m", "moonq", "run"], tmp_path, lambda: moonq("status").code == 0
    )
    host.start()
    try:
        for words in BEFORE:
            assert moonq(*words).code == 0
        _bury(moonq)
        for kind, text in parts[1:]:
            if kind == "yaml":
                assert KIND in text
                index.write_text(text.replace(KIND, redis))
            else:
                _type(moonq, text.splitlines())
        found = moonq("peek", "sales", "--json").out
        assert all(f'"id": "late-{n}"' in found for n in (1, 2, 3))
        assert '"id": "bad"' in moonq("peek", "sales.dead", "--json").out
    finally:
        host.stop()


def _bury(moonq: Moonq) -> None:
    """Leave a dead letter: one that has expired."""
    words = ("publish", "orders", "{}", "--id", "bad", "--ttl", "1s", "--delay", "1h")
    assert moonq(*words).code == 0
    until(lambda: '"id": "bad"' in moonq("peek", "orders.dead", "--json").out, "it died")


def _type(moonq: Moonq, lines: Sequence[str]) -> None:
    """Type each command, and look for what the page says that it answers."""
    said = ""
    for line in lines:
        if line.startswith("$ moonq "):
            answer = moonq(*line.split()[2:])
            assert answer.code == 0, (line, answer.out, answer.err)
            said = answer.out + answer.err
        else:
            assert line in said, (line, said)
