"""Who may come in, and what those may do who may only look."""

from __future__ import annotations

import json
import logging
import os
import resource
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from moonq.control.client import Client, connect
from moonq.control.locating import place_of
from moonq.control.server import MOST
from moonq.errors import ReadOnly, Unavailable
from moonq.host import Host
from moonq.operations.verbs import VERBS

from ..conftest import MakeHost, until
from .conftest import ENTRIES, FILES, Serve

NOBODY = 65534
STRANGER = """
import os, socket, sys
connection = socket.socket(socket.AF_UNIX)
os.setuid(int(sys.argv[2]))
try:
    connection.connect(sys.argv[1])
    print(connection.recv(65536).decode())
except PermissionError:
    print("refused by the file system")
"""


def as_nobody(path: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", STRANGER, str(path), str(NOBODY)],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")


@needs_root
def test_another_user_does_not_get_through_the_file_system(host: Host) -> None:
    assert "refused by the file system" in as_nobody(place_of(host.project.root).socket)


@needs_root
def test_another_user_gets_no_word_even_where_the_files_are_open(host: Host) -> None:
    place = place_of(host.project.root)
    place.socket.chmod(0o666)
    folder = place.socket.parent
    while folder != folder.parent:
        folder.chmod(folder.stat().st_mode | 0o755)
        folder = folder.parent
    answer = json.loads(as_nobody(place.socket))
    assert answer["error"]["kind"] == "PERMISSION_DENIED"
    assert "hello" not in answer


def test_there_is_an_end_to_how_many_may_attach(clients: Callable[[], Client]) -> None:
    attached = [clients() for _ in range(MOST)]
    with pytest.raises(Unavailable, match="attached already"):
        clients()
    attached[0].close()
    until(lambda: can_attach(clients))


def has_taken(one: socket.socket, taken: list[int]) -> bool:
    """Take a file descriptor, if there is one or somebody gives one back for a moment."""
    for _ in range(20):
        try:
            taken.append(os.dup(one.fileno()))
        except OSError:
            time.sleep(0.002)
        else:
            return True
    return False


