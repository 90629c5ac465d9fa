"""Values by key."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from moonq.errors import Invalid
from moonq.run.calling.lending import Caller, Lent, lent
from moonq.run.stores.base import MAX_LISTED, MAX_LISTED_BYTES, Store
from moonq.sandbox.lend import MAX_NAME, name

#: Of any driver.
STORE = "store."


def _of_key(_: bytes, key: bytes, *__: object) -> Mapping[str, str]:
    """Return what policies see of a key."""
    return {"key": name(key)}


def _of_prefix(_: bytes, prefix: bytes = b"", *__: object) -> Mapping[str, str]:
    return {"prefix": name(prefix)}


def _changing(action: str) -> Callable[[Callable[..., Any]], Lent]:
    """Declare a function that changes what is under one key."""
    return lent(
        action=action,
        names=STORE,
        meta=_of_key,
        writes=True,
        captured=True,
        waits=False,
        holds=True,
    )


@lent(action=None, names=STORE, writes=False, waits=False, holds=True)
def store_open(caller: Caller, store: bytes) -> bool:
    """Whether calls of a store are quick; those of others may hold up messages behind."""
    return caller.host.store(name(store)).is_quick


@lent(action="store.has", names=STORE, meta=_of_key, writes=False, waits=False, holds=True)
def store_has(caller: Caller, store: bytes, key: bytes) -> bool:
    """Whether there is a value under a key."""
    return _store(caller, store).get(_key(key)) is not None


@lent(action="store.read", names=STORE, meta=_of_key, writes=False, waits=False, holds=True)
def store_get(caller: Caller, store: bytes, key: bytes) -> bytes | None:
    """Return the value of a key."""
    return _store(caller, store).get(_key(key))


@_changing("store.write")
def store_set(
    caller: Caller,
    store: bytes,
    key: bytes,
    value: bytes,
    ttl: float | None = None,
) -> None:
    """Put a value under a key."""
    _store(caller, store).set(_key(key), value, ttl)


@_changing("store.write")
def store_cas(
    caller: Caller,
    store: bytes,
    key: bytes,
    expected: bytes | None,
    value: bytes | None,
    ttl: float | None = None,
) -> bool:
    """Put a value under a key if another is there now; None is none."""
    if value is None:
        caller.permit("store.delete", name(store), _of_key(store, key))
    return _store(caller, store).cas(_key(key), expected, value, ttl)


@_changing("store.delete")
def store_delete(caller: Caller, store: bytes, key: bytes) -> bool:
    """Remove a key."""
    return _store(caller, store).delete(_key(key))


@lent(action="store.keys", names=STORE, meta=_of_prefix, writes=False, waits=False, holds=True)
def store_keys(
    caller: Caller, store: bytes, prefix: bytes = b"", after: bytes = b"", limit: int = 0
) -> bytes:
    """Return keys that begin with *prefix* as a JSON array: a page, or without a limit all.

    To list very many holds up every other worker, so all of them are refused then.
    """
    where, most = _store(caller, store), min(limit, MAX_LISTED) or MAX_LISTED + 1
    keys = where.keys(name(prefix), name(after), most)
    whole = _within(keys, MAX_LISTED_BYTES)
    if not limit and (len(whole) < len(keys) or len(keys) > MAX_LISTED):
        raise Invalid(
            f"{where.id} has more keys than are listed at once, which is {MAX_LISTED} of"
            f" {MAX_LISTED_BYTES} bytes in all",
            hint="give a longer prefix, or ask page by page: keys(prefix, { limit = 1000, after ="
            " last })",
        )
    return json.dumps(whole, ensure_ascii=False).encode("utf-8", "replace")


def _within(keys: list[str], most: int) -> list[str]:
    """Return the first of *keys* that have *most* bytes together, the first one in any case."""
    for count, key in enumerate(keys):
        most -= len(key.encode("utf-8", "replace"))
        if most < 0 and count:
            return keys[:count]
    return keys


@_changing("store.write")
def store_incr(
    caller: Caller,
    store: bytes,
    key: bytes,
    by: float = 1,
    ttl: float | None = None,
) -> int | float:
    """Add to a number."""
    return _store(caller, store).incr(_key(key), by, ttl)


def _key(key: bytes) -> str:
    """Return a key as text.

    Raises:
        Invalid: It is not UTF-8: shown as such, two of them would be one.
    """
    try:
        return key.decode() if len(key) < MAX_NAME else name(key)
    except UnicodeDecodeError:
        hint = "write bytes as text: crypto.hex.encode(key)"
        raise Invalid("store: a key is text, this one is not valid UTF-8", hint=hint) from None


def _store(caller: Caller, store: bytes) -> Store:
    return caller.sink.store(caller.host.store(name(store)))
