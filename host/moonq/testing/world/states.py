"""The Lua states of a test run: the suite's own, and those of what it tests."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lupa.lua54 import LuaError

from moonq.errors import Unavailable
from moonq.run.calling.stubbed import StubbedState
from moonq.sandbox.lend import Bound
from moonq.sandbox.state import Limits, LuaState, Progress
from moonq.testing.coverage import Hit
from moonq.testing.world.bench import Bench


class Lines:
    """The lines that run in one state, with coverage; see `lua/test/coverage.lua`."""

    def __init__(self, lua: Any, hit: Hit | None) -> None:
        self._hit = hit
        self._coverage = lua.more(b"host.test.coverage") if hit is not None else None
        if self._coverage is not None:
            self._coverage[b"start"]()

    def gather(self) -> None:
        """Hand over what the state has seen; one that has no memory left has seen nothing."""
        if self._hit is not None and self._coverage is not None:
            try:
                self._hit.add(json.loads(self._coverage[b"hits"]()))
            except LuaError:
                return


class SuiteState(LuaState):
    """The state that a file of tests runs in; see `lua/test/tester.lua`."""

    module = "host.test.tester"

    def __init__(self, lends: Mapping[str, Bound], limits: Limits, hit: Hit | None = None) -> None:
        super().__init__(lends, limits)
        self._lines = Lines(self._lua, hit)

    def load(self, script: str, timeout: float) -> Any:
        """Run the file; returns what went wrong, or None.

        Raises:
            Stopped: It took too much time or memory.
        """
        return self._ask(timeout, b"load", script.encode())

    def load_entry(self, entry: str, method: str, name: str, timeout: float) -> Any:
        """Run the file of *entry* and let its function declare tests, or be one called *name*."""
        return self._ask(timeout, b"load_entry", entry.encode(), method.encode(), name.encode())

    def cases(self) -> list[dict[str, Any]]:
        """Return every declared test."""
        return list(self._ask(None, b"cases"))

    def plan(self, indexes: Sequence[int]) -> None:
        """Say which tests will run."""
        self._ask(None, b"plan", json.dumps(list(indexes)).encode())

    def run(self, index: int, timeout: float) -> dict[str, Any]:
        """Run one test.

        Raises:
            Stopped: It took too much time or memory.
        """
        found = dict(self._ask(timeout, b"run", index))
        if self.memory_used() > self.limits.memory // 4:
            self._give_back()
        return found

    def unfinished(self) -> dict[str, Any]:
        """Return what the test that was cut off had `found`, and the `hook` that ran then."""
        return dict(json.loads(self._afterwards(self._module[b"unfinished"], b"{}")))

    def answer(self, stub: int, arguments: bytes) -> bytes:
        """Call the function of a stub for another state; the running test has called that one.

        Raises:
            Unavailable: The test was stopped meanwhile.
        """
        try:
            answer = self._module[b"answer"](stub, arguments)
        except LuaError as problem:
            raise Unavailable(f"the stub's test was stopped: {problem}") from None
        return bytes(answer)

    def finish(self, timeout: float) -> list[dict[str, Any]]:
        """Close what a cut-off run has left open; returns its problems."""
        return list(self._ask(timeout, b"finish"))

    def close(self) -> None:
        """Give everything back now."""
        self._lines.gather()
        del self._lines
        super().close()

    def _ask(self, timeout: float | None, question: bytes, *arguments: Any) -> Any:
        (answer,) = self.ask(timeout, question, *arguments)
        return None if answer is None else json.loads(answer)


class StateUnderTest(StubbedState):
    """A state of a handler or function that a test runs; see `lua/test/under_test.lua`."""

    def __init__(
        self,
        lends: Mapping[str, Bound],
        limits: Limits,
        *,
        on_abandoned: Callable[[], None],
        bench: Bench,
    ) -> None:
        super().__init__(
            lends,
            limits,
            on_abandoned=on_abandoned,
            stubs=bench.stubs,
            answer=bench.answer,
            returned=bench.returned,
        )
        self._bench = bench
        self._lines = Lines(self._lua, bench.hit)
        bench.states.add(self)

    def open(
        self,
        function_id: str,
        method: str = "",
        *,
        decodes: bool = True,
        timeout: float | None = None,
    ) -> None:
        """Run the file of *function_id* and find its function."""
        super().open(function_id, method, decodes=decodes, timeout=timeout)
        self._module[b"keep_results"]()

    def deliver(self, timeout: float | None, bodies: Sequence[bytes]) -> Progress:
        """Run the handler; it gets no more time than the test has left."""
        return super().deliver(self._bench.within_test(timeout), bodies)

    def close(self) -> None:
        """Give everything back now."""
        self._bench.states.discard(self)
        self._lines.gather()
        del self._lines
        super().close()

    def _within_limits(self, limit: float | None, function: Any, *arguments: Any) -> Any:
        return super()._within_limits(self._bench.within_test(limit), function, *arguments)