def test_a_host_without_file_descriptors_lets_people_in_again_when_it_has_some(
    host: Host, clients: Callable[[], Client]
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with socket.socket(socket.AF_UNIX) as late:
        taken: list[int] = []
        resource.setrlimit(resource.RLIMIT_NOFILE, (late.fileno() + 1, hard))
        try:
            until(lambda: not has_taken(late, taken))
            late.settimeout(0.2)
            late.connect(str(place_of(host.project.root).socket))
            with pytest.raises(TimeoutError):
                late.recv(1)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            for one in taken:
                os.close(one)
        late.settimeout(10)
        assert late.recv(1) == b"{"
    assert can_attach(clients)


def test_a_host_without_threads_says_so_and_lets_people_in_again_when_it_has_some(
    host: Host, clients: Callable[[], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    start = threading.Thread.start

    def tried(thread: threading.Thread) -> None:
        if thread.name == "moonq-control-in":
            raise RuntimeError("can't start new thread")
        start(thread)

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", tried)
        with pytest.raises(Unavailable, match="lets this process have no thread more"):
            clients()
    assert can_attach(clients)


def can_attach(clients: Callable[[], Client]) -> bool:
    try:
        clients()
    except Unavailable:
        return False
    return True


def listening() -> set[str]:
    """The sockets of this process that listen on the network."""
    files = [path for path in Path("/proc/self/fd").iterdir() if path.is_socket()]
    inodes = {str(path.stat().st_ino) for path in files}
    found = set()
    for table in ("tcp", "tcp6", "udp", "udp6"):
        rows = Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        found |= {row.split()[9] for row in rows if row.split()[3] == "0A"}
    return inodes & found


def test_nothing_listens_on_the_network(request: pytest.FixtureRequest) -> None:
    # Tests of the outside have servers of their own in this process.
    before = listening()
    request.getfixturevalue("host")
    assert listening() == before


PASSES_ON = """
  - name: passes_on
    kind: function.lua
    modules: [queue]
    source: "return function(n) return require('queue').publish('idle', n) end"
"""


@pytest.fixture
def production(make_host: MakeHost, serve: Serve) -> Host:
    host = make_host(ENTRIES + PASSES_ON, start=False, **FILES)
    (host.project.root / "moonq.yaml").write_text("production: true\nredact: [card]\n")
    from moonq.kinds import load

    host = Host(load(host.project.root))
    host.start()
    serve(host)
    return host


@pytest.fixture
def reader(production: Host) -> Any:
    with connect(production.project.root) as client:
        yield client
    production.stop(timeout=1)


FIELDS: dict[str, dict[str, Any]] = {
    "publish": {"queue": "idle", "messages": [{"json": "1"}]},
    "call": {"function": "work", "send": True},
    "pause": {"target": "worker"},
    "scale": {"consumer": "worker", "workers": 2},
    "resume": {"target": "worker"},
    "start": {"target": "worker"},
    "retry": {"queue": "jobs", "confirm": "app:jobs"},
    "drop": {"queue": "jobs", "confirm": "app:jobs"},
    "purge": {"queue": "idle", "confirm": "app:idle"},
    "move": {"source": "jobs", "target": "idle"},
    "reload": {},
    "stop": {},
}


@pytest.mark.parametrize("kind", [verb.name for verb in VERBS.values() if verb.changes])
def test_a_read_only_session_can_do_nothing_that_changes_anything(
    reader: Client, kind: str
) -> None:
    assert reader.read_only
    with pytest.raises(ReadOnly) as raised:
        reader.request(kind, **FIELDS.get(kind, {}))
    assert (raised.value.code, raised.value.exit_code) == ("S602", 6)


CHANGES = [
    'queue.publish("app:idle", 1)',
    'queue.publish_batch("app:idle", { { body = 1 } })',
    'funcs.call("app:work", { id = 1, total = 1 })',
    'store.open("app:cache"):set("k", 1)',
    'store.open("app:cache"):incr("k")',
    'store.open("app:cache"):delete("k")',
    'mq.purge("idle", { confirm = "app:idle" })',
    'mq.pause("worker")',
    'mq.call("work", { id = 1, total = 1 }, { send = true })',
    'mq.dead.drop("jobs", { confirm = "app:jobs" })',
    'mq.move("idle", "jobs")',
    "mq.reload()",
    'load([[return queue.publish("app:idle", 1)]])()',
    'coroutine.wrap(function() return queue.publish("app:idle", 1) end)()',
]


@pytest.mark.parametrize("source", CHANGES)
def test_nor_can_its_code(reader: Client, production: Host, source: str) -> None:
    answer = reader.request("eval", src=source)
    assert answer["fault"]["kind"] == "PERMISSION_DENIED"
    assert "S602" in answer["fault"]["message"]
    assert production.queues.info("app:idle").ready == 0
    assert production.services.stores["app:cache"].keys("") == []
    assert not production.consumers["app:worker"].status().paused


def test_looking_is_allowed(reader: Client) -> None:
    looks = {
        "entry": {"name": "jobs"},
        "peek": {"queue": "jobs"},
        "dead_letters": {"queue": "jobs"},
    }
    for kind in ("status", "queues", "consumers", "entries", "entry", "graph", "peek"):
        assert reader.request(kind, **looks.get(kind, {}))
    assert reader.request("eval", src='queue.info("app:idle").ready')["texts"] == ["0"]
    assert reader.request("snapshot", queue="idle")["count"] == 0


def test_write_access_is_given_on_demand_and_logged_with_who_got_it(
    reader: Client, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="moonq.control"):
        reader.write()
        reader.request("publish", queue="idle", messages=[{"json": "1"}])
    user = reader.hello["user"]
    assert f"console:{user} may change things from now on" in caplog.text
    assert f"console:{user} publish app:idle 1" in caplog.text


def said(caplog: pytest.LogCaptureFixture, client: Client) -> list[str]:
    who = f"console:{client.hello['user']} "
    texts = [one.getMessage() for one in caplog.records if one.name == "moonq.control"]
    return [text.removeprefix(who) for text in texts if text.startswith(who)]


@pytest.mark.parametrize("source", CHANGES)
def test_whatever_code_changes_in_production_is_logged(
    reader: Client, caplog: pytest.LogCaptureFixture, source: str
) -> None:
    reader.write()
    caplog.clear()
    with caplog.at_level(logging.WARNING, logger="moonq.control"):
        reader.request("eval", src=source)
    assert said(caplog, reader), caplog.text


@pytest.mark.parametrize(
    "kind", [verb.name for verb in VERBS.values() if verb.changes and verb.name != "stop"]
)
def test_so_is_whatever_is_asked_for(
    reader: Client, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    reader.write()
    caplog.clear()
    with caplog.at_level(logging.WARNING, logger="moonq.control"):
        reader.request(kind, **FIELDS[kind])
    [line] = [line for line in said(caplog, reader) if line.startswith(kind)]
    assert not FIELDS[kind] or " app:" in line


def test_a_change_is_logged_by_its_full_id_at_once_and_counted_with_its_statement(
    reader: Client, caplog: pytest.LogCaptureFixture
) -> None:
    reader.write()
    caplog.clear()
    loop = 'for i = 1, 40 do queue.publish("idle", i) end store.open("cache"):set("k", 1)'
    with caplog.at_level(logging.WARNING, logger="moonq.control"):
        reader.request("eval", src=f'{loop} queue.info("idle")')
        reader.request("eval", src='queue.publish("idle", 1)')
    assert said(caplog, reader) == [
        "queue.publish app:idle",
        "store.write app:cache",
        "queue.publish app:idle, 39 more times",
        "queue.publish app:idle",
    ]


def test_a_change_by_a_function_that_is_called_is_logged_as_the_persons(
    reader: Client, production: Host, caplog: pytest.LogCaptureFixture
) -> None:
    reader.write()
    caplog.clear()
    with caplog.at_level(logging.WARNING, logger="moonq.control"):
        reader.request("eval", src='funcs.call("passes_on", 1)')
    assert said(caplog, reader) == ["funcs.call app:passes_on", "queue.publish app:idle"]
    assert production.queues.info("app:idle").ready == 1


def test_code_in_development_changes_things_without_a_word(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="moonq.control"):
        client.request("eval", src='queue.publish("idle", 1)')
    assert said(caplog, client) == []


def test_write_access_of_one_session_is_not_that_of_another(
    reader: Client, production: Host
) -> None:
    reader.write()
    with connect(production.project.root) as other, pytest.raises(ReadOnly):
        other.request("pause", target="worker")


def test_hidden_fields_stay_hidden_from_those_who_may_only_look(
    reader: Client, production: Host
) -> None:
    production.queues.publish(b"app:idle", b'{"card":"4111","order":{"card":"42"}}')
    [message] = reader.request("peek", queue="idle")["messages"]
    assert message["body"] == {"card": "[redacted]", "order": {"card": "[redacted]"}}
    with pytest.raises(ReadOnly):
        reader.request("peek", queue="idle", redact=False)
    reader.write()
    [message] = reader.request("peek", queue="idle", redact=False)["messages"]
    assert message["body"]["card"] == "4111"


def test_every_change_is_logged_with_who_made_it(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    user = client.hello["user"]
    with caplog.at_level(logging.INFO, logger="moonq.control"):
        client.request("pause", target="worker")
        client.request("purge", queue="idle", confirm="app:idle")
        client.request("eval", src='mq.resume("worker")')
        client.request("call", function="work", argument='{"id":1,"total":1}')
    for line in ("pause app:worker", "purge app:idle 0", "resume app:worker", "call app:work"):
        assert f"console:{user} {line}" in caplog.text


def test_a_root_owned_socket_is_reached_only_by_its_path(host: Host) -> None:
    """The abstract namespace has no permissions, so the socket must not be in it."""
    bound = socket.socket(socket.AF_UNIX)
    with bound, pytest.raises(ConnectionRefusedError):
        bound.connect("\0" + str(place_of(host.project.root).socket))
