"""A module costs its Lua file and its host half: everything else finds them by itself."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from moonq import assets

LUA = """
--- Dice, and a place to send their eyes to.
---
---     require("dice").roll(6) --> 4
local lent = require("host.walls.lent")

local dice = {}

--- Rolls one die.
---@param sides integer
---@return integer
function dice.roll(sides)
  return (lent.roll(sides))
end

--- Sends a number away.
---@param eyes integer
---@return true|nil ok
---@return errors.Error|nil err
function dice.send(eyes)
  return lent.send("app:table", eyes)
end

return dice
"""
HALF = '''
from moonq.run.lending import Caller, lent


@lent(action=None, writes=False, waits=False)
def roll(caller: Caller, sides: int) -> int:
    """Return the eyes of a die."""
    return sides


@lent(action="dice.send", writes=True, waits=True)
def send(caller: Caller, table: bytes, eyes: int) -> bool:
    """Send a number away."""
    return True
'''
INDEX = """
namespace: app
entries:
  - name: play
    kind: function.lua
    source: |
      local dice = require("dice")
      return function()
        local sent, err = dice.send(2)
        return dice.roll(6), sent or err:kind()
      end
    modules: [dice]
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of moonq with a further module, and a project that uses it."""
    tree = tmp_path_factory.mktemp("tree")
    beside = assets.PACKAGE.parent.parent
    for part in ("host/moonq", "lua", "stdlib"):
        leave = shutil.ignore_patterns("__pycache__")
        shutil.copytree(beside / part, tree / part, ignore=leave)
    (tree / "stdlib" / "dice.lua").write_text(LUA.lstrip())
    (tree / "host" / "moonq" / "run" / "lends" / "dice.py").write_text(HALF)
    (tree / "project").mkdir()
    (tree / "project" / "_index.yaml").write_text(INDEX)
    return tree


def run(tree: Path, *arguments: str) -> Any:
    command = [sys.executable, "-m", "moonq", *arguments, "-C", str(tree / "project")]
    env = {**os.environ, "PYTHONPATH": str(tree / "host")}
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def test_a_script_can_use_it_and_a_dry_run_does_not_send(tree: Path) -> None:
    dry = run(tree, "call", "app:play", "--json")
    assert dry.returncode == 0, dry.stderr
    assert json.loads(dry.stdout)["values"] == [6, "UNKNOWN"]
    sent = run(tree, "call", "app:play", "--send", "--json")
    assert json.loads(sent.stdout)["values"] == [6, True]


def test_a_session_that_may_only_look_is_refused_what_it_writes(tree: Path) -> None:
    code = "from moonq.run.lends import changing; print('dice.send' in changing())"
    env = {**os.environ, "PYTHONPATH": str(tree / "host")}
    command = [sys.executable, "-c", code]
    said = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    assert said.stdout == "True\n"


def test_the_table_of_modules_names_every_module() -> None:
    readme = (assets.PACKAGE.parent.parent / "stdlib" / "README.md").read_text(encoding="utf-8")
    for name in assets.stdlib_modules():
        assert f"\n| `{name}` |" in readme
