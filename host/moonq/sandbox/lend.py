"""The functions that Python lends to a Lua state.

A lent function takes bytes, numbers and booleans, and answers a tuple: `(True, value...)` or
`(False, kind, message, retryable)`. It never raises, for an exception that reached a script's
`pcall` would be a live Python object; and it never calls back into the state that called it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from moonq import log
from moonq.clock import Clock
from moonq.errors import Invalid, MoonqError

_log = log.get("moonq.sandbox")
#: The largest answer that may cross into a state: the reserve above its soft limit, halved.
MAX_ANSWER = 4 * 1024 * 1024
#: Bytes of a name that are looked at: all of the longest key of a store, and one more.
MAX_NAME = 4 * 1024 + 1
#: Bytes of what `registry.find` looks for.
MAX_CRITERIA = 64 * 1024
#: Characters of a refusal that a script is told.
MAX_WORDS = 8192
MAX_RANDOM = 1024
#: A sleeper wakes this long after its time limit, to be stopped.
LATE = 0.2
_PLAIN = (int, bool, float)


class Services(Protocol):
    """What a host offers to the scripts it runs; every method may raise `MoonqError`."""

    clock: Clock

    def publish(
        self, caller: Caller, queue: bytes, body: bytes, headers: bytes, options: bytes
    ) -> bytes:
        """Publish one message and return its id; headers and options are JSON or empty."""
        ...

    def publish_batch(self, caller: Caller, queue: bytes, *parts: bytes) -> bytes:
        """Publish messages given as body, headers and options in turn.

        Returns a JSON array with an answer for each: its id, or an object that is the error.
        """
        ...

    def queue_info(self, caller: Caller, queue: str) -> bytes:
        """Return the numbers of a queue as JSON."""
        ...

    def write_log(
        self, caller: Caller, index: int, level: int, logger: str, message: str, fields: bytes
    ) -> None:
        """Write a script's log line; *index* is its message's number in the running call."""
        ...

    def log_level(self, logger: str) -> int:
        """Return the lowest level (1 debug to 4 error) that is written."""
        ...

    def call_function(self, caller: Caller, function: str, arguments: bytes) -> bytes:
        """Call another function; JSON arrays in and out."""
        ...

    def env(self, caller: Caller, name: str) -> str | None:
        """Return a variable that the registry names."""
        ...

    def env_names(self) -> list[str]:
        """Return the names of all such variables."""
        ...

    def store(self, caller: Caller, store: str, action: str) -> Store:
        """Return a store by its id, for *action*: store.read or store.write."""
        ...

    def registry_get(self, caller: Caller, entry: str) -> bytes:
        """Return an entry as JSON."""
        ...

    def registry_find(self, caller: Caller, criteria: bytes) -> bytes:
        """Return the entries that fit as a JSON array."""
        ...


class Scope(Protocol):
    """An actor with the policies that hold for it."""

    def require(self, action: str, resource: str) -> None:
        """Let the actor do *action* with *resource*, or raise `Denied`."""
        ...


class Store(Protocol):
    """Values by key, as JSON text, with expiry."""

    def get(self, key: str) -> bytes | None:
        """Return the value, or None when there is none or it is over."""
        ...

    def set(self, key: str, value: bytes, ttl: float | None) -> None:
        """Keep *value* for *ttl* seconds, or for good."""
        ...

    def delete(self, key: str) -> bool:
        """Forget a key; False when there was none."""
        ...

    def keys(self, prefix: str) -> list[str]:
        """Return the keys that begin with *prefix*, sorted."""
        ...

    def incr(self, key: str, by: int | float, ttl: float | None) -> int | float:
        """Add to a number, atomically; a missing one is 0. The ttl counts for a new key."""
        ...


@dataclass(slots=True)
class Caller:
    """On whose behalf a state calls: a handler, a function, a session."""

    entry: str
    """The id that logs and policies see, such as ``app:process_order``."""
    serves: bytes = b""
    """The queue whose messages it handles; a publish into that one never blocks."""
    scope: Scope | None = None
    """What it may do; None restricts nothing."""
    depth: int = 0
    """How many calls of `funcs.call` lie above it."""
    is_stopping: Callable[[], bool] = lambda: False
    sleep: Callable[[float], bool] = field(default=lambda _: True)
    """Waits; False when it was woken early because the worker is to stop."""
    settle: Callable[[int, str, float, str], bool] = field(default=lambda *_: False)
    """Settles message number n of the running call early; False when it was settled before."""
    message: Callable[[int], bytes] = field(default=lambda _: b"{}")
    """Everything about message number n of the running call, as JSON."""
    waits: Callable[[tuple[Any, ...]], None] = field(default=lambda _: None)
    """Hears that the handler of one of several messages waits, and what became of those before."""
    log_context: Callable[[int], dict[str, object]] = field(default=lambda _: {})
    """What a log line says of message number n of the running call."""
    remaining: Callable[[], float | None] = lambda: None
    """Seconds until the caller's own time limit."""
    is_waiting: bool = False
    """Whether a call of the host is under way that may take seconds, and ends by itself."""


def name(value: bytes) -> str:
    """Return an id or a key as text; one that is too long to be any is cut, and stays too long.

    To read megabytes that a script calls a name would hold up every other worker.
    """
    return text(value[:MAX_NAME])


def text(value: bytes) -> str:
    """Return a Lua string as text; what is not UTF-8 is shown as such."""
    return value.decode("utf-8", "replace")


