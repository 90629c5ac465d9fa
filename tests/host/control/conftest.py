"""Hosts of small projects that can be reached over their socket."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from moonq.control.client import Client, connect
from moonq.control.locating import place_of
from moonq.control.server import Server
from moonq.host import Host

from ..conftest import MakeHost

ENTRIES = """
  - {name: jobs, kind: queue.queue, driver: memory, retry: {max_attempts: 1}}
  - {name: worker, kind: queue.consumer, queue: jobs, func: work}
  - {name: work, kind: function.lua, source: file://work.lua, modules: [logger]}
  - {name: idle, kind: queue.queue, driver: memory}
  - {name: spin, kind: function.lua, source: file://spin.lua}
  - {name: nap, kind: function.lua, source: file://nap.lua, modules: [time]}
  - {name: cache, kind: store.memory}
  - {name: sums, kind: library.lua, source: file://sums.lua}
"""
WORK = """
local logger = require("logger")

local function charge(job)
  if job.total < 0 then
    error("negative total of order " .. job.id)
  end
end

return function(job)
  logger.info("working", { job = job.id })
  if job.bank == "down" then
    return nil, errors.new({ message = "bank is down", kind = errors.TIMEOUT })
  end
  charge(job)
end
"""
FILES = {
    "work": WORK,
    "spin": "return function() while true do end end",
    "nap": "return function() require('time').sleep(30) end",
    "sums": "return { add = function(a, b) return a + b end }",
}


@pytest.fixture(autouse=True)
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A runtime folder of the test's own, with a short name: sockets cannot have long ones."""
    folder = Path(tempfile.mkdtemp(prefix="mq"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    yield folder
    shutil.rmtree(folder)


Serve = Callable[..., Server]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Let a host be reached at its project's place."""
    monkeypatch.setattr("moonq.control.server.LOOK", 0.05)
    servers: list[Server] = []

    def serve(host: Host) -> Server:
        server = Server(host, place_of(host.project.root))
        server.claim()
        server.listen()
        servers.append(server)
        return server

    yield serve
    for server in servers:
        server.stop()


@pytest.fixture
def host(make_host: MakeHost) -> Host:
    """A running host."""
    return make_host(ENTRIES, **FILES)


@pytest.fixture(autouse=True)
def server(request: pytest.FixtureRequest, serve: Serve) -> Server | None:
    """The socket of the host, where a test has one."""
    return serve(request.getfixturevalue("host")) if "host" in request.fixturenames else None


@pytest.fixture
def clients(host: Host) -> Iterator[Callable[[], Client]]:
    """Make any number of clients of the host."""
    made: list[Client] = []

    def make() -> Client:
        made.append(connect(host.project.root))
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture
def client(clients: Callable[[], Client]) -> Client:
    """One client of the host."""
    return clients()
