"""`moonq test --isolate`: each file in a process of its own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import pytest

from moonq.testing import runner

ENTRIES = """\
namespace: app
entries:
  - {name: fragile, kind: module.python, source: file://fragile.py, functions: [die]}
  - {name: limit, kind: registry.entry, most: 3}
"""
FRAGILE = """\
import os
import signal


def die():
    os.kill(os.getpid(), signal.SIGKILL)
"""
SAYS = 'it("says", function() eq(require("registry").get("app:limit").data.most, 9) end)\n'
DIES = 'it("dies", function() require("fragile").die() end)\n'


def fragile(shop: Any) -> Any:
    """A project with a module that can kill its process."""
    shop.write("_index.yaml", ENTRIES)
    shop.write("fragile.py", FRAGILE)
    return shop


def test_a_file_whose_process_dies_fails_and_the_others_run(shop: Any) -> None:
    fragile(shop)
    shop.tests(DIES, "test/dies_test.lua")
    shop.tests(SAYS, "test/says_test.lua")
    said = shop.run("--isolate", "--real", "-j", 2, "-o", "limit:most=9")
    assert said.code == 1
    assert "the process of this file ended with SIGKILL" in said.out
    assert "1 failed · 1 passed" in said.out + said.err


def test_without_it_a_process_that_dies_says_what_to_do(
    shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(ThreadPoolExecutor):
        def map(self, *_: Any, **__: Any) -> Any:
            raise BrokenProcessPool

    monkeypatch.setattr(runner, "ProcessPoolExecutor", lambda jobs, *_, **__: Broken(jobs))
    shop.tests(DIES, "test/dies_test.lua")
    shop.tests(SAYS, "test/says_test.lua")
    said = shop.run("-j", 2)
    assert said.code == 1
    assert "run them with --isolate" in said.err
