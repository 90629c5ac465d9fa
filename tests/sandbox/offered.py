"""What the tests of the sandbox offer to scripts: every lent function, with nothing behind it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from moonq.clock import Clock, SystemClock
from moonq.errors import NotFound, QueueError
from moonq.run.calling.context import CallContext
from moonq.run.calling.lending import Caller, Lent
from moonq.run.calling.lends import declared
from moonq.run.calling.sinks import Line
from moonq.run.stores.base import Store
from moonq.run.stores.memory import MemoryStore
from moonq.run.web.settings import DEFAULTS, WebSettings
from moonq.sandbox.lend import Bound

#: What those answer that would need a project.
ANSWERS = {
    "queue_info": b'{"ready":0}',
    "registry_get": b'{"id":"app:values"}',
    "registry_find": b"[]",
    "http_client": b"app:bank",
    "http_request": b'{"status":200,"headers":[["a","b"]],"url":"http://x/","size":3}\n[1]',
}


class Offered:
    """A host that counts what is asked of it."""

    is_dry = False
    is_timed = True
    shut = None
    is_strict = False
    ids: frozenset[bytes] = frozenset()

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or SystemClock()
        self.asked: Counter[str] = Counter()
        self.last_line = ""
        self.strangers: list[str] = []
        """What was given that is no scalar: it must stay empty."""
        self.sink = self.functions = self.project = self.http = self
        self._store = MemoryStore("app:values", self.clock)

    def lends(self, caller: Caller | None = None) -> dict[str, Bound]:
        """Return every lent function by name, for *caller*."""
        served = caller or Caller(CallContext("app:handler"))
        served.host = self  # type: ignore[assignment]
        return {
            one.name: replace(one, function=self._watched(one)).bound(served) for one in declared()
        }

    def entry_id(self, name: str, kind: str) -> str:
        """Return the id of an entry: there is no project to look it up in."""
        return name

    def settings(self, client: str) -> WebSettings:
        """Return how requests are made."""
        return DEFAULTS

    def variable(self, name: str) -> str:
        """Return the value of a variable."""
        if not name.endswith("REGION"):
            raise NotFound(f"no env.variable entry names {name!r}")
        return "eu"

    def variables(self) -> dict[str, str]:
        """Return the ids of all variables by their names."""
        return {"REGION": "app:region"}

    def _watched(self, one: Lent) -> Callable[..., Any]:
        """Return the function of *one*, which counts and holds the sandbox to its word."""

        def function(caller: Caller, *arguments: Any) -> Any:
            self.asked[one.name] += 1
            for argument in arguments:
                if type(argument) not in (bytes, str, int, float, bool, type(None)):
                    self.strangers.append(f"{one.name} was given a {type(argument)}")
            canned = ANSWERS.get(one.name)
            return one.function(caller, *arguments) if canned is None else canned

        return function

    # What the lent functions reach ----------------------------------------------------------------

    def publish(self, queue: bytes, *message: Any, may_wait: bool) -> str:
        return "0198a6c4-0000-7000-8000-000000000000"

    def publish_all(
        self, queue: bytes, messages: Sequence[Any], are_bare: bool, *, may_wait: bool
    ) -> list[str | QueueError]:
        return []

    def write_log(self, line: Line) -> None:
        self.last_line = line.message

    def write_denial(self, line: Line) -> None:
        self.last_line = line.message

    def log_level(self, logger: str) -> int:
        return 1

    def resolve(self, name: str) -> Any:
        return SimpleNamespace(id=name)

    def borrow(self, function: str, context: CallContext, timeout: float | None) -> Any:
        raise NotFound(f"there is no function {function!r}")

    def module(self, module: str) -> Any:
        raise NotFound(f"there is no module {module!r}")

    def database(self, database: str) -> Any:
        raise NotFound(f"database {database!r} does not exist")

    def store(self, store: str | Store) -> Store:
        if store not in (self._store, self._store.id):
            raise NotFound(f"store {store!r} does not exist")
        return self._store


def handler_of(settled: list[str] | None = None) -> Caller:
    """Return a caller with a message; what it settles early goes to *settled*."""
    actions = [] if settled is None else settled

    def settle(index: int, action: str, delay: float, reason: str) -> bool:
        actions.append(action)
        return len(actions) == 1

    message = b'{"id":"m-1","attempt":1,"interruptions":0,"published_at":1.5,"queue":"app:q",'
    message += b'"headers":{"source":"shop"}}'
    return Caller(CallContext("app:attack"), settle=settle, message=lambda _: message)
