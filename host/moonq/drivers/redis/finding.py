"""Which server it is: the master that sentinels name, the node of a cluster that has our keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from moonq.drivers.redis.errors import told
from moonq.drivers.redis.settings import Address
from moonq.errors import Hopeless, QueueError, Unavailable, Unopened

if TYPE_CHECKING:
    import redis

Node = tuple[str, int]


def master(sentinels: Mapping[str, redis.Redis], name: str, way: Address, where: str) -> Node:
    """Return host and port of the master *name*, as the first of *sentinels* that knows says.

    Raises:
        Unopened: They know no master of that name.
        Unavailable: None of them answers, or none sees the master.
    """
    from redis import RedisError

    known: set[str] = set()
    silent: list[QueueError] = []
    for at, client in sentinels.items():
        try:
            states: Any = client.sentinel_masters()
        except (RedisError, OSError) as error:
            silent.append(told(error, f"the sentinel at {at}", entering=way))
            continue
        finally:
            client.close()
        found = {_text(one): state for one, state in states.items()}
        known |= found.keys()
        if name in found and _serves(found[name]):
            return _text(found[name]["ip"]), int(found[name]["port"])
    if name in known:
        raise Unavailable(
            f"{where}: it is down, and no other has taken its place yet",
            hint="wait for the failover, or see what SENTINEL MASTER says",
        )
    if known:
        raise Unopened(
            f"{where}: they know no such master",
            hint=f"set `sentinel.master` to one that they watch: {', '.join(sorted(known))}",
        )
    if not silent:
        raise Unopened(f"{where}: they watch no master", hint="see their SENTINEL MONITOR")
    raise next((one for one in silent if isinstance(one, Hopeless)), silent[0])


def _serves(state: Mapping[str, Any]) -> bool:
    return bool(state["is_master"] and not state["is_sdown"] and not state["is_odown"])


def owner(
    clients: Mapping[str, redis.Redis], tag: str, way: Address, seeds: list[Node]
) -> tuple[Node, list[Node]]:
    """Return the node that has the keys with *tag*, and all masters: any of them can be asked.

    Raises:
        Unavailable: No node answers, or none has these keys.
    """
    from redis import RedisError

    problems: list[QueueError] = []
    for (at, client), seed in zip(clients.items(), seeds, strict=True):
        try:
            slots: Any = client.execute_command("CLUSTER", "SLOTS")  # type: ignore[no-untyped-call]
        except (RedisError, OSError) as error:
            problems.append(told(error, f"the cluster at {at}", entering=way))
            continue
        finally:
            client.close()
        found = _owner(slots, tag, seed)
        if found is not None:
            masters = [_node(row[2], seed) for row in slots]
            return found, [seed, *dict.fromkeys(one for one in masters if one != seed)]
        problems.append(
            Unavailable(
                f"the cluster at {at} has no node for our keys",
                hint="see what CLUSTER INFO says of its slots",
            )
        )
    raise problems[0]


def _owner(slots: list[Any], tag: str, seed: Node) -> Node | None:
    from redis.crc import key_slot

    ours = key_slot(tag.encode())
    for first, last, node, *_ in slots:
        if first <= ours <= last:
            return _node(node, seed)
    return None


def _node(told_of: list[Any], seed: Node) -> Node:
    # A node that knows no address of its own answers with an empty one: it is where we asked.
    host = _text(told_of[0]) if told_of[0] else ""
    return host if host not in {"", "?"} else seed[0], int(told_of[1])


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
