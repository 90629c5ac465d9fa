"""A project of its own for each test of the runner."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

INDEX = """\
namespace: app
entries:
  - {name: mem, kind: queue.driver.memory}
  - {name: emails, kind: queue.queue, driver: mem}
  - name: orders
    kind: queue.queue
    driver: mem
    retry: {max_attempts: 3, initial_delay: 1s, factor: 2}
  - {name: orders.consumer, kind: queue.consumer, queue: orders, func: process}
  - {name: values, kind: store.memory}
  - {name: bank, kind: library.lua, source: file://bank.lua}
  - name: process
    kind: function.lua
    source: file://process.lua
    modules: [logger, queue, store, time]
    imports: {bank: bank}
"""
BANK = """\
local bank = {}

function bank.charge(cents)
  return cents
end

return bank
"""
PROCESS = """\
local bank = require("bank")
local logger = require("logger")
local queue = require("queue")
local store = require("store")
local time = require("time")

local seen = 0

return function(order)
  seen = seen + 1
  logger.info("processing", { order = order.id })
  if order.sleep then
    time.sleep(order.sleep)
  end
  local cents, err = bank.charge(order.cents)
  if not cents then
    return nil, err
  end
  store.open("app:values"):incr("orders")
  queue.publish("app:emails", { order = order.id })
  return { charged = cents, seen = seen }
end
"""
HEAD = """\
local test = require("test")
local describe, it, eq = test.describe, test.it, test.eq
"""


class Shop:
    """A project with tests, in a folder of its own that is the working folder."""

    def __init__(self, folder: Path, moonq: Callable[..., Any]) -> None:
        self.folder = folder
        self._moonq = moonq
        self.write("_index.yaml", INDEX)
        self.write("bank.lua", BANK)
        self.write("process.lua", PROCESS)

    def write(self, name: str, text: str) -> Path:
        """Write a file of the project."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def tests(self, text: str, name: str = "test/shop_test.lua") -> Path:
        """Write a file of tests; three lines stand above *text*."""
        return self.write(name, f"{HEAD}\n{text}")

    def run(self, *arguments: object) -> Any:
        """Run `moonq test`."""
        return self._moonq("test", *arguments)

    def results(self, *arguments: object) -> list[dict[str, Any]]:
        """Run it and return what became of every test."""
        said = self.run("--reporter", "json", *arguments)
        documents = [json.loads(line) for line in said.out.splitlines()]
        return [one for one in documents if one["event"] == "result"]

    def status(self, *arguments: object) -> dict[str, str]:
        """Run it and return how each test ended, by its name."""
        return {one["name"]: one["status"] for one in self.results(*arguments)}


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moonq: Callable[..., Any]) -> Shop:
    """A project to test."""
    for variable in ("CI", "GITHUB_ACTIONS", "FORCE_COLOR"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.chdir(tmp_path)
    return Shop(tmp_path, moonq)
