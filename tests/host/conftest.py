"""Hosts of small projects, written in the tests that need them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from moonq.errors import StopTimeout
from moonq.host import Host
from moonq.kinds import load

HEAD = """
namespace: app
entries:
  - {name: memory, kind: queue.driver.memory}
"""
MakeHost = Callable[..., Host]


@pytest.fixture
def make_host(tmp_path: Path) -> Iterator[MakeHost]:
    """Make a running host of entries (YAML below `entries:`) and Lua files by name."""
    made: list[Host] = []

    def make(entries: str, *, start: bool = True, **files: str) -> Host:
        folder = tmp_path / str(len(made))
        folder.mkdir()
        (folder / "_index.yaml").write_text(HEAD + entries)
        for name, text in files.items():
            (folder / f"{name}.lua").write_text(text)
        host = Host(load(folder), name="host")
        made.append(host)
        if start:
            host.start()
        return host

    yield make
    for host in made:
        with suppress(StopTimeout):
            host.stop(timeout=1)


def until(holds: Callable[[], bool], limit: float = 20.0) -> None:
    """Wait until *holds* is true; fail when that takes longer than *limit* seconds."""
    deadline = time.monotonic() + limit
    pause = threading.Event()
    while not holds():
        assert time.monotonic() < deadline, "it did not come true in time"
        pause.wait(0.002)
