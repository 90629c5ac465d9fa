"""What a host lends to scripts: the Python half of each stdlib module, in a file of its name.

Every function that is declared with `lent` in a file of this folder is lent to every state, so a
further module needs no line anywhere else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from moonq.run.calling.lending import Caller, Lent
from moonq.run.calling.services import HostServices
from moonq.sandbox.lend import Bound


@cache
def declared() -> tuple[Lent, ...]:
    """Return every lent function of a host."""
    modules = (import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__))
    return tuple(one for module in modules for one in vars(module).values() if type(one) is Lent)


@cache
def changing() -> frozenset[str]:
    """Return the actions that change something; a session that may only look has none of them."""
    return frozenset(action for one in declared() if one.writes for action in one.actions)


@cache
def _by_name() -> Mapping[str, Lent]:
    return {one.name: one for one in declared()}


class _Lends(Mapping[str, Bound]):
    """What is lent to one caller; each is made when it is asked for, for a state needs few."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def __getitem__(self, name: str) -> Bound:
        return _by_name()[name].bound(self._caller)

    def __iter__(self) -> Iterator[str]:
        return iter(_by_name())

    def __len__(self) -> int:
        return len(_by_name())


def lent_functions(host: HostServices, caller: Caller) -> Mapping[str, Bound]:
    """Return what *host* lends to the state of *caller*, by name."""
    caller.host = host
    return _Lends(caller)
