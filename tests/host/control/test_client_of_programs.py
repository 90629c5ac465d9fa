"""`moonq.client`: what a Python program publishes with."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from moonq.client import Client, Publication
from moonq.control.locating import place_of
from moonq.control.server import Server
from moonq.control.wire import encode
from moonq.errors import (
    Invalid,
    NotFound,
    QueueFull,
    TooLarge,
    Unavailable,
    Uncertain,
)
from moonq.host import Host
from moonq.kinds import load
from moonq.operations.choosing import stored_in

from ..conftest import MakeHost, until
from .conftest import Serve

Moonq = Callable[..., Any]
QUEUES = """
  - {name: jobs, kind: queue.queue, driver: memory, max_body: 1KiB, options: {max_length: 600}}
  - {name: texts, kind: queue.queue, driver: memory, codec: raw}
"""


DIRECT = """\
namespace: app
entries:
  - {name: memory, kind: queue.driver.memory}
  - {name: file, kind: queue.driver.sqlite}
  - {name: lost, kind: queue.queue, driver: memory}
  - {name: kept, kind: queue.queue, driver: file}
"""
#: Publishes before and after a fork, in both processes, the child first; prints the ids.
FORKING = """
import os, sys
from moonq.client import Client

_, folder, queue = sys.argv
client = Client(folder, direct=queue == "kept", timeout=10)
print(client.publish(queue, 1), flush=True)
child = os.fork()
if child == 0:
    print(client.publish(queue, 2), flush=True)
    print(client.publish(queue, 3), flush=True)
    client.close()
    os._exit(0)
