"""A host to ask: the one that runs, or a private one for as long as one command takes.

    with reach(Path("shop")) as host:
        host.request("peek", queue="orders")

A private host has its consumers off and starts only what a request is about. It can show and change
what lies with a durable driver; what lies in another process's memory it cannot, and says so.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from moonq.control.client import Client, connect
from moonq.errors import Invalid, NoHost, NotFound

if TYPE_CHECKING:
    from moonq.control.lua_session import LuaSession
    from moonq.host import Host
    from moonq.operations import Operations
    from moonq.run.queues import Route

#: Requests that are about the project's files alone.
STATIC = {"entries", "entry", "graph"}
#: Requests that only a host with consumers can answer.
LIVE = {"status", "consumers", "reload", "stop", "start", "write"}


class Reached(Protocol):
    """Something that answers requests as a running host does."""

    is_live: bool
    read_only: bool

    def request(self, kind: str, **fields: Any) -> Any:
        """Return the answer, or raise what went wrong."""
        ...

    def __enter__(self) -> Reached: ...

    def __exit__(self, *_: object) -> None: ...


def reach(project: Path, *, needs_live: bool = False) -> Client | Direct:
    """Return the running host of *project*, or a private one.

    Raises:
        NoHost: None is running, and *needs_live* says that a private one is of no use.
        HostSilent: One is running and does not answer.
    """
    try:
        return connect(project)
    except NoHost:
        if needs_live:
            raise
        return Direct(project)


class Direct:
    """A private host of a project, with its consumers off."""

    is_live = False
    read_only = False

    def __init__(self, project: Path) -> None:
        from moonq.host import Host
        from moonq.kinds import load
        from moonq.operations import Operations

        self.path = project
        self._host: Host = Host(load(project))
        self._operations: Operations = Operations(self._host, "direct")
        self._started: set[str] = set()
        self._is_whole = False
        self._lua: LuaSession | None = None

    def request(self, kind: str, **fields: Any) -> Any:
        """Do what is asked, here.

        Raises:
            NoHost: It is about messages in another process's memory, or about what runs there.
        """
        if kind in LIVE:
            raise self._no_host()
        if kind == "eval":
            return self._evaluate(**fields)
        if kind not in STATIC:
            self._prepare(kind, fields)
        found = self._operations.perform(kind, fields)
        if kind == "queues":
            found["queues"] = [one for one in found["queues"] if self._is_durable(one["id"])]
        return found

    def close(self) -> None:
        """End the private host."""
        if self._lua is not None:
            self._lua.reset()
        self._host.stop(timeout=1.0)

    def __enter__(self) -> Direct:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _prepare(self, kind: str, fields: dict[str, Any]) -> None:
        """Start what the request is about, and see that it is within reach."""
        if kind == "call":
            self._start_all()
            return
        name = fields.get("queue") or fields.get("target") or fields.get("confirm")
        if name is None:
            self._start_all()
            if not any(self._is_durable(one) for one in self._host.queues.ids()):
                raise self._no_host()
            return
        queue = self._queue(str(name))
        if queue not in self._started:
            self._host.start_service(self._host.project.implied.get(queue, queue))
            self._started.add(queue)
        if not self._is_durable(queue):
            raise self._no_host()

    def _queue(self, name: str) -> str:
        project = self._host.project
        try:
            return project.id_of(name, "queue.queue")
        except NotFound:
            if project.resolve(name).kind == "queue.consumer":
                raise self._no_host() from None
            raise

    def _is_durable(self, queue: str) -> bool:
        route: Route = self._host.queues.route(queue)
        return route.driver.capabilities().durable != "none"

    def _start_all(self) -> None:
        if not self._is_whole:
            self._host.start(consumers=False)
            self._is_whole = True

    def _evaluate(self, src: str, timeout: float = 30.0, width: int = 80) -> dict[str, Any]:
        from moonq.control.lua_session import LuaSession

        if not isinstance(src, str):
            raise Invalid("eval: `src` is a text")
        self._start_all()
        if self._lua is None:
            self._lua = LuaSession(
                lambda: self._host.project,
                self._host.services,
                "console",
                lambda: False,
                self._operations.perform,
                print,
            )
        return self._lua.evaluate(src, timeout, width)

    def _no_host(self) -> NoHost:
        return NoHost(
            f"no moonq host is running for {self._host.project.name}, and what was asked is in the"
            " memory of one",
            hint="start one with `moonq run`",
        )
