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

    It may be down: they name another one only when that has taken its place.

    Raises:
        Unopened: They know no master of that name.
        Unavailable: None of them answers.
    """
    from redis import RedisError

    known: set[str] = set()
    silent: list[QueueError] = []
    for at, client in sentinels.items():
        try:
            found: Any = client.sentinel_get_master_addr_by_name(name)
            if found:
                return _text(found[0]), int(found[1])
            states: Any = client.sentinel_masters()
            known |= {_text(one) for one in states}
        except (RedisError, OSError) as error:
            silent.append(told(error, f"the sentinel at {at}", entering=way))
        finally:
            client.close()
    if len(silent) == len(sentinels):
        raise next((one for one in silent if isinstance(one, Hopeless)), silent[0])
    listed = f"one that they watch: {', '.join(sorted(known))}" if known else "what they watch"
    raise Unopened(f"{where}: they know no such master", hint=f"set `sentinel.master` to {listed}")


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
