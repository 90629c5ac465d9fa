"""Values by key in a Redis or Valkey server, for many hosts.

All of a store lies below `{prefix}:store:<id>:` in one slot: a hash of values, a sorted set of the
keys that listing goes by, one of when they are over, and the bytes held. Each change is one script.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from moonq.clock import Clock
from moonq.drivers.redis.connection import Link
from moonq.drivers.redis.errors import told
from moonq.run.stores.base import MAX_LISTED, added, check, full, is_same, no_room, size

if TYPE_CHECKING:
    import redis

#: Seconds in which an answer comes, or the store is away.
PATIENCE = 3.0
#: Connections that are kept for the next call.
MAX_IDLE = 8
#: Tries to change what others change at the same time.
_TRIES = 100
_SWEEP = """
local function forget(key)
  local value = redis.call('HGET', KEYS[1], key)
  if value then
    redis.call('HDEL', KEYS[1], key)
    redis.call('ZREM', KEYS[2], key)
    redis.call('ZREM', KEYS[3], key)
    redis.call('DECRBY', KEYS[4], #key + #value)
  end
end
local function sweep(most)
  for _, key in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', ARGV[1], 'LIMIT', 0, most)) do
    forget(key)
  end
end
local function live(key)
  local until_ = redis.call('ZSCORE', KEYS[3], key)
  if until_ and tonumber(until_) <= tonumber(ARGV[1]) then
    forget(key)
  end
  return redis.call('HGET', KEYS[1], key)
end
"""
#: now, key, has expected, expected, has value, value, until or "", max_bytes or ""
_CHANGE = (
    _SWEEP
    + """
sweep(50)
local key, value, limit = ARGV[2], ARGV[6], tonumber(ARGV[8])
local before = live(key)
if ARGV[3] ~= '' and (ARGV[3] == '1') ~= (before ~= false) then
  return {0}
end
if ARGV[3] == '1' and before ~= ARGV[4] then
  return {0}
end
if ARGV[5] == '' then
  forget(key)
  return {1, before and 1 or 0}
end
if limit then
  local wanted = #key + #value
  local function held()
    return tonumber(redis.call('GET', KEYS[4]) or 0) - (before and #key + #before or 0)
  end
  if held() + wanted > limit then
    sweep(-1)
  end
  if held() + wanted > limit then
    return {2, held()}
  end
end
forget(key)
redis.call('HSET', KEYS[1], key, value)
redis.call('ZADD', KEYS[2], 0, key)
redis.call('INCRBY', KEYS[4], #key + #value)
if ARGV[7] ~= '' then
  redis.call('ZADD', KEYS[3], ARGV[7], key)
end
return {1, before and 1 or 0}
"""
)
_LOOK = (
    _SWEEP
    + """
local value = live(ARGV[2])
return {value, value and redis.call('ZSCORE', KEYS[3], ARGV[2])}
"""
)
#: now, from (as ZRANGEBYLEX has it), to, limit
_LIST = (
    _SWEEP
    + """
sweep(-1)
return redis.call('ZRANGEBYLEX', KEYS[2], ARGV[2], ARGV[3], 'LIMIT', 0, ARGV[4])
"""
)


class RedisStore:
    """JSON texts by key at a server."""

    is_quick = False

    def __init__(
        self, store_id: str, clock: Clock, link: Link, prefix: str, max_bytes: int | None
    ) -> None:
        self.id = store_id
        self.max_bytes = max_bytes
        self._clock = clock
        self._link = link
        base = f"{{{prefix}}}:store:{store_id}:"
        self._keys = [base + part for part in ("values", "keys", "until", "bytes")]
        self._lock = threading.Lock()
        self._idle: list[redis.Redis] = []

    def get(self, key: str) -> bytes | None:
        """Return the value, or None when there is none or it is over."""
        return self._look(key)[0]

    def set(self, key: str, value: bytes, ttl: float | None) -> None:
        """Keep *value* for *ttl* seconds, or for good.

        Raises:
            Invalid: The key or the value is too large.
            QueueFull: The store holds as many bytes as it may, or the server has no memory left.
            Unavailable: The server cannot be reached; perhaps the value is kept.
        """
        check(self.id, key, value)
        self._change(key, "", b"", value, self._until(ttl))

    def delete(self, key: str) -> bool:
        """Forget a key; False when there was none."""
        return bool(self._change(key, "", b"", None, "")[1])

    def cas(self, key: str, expected: bytes | None, value: bytes | None, ttl: float | None) -> bool:
        """Set *value* if the key has the value *expected*, in one step; None stands for none."""
        if value is not None:
            check(self.id, key, value)
        for _ in range(_TRIES):
            before, _until = self._look(key)
            if not is_same(before, expected):
                return False
            if self._swap(key, before, value, self._until(ttl)):
                return True
        return False

    def keys(self, prefix: str, after: str = "", limit: int = MAX_LISTED) -> list[str]:
        """Return the first *limit* keys behind *after* that begin with *prefix*, sorted."""
        least, begins = _bytes(after), _bytes(prefix)
        from_ = b"(" + least if least >= begins and after else b"[" + begins
        # No byte of UTF-8 is above this one.
        to = b"[" + begins + b"\xff" if prefix else b"+"
        found = self._run(_LIST, self._clock.now(), from_, to, limit)
        return [key.decode("utf-8", "surrogatepass") for key in found]

    def incr(self, key: str, by: float, ttl: float | None) -> int | float:
        """Add to a number, atomically; a missing one is 0, and then the ttl counts.

        Raises:
            Invalid: The value or *by* is not a finite number, or the sum is none that fits.
        """
        while True:
            before, until = self._look(key)
            total = added(self.id, key, before, by)
            after = until if before is not None else self._until(ttl)
            if self._swap(key, before, repr(total).encode(), after):
                return total

    def close(self) -> None:
        """Hang up."""
        with self._lock:
            idle, self._idle = self._idle, []
        for client in idle:
            client.close()

    def _look(self, key: str) -> tuple[bytes | None, str]:
        value, until = self._run(_LOOK, self._clock.now(), _bytes(key))
        return value, "" if until is None else until.decode()

    def _swap(self, key: str, before: bytes | None, value: bytes | None, until: str) -> bool:
        has = "0" if before is None else "1"
        return bool(self._change(key, has, before or b"", value, until)[0])

    def _change(
        self, key: str, has: str, expected: bytes, value: bytes | None, until: str
    ) -> list[Any]:
        found: list[Any] = self._run(
            _CHANGE,
            self._clock.now(),
            _bytes(key),
            has,
            expected,
            "" if value is None else "1",
            value or b"",
            until,
            "" if self.max_bytes is None else self.max_bytes,
        )
        if found[0] == 2 and value is not None and self.max_bytes is not None:
            raise full(self.id, no_room(size(key, value), found[1], self.max_bytes))
        return found

    def _until(self, ttl: float | None) -> str:
        return "" if ttl is None else repr(self._clock.now() + ttl)

    def _run(self, script: str, now: float, *arguments: Any) -> Any:
        from redis import RedisError

        with self._client() as client:
            try:
                run = client.register_script(script)
                return run(keys=self._keys, args=[repr(now), *arguments])
            except (RedisError, OSError) as error:
                client.close()
                raise told(error, self._link.where) from None

    @contextmanager
    def _client(self) -> Iterator[redis.Redis]:
        """Lend a connection; one that has failed does not come back."""
        with self._lock:
            client = self._idle.pop() if self._idle else None
        client = client or self._link.client(answer_within=PATIENCE, name=f"moonq-{self.id}")
        yield client
        with self._lock:
            if len(self._idle) < MAX_IDLE:
                self._idle.append(client)
                return
        client.close()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
