"""The Lua states of a test run: the suite's own, and those of what it tests."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from moonq.sandbox.state import Lent, Limits, State


class SuiteState(State):
    """The state that a file of tests runs in; see `lua/tester.lua`."""

    def __init__(self, lends: Mapping[str, Lent], limits: Limits) -> None:
        super().__init__(lends, limits)
        self._tester = self._lua.more(b"host.tester")

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
        return dict(self._ask(timeout, b"run", index))

    def finish(self, timeout: float) -> list[dict[str, Any]]:
        """Close what a cut-off run has left open; returns its problems."""
        return list(self._ask(timeout, b"finish"))

    def close(self) -> None:
        """Give everything back now."""
        del self._tester
        super().close()

    def _ask(self, timeout: float | None, question: bytes, *arguments: Any) -> Any:
        (answer,) = self._within_limits(timeout, self._tester[question], *arguments)
        return None if answer is None else json.loads(answer)
