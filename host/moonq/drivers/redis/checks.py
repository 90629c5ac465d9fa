"""Whether a server can keep the contract: its version, its role, and what it keeps.

What people usually have keeps nothing: Debian's and Docker's own settings write snapshots now and
then, and whatever was confirmed since the last one is gone after a crash.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from moonq.drivers.redis.errors import told
from moonq.drivers.redis.settings import spelt
from moonq.errors import Refused, Unavailable, Unopened, Unsupported

if TYPE_CHECKING:
    import redis

OLDEST = (6, 2)
KEEPS = "noeviction"


class Server(NamedTuple):
    """What a server says of itself; None is what we may not ask."""

    product: str
    version: str
    mode: str | None = None
    """`standalone`, `sentinel` or `cluster`."""
    role: str | None = None
    aof: bool | None = None
    fsync: str | None = None
    policy: str | None = None
    snapshots: bool | None = None
    used: int | None = None
    room: int | None = None
    """Bytes of memory, used and at most; 0 is no limit."""

    @property
    def unasked(self) -> list[str]:
        """What could not be checked, by the server's own words for it."""
        asked = {"appendonly": self.aof, "appendfsync": self.fsync, "maxmemory-policy": self.policy}
        if self.aof is False:
            del asked["appendfsync"]
        return [name for name, value in asked.items() if value is None]


def look(client: redis.Redis, where: str) -> Server:
    """Ask *client* what its server is and keeps.

    Raises:
        Unavailable: It does not answer.
    """
    info = _allowed(client.info, where)
    # In RESP3 the greeting tells the version even where INFO is forbidden.
    greeting = _texts(getattr(client.connection, "handshake_metadata", None) or {})
    config = _config(client, where)
    is_valkey = "valkey_version" in info or greeting.get("server") == "valkey"
    version = info.get("valkey_version") or info.get("redis_version") or greeting.get("version")
    aof = info.get("aof_enabled")
    return Server(
        product="Valkey" if is_valkey else "Redis",
        version=str(version or "0"),
        mode=info.get("redis_mode") or greeting.get("mode"),
        role=_role(info.get("role") or greeting.get("role")),
        aof=_is_on(config.get("appendonly")) if aof is None else bool(aof),
        fsync=config.get("appendfsync"),
        policy=info.get("maxmemory_policy") or config.get("maxmemory-policy"),
        snapshots=bool(config["save"]) if "save" in config else None,
        used=info.get("used_memory"),
        room=info.get("maxmemory"),
    )


def check(client: redis.Redis, durability: str, where: str, *, cluster: bool = False) -> list[str]:
    """Hold the server of *client* against what `durability` asks, and return warnings, if any.

    Raises:
        Unsupported: It is too old, keeps too little or throws messages away; says the ways out.
        Unopened: It is not the kind of server that the entry speaks of.
        Unavailable: It does not answer, or is a replica.
    """
    server = look(client, where)
    _check_kind(server, where, cluster)
    _check_version(server, where)
    if durability == "aof":
        _check_kept(client, server, where)
    _check_policy(client, server, where)
    return _warnings(server, durability, where)


def _check_kind(server: Server, where: str, cluster: bool) -> None:
    if server.mode == "sentinel":
        raise Unopened(
            f"{where} is a sentinel, which keeps no messages",
            hint="name it in `sentinel.hosts`, and its master in `sentinel.master`",
        )
    if server.mode == "cluster" and not cluster:
        raise Unopened(f"{where} is a node of a cluster", hint="set `cluster: true`")
    if server.role == "replica":
        raise Unavailable(
            f"{where} is a replica and takes no writes",
            hint="name the master in `url`, or the sentinels in `sentinel`",
        )


def _check_version(server: Server, where: str) -> None:
    parts = tuple(int(part) for part in server.version.split(".")[:2] if part.isdigit())
    if server.product == "Redis" and parts < OLDEST:
        raise Unsupported(
            f"{where} is Redis {server.version}", hint="use Redis 6.2 or later, or Valkey"
        )


def _check_kept(client: redis.Redis, server: Server, where: str) -> None:
    cli = _cli(client)
    if server.aof is False:
        snapshots = ", and snapshots lose all that came after the last one"
        raise Unsupported(
            f"{where} keeps no append-only file: what it confirmed is gone when it crashes"
            + (snapshots if server.snapshots else ""),
            hint=f"turn it on now, and for its next start too: `{cli} CONFIG SET appendonly yes`"
            f" and `{cli} CONFIG REWRITE` (or `appendonly yes` in redis.conf);"
            " or accept the loss: `durability: none` in the entry",
        )
    if server.fsync == "no":
        raise Unsupported(
            f"{where} leaves it to its system when the append-only file reaches the disk",
            hint=f"have it written every second: `{cli} CONFIG SET appendfsync everysec`"
            f" and `{cli} CONFIG REWRITE`; or accept the loss: `durability: none` in the entry",
        )


def _check_policy(client: redis.Redis, server: Server, where: str) -> None:
    if server.policy not in {None, KEEPS}:
        cli = _cli(client)
        raise Unsupported(
            f"{where} throws keys away when its memory is full: maxmemory-policy {server.policy}",
            hint=f"`{cli} CONFIG SET maxmemory-policy {KEEPS}` and `{cli} CONFIG REWRITE`;"
            " or use a server of its own for messages",
        )


def _warnings(server: Server, durability: str, where: str) -> list[str]:
    wanted = (
        {"appendonly": "yes", "appendfsync": "everysec or always"} if durability == "aof" else {}
    )
    wanted["maxmemory-policy"] = KEEPS
    unasked = [f"{name} is {value}" for name, value in wanted.items() if name in server.unasked]
    found = []
    if unasked:
        found.append(
            f"{where} does not let us ask for all of its settings: see to it yourself that"
            f" {', that '.join(unasked)}"
        )
    if durability == "aof" and server.fsync == "everysec":
        found.append(
            f"{where} writes to its disk every second: a power cut, or a crash while the disk is"
            " busy, may lose what it confirmed in the last two (appendfsync always loses nothing)"
        )
    return found


def _cli(client: redis.Redis) -> str:
    """Return how redis-cli is told which server it is: this very one, sentinels or not."""
    wire: Any = client.connection
    if hasattr(wire, "path"):
        return f"redis-cli -s {wire.path}"
    return f"redis-cli -u redis://{spelt(wire.host, wire.port)}"


def _config(client: redis.Redis, where: str) -> dict[str, str]:
    found: dict[str, str] = {}
    # One by one: Redis 6.2 takes one pattern only.
    for name in ("appendonly", "appendfsync", "maxmemory-policy", "save"):
        found |= _texts(_allowed(lambda name=name: client.config_get(name), where))
    return found


def _allowed(ask: Any, where: str) -> dict[str, Any]:
    """Return the answer, or nothing where asking is forbidden, as it is at managed servers."""
    from redis import RedisError, ResponseError

    try:
        found: dict[str, Any] = ask()
    except (RedisError, OSError) as error:
        problem = told(error, where)
        is_forbidden = isinstance(problem, Refused) or "unknown command" in str(error)
        if isinstance(error, ResponseError) and is_forbidden:
            return {}
        raise problem from None
    return found


def _texts(found: dict[Any, Any]) -> dict[str, Any]:
    def text(value: Any) -> Any:
        return value.decode() if isinstance(value, bytes) else value

    return {text(key): text(value) for key, value in found.items()}


def _is_on(value: str | None) -> bool | None:
    return None if value is None else value == "yes"


def _role(role: str | None) -> str | None:
    return {"slave": "replica"}.get(role or "", role)
