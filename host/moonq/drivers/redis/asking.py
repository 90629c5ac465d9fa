"""Questions and orders of operators: each from its caller's thread, on one more connection."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from moonq.drivers.redis.scripts import REPEATABLE
from moonq.drivers.redis.times import StoreTime
from moonq.drivers.redis.wiring import Wire
from moonq.errors import QueueError, Uncertain

#: Real seconds that an answer may take.
PATIENCE = 10.0


class Asker:
    """See the module; one question at a time."""

    def __init__(
        self, wire: Wire, base: str, store_time: StoreTime, tell: Callable[[Iterable[Any]], None]
    ) -> None:
        self.base = base
        self.where = wire.where
        self._wire = wire
        self._time = store_time
        self._tell = tell
        self._lock = threading.RLock()

    def close(self) -> None:
        """Give the connection back."""
        with self._lock:
            self._wire.close()

    def look(self, script: str, *args: Any, moment: bool = True) -> Any:
        """Run a script and return what it answers.

        Raises:
            QueueError: It could not be done.
        """
        given = [self._time.given()] if moment else []
        with self._lock:
            answer = self._again(script, [*given, *args])
        self._tell(answer[3])
        return answer[2]

    def _again(self, script: str, args: list[Any]) -> Any:
        """Run a script; once more where a connection that was idle turns out to be lost."""
        was_up = self._wire.is_up
        try:
            return self._call(script, args)
        except QueueError:
            if not was_up or self._wire.is_up:
                raise
            if script not in REPEATABLE:
                raise Uncertain(
                    f"{self._wire.where}: the connection was lost meanwhile: it may have been done"
                ) from None
        return self._call(script, args)

    def _call(self, script: str, args: list[Any]) -> Any:
        if not self._wire.is_up:
            self._wire.connect(PATIENCE)
        return self._wire.call(script, args)

    def command(self, *parts: Any) -> Any:
        """Run a command that only reads and return its answer.

        Raises:
            QueueError: It could not be done.
        """
        with self._lock:
            for is_last in (not self._wire.is_up, True):
                try:
                    if not self._wire.is_up:
                        self._wire.connect(PATIENCE)
                    return self._wire.command(*parts)
                except QueueError:
                    if is_last or self._wire.is_up:
                        raise
        raise AssertionError(time.monotonic())
