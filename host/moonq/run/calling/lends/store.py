"""Values by key."""

from __future__ import annotations

import json
from collections.abc import Mapping

from moonq.run.calling.lending import Caller, lent
from moonq.run.stores import Store
from moonq.sandbox.lend import name

#: Of any driver.
STORE = "store."


def _of_key(_: bytes, key: bytes, *__: object) -> Mapping[str, str]:
    """Return what policies see of a key."""
    return {"key": name(key)}


def _of_prefix(_: bytes, prefix: bytes = b"", *__: object) -> Mapping[str, str]:
    return {"prefix": name(prefix)}


@lent(action=None, names=STORE, writes=False, waits=False)
def store_open(caller: Caller, store: bytes) -> None:
    """Find out now, rather than at its first use, whether there is such a store."""
    _store(caller, store)


@lent(action="store.read", names=STORE, meta=_of_key, writes=False, waits=False)
def store_get(caller: Caller, store: bytes, key: bytes) -> bytes | None:
    """Return the value of a key."""
    return _store(caller, store).get(name(key))


@lent(action="store.write", names=STORE, meta=_of_key, writes=True, captured=True, waits=False)
def store_set(
    caller: Caller,
    store: bytes,
    key: bytes,
    value: bytes,
    ttl: float | None = None,
) -> None:
    """Put a value under a key."""
    _store(caller, store).set(name(key), value, ttl)


@lent(action="store.delete", names=STORE, meta=_of_key, writes=True, captured=True, waits=False)
def store_delete(caller: Caller, store: bytes, key: bytes) -> bool:
    """Remove a key."""
    return _store(caller, store).delete(name(key))


@lent(action="store.keys", names=STORE, meta=_of_prefix, writes=False, waits=False)
def store_keys(caller: Caller, store: bytes, prefix: bytes = b"") -> bytes:
    """Return the keys that begin with *prefix* as a JSON array."""
    keys = _store(caller, store).keys(name(prefix))
    return json.dumps(keys, ensure_ascii=False).encode("utf-8", "replace")


@lent(action="store.write", names=STORE, meta=_of_key, writes=True, captured=True, waits=False)
def store_incr(
    caller: Caller,
    store: bytes,
    key: bytes,
    by: float = 1,
    ttl: float | None = None,
) -> int | float:
    """Add to a number."""
    return _store(caller, store).incr(name(key), by, ttl)


def _store(caller: Caller, store: bytes) -> Store:
    return caller.sink.store(caller.host.store(name(store)))
