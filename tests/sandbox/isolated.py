"""Hosts and states whose children can misbehave; see `spiteful_server.py`."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from moonq.host import Host
from moonq.kinds import load
from moonq.sandbox.lend import Bound
from moonq.sandbox.process.children import CHILDREN
from moonq.sandbox.process.remote import RemoteState
from moonq.sandbox.state import Limits, LuaSource

MODULES = ("errors", "funcs", "json", "logger", "queue", "store", "time", "uuid")


@contextmanager
def spiteful_children(patch: pytest.MonkeyPatch, kill_after: float = 0.2) -> Iterator[None]:
    """Let all children lend what spins, eats and crashes, and be killed soon."""
    server = Path(__file__).with_name("spiteful_server.py")
    patch.setattr(CHILDREN, "command", [sys.executable, "-P", str(server)])
    patch.setattr("moonq.sandbox.process.remote.KILL_AFTER", kill_after)
    CHILDREN.close()
    yield
    CHILDREN.close()


def remote(
    source: str,
    lends: dict[str, Bound] | None = None,
    *,
    timeout: float | None = 5.0,
    memory: int = 16 * 1024 * 1024,
) -> RemoteState:
    """Return a state in a child of its own with the handler of *source* open."""
    state = RemoteState(lends or {}, Limits(timeout, memory), child=CHILDREN.spawn())
    modules = MODULES if lends else ("check", "errors", "json")
    state.define(LuaSource("app:handler", "handler.lua", source.encode(), modules))
    state.open("app:handler")
    return state


def new_host(folder: Path, entries: str, **files: str) -> Host:
    """Return a host, not started, of a project with *entries* and Lua *files*."""
    (folder / "_index.yaml").write_text("namespace: app\nentries:\n" + entries)
    for name, text in files.items():
        (folder / f"{name}.lua").write_text(text)
    return Host(load(folder))


def publish(host: Host, *bodies: object, queue: str = "app:tasks") -> None:
    """Publish each of *bodies*."""
    for body in bodies:
        host.queues.publish(queue.encode(), json.dumps(body).encode())


def until(holds: Callable[[], bool], limit: float = 30.0) -> None:
    """Wait until it *holds*."""
    deadline = time.monotonic() + limit
    pause = threading.Event()
    while not holds():
        assert time.monotonic() < deadline, "it did not come true in time"
        pause.wait(0.005)


def processes(host: int | None = None) -> list[Path]:
    """Return the folders below /proc of the workers' processes of a host, as a rule of this one."""
    parents = dict(_parents())
    servers = {one for one, parent in parents.items() if parent == (host or os.getpid())}
    return [
        Path("/proc") / str(one)
        for one, parent in parents.items()
        if parent in servers and _called(one) == "moonq-worker"
    ]


def _parents() -> Iterator[tuple[int, int]]:
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            yield int(stat.parent.name), int(fields[1])


def _called(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().strip()
    return ""
