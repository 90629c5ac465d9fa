"""What the tests of the sandbox offer to scripts: every lent function, with nothing behind it."""

from __future__ import annotations

from collections import Counter

from moonq.clock import Clock, SystemClock
from moonq.errors import NotFound
from moonq.run.stores import MemoryStore
from moonq.sandbox.lend import Caller, Store


class Offered:
    """Services that count what is asked of them."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or SystemClock()
        self.asked: Counter[str] = Counter()
        self.last_line = ""
        self.strangers: list[str] = []
        """What was given that is no scalar: it must stay empty."""
        self._store = MemoryStore("app:values", self.clock)

    def publish(
        self, caller: Caller, queue: bytes, body: bytes, headers: bytes, options: bytes
    ) -> bytes:
        self._ask("publish", queue, body, headers, options)
        return b"0198a6c4-0000-7000-8000-000000000000"

    def publish_batch(self, caller: Caller, queue: bytes, *parts: bytes) -> bytes:
        self._ask("publish_batch", queue, *parts)
        return b"[]"

    def queue_info(self, caller: Caller, queue: str) -> bytes:
        self._ask("queue_info", queue)
        return b'{"ready":0}'

    def write_log(
        self, caller: Caller, index: int, level: int, logger: str, message: str, fields: bytes
    ) -> None:
        self._ask("write_log", index, level, logger, message, fields)
        self.last_line = message

    def log_level(self, logger: str) -> int:
        self._ask("log_level", logger)
        return 1

    def call_function(self, caller: Caller, function: str, arguments: bytes) -> bytes:
        self._ask("call_function", function, arguments)
        raise NotFound(f"there is no function {function!r}")

    def env(self, caller: Caller, name: str) -> str | None:
        self._ask("env", name)
        return "eu" if name == "REGION" else None

    def env_names(self) -> list[str]:
        self._ask("env_names")
        return ["REGION"]

    def store(self, caller: Caller, store: str, action: str) -> Store:
        self._ask("store", store, action)
        if store != self._store.id:
            raise NotFound(f"store {store!r} does not exist")
        return self._store

    def registry_get(self, caller: Caller, entry: str) -> bytes:
        self._ask("registry_get", entry)
        return b'{"id":"app:values"}'

    def registry_find(self, caller: Caller, criteria: bytes) -> bytes:
        self._ask("registry_find", criteria)
        return b"[]"

    def _ask(self, name: str, *arguments: object) -> None:
        """Count, and hold the sandbox to its word: only scalars cross."""
        self.asked[name] += 1
        for argument in arguments:
            if type(argument) not in (bytes, str, int, float, bool):
                self.strangers.append(f"{name} was given a {type(argument)}")


def handler_of(settled: list[str] | None = None) -> Caller:
    """Return a caller with a message; what it settles early goes to *settled*."""
    actions = [] if settled is None else settled

    def settle(index: int, action: str, delay: float, reason: str) -> bool:
        actions.append(action)
        return len(actions) == 1

    message = b'{"id":"m-1","attempt":1,"interruptions":0,"published_at":1.5,"queue":"app:q",'
    message += b'"headers":{"source":"shop"}}'
    return Caller("app:attack", settle=settle, message=lambda _: message)
