"""The bounded string functions against stock Lua's, on random patterns and subjects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lupa.lua54 import LuaRuntime

from moonq.sandbox import chunks

CASES = 12_000
SEEDS = [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 30))]

_REQUIRE = b"""
local source, cases = ...
local loaded = {}
function require(name)
  loaded[name] = loaded[name] or load(source(name), name, "b")(name)
  return loaded[name]
end
return load(cases, "=pattern_cases", "t")()
"""


@pytest.fixture(scope="module")
def cases() -> Any:
    text = Path(__file__).with_name("pattern_cases.lua").read_bytes()
    runtime = LuaRuntime(encoding=None, unpack_returned_tuples=True)
    return runtime.execute(_REQUIRE, chunks.source, text)


# The first is what scripts get; the others send the same calls down the slower ways.
@pytest.mark.parametrize("mode", ["as_is", "starts", "matcher"])
@pytest.mark.parametrize("seed", SEEDS)
def test_bounded_functions_give_what_stock_lua_gives(cases: Any, seed: int, mode: str) -> None:
    assert cases.compare(seed, CASES, mode.encode()) == b""


@pytest.mark.parametrize("seed", SEEDS)
def test_ordinary_patterns_are_never_refused(cases: Any, seed: int) -> None:
    assert cases.compare_ordinary(seed, 500) == b""
