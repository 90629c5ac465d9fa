"""Functions of a project in states that are under test."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from moonq.registry import Project
from moonq.run.functions import Functions
from moonq.sandbox.lend import Caller, Services
from moonq.sandbox.state import Lent, Limits, LuaState
from moonq.testing.world.states import StateUnderTest
from moonq.testing.world.told import Told


class FunctionsUnderTest(Functions):
    """See `Functions`; its states have the stubs of the running test."""

    def __init__(self, project: Project, services: Services, world: Told) -> None:
        super().__init__(project, services)
        self._world = world

    def open(
        self,
        function: str,
        caller: Caller,
        *,
        decodes: bool = True,
        on_abandoned: Callable[[], None] = lambda: None,
        timeout: float | None = None,
    ) -> LuaState:
        """Return a new state with *function* open."""
        state = super().open(
            function, caller, decodes=decodes, on_abandoned=on_abandoned, timeout=timeout
        )
        if not self._world.is_real:
            # What is left of real time says nothing about how long a script may sleep.
            caller.remaining = lambda: None
        return state

    def _new_state(
        self,
        lends: Mapping[str, Lent],
        limits: Limits,
        caller: Caller,
        on_abandoned: Callable[[], None],
    ) -> LuaState:
        return StateUnderTest(lends, limits, on_abandoned, self._world)
