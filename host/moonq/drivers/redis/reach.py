"""Who answers at an entry's place, for `moonq doctor`; nothing there is changed."""

from __future__ import annotations

from pathlib import Path

from moonq.drivers.redis import checks
from moonq.drivers.redis.connection import Link
from moonq.drivers.redis.entry import RedisFields
from moonq.text.wording import size


def reach(fields: RedisFields, root: Path) -> str:
    """Return the server in one line: version, what it keeps and throws away, its memory.

    Raises:
        Unavailable: It does not answer; `Refused` where it turns us away.
        Unsupported: It answers, but would not be opened; says why.
    """
    link = Link(fields, root, tag=fields.prefix)
    client = link.client(answer_within=fields.connection_timeout, name="moonq doctor")
    try:
        server = checks.look(client, link.where)
        checks.check(client, fields.durability, link.where, cluster=fields.cluster)
    finally:
        client.close()
    return " · ".join([f"{server.product} {server.version}", *_kept(server), *_memory(server)])


def _kept(server: checks.Server) -> list[str]:
    words = {None: "append-only file unknown", True: "append-only file", False: "not durable"}
    aof = words[server.aof]
    fsync = f", fsync {server.fsync}" if server.aof and server.fsync else ""
    return [aof + fsync, server.policy or "eviction unknown"]


def _memory(server: checks.Server) -> list[str]:
    if server.used is None:
        return []
    return [size(server.used) + (f" of {size(server.room)}" if server.room else "") + " in memory"]
