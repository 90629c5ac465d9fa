"""What a running host's lent functions work on; `lends` has the functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from moonq.clock import Clock
from moonq.errors import NotFound
from moonq.registry.project import Project
from moonq.run.calling.context import CallContext
from moonq.run.calling.sinks import HostSink
from moonq.run.queues import Queues
from moonq.run.stores import Store
from moonq.sandbox.state import LuaState


class HostServices:
    """The parts of one host that scripts can reach; a reload renews some of them."""

    borrow: Callable[[str, CallContext, float | None], AbstractContextManager[LuaState]]
    """Lends a state of a function for one call in a context, opened within so many seconds."""
    is_timed = True
    """Whether the real time that is left to a call is what a wait in it may take."""

    def __init__(
        self, project: Project, clock: Clock, queues: Queues, env: Mapping[str, str]
    ) -> None:
        self.project = project
        self.clock = clock
        self.queues = queues
        self.stores: dict[str, Store] = {}
        self.sink = HostSink(queues, clock)
        """Where the writes of all calls go that are not merely tried."""
        self._env = env
        self.variables = _variables(project, env)

    def renew(self, project: Project) -> None:
        """Show scripts another version of the project."""
        self.project = project
        self.variables = _variables(project, self._env)

    def entry_id(self, name: str) -> str:
        """Return the full id of the entry *name*.

        Raises:
            NotFound: There is none, or several are called so.
        """
        return name if name in self.project.entries else self.project.resolve(name).id

    def store(self, store: str) -> Store:
        """Return a store by its id.

        Raises:
            NotFound: There is none.
        """
        found = self.stores.get(store)
        if found is None:
            raise NotFound(f"store {store!r} does not exist, or is not started")
        return found


def _variables(project: Project, env: Mapping[str, str]) -> dict[str, str | None]:
    """Return the values of all variables, by their names and by the ids of their entries."""
    result: dict[str, str | None] = {}
    for entry in project.of_kind("env.variable"):
        fields: Any = entry.config
        value = env.get(fields.variable, fields.default)
        result[fields.variable] = value
        result[entry.id] = value
    return result
