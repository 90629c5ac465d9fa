"""The control socket of a `moonq run`: where consoles and other commands attach.

with Doorway(host, path, socket=None, end=...) as door:     # raises AlreadyRunning
    host.start()
    door.open()
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from moonq import log

if TYPE_CHECKING:
    from moonq.control.server import Server
    from moonq.host import Host

_log = log.get("moonq.control")


class Doorway:
    """A socket at the project's place, at another path, or (`none`) none at all."""

    def __init__(
        self, host: Host, project: Path, socket: str | None, end: Callable[[bool], None]
    ) -> None:
        self._server = None if socket == "none" else _server(host, project, socket, end)

    def __enter__(self) -> Doorway:
        self._go_on(lambda server: server.claim())
        return self

    def __exit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.stop()

    def open(self) -> None:
        """Let people in."""
        self._go_on(lambda server: server.listen())

    def _go_on(self, step: Callable[[Server], None]) -> None:
        """Take the next step, or do without: a host on a read-only disk serves all the same."""
        if self._server is None:
            return
        try:
            step(self._server)
        except OSError as problem:
            where = problem.filename or self._server.place.socket
            _log.warning("no console can attach: %s: %s", where, (problem.strerror or "").lower())
            self._server.stop()
            self._server = None


def _server(host: Host, project: Path, socket: str | None, end: Callable[[bool], None]) -> Server:
    from moonq.control.locating import place_of
    from moonq.control.server import Server

    return Server(host, place_of(project, Path(socket) if socket else None), end)
