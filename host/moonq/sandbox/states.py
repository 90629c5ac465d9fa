"""What workers and calls ask of a Lua state, in this process (`LuaState`) or another one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Protocol

from moonq.sandbox.state import Limits, LuaSource, Progress
from moonq.sandbox.watchdog import Guard

#: Where a state lives: on a thread of the host, or in a process of its own that can be killed.
Isolation = Literal["thread", "process"]
THREAD: Isolation = "thread"
PROCESS: Isolation = "process"


class State(Protocol):
    """One sandboxed Lua state; the methods are told of in `LuaState`."""

    limits: Limits
    spent: bool
    guard: Guard

    def define(self, script: LuaSource) -> None:
        """Make *script* known."""

    def open(
        self,
        function_id: str,
        method: str = "",
        *,
        decodes: bool = True,
        timeout: float | None = None,
    ) -> None:
        """Run the file of *function_id* and find its function."""

    def deliver(self, timeout: float | None, bodies: Sequence[bytes]) -> Progress:
        """Run the handler on messages."""
        ...

    def progress(self, answer: Any) -> Progress:
        """Return what Lua says of a call of `deliver` on the way."""
        ...

    def keep_results(self) -> None:
        """Keep what the function returns for a message."""

    def results(self) -> bytes:
        """Return what it returned for the last one."""
        ...

    def call(self, arguments: bytes, timeout: float | None = None) -> bytes:
        """Call the function."""
        ...

    def limit_memory(self, memory: int) -> None:
        """Let its next calls have *memory* bytes."""

    def use_policy(self, queue: bytes) -> None:
        """Make it the judge of a queue."""

    def decide(self, what: bytes, kind: bytes, message: bytes, *more: Any) -> tuple[Any, ...]:
        """Ask what an event leads to."""
        ...

    def memory_used(self) -> int:
        """Bytes that the state holds."""
        ...

    def close(self) -> None:
        """Give everything back."""
