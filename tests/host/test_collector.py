"""`moonq run` lets the garbage collector look seldom; a host in a program leaves it alone."""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from moonq.cli import collector
from moonq.host import Host
from moonq.kinds import load

INDEX = """
namespace: app
entries:
  - {name: look, kind: module.python, source: file://look.py, functions: [collector]}
  - {name: told, kind: function.lua, source: file://told.lua, imports: {look: look}}
"""
LOOK = """
import gc


def collector():
    return {"threshold": gc.get_threshold()[0], "frozen": gc.get_freeze_count() > 1000}
"""
TOLD = """
local look = require("look")
return function()
  return look.collector()
end
"""
Moonq = Callable[..., Any]


@pytest.fixture(autouse=True)
def nothing_is_frozen() -> None:
    """As in a process of one's own: that of the tests has frozen what it consists of."""
    gc.unfreeze()


def project(folder: Path) -> Path:
    for name, text in {"_index.yaml": INDEX, "look.py": LOOK, "told.lua": TOLD}.items():
        (folder / name).write_text(text)
    return folder


def test_a_run_spares_what_was_there_before_and_puts_all_back(moonq: Moonq, tmp_path: Path) -> None:
    before = gc.get_threshold()
    said = moonq("run", project(tmp_path), "--log", "json", "--call", "app:told", "--until-idle")
    assert said.code == 0, said
    assert f'"threshold":{collector.OBJECTS}' in said.err
    assert '"frozen":true' in said.err
    assert (gc.get_threshold(), gc.get_freeze_count()) == (before, 0)


def test_a_host_in_a_program_leaves_the_collector_alone(tmp_path: Path) -> None:
    host = Host(load(project(tmp_path)))
    host.start()
    (told,) = host.call("app:told").values
    host.stop()
    assert told == {"threshold": gc.get_threshold()[0], "frozen": False}
