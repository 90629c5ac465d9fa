"""What every store does: JSON texts by key, each with an expiry or without.

    store.set("order-7", b'{"state":"paid"}', ttl=3600)
    store.get("order-7")                     # b'{"state":"paid"}'
    store.cas("order-7", None, b"1", None)   # False: there is one

`tests/host/stores` holds what all of them keep.
"""

from __future__ import annotations

import json
import math
from typing import Any, Protocol

from moonq.errors import Invalid, QueueFull

MAX_KEY = 1024
MAX_VALUE = 1024 * 1024
MAX_KEYS = 100_000
#: Bytes of keys and values, where the entry says nothing.
MAX_BYTES = 64 * 1024 * 1024
#: How many keys are listed at once, and how many bytes they may have.
MAX_LISTED = 10_000
MAX_LISTED_BYTES = 1024 * 1024


class Store(Protocol):
    """Values by key, as JSON text, with expiry."""

    @property
    def id(self) -> str:
        """The id of its entry."""
        ...

    @property
    def is_quick(self) -> bool:
        """Whether nothing waits for it: it lies in this process."""
        ...

    def get(self, key: str) -> bytes | None:
        """Return the value, or None when there is none or it is over."""
        ...

    def set(self, key: str, value: bytes, ttl: float | None) -> None:
        """Keep *value* for *ttl* seconds, or for good."""
        ...

    def delete(self, key: str) -> bool:
        """Forget a key; False when there was none."""
        ...

    def cas(self, key: str, expected: bytes | None, value: bytes | None, ttl: float | None) -> bool:
        """Set *value* if the key has the value *expected*, in one step; None stands for none."""
        ...

    def keys(self, prefix: str, after: str = "", limit: int = MAX_LISTED) -> list[str]:
        """Return the first *limit* keys behind *after* that begin with *prefix*, sorted."""
        ...

    def incr(self, key: str, by: int | float, ttl: float | None) -> int | float:
        """Add to a number, atomically; a missing one is 0. The ttl counts for a new key."""
        ...

    def close(self) -> None:
        """Give back files and connections."""
        ...


def check(store: str, key: str, value: bytes) -> None:
    """Refuse what no store keeps.

    Raises:
        Invalid: The key or the value is too large.
    """
    if not 0 < len(key) <= MAX_KEY:
        raise Invalid(f"{store}: a key has 1 to {MAX_KEY} characters, this one {len(key)}")
    if len(value) > MAX_VALUE:
        raise Invalid(f"{store}: a value has at most {MAX_VALUE} bytes, not {len(value)}")


def size(key: str, value: bytes) -> int:
    """Return the bytes of a key and its value."""
    return len(key.encode("utf-8", "surrogatepass")) + len(value)


def added(store: str, key: str, value: bytes | None, by: float) -> int | float:
    """Return the sum of the number *value*, a JSON text or None for 0, and *by*.

    Raises:
        Invalid: One of them is no finite number, or the sum is none that fits.
    """
    if not math.isfinite(by):
        raise Invalid(f"{store}: {by} cannot be added to {key!r}: it is no finite number")
    number: Any = json.loads(value) if value is not None else 0
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise Invalid(f"{store}: the value of {key!r} is not a number")
    total: int | float = number + by
    if not math.isfinite(total):
        raise Invalid(f"{store}: the sum for {key!r} is no finite number")
    if isinstance(total, int) and not -(2**63) <= total < 2**63:
        raise Invalid(f"{store}: the sum for {key!r} does not fit 64 bits")
    return total


def is_same(one: bytes | None, other: bytes | None) -> bool:
    """Whether two JSON texts say the same: the order of names means nothing."""
    if one is None or other is None or one == other:
        return one == other
    return _plain(one) == _plain(other)


def _plain(text: bytes) -> str:
    return json.dumps(json.loads(text), sort_keys=True)


def full(store: str, lacking: str) -> QueueFull:
    """Return the refusal of a store that has no room; *lacking* says of what."""
    return QueueFull(f"{store} {lacking}", hint="delete keys, or give them a `ttl`, then try again")


def no_room(wanted: int, held: int, most: int) -> str:
    """Return why *wanted* bytes do not fit beside the *held* ones."""
    return (
        f"has no room for {wanted} bytes: it holds {held} besides, of at most {most} (`max_bytes`)"
    )
