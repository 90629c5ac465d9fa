"""What the parts of a world under test ask it, and tell it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from moonq.model import Delivery, Verdict
from moonq.testing.coverage import Hit
from moonq.testing.world.faults import Faults


class Stub(NamedTuple):
    """A function of a module that the test has replaced."""

    number: int
    key: str
    """The module's name, or the library's id."""
    name: str
    is_spy: bool


class Told(Protocol):
    """See `moonq.testing.world.world.World`."""

    faults: Faults
    stubs: list[Stub]
    states: set[Any]
    hit: Hit | None
    is_real: bool

    def within_test(self, limit: float | None) -> float | None:
        """Return *limit*, or what the test has left where that is less."""
        ...

    def sleep(
        self, seconds: float, began: float, limit: float | None, fire: Callable[[str], object]
    ) -> None:
        """Let time pass on behalf of a handler."""
        ...

    def begun(self, delivery: Delivery) -> None:
        """A handler begins."""
        ...

    def ended(self, delivery: Delivery, verdict: Verdict) -> None:
        """A delivery was settled."""
        ...

    def returned(self, values: bytes) -> None:
        """A handler returned *values*."""
        ...

    def answer(self, stub: int, arguments: bytes) -> bytes:
        """A stub was called."""
        ...
