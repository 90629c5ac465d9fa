"""Finds the host to talk to, or starts a private one in this process.

    with attach(Path("shop"), Wish()) as attached:
        attached.client.request("queues")

A private host has the same socket and the same sessions as any other, in a folder of its own, so
there is one way to do things. Its consumers are off unless they are wished for.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from moonq.control.client import Client, connect
from moonq.control.locating import all_records, place_of
from moonq.errors import Invalid, NoHost, StopTimeout


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command line asked for."""

    to: str = ""
    """A socket, a pid or a project's folder; empty: the project's own host, if it runs."""
    local: bool = False
    start: bool = False


class Attached:
    """A connection, and how to get another one."""

    def __init__(self, connect: Callable[[], Client], *, is_private: bool = False) -> None:
        self.is_private = is_private
        self.connect = connect
        self.client = connect()

    def begin_anew(self) -> None:
        """Leave the session with its variables to itself, and have a new one."""
        before, self.client = self.client, self.connect()
        if not before.read_only and self.client.read_only:
            self.client.write()
        before.close()


@contextlib.contextmanager
def attach(project: Path, wish: Wish) -> Iterator[Attached]:
    """Have a client of the host that is meant.

    Raises:
        NoHost: `wish.to` names one that does not run.
        ProjectInvalid: A private host cannot be made of these files.
    """
    if wish.local and wish.to:
        raise Invalid("a private host is no host to attach to", hint="drop --local or --attach")
    maker = _private if wish.local else _running
    with maker(project, wish) as attached:
        try:
            yield attached
        finally:
            attached.client.close()


@contextlib.contextmanager
def _running(project: Path, wish: Wish) -> Iterator[Attached]:
    def open_client() -> Client:
        if wish.to.isdigit():
            return _by_pid(int(wish.to))
        if wish.to and not Path(wish.to).is_dir() and not wish.to.endswith((".yaml", ".yml")):
            return connect(project, socket_path=Path(wish.to))
        return connect(Path(wish.to) if wish.to else project)

    try:
        attached = Attached(open_client)
    except NoHost:
        if wish.to:
            raise
        with _private(project, wish) as attached:
            yield attached
        return
    yield attached


def _by_pid(pid: int) -> Client:
    for record in all_records():
        if record["pid"] == pid:
            path, socket = Path(record["path"]), Path(record["socket"])
            if place_of(path).socket == socket:
                return connect(path)
            return connect(path, socket_path=socket)
    raise NoHost(f"no moonq host of yours has pid {pid}", hint="`moonq status` lists them")


@contextlib.contextmanager
def _private(project: Path, wish: Wish) -> Iterator[Attached]:
    from moonq.control.server import Server
    from moonq.host import Host
    from moonq.kinds import load

    host = Host(load(project))
    with tempfile.TemporaryDirectory(prefix="moonq-", ignore_cleanup_errors=True) as folder:
        place = place_of(project, Path(folder, "host.sock"))
        server = Server(host, place)
        # Claimed by hand: nobody else shall find this host in the list of running ones.
        with place.claim():
            host.start(consumers=wish.start)
            try:
                server.listen()

                def open_client() -> Client:
                    return connect(project, socket_path=place.socket)

                yield Attached(open_client, is_private=True)
            finally:
                server.stop()
                with contextlib.suppress(StopTimeout):
                    host.stop(timeout=2.0)
