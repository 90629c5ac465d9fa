"""A small shop, a running host of it, and a terminal."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from moonq.control.locating import place_of

from ..conftest import until
from .screen import Screen

INDEX = """\
namespace: app
entries:
  - {name: mem, kind: queue.driver.memory}
  - {name: orders, kind: queue.queue, driver: mem, retry: {max_attempts: 1}}
  - {name: emails, kind: queue.queue, driver: mem}
  - {name: worker, kind: queue.consumer, queue: orders, func: process}
  - {name: process, kind: function.lua, source: file://process.lua, modules: [logger, queue, time]}
"""
PROCESS = """\
local logger = require("logger")
local queue = require("queue")

return function(order)
  logger.info("processing", { order = order.id })
  if order.total < 0 then
    return nil, "negative total"
  end
  queue.publish("app:emails", { order_id = order.id })
  return true
end
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A project with one queue that is served and one that is not."""
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "_index.yaml").write_text(INDEX, encoding="utf-8")
    (folder / "process.lua").write_text(PROCESS, encoding="utf-8")
    return folder


@pytest.fixture
def running(shop: Path, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A host of the shop, in a process of its own."""
    log = (tmp_path / "log").open("wb")
    env = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path / "runtime")}
    process = subprocess.Popen(
        [sys.executable, "-m", "moonq", "run", shop], stdout=log, stderr=log, env=env
    )
    place = place_of(shop)
    try:
        until(lambda: place.socket.exists() or process.poll() is not None)
        assert process.poll() is None
        yield process
    finally:
        process.terminate()
        process.wait(20)
        log.close()


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[Screen]:
    """A terminal of 100 columns and 30 rows."""
    made = Screen(tmp_path)
    yield made
    made.close()


@pytest.fixture
def console(shop: Path, screen: Screen) -> Callable[..., Screen]:
    """Start a console of the shop and wait for its prompt."""

    def start(*args: object, **env: str) -> Screen:
        screen.start("repl", "-C", shop, *args, **env)
        screen.shows(r"^shop\S*( ro)?>")
        screen.shows(r"● shop")
        return screen

    return start
