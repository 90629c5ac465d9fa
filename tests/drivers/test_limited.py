"""The suite on a driver that can do little: what it does not promise is not asked of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from moonq.clock import Clock
from moonq.conformance import CASES, Case, Scene
from moonq.drivers.base import Capabilities, Limit
from moonq.drivers.memory.driver import MemoryDriver
from moonq.errors import QueueNotFound, Unsupported
from moonq.model import Page, QueueInfo, Stored

LIMITS = {
    "durable": Limit("none", "it forgets"),
    "several_hosts": Limit("none", "it is alone"),
    "exact_info": Limit("approximate", "it guesses"),
    "peek": Limit("none", "to look is to take"),
    "move": Limit("none", "nothing is adopted"),
    "find": Limit("none", "it has no index"),
    "select": Limit("none", "it has no index"),
    "interruptions": Limit("approximate", "a hand-back may count as one"),
    "dead_by_origin": Limit("none", "it counts what lies there"),
    "survives_reopen": Limit("none", "what runs is run again"),
    "expiry": Limit("approximate", "it looks at delivery"),
}


class LimitedDriver(MemoryDriver):
    """Answers wrongly, or not at all, whatever is not promised."""

    def capabilities(self) -> Capabilities:
        return Capabilities.but(LIMITS)

    def info(self, queue: str) -> QueueInfo:
        super().info(queue)
        return QueueInfo(7, 7, 7, 7, 7, 7, 7.0, paused=super().info(queue).paused, exact=False)

    def _refuse(self, *_asked: Any, **_more: Any) -> Any:
        raise Unsupported("this driver cannot do that")

    adopt = waiting = _refuse

    def peek(self, queue: str, *asked: Any, **more: Any) -> Page:
        self._queue(queue)
        return self._refuse()  # type: ignore[no-any-return]

    def find(self, queue: str, message_id: str) -> Stored | None:
        self._queue(queue)
        return self._refuse()  # type: ignore[no-any-return]

    def purge(self, queue: str, ids: Sequence[str | int] | None = None) -> int:
        return super().purge(queue) if ids is None else self._refuse()

    def redrive(self, source: str, target: str, ids: Sequence[str | int] | None = None) -> int:
        return super().redrive(source, target) if ids is None else self._refuse()

    def unserved(self) -> Mapping[str, int]:
        return {}


def make(clock: Clock) -> LimitedDriver:
    return LimitedDriver(clock)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_is_not_promised_is_not_asked_for(case: Case) -> None:
    case.prove(Scene(make))


def test_what_is_promised_is_asked_for() -> None:
    """The cases still find a fault where they look by consuming."""
    scene = Scene(make)
    scene.kill("a")
    assert scene.reason("a") == "rejected"
    assert scene.counts() == {"nothing": "of the kind"}
    with pytest.raises(QueueNotFound):
        scene.find("a", "nowhere")
