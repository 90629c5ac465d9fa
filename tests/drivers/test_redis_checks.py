"""Whether a Redis server can keep the contract, asked before messages are given to it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.servers import redis as servers

from moonq.drivers.redis.checks import Server, check
from moonq.drivers.redis.connection import Link
from moonq.drivers.redis.entry import RedisFields
from moonq.drivers.redis.reach import reach
from moonq.drivers.redis.rights import called, check_rights
from moonq.errors import QueueError, Refused, Unavailable, Unopened, Unsupported

#: It starts servers of its own, and mostly waits.
pytestmark = pytest.mark.aside("redis")

Start = Callable[..., servers.Server]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Starts a server with these lines of redis.conf."""
    return lambda is_durable=True, **settings: servers.fresh(
        tmp_path,
        {name.replace("_", "-"): value for name, value in settings.items()},
        is_durable=is_durable,
    )


def fields(url: str, **more: Any) -> RedisFields:
    told = {"name": "r", "kind": "queue.driver.redis", "connection_timeout": 1.0}
    return RedisFields.model_validate({**told, "url": url, **more})


def warnings(url: str, **more: Any) -> list[str]:
    """Check the server as a driver that opens does."""
    asked = fields(url, **more)
    link = Link(asked, Path(), tag="moonq")
    with closing(link.client(answer_within=1.0)) as client:
        return check(client, asked.durability, link.where, cluster=asked.cluster)


def refused(url: str, **more: Any) -> QueueError:
    with pytest.raises(QueueError) as caught:
        warnings(url, **more)
    with pytest.raises(type(caught.value)):
        reach(fields(url, **more), Path())
    return caught.value


@pytest.mark.parametrize("save", ['""', "3600 1 300 100"])
def test_a_server_without_an_append_only_file_is_refused_with_two_ways_out(
    start: Start, save: str
) -> None:
    server = start(is_durable=False, save=save)
    problem = refused(server.url)
    assert type(problem) is Unsupported
    assert "keeps no append-only file: what it confirmed is gone when it crashes" in str(problem)
    assert ("snapshots lose all that came after the last one" in str(problem)) == (save != '""')
    cli = f"redis-cli -u redis://127.0.0.1:{server.port}"
    assert f"`{cli} CONFIG SET appendonly yes` and `{cli} CONFIG REWRITE`" in problem.hint
    assert "`durability: none` in the entry" in problem.hint


def test_both_ways_out_lead_out(start: Start) -> None:
    server = start(is_durable=False)
    assert warnings(server.url, durability="none") == []
    with server.client() as client:
        client.execute_command("CONFIG", "SET", "appendonly", "yes")
        client.execute_command("CONFIG", "REWRITE")
    warnings(server.url)
    server.kill()
    warnings(server.start().url)


@pytest.mark.parametrize(
    ("fsync", "says"),
    [
        ("always", []),
        ("everysec", ["may lose what it confirmed in the last two"]),
    ],
)
def test_how_often_the_file_is_written_is_warned_about(
    start: Start, fsync: str, says: list[str]
) -> None:
    found = warnings(start(appendfsync=fsync).url)
    assert len(found) == len(says)
    assert all(one in told for one, told in zip(says, found, strict=True))


def test_a_file_that_is_written_whenever_is_refused(start: Start) -> None:
    server = start(appendfsync="no")
    problem = refused(server.url)
    assert "leaves it to its system when the append-only file reaches the disk" in str(problem)
    assert "CONFIG SET appendfsync everysec" in problem.hint
    assert warnings(server.url, durability="none") == []


@pytest.mark.parametrize("durability", ["aof", "none"])
def test_a_server_that_throws_keys_away_is_refused_whatever_it_keeps(
    start: Start, durability: str
) -> None:
    problem = refused(start(maxmemory_policy="allkeys-lru").url, durability=durability)
    assert type(problem) is Unsupported
    assert "throws keys away when its memory is full: maxmemory-policy allkeys-lru" in str(problem)
    assert "CONFIG SET maxmemory-policy noeviction" in problem.hint


def test_what_a_managed_server_does_not_tell_is_said(tmp_path: Path) -> None:
    server = servers.with_users(
        tmp_path,
        "shy on >s3cret ~* +@all -config",
        "mute on >s3cret ~* +@all -@dangerous -@admin",
    )
    (found,) = warnings(f"redis://shy:s3cret@127.0.0.1:{server.port}")
    assert found.endswith("see to it yourself that appendfsync is everysec or always")
    (found,) = warnings(f"redis://mute:s3cret@127.0.0.1:{server.port}")
    assert "does not let us ask for all of its settings" in found
    assert found.endswith(
        "that appendonly is yes, that appendfsync is everysec or always,"
        " that maxmemory-policy is noeviction"
    )
    assert "s3cret" not in found
    (found,) = warnings(f"redis://mute:s3cret@127.0.0.1:{server.port}", durability="none")
    assert found.endswith("see to it yourself that maxmemory-policy is noeviction")


