"""What tests of the standard library share: its modules in a plain Lua state, without a host."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from lupa.lua54 import LuaRuntime

from moonq.sandbox import chunks

_REQUIRE = b"""
local source = ...
local loaded = {}
function require(name)
  if not loaded[name] then
    local chunk = source(name) or error("no module " .. name)
    loaded[name] = load(chunk, name, "b")(name)
  end
  return loaded[name]
end
return function(text, ...) return load(text, "=test", "t")(...) end
"""


@pytest.fixture(scope="session")
def run_lua() -> Callable[..., Any]:
    """Run Lua text that may require any trusted module, in one state; strings are bytes."""
    runtime = LuaRuntime(encoding=None, unpack_returned_tuples=True)
    return runtime.execute(_REQUIRE, chunks.source)
