"""`moonq dev`: a host, its console, and an editor beside them, in a real terminal."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from moonq.control.client import connect

from .conftest import until
from .console.screen import Screen

INDEX = """\
namespace: app
entries:
  - {name: mem, kind: queue.driver.memory}
  - {name: orders, kind: queue.queue, driver: mem}
  - {name: worker, kind: queue.consumer, queue: orders, func: work}
  - {name: work, kind: function.lua, source: file://work.lua, modules: [logger, time]}
"""
WORK = """\
local logger = require("logger")
local time = require("time")

return function(order)
  logger.info("VERSION got " .. order.id)
  time.sleep(order.waits or 0)
end
"""


class Desk:
    """A terminal with `moonq dev` in it, and the files that somebody edits."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "shop"
        self.folder.mkdir()
        (self.folder / "_index.yaml").write_text(INDEX)
        self.save("first")
        self.screen = Screen(folder, columns=110)
        self.screen.start("dev", self.folder)
        self.screen.shows(r"^shop>")
        self.screen.shows("watching shop: what you save is reloaded")

    def save(self, version: str) -> None:
        (self.folder / "work.lua").write_text(WORK.replace("VERSION", version))

    def publish(self, order: str) -> None:
        self.screen.enter(f'queue.publish("app:orders", {order})')


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "runtime"))
    found = Desk(tmp_path)
    yield found
    found.screen.close()


def test_a_saved_handler_meets_the_next_message_from_the_console(desk: Desk) -> None:
    desk.publish('{ id = "a" }')
    desk.screen.shows("first got a")
    desk.save("second")
    desk.screen.shows(r"reload  work\.lua → app:work  \(.*1 workers? switched")
    desk.publish('{ id = "b" }')
    desk.screen.shows("second got b")
    desk.screen.press("C-d")
    desk.screen.shows(r"stopped · 2 acked · 0 retried · 0 dead")
    desk.screen.shows("code 0")


def test_a_broken_edit_is_shown_and_the_console_goes_on(desk: Desk) -> None:
    (desk.folder / "work.lua").write_text("return function(")
    desk.screen.shows("✗ not applied: the host keeps running the last good")
    desk.screen.shows(r"work\.lua:1:")
    desk.publish('{ id = "a" }')
    desk.screen.shows("first got a")
    desk.save("first")
    desk.screen.shows(r"reload  ✓  work\.lua: what was broken is mended")
    assert "watchfiles" not in desk.screen.text()


def test_ctrl_c_belongs_to_the_console_and_leaving_asks_while_messages_run(desk: Desk) -> None:
    desk.publish('{ id = "a", waits = 60 }')
    desk.screen.shows("first got a")
    desk.screen.press("C-c")
    desk.screen.press("C-d")
    desk.screen.shows("1 message in flight; leave")
    desk.screen.enter("n")
    desk.screen.enter("40 + 2")
    desk.screen.shows("^42")
    desk.screen.press("C-d")
    desk.screen.shows("in flight(.|\n)*in flight")
    desk.screen.enter("y")
    desk.screen.shows("draining")
    desk.screen.shows("code 0")


def test_a_sigterm_gives_the_terminal_back(desk: Desk) -> None:
    with connect(desk.folder) as client:
        os.kill(client.hello["pid"], signal.SIGTERM)
    desk.screen.shows("stopped · 0 acked")
    desk.screen.shows("code 0")


def test_somebody_else_may_stop_it(desk: Desk) -> None:
    with connect(desk.folder) as client:
        client.request("stop")
    desk.screen.shows("stopped · 0 acked")
    until(lambda: "code 0" in desk.screen.text())