def safe(function: Callable[..., Any]) -> Callable[..., tuple[Any, ...]]:
    """Return *function* as it may be lent: it answers and never raises."""

    def lent(*arguments: Any) -> tuple[Any, ...]:
        try:
            return True, _crossing(function(*arguments))
        except MoonqError as problem:
            return False, _words(problem.kind), _words(problem.message), problem.retryable
        except BaseException as problem:  # noqa: BLE001 - nothing may cross as an exception
            _log.error("a lent function failed", exc_info=problem)
            return False, b"INTERNAL", b"moonq failed inside; see its log", None

    return lent


def _crossing(answer: Any) -> Any:
    """Return *answer* if Lua makes a value of its own of it; else it would be a live object."""
    kind = type(answer)
    if kind is bytes:
        return bounded(answer)
    if kind is int and not -(2**63) <= answer < 2**63:
        raise MoonqError("the answer is a number that does not fit 64 bits")
    if answer is not None and kind not in _PLAIN:
        raise TypeError(f"a lent function answered a {kind.__name__}")
    return answer


def _words(value: str) -> bytes:
    return value[:MAX_WORDS].encode("utf-8", "replace")


def bounded(answer: bytes) -> bytes:
    """Return *answer*, which must fit into a state.

    Raises:
        MoonqError: It is too large.
    """
    if len(answer) > MAX_ANSWER:
        raise MoonqError(f"the answer has {len(answer)} bytes, more than {MAX_ANSWER}")
    return answer


def _dump(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")


def lent_functions(services: Services, caller: Caller) -> dict[str, Callable[..., Any]]:
    """Return what a state of *caller* is lent, by name."""
    groups = (
        _queue_functions(services, caller),
        _time_functions(services, caller),
        _log_functions(services, caller),
        _store_functions(services, caller),
        _registry_functions(services, caller),
    )
    return {name: safe(function) for group in groups for name, function in group.items()}


Group = Mapping[str, Callable[..., Any]]


def _queue_functions(services: Services, caller: Caller) -> Group:
    return {
        "publish": _waiting(caller, partial(services.publish, caller)),
        "publish_batch": _waiting(caller, partial(services.publish_batch, caller)),
        "queue_info": lambda queue: services.queue_info(caller, name(queue)),
        "stopping": lambda: caller.is_stopping(),  # noqa: PLW0108 - read anew: pools change it
        "settle": lambda index, action, delay, reason: caller.settle(
            index, text(action), delay, text(reason)
        ),
        "waits": lambda *progress: caller.waits(progress),
        "message": lambda index: caller.message(index),  # noqa: PLW0108 - a worker sets it later
    }


def _waiting(caller: Caller, function: Callable[..., bytes]) -> Callable[..., bytes]:
    def call(queue: bytes, *arguments: bytes) -> bytes:
        caller.is_waiting = True
        try:
            return function(queue[:MAX_NAME], *arguments)
        finally:
            caller.is_waiting = False

    return call


def _time_functions(services: Services, caller: Caller) -> Group:
    def sleep(seconds: float) -> bool:
        left = caller.remaining()
        if left is not None:
            seconds = min(seconds, left + LATE)
        if not caller.sleep(seconds):
            raise Canceled("the worker is to stop")
        return True

    def random_bytes(count: int) -> bytes:
        return os.urandom(max(0, min(count, MAX_RANDOM)))

    return {
        "now": services.clock.now,
        "monotonic": services.clock.monotonic,
        "sleep": sleep,
        "random_bytes": random_bytes,
    }


def _log_functions(services: Services, caller: Caller) -> Group:
    def write(index: int, level: int, logger: bytes, message: bytes, fields: bytes) -> None:
        services.write_log(caller, index, level, name(logger), text(message), fields)

    return {
        "log": write,
        "log_level": lambda logger=b"": services.log_level(name(logger) or caller.entry),
    }


def _store_functions(services: Services, caller: Caller) -> Group:
    def reading(store: bytes) -> Store:
        return services.store(caller, name(store), "store.read")

    def writing(store: bytes) -> Store:
        return services.store(caller, name(store), "store.write")

    def get(store: bytes, key: bytes) -> bytes | None:
        return reading(store).get(name(key))

    return {
        "store_get": get,
        "store_set": lambda store, key, value, ttl=None: writing(store).set(name(key), value, ttl),
        "store_delete": lambda store, key: writing(store).delete(name(key)),
        "store_keys": lambda store, prefix=b"": _dump(reading(store).keys(name(prefix))),
        "store_incr": lambda store, key, by=1, ttl=None: writing(store).incr(name(key), by, ttl),
    }


def _registry_functions(services: Services, caller: Caller) -> Group:
    def env(variable: bytes) -> bytes | None:
        value = services.env(caller, name(variable))
        return None if value is None else value.encode("utf-8", "replace")

    def find(criteria: bytes) -> bytes:
        if len(criteria) > MAX_CRITERIA:
            raise Invalid(f"the criteria have {len(criteria)} bytes, more than {MAX_CRITERIA}")
        return services.registry_find(caller, criteria)

    return {
        "env": env,
        "env_names": lambda: _dump(services.env_names()),
        "registry_get": lambda entry: services.registry_get(caller, name(entry)),
        "registry_find": find,
        "call": lambda function, arguments: services.call_function(
            caller, name(function), arguments
        ),
    }


class Canceled(MoonqError):
    """A wait was cut short because the worker is to stop."""

    kind = "CANCELED"
