"""A chain of calls shares the memory of its first caller, however many states it has."""

from __future__ import annotations

import json
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from moonq.host import Host
from moonq.kinds import load
from moonq.run.calling.calls import CallResult

INDEX = """
namespace: app
entries:
  - name: first
    kind: function.lua
    source: file://deep.lua
    modules: [funcs]
    limits: {memory: 16MiB}
  - {name: next, kind: function.lua, source: file://deep.lua, modules: [funcs]}
  - name: hungry
    kind: function.lua
    source: |
      return function(mib)
        local kept = {}
        for i = 1, mib * 16 do kept[i] = ("%08d"):format(i):rep(8192) end
        return #kept // 16
      end
  - name: lavish
    kind: function.lua
    modules: [funcs]
    source: |
      local funcs = require("funcs")
      return function(mib)
        local kept = {}
        for i = 1, mib * 16 do kept[i] = ("%08d"):format(i):rep(8192) end
        local found, err = funcs.call("hungry", math.floor(mib))
        return found or false, tostring(err), #kept // 16
      end
  - name: tidy
    kind: function.lua
    modules: [funcs]
    limits: {memory: 16MiB}
    source: |
      local funcs = require("funcs")
      return function()
        for i = 1, 200 do local dropped = ("%08d"):format(i):rep(8192) end
        return funcs.call("hungry", 8)
      end
  - name: keeps
    kind: function.lua
    source: |
      local kept
      return function()
        kept = kept or ("x"):rep(3 * 2 ^ 20)
        return #kept // 2 ^ 20
      end
  - name: presses
    kind: function.lua
    modules: [funcs]
    limits: {memory: 16MiB}
    source: |
      local funcs = require("funcs")
      return function()
        funcs.call("keeps")
        local kept = {}
        for i = 1, 13 * 16 do kept[i] = ("%08d"):format(i):rep(8192) end
        local found, err = funcs.call("keeps")
        return found or false, tostring(err), #kept
      end
"""
DEEP = """
local funcs = require("funcs")
return function(task)
  local depth, load = task[1], task[2]
  if depth == 0 then return "deep enough" end
  local found, err = funcs.call("next", { depth - 1, load .. depth })
  return found or tostring(err)
end
"""


MIB = 2**20


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    (tmp_path / "_index.yaml").write_text(INDEX)
    (tmp_path / "deep.lua").write_text(DEEP)
    host = Host(load(tmp_path))
    host.start(consumers=False)
    yield host
    host.stop()


def called(host: Host, function: str, argument: object) -> list[object]:
    result: CallResult = host.call(function, json.dumps(argument), send=True)
    assert result.fault is None, result.fault
    return result.values


@pytest.mark.parametrize("size", [10, 100_000])
def test_a_deep_chain_of_small_calls_fits(host: Host, size: int) -> None:
    assert called(host, "app:first", [10, "x" * size]) == ["deep enough"]


def test_a_deep_chain_of_large_arguments_is_refused_in_the_name_of_the_first(host: Host) -> None:
    [why] = called(host, "app:first", [15, "x" * 1_000_000])
    assert "app:first and all that it calls share 16M" in str(why)


def test_a_call_has_what_its_caller_leaves_of_its_own_memory(host: Host) -> None:
    assert called(host, "app:lavish", 20) == [20, "nil", 20]
    found, why, kept = called(host, "app:lavish", 40)
    assert (found, kept) == (False, 40)
    assert why == ("app:hungry: stopped (memory): app:lavish and all that it calls share 64M")


def test_a_call_that_finds_nothing_left_is_not_begun(host: Host) -> None:
    found, why, _ = called(host, "app:lavish", 63.5)
    assert found is False
    assert why == (
        "there is no memory left for app:hungry: app:lavish and all that it calls share 64M;"
        " raise `limits.memory` of app:lavish, or hand over less"
    )


def test_a_function_has_its_own_memory_again_when_it_is_called_first(host: Host) -> None:
    called(host, "app:lavish", 40)
    called(host, "app:lavish", 20)
    assert called(host, "app:hungry", 50) == [50]


def test_what_a_caller_has_dropped_is_not_counted(host: Host) -> None:
    assert called(host, "app:tidy", None) == [8]


def test_a_pooled_state_that_holds_more_than_is_left_is_given_up(host: Host) -> None:
    assert called(host, "app:keeps", None) == [3]
    found, why, _ = called(host, "app:presses", None)
    assert found is False
    assert "stopped (memory)" in str(why)
    assert called(host, "app:keeps", None) == [3]


def test_the_memory_of_the_process_stays_within_that_of_the_first(host: Host) -> None:
    called(host, "app:first", [15, "x"])
    before = peak()
    called(host, "app:first", [15, "x" * 1_500_000])
    assert peak() - before < 48 * MIB