def test_a_server_whose_commands_were_renamed_away_is_asked_in_vain(start: Start) -> None:
    (found,) = warnings(start(rename_command='CONFIG ""').url)
    assert found.endswith("see to it yourself that appendfsync is everysec or always")


def test_replicas_sentinels_and_nodes_nobody_mentioned_are_refused(tmp_path: Path) -> None:
    watched = servers.Watched(tmp_path)
    problem = refused(watched.second.url)
    assert type(problem) is Unavailable
    assert "is a replica and takes no writes" in str(problem)
    problem = refused(watched.sentinel.url)
    assert type(problem) is Unopened
    assert "is a sentinel, which keeps no messages" in str(problem)
    cluster = servers.fresh(
        tmp_path, {"cluster-enabled": "yes", "cluster-port": str(servers.free_port())}
    )
    problem = refused(cluster.url)
    assert type(problem) is Unopened
    assert "is a node of a cluster" in str(problem)
    assert "`cluster: true`" in problem.hint


class _Old:
    """A client of a server of another version: it answers as INFO and CONFIG would."""

    connection = type("Wire", (), {"host": "h", "port": 1, "handshake_metadata": {}})

    def __init__(self, **info: Any) -> None:
        self._info = {"aof_enabled": 1, "maxmemory_policy": "noeviction", **info}

    def info(self) -> dict[str, Any]:
        return self._info

    def config_get(self, _name: str) -> dict[str, str]:
        return {"appendfsync": "always"}


def version(**info: Any) -> list[str]:
    client: Any = _Old(**info)
    return check(client, "aof", "redis://h")


def test_a_server_that_is_too_old_is_refused() -> None:
    for old in ("5.0.14", "6.0.16"):
        with pytest.raises(Unsupported, match=f"is Redis {old}") as caught:
            version(redis_version=old)
        assert "Redis 6.2 or later, or Valkey" in caught.value.hint
    for new in ("6.2.0", "7.4.1", "8.0.3", "10.0.0"):
        assert version(redis_version=new) == []
    # Valkey names the Redis it took off from beside its own version.
    assert version(redis_version="7.2.4", valkey_version="8.1.0", server_name="valkey") == []


def test_who_answers_is_told_in_one_line(start: Start, tmp_path: Path) -> None:
    told = reach(fields(start(maxmemory="100mb").url), Path())
    made, kept, policy, memory = told.split(" · ")
    assert made.startswith("Redis 7.")
    assert kept == "append-only file, fsync everysec"
    assert policy == "noeviction"
    assert memory.endswith(" of 100 MB in memory")
    told = reach(fields(start(is_durable=False).url, durability="none"), Path())
    assert " · not durable · " in told


def test_missing_rights_are_named_before_a_script_meets_them(tmp_path: Path) -> None:
    server = servers.with_users(
        tmp_path,
        "bob on >s3cret ~* +@all -hset -zadd -function|load",
        "eve on >s3cret ~theirs:* resetchannels +@all",
        "ann on >s3cret ~{moonq}:* &{moonq}:* +@all -@admin",
        "cat on >s3cret ~{moonq}:* resetchannels +@all",
        "hob on >s3cret ~* +@all -command -hset",
    )
    wanted = [
        *called("redis.call(\"HSET\", k) redis.pcall('zadd', k)"),
        "function|load",
        "fcall",
        "publish",
    ]
    assert wanted[:2] == ["hset", "zadd"]

    def look(user: str) -> None:
        link = Link(fields(f"redis://{user}:s3cret@127.0.0.1:{server.port}"), Path())
        with closing(link.client(answer_within=1.0)) as client:
            check_rights(client, wanted, "{moonq}:rights", link.where)

    with pytest.raises(Refused) as caught:
        look("bob")
    assert "the user may not run hset, zadd, function|load" in str(caught.value)
    assert caught.value.hint == "let it: ACL SETUSER bob +hset +zadd +function|load"
    with pytest.raises(Refused) as caught:
        look("eve")
    assert "may not touch channels and keys that begin with {moonq}:" in str(caught.value)
    assert caught.value.hint == "let it: ACL SETUSER eve '&{moonq}:*' '~{moonq}:*'"
    with pytest.raises(Refused) as caught:
        look("cat")
    assert caught.value.hint == "let it: ACL SETUSER cat '&{moonq}:*'"
    for user in ("ann", "hob"):
        look(user)
    with server.client() as client:
        assert client.keys() == []


def test_what_a_server_leaves_unsaid_is_known() -> None:
    assert Server("Redis", "7.0", aof=False, policy="noeviction").unasked == []
    assert Server("Redis", "7.0").unasked == ["appendonly", "appendfsync", "maxmemory-policy"]
