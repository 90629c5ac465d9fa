"""States for tests: one script that returns a handler, lent everything or nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from moonq.sandbox.lend import Caller, Services, lent_functions
from moonq.sandbox.state import Fault, Limits, LuaSource, LuaState

MODULES = ("check", "env", "errors", "funcs", "json", "logger", "queue", "registry")
MODULES += ("store", "time", "uuid")


def opened(
    source: str | bytes,
    lends: Mapping[str, Callable[..., Any]] | None = None,
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


def lent(services: Services, caller: Caller | None = None) -> Mapping[str, Callable[..., Any]]:
    """Return what *services* lend to a handler."""
    return lent_functions(services, caller or Caller("app:handler"))


def failure(source: str, body: bytes = b"1") -> Fault:
    """Run a handler that fails; returns its failure."""
    state = opened(source)
    progress = state.deliver(2.0, [body])
    state.close()
    assert progress.stopped is None
    assert progress.outcomes, "it did not fail"
    return progress.outcomes[0].fault
