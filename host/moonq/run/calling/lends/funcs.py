"""Calling other functions of the project."""

from __future__ import annotations

from moonq.errors import MoonqError
from moonq.run.calling.lending import Caller, lent
from moonq.sandbox.lend import name
from moonq.sandbox.state import ScriptFault, Stopped


@lent(action="funcs.call", names="function.lua", writes=True, captured=True, waits=True)
def call(caller: Caller, function: bytes, arguments: bytes) -> bytes:
    """Call a function in a state of its own, within the context of its caller."""
    called, left = name(function), caller.remaining()
    try:
        context = caller.below(called, len(arguments))
        with caller.host.borrow(called, context, left) as state:
            return state.call(arguments, left)
    except ScriptFault as raised:
        raise _Failed(raised.fault.kind, raised.fault.message, raised.fault.retryable) from None
    except Stopped as stopped:
        if stopped.reason == "killed":
            raise _Failed("INTERNAL", f"{called}: {stopped.words}", None) from None
        why = f"{called}: stopped ({stopped.reason})"
        if stopped.reason == "memory" and context.share is not None:
            why = f"{why}: {context.share.told()}"
        raise _Failed("TIMEOUT", why, None) from None


class _Failed(MoonqError):
    """A called function's own failure, handed to its caller."""

    def __init__(self, kind: str, message: str, retryable: bool | None) -> None:
        super().__init__(message)
        self.kind = kind
        self.retryable = retryable
