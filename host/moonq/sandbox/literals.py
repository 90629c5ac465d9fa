"""Lua literals and conditions for people at the command line, in states with nothing lent.

literals = Literals()
literals.show({"b": 1})                 # '{ b = 1 }'
literals.read("{ id = 42 }")            # '{"id":42}'
Condition("body.total > 5").holds({"body": {"total": 7}})   # True
"""

from __future__ import annotations

import json
from typing import Any

from moonq.errors import Invalid
from moonq.sandbox.state import Limits, LuaState, ScriptFault, Stopped

MEMORY = 64 * 1024 * 1024
#: Seconds that one value may take.
PATIENCE = 2.0
#: Seconds that one event may take; a condition is asked for each of them.
QUICK = 0.1


class _LiteralState(LuaState):
    module = "host.print.literal"

    def __init__(self) -> None:
        super().__init__({}, Limits(PATIENCE, MEMORY))


class Literals:
    """JSON values as Lua literals, and back."""

    def __init__(self) -> None:
        self._state: _LiteralState | None = None

    def show(self, value: Any, width: int = 80) -> str:
        """Return *value* as a literal; a *width* of 0 is one line with all there is."""
        text = json.dumps(value, ensure_ascii=False)
        try:
            (shown,) = self._ask(b"show", text.encode("utf-8", "surrogatepass"), width)
        except (Stopped, ScriptFault):
            return text
        return bytes(shown).decode("utf-8", "replace")

    def read(self, text: str) -> str:
        """Return the literal *text* as JSON.

        Raises:
            Invalid: It is none; says why.
        """
        try:
            found = self._ask(b"read", text.encode("utf-8", "surrogatepass"))
        except (Stopped, ScriptFault) as problem:
            raise Invalid(f"not a Lua literal: {problem}") from None
        if found[0] is None:
            why = bytes(found[1]).decode("utf-8", "replace")
            raise Invalid(f"neither JSON nor a Lua literal: {why}")
        return bytes(found[0]).decode("utf-8")

    def _ask(self, question: bytes, *arguments: Any) -> tuple[Any, ...]:
        if self._state is None or self._state.spent:
            self._state = _LiteralState()
        return self._state.ask(PATIENCE, question, *arguments)


class Condition:
    """A Lua expression over the fields of an event."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._state = self._open()

    def _open(self) -> _LiteralState:
        state = _LiteralState()
        (complaint,) = state.ask(PATIENCE, b"condition", self._text.encode())
        if complaint is not None:
            state.close()
            why = bytes(complaint).decode("utf-8", "replace")
            raise Invalid(
                f"where: {why}", hint="write a Lua expression such as 'attempt > 1 and body.total'"
            )
        return state

    def holds(self, event: dict[str, Any]) -> bool:
        """Whether it is true of *event*; one that fails or takes too long is not."""
        if self._state.spent:
            self._state.close()
            self._state = self._open()
        text = json.dumps(event, ensure_ascii=False).encode("utf-8", "surrogatepass")
        try:
            return bool(self._state.ask(QUICK, b"holds", text)[0])
        except (Stopped, ScriptFault):
            return False

    def close(self) -> None:
        """Give everything back."""
        self._state.close()
