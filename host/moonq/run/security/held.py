"""What the script of one state holds of actors, scopes and policies: numbers that only it knows.

    held = Held()
    number = held.number(clerk)   # the same one for the same actor
    held.get(number, Actor)       # clerk; a number of another state, or a made-up one, raises

Lua has locked objects around the numbers (`lua/run/held.lua`). A number stands for nothing as soon
as its state runs in the name of another actor or scope: what was made in one name gives no rights
in another.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import TypeVar

from moonq.errors import Invalid, QueueError
from moonq.run.security.actor import Actor
from moonq.run.security.policy import Policy
from moonq.run.security.scope import Scope

Thing = TypeVar("Thing", Actor, Scope, Policy)
#: Actors and scopes that one state may hold. Its policies are those of the project, which are there
#: anyway.
MOST = 256
#: Bits of a number: as many as cannot be guessed and fit a Lua integer.
BITS = 62


class TooManyHeld(QueueError):
    """A state holds as many actors and scopes as it may."""

    kind = "RATE_LIMITED"
    retryable = False


class Held:
    """See the module."""

    def __init__(self) -> None:
        self._things: dict[int, Actor | Scope | Policy] = {}
        self._numbers: dict[int, int] = {}

    def number(self, thing: Actor | Scope | Policy) -> int:
        """Return the number of *thing*, which is held from now on.

        Raises:
            TooManyHeld: So it is with too many others.
        """
        # No address is used again while its thing is held.
        known = self._numbers.get(id(thing))
        if known is not None:
            return known
        if not isinstance(thing, Policy) and self._made() >= MOST:
            raise TooManyHeld(f"{MOST} actors and scopes are held already: keep fewer of them")
        number = secrets.randbits(BITS)
        self._things[number], self._numbers[id(thing)] = thing, number
        return number

    def get(self, number: object, kind: type[Thing]) -> Thing:
        """Return what *number* stands for.

        Raises:
            Invalid: It stands for nothing, or for nothing of this kind.
        """
        found = self._things.get(number) if type(number) is int else None
        if type(found) is not kind:
            raise Invalid(
                f"this {kind.__name__.lower()} was made in the name of another actor or scope",
                hint="make it in the function that uses it",
            )
        return found

    def keep(self, numbers: Iterable[int]) -> None:
        """Forget all but *numbers*."""
        kept = {one: self._things[one] for one in numbers if one in self._things}
        self._things = kept
        self._numbers = {id(thing): number for number, thing in kept.items()}

    def clear(self) -> None:
        """Forget all."""
        self.keep(())

    def _made(self) -> int:
        return sum(not isinstance(thing, Policy) for thing in self._things.values())
