"""What a running host offers to its scripts: the other end of `sandbox.lend`."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from moonq import log
from moonq.clock import Clock
from moonq.errors import Invalid, MoonqError, NotFound, QueueError
from moonq.registry.project import Entry, Project
from moonq.run.queues import Queues, info_object
from moonq.sandbox.lend import Caller, Store
from moonq.sandbox.state import ScriptFault, Stopped

if TYPE_CHECKING:
    from moonq.run.functions import Functions

_LEVELS = {1: logging.DEBUG, 2: logging.INFO, 3: logging.WARNING, 4: logging.ERROR}
#: Lines that one script may write per second; the rest is counted.
MAX_LINES = 5000
#: How many calls of `funcs.call` may lie above each other.
MAX_DEPTH = 16


class HostServices:
    """The services of one host."""

    def __init__(
        self, project: Project, clock: Clock, queues: Queues, env: Mapping[str, str]
    ) -> None:
        self.clock = clock
        self.functions: Functions
        self.stores: dict[str, Store] = {}
        self._project = project
        self._queues = queues
        self._env = env
        self._variables = _variables(project, env)
        self._floods = _Floods(clock)

    def renew(self, project: Project, functions: Functions) -> None:
        """Show scripts another version of the project."""
        self._project = project
        self._variables = _variables(project, self._env)
        self.functions = functions

    def publish(
        self, caller: Caller, queue: bytes, body: bytes, headers: bytes, options: bytes
    ) -> bytes:
        """Publish one message; into the queue that the caller serves it never waits."""
        if caller.scope is not None:
            caller.scope.require("queue.publish", queue.decode("utf-8", "replace"))
        may_wait = queue != caller.serves
        return self._queues.publish(queue, body, headers, options, may_wait=may_wait).encode()

    def publish_batch(self, caller: Caller, queue: bytes, *parts: bytes) -> bytes:
        """Publish messages given as body, headers and options in turn, and answer for each."""
        queue_id = queue.decode("utf-8", "replace")
        _require(caller, "queue.publish", queue_id)
        may_wait = queue != caller.serves
        answers = self._queues.publish_many(queue_id, parts, may_wait=may_wait)
        return json.dumps([_answer(answer) for answer in answers]).encode()

    def queue_info(self, caller: Caller, queue: str) -> bytes:
        """Return the numbers of a queue as JSON."""
        _require(caller, "queue.info", queue)
        return json.dumps(info_object(self._queues.info(queue))).encode()

    def write_log(
        self, caller: Caller, index: int, level: int, logger: str, message: str, fields: bytes
    ) -> None:
        """Write a script's line, unless it floods the log."""
        target = log.get(logger or caller.entry)
        dropped = self._floods.admit(caller.entry)
        if dropped is None:
            return
        if dropped:
            target.warning("%d log lines were dropped: more than %d a second", dropped, MAX_LINES)
        extra: dict[str, Any] = {"entry": caller.entry, **caller.log_context(index)}
        if fields:
            extra["fields"] = json.loads(fields)
        target.log(_LEVELS.get(level, logging.INFO), "%s", message, extra=extra)

    def log_level(self, logger: str) -> int:
        """Return the lowest level that is written, 1 to 5."""
        wanted = log.get(logger).getEffectiveLevel()
        return next((level for level, number in _LEVELS.items() if number >= wanted), 5)

    def call_function(self, caller: Caller, function: str, arguments: bytes) -> bytes:
        """Call another function in a state of its own, on the caller's time."""
        if caller.depth >= MAX_DEPTH:
            raise Invalid(f"functions call each other more than {MAX_DEPTH} deep at {function!r}")
        _require(caller, "funcs.call", function)
        below = Caller(
            entry=caller.entry,
            scope=caller.scope,
            depth=caller.depth + 1,
            is_stopping=caller.is_stopping,
            sleep=caller.sleep,
            remaining=caller.remaining,
        )
        try:
            with self.functions.borrow(function, below) as state:
                return state.call(arguments, caller.remaining())
        except ScriptFault as raised:
            raise _Failed(raised.fault.kind, raised.fault.message, raised.fault.retryable) from None
        except Stopped as stopped:
            raise _Failed("TIMEOUT", f"{function}: stopped ({stopped.reason})", None) from None

    def env(self, caller: Caller, name: str) -> str | None:
        """Return a variable that an `env.variable` entry names."""
        _require(caller, "env.read", name)
        if name not in self._variables:
            raise NotFound(f"no env.variable entry names {name!r}")
        return self._variables[name]

    def env_names(self) -> list[str]:
        """Return the names of all such variables."""
        return sorted(self._variables)

    def store(self, caller: Caller, store: str, action: str) -> Store:
        """Return a store by its id, for *action*."""
        _require(caller, action, store)
        found = self.stores.get(store)
        if found is None:
            raise NotFound(f"store {store!r} does not exist, or is not started")
        return found

    def registry_get(self, caller: Caller, entry: str) -> bytes:
        """Return an entry as JSON."""
        _require(caller, "registry.read", entry)
        return json.dumps(_entry_object(self._project.resolve(entry))).encode()

    def registry_find(self, caller: Caller, criteria: bytes) -> bytes:
        """Return the entries that fit kind, namespace, name and meta as a JSON array."""
        _require(caller, "registry.read", "*")
        wanted = json.loads(criteria) if criteria else {}
        if not isinstance(wanted.get("meta", {}), dict):
            raise Invalid("registry.find: meta: names and values expected, got a list")
        fitting = [entry for entry in self._project.entries.values() if _fits(entry, wanted)]
        return json.dumps([_entry_object(entry) for entry in fitting]).encode()


