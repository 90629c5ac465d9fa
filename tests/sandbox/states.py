"""States for tests: one script that returns a handler, lent everything or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moonq.assets import stdlib_modules
from moonq.sandbox.lend import Bound
from moonq.sandbox.state import Fault, Limits, LuaSource, LuaState

MODULES = tuple(sorted(stdlib_modules() - {"test"}))


def opened(
    source: str | bytes,
    lends: Mapping[str, Bound] | None = None,
    *,
    timeout: float | None = 2.0,
    memory: int = 16 * 1024 * 1024,
    **options: Any,
) -> LuaState:
    """Return a state with the handler of *source* open."""
    state = LuaState(lends or {}, Limits(timeout, memory), **options)
    text = source.encode() if isinstance(source, str) else source
    modules = MODULES if lends else ("check", "errors", "json")
    state.define(LuaSource("app:handler", "handler.lua", text, modules))
    state.open("app:handler")
    return state


def failure(source: str, body: bytes = b"1") -> Fault:
    """Run a handler that fails; returns its failure."""
    state = opened(source)
    progress = state.deliver(2.0, [body])
    state.close()
    assert progress.stopped is None
    assert progress.outcomes, "it did not fail"
    return progress.outcomes[0].fault
