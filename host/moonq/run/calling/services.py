"""What a running host's lent functions work on; `lends` has the functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

from moonq.clock import Clock
from moonq.databases.database import Database
from moonq.errors import NotFound, Unavailable
from moonq.registry.names import bare
from moonq.registry.project import Project
from moonq.run.calling.context import CallContext
from moonq.run.calling.sinks import HostSink
from moonq.run.queues import Queues
from moonq.run.security import Policies
from moonq.run.stores.base import Store
from moonq.run.web.clients import Clients
from moonq.sandbox.states import State
from moonq.text.suggestions import close, question

VARIABLE = "env.variable"
DATABASE = "sql.database"


class PythonModule(Protocol):
    """A module that is open, see `moonq.run.modules.module`."""

    def call(self, caller: Any, name: str, data: bytes) -> bytes:
        """Call a function of it."""
        ...

    def close(self, timeout: float | None) -> None:
        """Wait for what runs, then close it."""

    def retire(self) -> None:
        """Close it when nothing of it runs any more."""

    def health(self) -> list[str]:
        """Return what keeps it from doing all that it should."""
        ...


class HostServices:
    """The parts of one host that scripts can reach; a reload renews some of them."""

    borrow: Callable[[str, CallContext, float | None], AbstractContextManager[State]]
    """Lends a state of a function for one call in a context, opened within so many seconds."""
    shut: Callable[[str, str], None] | None = None
    """Refuses what reaches beyond the host: gets what it would do, and the line of a test that
    answers for it. None: all of it is done."""
    is_timed = True
    """Whether the real time that is left to a call is what a wait in it may take."""

    def __init__(
        self, project: Project, clock: Clock, queues: Queues, env: Mapping[str, str]
    ) -> None:
        self.clock = clock
        self.queues = queues
        self.stores: dict[str, Store] = {}
        self.databases: dict[str, Database] = {}
        self.http = Clients(project)
        self.modules: dict[str, PythonModule] = {}
        """Those that are open, by their entries' ids."""
        self.sink = HostSink(queues, clock)
        """Where the writes of all calls go that are not merely tried."""
        self._env = env
        self.renew(project)

    def renew(self, project: Project) -> None:
        """Show scripts another version of the project."""
        self.project = project
        self.ids = frozenset(entry.encode("utf-8", "replace") for entry in project.entries)
        """The ids as scripts say them, which need no `entry_id`."""
        self.http.renew(project)
        self.policies = Policies(project)
        self.is_strict = project.settings.security.strict_mode
        """Whether who has no actor or no scope may do nothing."""
        self._read(self._env)

    def entry_id(self, name: str, kind: str) -> str:
        """Return the full id of the entry *name*, one of *kind* (see `Project.of_kind`) or of any.

        A bare name that comes so far is spoken from no namespace: then only one entry may have it.
        A variable may be called by its own name.

        Raises:
            NotFound: There is none, or several are called so.
        """
        if name in self.project.entries:
            return name
        if kind == VARIABLE:
            return self._variable_id(name)
        return self.project.id_of(name, kind) if kind else self.project.resolve(name).id

    def _variable_id(self, name: str) -> str:
        if name in self._called:
            return self._called[name]
        if any(bare(id_) == name for id_ in self._values):
            return self.project.id_of(name, VARIABLE)
        likely = question(close(name, self.variables()))
        raise NotFound(f"no env.variable entry names {name!r}", hint=likely)

    def store(self, store: str) -> Store:
        """Return a store by its id.

        Raises:
            NotFound: There is none.
        """
        found = self.stores.get(store)
        if found is None:
            known = self.project.id_of(store, "store.")
            raise NotFound(f"store {known!r} is not started")
        return found

    def database(self, database: str) -> Database:
        """Return a database by its id.

        Raises:
            NotFound: There is none.
        """
        found = self.databases.get(database)
        if found is None:
            known = self.project.id_of(database, DATABASE)
            raise NotFound(f"database {known!r} is not started")
        return found

    def module(self, module: str) -> PythonModule:
        """Return a module by its id.

        Raises:
            Unavailable: It is not started.
        """
        found = self.modules.get(module)
        if found is None:
            known = self.project.id_of(module, "module.python")
            raise Unavailable(f"module {known} is not started; `moonq status` says why")
        return found

    def variable(self, name: str) -> str | None:
        """Return the value of a variable, by the id of its entry or its own name.

        Raises:
            NotFound: No entry has that id or names such a variable.
        """
        id_ = self.entry_id(name, VARIABLE)
        return self._values[id_ if id_ in self._values else self.project.id_of(id_, VARIABLE)]

    def variables(self) -> dict[str, str]:
        """Return the id of each variable by all that it can be asked for: that, and its name."""
        return {**{id_: id_ for id_ in self._values}, **self._called}

    def _read(self, env: Mapping[str, str]) -> None:
        values: dict[str, str | None] = {}
        called: dict[str, str] = {}
        for entry in self.project.of_kind(VARIABLE):
            fields: Any = entry.config
            values[entry.id] = env.get(fields.variable, fields.default)
            called[fields.variable] = entry.id
        self._values, self._called = values, called