class _Failed(MoonqError):
    """A called function's own failure, handed to its caller."""

    def __init__(self, kind: str, message: str, retryable: bool | None) -> None:
        super().__init__(message)
        self.kind = kind
        self.retryable = retryable


def _require(caller: Caller, action: str, resource: str) -> None:
    if caller.scope is not None:
        caller.scope.require(action, resource)


class _Floods:
    """Counts the log lines of each script per second."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: dict[str, tuple[int, int, int]] = {}

    def admit(self, entry: str) -> int | None:
        """Return how many lines were dropped before this one; None drops this one too."""
        second = int(self._clock.monotonic())
        with self._lock:
            then, lines, dropped = self._seen.get(entry, (second, 0, 0))
            if then != second:
                self._seen[entry] = (second, 1, 0)
                return dropped
            if lines >= MAX_LINES:
                self._seen[entry] = (then, lines, dropped + 1)
                return None
            self._seen[entry] = (then, lines + 1, dropped)
            return 0


def level_name(level: int) -> str:
    """Return what people call a script's *level*, 1 to 4."""
    return log.level_name(_LEVELS.get(level, logging.INFO))


def _variables(project: Project, env: Mapping[str, str]) -> dict[str, str | None]:
    result: dict[str, str | None] = {}
    for entry in project.of_kind("env.variable"):
        fields: Any = entry.config
        value = env.get(fields.variable, fields.default)
        result[fields.variable] = value
        result[entry.id] = value
    return result


def _answer(answer: str | QueueError) -> str | dict[str, Any]:
    if isinstance(answer, QueueError):
        return {"kind": answer.kind, "message": answer.message, "retryable": answer.retryable}
    return answer


def _entry_object(entry: Entry) -> dict[str, Any]:
    found: dict[str, Any] = {
        "id": entry.id,
        "kind": entry.kind,
        "namespace": entry.namespace,
        "name": entry.name,
        "meta": dict(entry.meta),
    }
    if entry.config.model_extra is not None:
        found["data"] = dict(entry.config.model_extra)
    return found


def _fits(entry: Entry, wanted: Mapping[str, Any]) -> bool:
    for key in ("kind", "namespace", "name"):
        if key in wanted and getattr(entry, key) != wanted[key]:
            return False
    meta = wanted.get("meta") or {}
    return all(entry.meta.get(key) == value for key, value in meta.items())
