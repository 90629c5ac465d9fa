"""The clients of a host: one for each `http.client` entry, and one for scripts that name none.

    clients = Clients(project)
    clients.settings("app:bank")    # what its entry says
    with clients.client("app:bank") as client: ...

They are made when they are first asked for, and made anew when a reload changes their entry.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, cast

from moonq.errors import MoonqError
from moonq.registry.project import Project
from moonq.registry.script import Script
from moonq.run.web.settings import DEFAULTS, WebSettings
from moonq.run.web.wanted import WHAT
from moonq.text import extras

if TYPE_CHECKING:
    from moonq.run.web.client import Client

KIND = "http.client"


class Clients:
    """See the module; an empty id is the client without an entry."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._lock = threading.Lock()
        self._made: dict[str, Client] = {}

    def warm(self) -> None:
        """Load the library beside all else, where a script may want it: it takes its time."""
        scripts = (entry.config for entry in self._project.entries.values())
        if any(isinstance(one, Script) and "http" in one.modules for one in scripts):
            threading.Thread(target=_warm, name="moonq-http", daemon=True).start()

    def renew(self, project: Project) -> None:
        """Follow another version of the project: what is at work ends with its old settings."""
        with self._lock:
            old, self._project = self._project, project
            changed = [id_ for id_ in self._made if not self._is_same(id_, old)]
            gone = [self._made.pop(id_) for id_ in changed]
        for client in gone:
            client.retire()

    def settings(self, id_: str) -> WebSettings:
        """Return what the entry says.

        Raises:
            NotFound: There is no such http.client.
        """
        if not id_:
            return DEFAULTS
        entry = self._project.entries[self._project.id_of(id_, KIND)]
        return cast(WebSettings, entry.config)

    def client(self, id_: str) -> Client:
        """Return the client, for a `with` around each call.

        Raises:
            NotFound: There is no such http.client.
            Unsupported: The library is not installed.
        """
        _load()
        from moonq.run.web.client import Client

        settings = self.settings(id_)
        with self._lock:
            found = self._made.get(id_)
            if found is None:
                found = self._made[id_] = Client(
                    settings,
                    self._project.root,
                    is_production=self._project.settings.production,
                )
            return found

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            made, self._made = self._made, {}
        for client in made.values():
            client.close()

    def _is_same(self, id_: str, old: Project) -> bool:
        new = self._project
        if new.settings.production != old.settings.production:
            return False
        if not id_:
            return True
        entry = new.entries.get(id_)
        return entry is not None and entry.config == old.entries[id_].config


def _load() -> None:
    extras.client("http", "httpx2", WHAT)
    import_module("moonq.run.web.asking")


def _warm() -> None:
    # Without the library it is the first request that says so.
    with suppress(MoonqError):
        _load()
