"""What a Redis server or the way to it says, in words: the cause and what to do, no password."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import redis
from tests.servers import redis as servers
from tests.servers.process import free_port, until
from tests.servers.proxy import Proxy

from moonq.drivers.redis.connection import Link
from moonq.drivers.redis.entry import RedisFields
from moonq.drivers.redis.errors import told
from moonq.errors import (
    Conflict,
    QueueError,
    QueueFull,
    Refused,
    Unavailable,
    Unopened,
    Unsupported,
)

#: It starts servers of its own, and mostly waits.
pytestmark = pytest.mark.aside("redis")

PASSWORD = "s3cret"


def link(url: str, root: Path = Path(), **more: Any) -> Link:
    told_of = {"name": "r", "kind": "queue.driver.redis", "connection_timeout": 0.5, "url": url}
    return Link(RedisFields.model_validate({**told_of, **more}), root, tag="moonq")


def problem_of(link: Link, run: Callable[[Any], object] = lambda client: client.ping()) -> Any:
    """What comes of it when a client is asked for and used; it must fail."""

    def use() -> None:
        with closing(link.client(answer_within=0.5)) as client:
            run(client)

    with pytest.raises((QueueError, redis.RedisError)) as caught:
        use()
    problem = caught.value
    found = problem if isinstance(problem, QueueError) else told(problem, link.where)
    assert PASSWORD not in f"{found!r} {found}"
    return found


def check(problem: QueueError, kind: type[QueueError], says: str, hint: str) -> None:
    assert type(problem) is kind
    assert says in problem.message
    assert hint in problem.hint


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("redis")


@pytest.fixture(scope="module")
def users(folder: Path) -> servers.Server:
    (folder / "users").mkdir()
    bob = f"bob on >{PASSWORD} ~* +@all -hset -config"
    return servers.with_users(folder / "users", bob, f"eve on >{PASSWORD} ~theirs:* +@all")


@pytest.fixture(scope="module")
def tls(folder: Path) -> tuple[servers.Server, Path]:
    (folder / "tls").mkdir()
    return servers.with_tls(folder / "tls")


@pytest.fixture(scope="module")
def fussy_tls(folder: Path) -> tuple[servers.Server, Path]:
    (folder / "fussy").mkdir()
    return servers.with_tls(folder / "fussy", tls_auth_clients="yes")


def test_a_server_that_is_not_there() -> None:
    port = free_port()
    problem = problem_of(link(f"redis://:{PASSWORD}@127.0.0.1:{port}/0"))
    check(
        problem, Unavailable, f"nothing listens at redis://127.0.0.1:{port}/0", "start the server"
    )


def test_a_host_that_has_no_address() -> None:
    problem = problem_of(link("redis://no-such-host.invalid/0"))
    check(problem, Unavailable, "redis://no-such-host.invalid:6379/0: no such host", "your DNS")


def test_a_socket_that_is_not_there(tmp_path: Path) -> None:
    problem = problem_of(link(f"unix://{tmp_path}/none.sock"))
    check(problem, Unavailable, "none.sock: there is no such socket", "look at the path")


def test_a_socket_that_is_there(tmp_path: Path) -> None:
    path = tmp_path / "r.sock"
    servers.fresh(tmp_path, {"unixsocket": str(path)})
    with closing(link(f"unix://{path}?db=3").client(answer_within=1)) as client:
        assert client.ping()
        assert client.client_info()["db"] == 3


def test_a_server_that_wants_a_password(users: servers.Server) -> None:
    check(problem_of(link(users.url)), Refused, "wants a password", "redis://USER:PASSWORD@HOST")


@pytest.mark.parametrize("user", ["bob", "nobody", ""])
def test_a_wrong_password(users: servers.Server, user: str) -> None:
    problem = problem_of(link(f"redis://{user}:{PASSWORD}wrong@127.0.0.1:{users.port}"))
    check(problem, Refused, "does not accept this user and password", "ACL LIST")
    assert user in problem.message


def test_a_forbidden_command(users: servers.Server) -> None:
    ours = link(f"redis://bob:{PASSWORD}@127.0.0.1:{users.port}")
    problem = problem_of(ours, lambda client: client.hset("x", "y", "z"))
    check(problem, Refused, "may not run the command 'hset'", "ACL SETUSER USER +hset")
    problem = problem_of(ours, lambda client: client.config_get("x"))
    check(problem, Refused, "may not run the command 'config|get'", "+config|get")
    problem = problem_of(ours, lambda client: client.eval("redis.call('HSET','x','y','z')", 0))
    assert type(problem) is Refused
    assert "may not run " in problem.message
    text = "ACL failure in script: User bob has no permissions to run the 'hset' command script: on"
    problem = told(redis.ResponseError(text), ours.where)
    check(problem, Refused, "may not run the command 'hset'", "ACL SETUSER USER +hset")


def test_forbidden_keys(users: servers.Server) -> None:
    ours = link(f"redis://eve:{PASSWORD}@127.0.0.1:{users.port}")
    problem = problem_of(ours, lambda client: client.get("x"))
    check(problem, Refused, "may not touch our keys", "ACL SETUSER USER '~{PREFIX}:*'")


def test_a_database_that_is_not_there() -> None:
    problem = problem_of(link(f"redis://127.0.0.1:{servers.shared().port}/99"))
    check(problem, Unopened, "the server has no such database", "usually 0 to 15")


def test_tls_that_is_trusted(tls: tuple[servers.Server, Path]) -> None:
    server, folder = tls
    with closing(
        link(f"rediss://127.0.0.1:{server.port}", folder, tls={"ca": "ca.pem"}).client(
            answer_within=1
        )
    ) as client:
        assert client.ping()


def test_tls_of_an_authority_nobody_knows(tls: tuple[servers.Server, Path]) -> None:
    problem = problem_of(link(f"rediss://127.0.0.1:{tls[0].port}"))
    check(problem, Refused, "shows a certificate that is not trusted: self", "`tls.ca`")


def test_tls_of_another_authority(
    tls: tuple[servers.Server, Path], fussy_tls: tuple[servers.Server, Path]
) -> None:
    wrong = link(f"rediss://127.0.0.1:{tls[0].port}", fussy_tls[1], tls={"ca": "ca.pem"})
    check(problem_of(wrong), Refused, "shows a certificate that is not trusted: ", "`tls.ca`")


def test_tls_that_trusts_everybody(tls: tuple[servers.Server, Path]) -> None:
    ours = link(f"rediss://127.0.0.1:{tls[0].port}", tls={"verify": False})
    with closing(ours.client(answer_within=1)) as client:
        assert client.ping()


def test_no_tls_to_a_server_that_wants_it(tls: tuple[servers.Server, Path]) -> None:
    problem = problem_of(link(f"redis://127.0.0.1:{tls[0].port}"))
    check(problem, Unavailable, "hung up before it had let us in", "write rediss://")


def test_tls_to_a_server_that_has_none() -> None:
    problem = problem_of(link(f"rediss://127.0.0.1:{servers.shared().port}"))
    check(problem, Unavailable, "did not let us in in time", "write redis://")


def test_a_certificate_of_ours_that_is_wanted(fussy_tls: tuple[servers.Server, Path]) -> None:
    server, folder = fussy_tls
    url, ours = f"rediss://127.0.0.1:{server.port}", {"cert": "client.pem", "key": "client.key"}
    problem = problem_of(link(url, folder, tls={"ca": "ca.pem"}))
    # With TLS 1.3 a client is done before it is refused: it may see the alert, or only the end.
    assert isinstance(problem, Unavailable)
    assert "wants a certificate" in problem.in_one_line()
    assert "`tls.cert`" in problem.hint
    with closing(link(url, folder, tls={"ca": "ca.pem", **ours}).client(answer_within=1)) as client:
        assert client.ping()


@pytest.mark.parametrize(
    ("tls_fields", "says"),
    [
        ({"ca": "none.pem"}, "`tls.ca`: there is no file 'none.pem'"),
        ({"ca": "redis.conf"}, "`tls.ca`: 'redis.conf' holds no certificate that can be read"),
        ({"cert": "client.pem"}, "`tls.cert`: 'client.pem' holds no certificate with its private"),
        ({"cert": "client.pem", "key": "server.key"}, "'client.pem' and 'server.key' hold no"),
    ],
)
def test_certificates_that_cannot_be_read(
    tls: tuple[servers.Server, Path], tls_fields: dict[str, str], says: str
) -> None:
    problem = problem_of(link(f"rediss://127.0.0.1:{tls[0].port}", tls[1], tls=tls_fields))
    check(problem, Refused, says, "")


@pytest.fixture
def stranger() -> Iterator[tuple[int, list[bytes]]]:
    """A server of another protocol: the port, and what it answers everybody."""
    answers = [b"HTTP/1.1 400 Bad Request\r\n\r\n"]
    with Proxy(_answering(answers)) as proxy:
        yield proxy.port, answers


def _answering(answers: list[bytes]) -> int:
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with listening, contextlib.suppress(OSError):
            wire, _ = listening.accept()
            with wire:
                wire.recv(1 << 16)
                wire.sendall(answers[0])
                wire.recv(1 << 16)

    threading.Thread(target=serve, daemon=True).start()
    port = listening.getsockname()[1]
    assert isinstance(port, int)
    return port


def test_a_server_of_something_else(stranger: tuple[int, list[bytes]]) -> None:
    problem = problem_of(link(f"redis://127.0.0.1:{stranger[0]}"))
    check(problem, Unopened, "does not speak the Redis protocol", "look at its host and port")


def test_a_server_in_protected_mode(stranger: tuple[int, list[bytes]]) -> None:
    stranger[1][0] = b"-DENIED Redis is running in protected mode because ...\r\n"
    problem = problem_of(link(f"redis://127.0.0.1:{stranger[0]}"))
    check(problem, Refused, "takes connections from its own machine only", "set a password there")


def test_a_server_from_before_our_protocol(stranger: tuple[int, list[bytes]]) -> None:
    stranger[1][0] = b"-ERR unknown command `HELLO`, with args beginning with: `3`, \r\n"
    problem = problem_of(link(f"redis://127.0.0.1:{stranger[0]}"))
    check(problem, Unsupported, "lacks a command that moonq needs", "Redis 6.2 or later")


@pytest.mark.parametrize("said", [b"unknown command 'HELLO'", b"something odd"])
def test_a_server_that_repeats_what_it_was_given_tells_no_password(
    stranger: tuple[int, list[bytes]], said: bytes
) -> None:
    stranger[1][0] = b"-ERR %b, with args beginning with: '3' 'AUTH' 'ada' 's3cret' \r\n" % said
    problem = problem_of(link(f"redis://ada:s3cret@127.0.0.1:{stranger[0]}"))
    assert "s3cret" not in problem.in_one_line()
    assert problem.message.endswith(said.decode())


def test_a_server_that_says_nothing() -> None:
    with Proxy(servers.shared().port) as proxy:
        ours = link(f"redis://127.0.0.1:{proxy.port}")
        with closing(ours.client(answer_within=0.2)) as client:
            proxy.black_hole()
            with pytest.raises(redis.TimeoutError) as caught:
                client.ping()
        check(told(caught.value, ours.where), Unavailable, "did not answer in time", "overloaded")
        check(problem_of(ours), Unavailable, "did not let us in in time", "rediss://")


def test_a_connection_that_is_cut() -> None:
    with Proxy(servers.shared().port) as proxy:
        ours = link(f"redis://127.0.0.1:{proxy.port}")
        problem = problem_of(ours, lambda client: (proxy.cut(), client.ping()))
        check(problem, Unavailable, "hung up: it was stopped, or the network was cut", "")


def test_a_server_with_as_many_clients_as_it_takes(tmp_path: Path) -> None:
    server = servers.fresh(tmp_path, {"maxclients": "1"})
    with closing(link(server.url).client(answer_within=1)):
        check(
            problem_of(link(server.url)), Unavailable, "as many clients as it takes", "maxclients"
        )


def test_a_server_without_memory(tmp_path: Path) -> None:
    server = servers.fresh(tmp_path, {"maxmemory": "1kb"})
    problem = problem_of(link(server.url), lambda client: client.set("x", "y"))
    check(problem, QueueFull, "has no memory left for messages", "raise maxmemory")
    script = "return redis.call('SET','x','y')"
    problem = problem_of(link(server.url), lambda client: client.eval(script, 0))
    check(problem, QueueFull, "has no memory left for messages", "raise maxmemory")


def test_a_server_that_cannot_write_to_its_disk(tmp_path: Path) -> None:
    server = servers.fresh(tmp_path, {"save": "3600 1"}, is_durable=False)
    (server.folder / "dump.rdb").mkdir()
    with server.client() as client:
        client.set("x", "y")
        client.bgsave()
        until(lambda: client.info("persistence")["rdb_last_bgsave_status"] == "err", "it failed")
    problem = problem_of(link(server.url), lambda client: client.set("x", "y"))
    check(problem, Unavailable, "cannot write to its disk and takes nothing", "room on its disk")


def test_a_server_that_is_busy_with_a_script(tmp_path: Path) -> None:
    server = servers.fresh(tmp_path, {"busy-reply-threshold": "10"})
    with closing(link(server.url).client(answer_within=1)) as other, server.client() as client:
        client.connection_pool.get_connection().send_command("EVAL", "while true do end", "0")
        until(lambda: _is_busy(other), "the script runs", 5)
        problem = problem_of(link(server.url))
        check(problem, Unavailable, "is busy with a script that does not end", "SCRIPT KILL")
        other.script_kill()


def _is_busy(client: Any) -> bool:
    try:
        client.ping()
    except redis.ResponseError as problem:
        return str(problem).startswith("BUSY")
    return False


def test_a_server_that_is_still_loading(tmp_path: Path) -> None:
    settings = {"key-load-delay": "20000", "loading-process-events-interval-bytes": "1024"}
    server = servers.fresh(tmp_path, settings)
    with server.client() as client:
        pipe = client.pipeline()
        for number in range(200):
            pipe.set(f"key{number}", os.urandom(2000))
        pipe.execute()
        client.execute_command("BGREWRITEAOF")
        until(lambda: not client.info("persistence")["aof_rewrite_in_progress"], "rewritten")
    server.kill()
    server.must_be_loaded = False
    server.start()
    check(problem_of(link(server.url)), Unavailable, "is still loading its data", "wait")
    server.kill()


@cache
def _watched(folder: Path) -> servers.Watched:
    return servers.Watched(folder)


@pytest.fixture
def watched(folder: Path) -> servers.Watched:
    return _watched(folder)


def test_a_replica(watched: servers.Watched) -> None:
    problem = problem_of(link(watched.second.url), lambda client: client.set("x", "y"))
    check(problem, Unavailable, "is a replica and takes no writes", "name the master")
    script = "return redis.call('SET','x','y')"
    problem = problem_of(link(watched.second.url), lambda client: client.eval(script, 0))
    check(problem, Unavailable, "is a replica and takes no writes", "name the master")


def test_a_replica_that_has_lost_its_master(tmp_path: Path) -> None:
    lost = f"127.0.0.1 {free_port()}"
    server = servers.fresh(tmp_path, {"replicaof": lost, "replica-serve-stale-data": "no"})
    problem = problem_of(link(server.url), lambda client: client.get("x"))
    check(problem, Unavailable, "is a replica that has lost its master", "start the master")


def test_a_master_that_the_sentinels_do_not_know(watched: servers.Watched) -> None:
    hosts = [f"127.0.0.1:{free_port()}", f"127.0.0.1:{watched.sentinel.port}"]
    problem = problem_of(link("redis://", sentinel={"master": "shoop", "hosts": hosts}))
    check(problem, Unopened, "they know no such master", "one that they watch: shop")


def test_sentinels_that_are_not_there_or_are_none() -> None:
    port, other = free_port(), servers.shared().port
    asked = {"master": "shop", "hosts": [f"127.0.0.1:{port}"]}
    problem = problem_of(link("redis://", sentinel=asked))
    check(problem, Unavailable, f"nothing listens at the sentinel at 127.0.0.1:{port}", "start")
    problem = problem_of(link("redis://", sentinel={**asked, "hosts": [f"127.0.0.1:{other}"]}))
    check(problem, Unopened, f"the sentinel at 127.0.0.1:{other} is no sentinel", "26379")


@pytest.mark.slow
def test_the_master_is_found_by_its_sentinels_also_after_a_failover(tmp_path: Path) -> None:
    watched = servers.Watched(tmp_path)
    hosts = [f"127.0.0.1:{watched.sentinel.port}"]
    ours = link("redis://", sentinel={"master": "shop", "hosts": hosts})
    with closing(ours.client(answer_within=1)) as client:
        client.set("x", "y")
        watched.first.kill()
        check(problem_of(ours), Unavailable, "nothing listens at the master 'shop'", "failover")
    until(lambda: watched.master() == watched.second.port, "the replica takes over", 20)
    with closing(ours.client(answer_within=1)) as client:
        assert client.connection.port == watched.second.port


@pytest.mark.slow
def test_a_cluster_is_asked_where_our_keys_are(tmp_path: Path) -> None:
    server = servers.as_cluster(tmp_path)
    with closing(link(server.url, cluster=True).client(answer_within=1)) as client:
        assert client.set("{moonq}:x", "y")
    with server.client() as client:
        client.execute_command("CLUSTER", "DELSLOTSRANGE", 0, 16383)
    problem = problem_of(link(server.url, cluster=True))
    check(problem, Unavailable, "has no node for our keys", "CLUSTER INFO")


def test_a_server_that_is_no_cluster() -> None:
    problem = problem_of(link(servers.shared().url, cluster=True))
    check(problem, Unopened, "is no node of a cluster", "leave out `cluster: true`")


def test_another_programs_data_under_our_keys() -> None:
    with servers.shared().client() as client:
        client.set("theirs", "x")
    problem = problem_of(link(servers.shared().url), lambda client: client.lpop("theirs"))
    check(problem, Conflict, "holds another program's data under our keys", "`prefix`")
