"""Calling other functions of the project."""

from __future__ import annotations

from moonq.errors import MoonqError
from moonq.run.calling.context import CallContext
from moonq.run.calling.lending import Caller, lent
from moonq.run.security import Actor, Scope
from moonq.sandbox.lend import name
from moonq.sandbox.state import ScriptFault, Stopped

SECURITY = "funcs.security"


@lent(action="funcs.call", names="function.lua", writes=True, captured=True, waits=True)
def call(
    caller: Caller, function: bytes, arguments: bytes, actor: int = 0, scope: int = 0
) -> bytes:
    """Call a function in a state of its own, within the context of its caller.

    With the number of an *actor* or a *scope* (see `run.security.held`) it has that instead.
    """
    called, left = name(function), caller.remaining()
    try:
        context = caller.below(called, len(arguments))
        if actor or scope:
            caller.permit(SECURITY, "security")
            context = _in_another_name(caller, context, actor, scope)
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


@lent(action=SECURITY, resource="security", writes=False, waits=False)
def funcs_security(caller: Caller) -> None:
    """Find out now, rather than at the call, whether one may be made in another name."""


def _in_another_name(caller: Caller, context: CallContext, actor: int, scope: int) -> CallContext:
    who = caller.held.get(actor, Actor) if actor else context.actor
    if not scope:
        return context._replace(actor=who)
    # A scope without an actor would bind nobody.
    bound = caller.held.get(scope, Scope)
    return context._replace(actor=who or Actor(caller.context.entry), scope=bound)


class _Failed(MoonqError):
    """A called function's own failure, handed to its caller."""

    def __init__(self, kind: str, message: str, retryable: bool | None) -> None:
        super().__init__(message)
        self.kind = kind
        self.retryable = retryable