_, status = os.waitpid(child, 0)
print(client.publish(queue, 4), flush=True)
print(client.publish(queue, 5), flush=True)
client.close()
sys.exit(status != 0)
"""


@pytest.fixture
def shop(make_host: MakeHost) -> Host:
    """A running host without a socket."""
    return make_host(QUEUES)


@pytest.fixture
def program(shop: Host, serve: Serve) -> Iterator[Client]:
    serve(shop)
    with Client(shop.project.root) as client:
        yield client


def stored(host: Host, queue: str = "app:jobs") -> list[Any]:
    return list(stored_in(host.queues.route(queue)))


def test_a_message_is_published_with_all_that_is_said_about_it(shop: Host, program: Client) -> None:
    moment = shop.clock.now() + 3600
    id_ = program.publish(
        "app:jobs",
        {"id": 42, "names": ["Zoë"]},
        headers={"source": "web", "try": 2},
        id="job-42",
        at=datetime.fromtimestamp(moment),
        ttl=timedelta(hours=2),
        priority="high",
        dedup_key="42",
        group="g",
    )
    [found] = stored(shop)
    assert id_ == found.message.id == "job-42"
    assert found.message.body == '{"id":42,"names":["Zoë"]}'.encode()
    assert dict(found.message.headers) == {"source": "web", "try": 2}
    assert found.message.priority.name == "HIGH"
    assert (found.message.group, found.message.dedup_key) == ("g", "42")
    assert found.message.ttl == 7200
    assert abs(found.message.delay - 3600) < 2
    assert program.publish("jobs", 1, dedup_key="42") == "job-42"


def test_bytes_go_into_a_queue_of_raw_text(shop: Host, program: Client) -> None:
    program.publish("app:texts", b"\xff\x00 as it is")
    [found] = stored(shop, "app:texts")
    assert found.message.body == b"\xff\x00 as it is"


def test_many_messages_are_answered_one_by_one(shop: Host, program: Client) -> None:
    messages = [Publication({"n": n}) for n in range(598)]
    messages[7:7] = [Publication(object()), Publication("x" * 2000)]  # type: ignore[arg-type]
    answers = program.publish_batch("jobs", messages)
    assert [type(one) for one in answers[:10]] == [*[str] * 7, Invalid, TooLarge, str]
    assert str(answers[7]) == "body is a object, which JSON does not have"
    assert len({one for one in answers if isinstance(one, str)}) == 598
    assert shop.queues.route("app:jobs").traffic.published == 598
    assert program.publish_batch("jobs", []) == []


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"a": [1, {"b": datetime}]}, "body.a[1].b is a type, which JSON does not have"),
        ([1.0, float("nan")], "body[1] is nan, which JSON does not have"),
        ({("a",): 1}, "body has a tuple as a key"),
    ],
)
def test_a_body_that_json_cannot_carry_is_named(program: Client, body: Any, says: str) -> None:
    with pytest.raises(Invalid, match="body") as refused:
        program.publish("jobs", body)
    assert says in str(refused.value)


def test_a_body_that_contains_itself_is_named(program: Client) -> None:
    body: dict[str, Any] = {"a": []}
    body["a"].append(body)
    with pytest.raises(Invalid, match=r"body.a\[0\] contains itself"):
        program.publish("jobs", body)


def test_a_body_that_is_too_deep_is_refused_however_deep(program: Client) -> None:
    body: list[Any] = []
    for _ in range(100_000):
        body = [body]
    with pytest.raises(Invalid, match="nested deeper than 200 levels"):
        program.publish("jobs", body)


def test_headers_and_options_that_json_cannot_carry_are_named(program: Client) -> None:
    with pytest.raises(Invalid, match=r"headers\.user is a object, which JSON does not have"):
        program.publish("jobs", 1, headers={"user": object()})  # type: ignore[dict-item]
    with pytest.raises(Invalid, match=r"options\.id is a bytes, which JSON does not have"):
        program.publish("jobs", 1, id=b"7")  # type: ignore[typeddict-item]


def test_a_refusal_is_raised_as_what_it_is(program: Client) -> None:
    with pytest.raises(NotFound) as missing:
        program.publish("app:jbos", 1)
    assert "did you mean `app:jobs`" in missing.value.hint
    with pytest.raises(TooLarge):
        program.publish("jobs", "x" * 2000)
    with pytest.raises(Invalid, match="did you mean 'delay'"):
        program.publish("jobs", 1, dely=3)  # type: ignore[call-arg]
    program.publish_batch("jobs", [Publication(1)] * 600)
    with pytest.raises(QueueFull) as full:
        program.publish("jobs", 1)
    assert (full.value.kind, full.value.retryable) == ("RATE_LIMITED", True)


def test_without_a_host_nothing_is_sent_and_with_one_it_goes_on(shop: Host) -> None:
    with Client(shop.project.root) as client:
        with pytest.raises(Unavailable, match="no moonq host is running") as away:
            client.publish("jobs", 1)
        assert away.value.retryable
        for _ in range(2):
            server = Server(shop, place_of(shop.project.root))
            server.claim()
            server.listen()
            client.publish("jobs", 1)
            server.stop()
            reached = client._reached
            until(lambda found=reached: found is None or found.client.is_gone)  # type: ignore[misc]
    assert len(stored(shop)) == 2
    with pytest.raises(Invalid, match="this client is closed"):
        client.publish("jobs", 1)


@pytest.fixture
def deaf(shop: Host) -> Iterator[socket.socket]:
    """Something that says hello as a host does, and never answers."""
    place = place_of(shop.project.root)
    with place.claim(), socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(place.socket))
        listener.listen()
        yield listener


@pytest.mark.parametrize("hangs_up", [True, False])
def test_what_was_sent_and_not_answered_may_have_been_stored(
    shop: Host, deaf: socket.socket, hangs_up: bool
) -> None:
    def serve() -> None:
        connection, _ = deaf.accept()
        with connection, connection.makefile("rb") as lines:
            connection.sendall(encode({"kind": "hello", "project": "x", "pid": 1}))
            lines.readline()
            if not hangs_up:
                lines.read()

    thread = threading.Thread(target=serve)
    thread.start()
    lost = pytest.raises(Uncertain, match="message job-1 may have been stored: the host")
    with Client(shop.project.root, timeout=0.1) as client, lost:
        client.publish("jobs", 1, id="job-1")
    thread.join()


def test_a_host_in_production_is_asked_for_the_right_to_publish(
    make_host: MakeHost, serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    shop = make_host(QUEUES)
    object.__setattr__(shop.project.settings, "production", True)
    serve(shop)
    with Client(shop.project.root) as client, caplog.at_level("WARNING", "moonq.control"):
        client.publish("jobs", 1)
    assert "may change things from now on" in caplog.text


@pytest.mark.parametrize("queue", ["jobs", "kept"])
def test_a_program_that_forks_shares_a_client_with_its_children(
    shop: Host, serve: Serve, tmp_path: Path, queue: str
) -> None:
    serve(shop)
    direct = tmp_path / "direct"
    direct.mkdir()
    (direct / "_index.yaml").write_text(DIRECT)
    script = tmp_path / "forking.py"
    script.write_text(FORKING)
    folder = direct if queue == "kept" else shop.project.root
    # Python warns of every fork beside a thread.
    command = [sys.executable, "-W", "ignore::DeprecationWarning", script, folder, queue]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    ids = done.stdout.split()
    assert len(set(ids)) == len(ids) == 5


def test_threads_share_a_client(shop: Host, program: Client) -> None:
    def work() -> None:
        for n in range(25):
            program.publish("jobs", n)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert shop.queues.route("app:jobs").traffic.published == 200


def test_direct_publishes_into_a_durable_driver_only(tmp_path: Path) -> None:
    (tmp_path / "_index.yaml").write_text(DIRECT)
    with Client(tmp_path) as client, pytest.raises(Unavailable):
        client.publish("kept", 1)
    with Client(tmp_path, direct=True) as client:
        id_ = client.publish("kept", {"n": 1}, delay="0.5s")
        with pytest.raises(Unavailable, match="in the memory of one"):
            client.publish("lost", 1)
        assert client.publish("kept", 2) > id_
    shop = Host(load(tmp_path))
    shop.start()
    assert {one.message.body for one in stored(shop, "app:kept")} == {b'{"n":1}', b"2"}
    shop.stop(timeout=1)


def test_direct_prefers_the_host_that_runs(shop: Host, serve: Serve) -> None:
    serve(shop)
    with Client(shop.project.root, direct=True) as client:
        client.publish("jobs", 1)
    assert len(stored(shop)) == 1


def test_a_socket_can_be_named(shop: Host, serve: Serve, tmp_path: Path) -> None:
    serve(shop)
    place = place_of(shop.project.root)
    with Client(tmp_path, socket=place.socket) as client:
        client.publish("jobs", 1)
    assert len(stored(shop)) == 1
    with pytest.raises(Invalid):
        Client(tmp_path, socket=place.socket, direct=True)


def test_publishing_takes_no_process(program: Client) -> None:
    program.publish("jobs", 0)
    began = time.perf_counter()
    for n in range(100):
        program.publish("jobs", n)
    assert time.perf_counter() - began < 2
