"""Hosts and states whose children can misbehave; see `spiteful_server.py`."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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


def processes() -> int:
    """Count the children of this process's fork server."""
    total = 0
    for stat in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            total += b"spiteful_server" in stat.read_bytes()
        except OSError:
            continue
    return max(0, total - 1)
