"""Whether Lua can decode a body: asked of Lua itself, so that there is one answer.

Bodies().fault(b'[1, Infinity]')   # "line 1, column 5: a value expected, got 'Infinity'"
"""

from __future__ import annotations

import threading

from moonq.sandbox.state import Limits, LuaState, ScriptFault, Stopped

#: For a body as large as any queue takes.
MEMORY = 1024 * 1024 * 1024
PATIENCE = 30.0


class _Reader(LuaState):
    module = "host.json.reader"


class Bodies:
    """Reads bodies on behalf of all threads, one after the other."""

    def __init__(self) -> None:
        self._state: _Reader | None = None
        self._lock = threading.Lock()

    def fault(self, body: bytes) -> str | None:
        """Return what keeps Lua from decoding *body*, or None."""
        with self._lock:
            if self._state is None or self._state.spent:
                self._state = _Reader({}, Limits(PATIENCE, MEMORY))
            try:
                (found,) = self._state.ask(PATIENCE, b"fault", body)
            except (Stopped, ScriptFault) as problem:
                return str(problem)
        return None if found is None else bytes(found).decode("utf-8", "replace")
