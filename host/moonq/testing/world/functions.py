"""Functions of a project in states that are under test."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from moonq.registry import Project
from moonq.run.context import CallContext
from moonq.run.functions import Functions
from moonq.run.lending import Caller
from moonq.run.services import HostServices
from moonq.sandbox.lend import Bound
from moonq.sandbox.state import Limits, LuaState
from moonq.testing.world.states import StateUnderTest
from moonq.testing.world.told import Told


class FunctionsUnderTest(Functions):
    """See `Functions`; its states have the stubs of the running test."""

    def __init__(self, project: Project, services: HostServices, world: Told) -> None:
        super().__init__(project, services)
        self._world = world

    def _enter(self, caller: Caller, context: CallContext, state: LuaState) -> None:
        super()._enter(caller, context, state)
        caller.is_timed = self._world.is_real

    def _new_state(
        self,
        lends: Mapping[str, Bound],
        limits: Limits,
        on_abandoned: Callable[[], None],
    ) -> LuaState:
        return StateUnderTest(lends, limits, on_abandoned, self._world)
