"""Runs Lua beside the main thread, because Python hears no signal while that one is inside Lua.

beside = Beside()
result = beside.run(lambda: host.call("app:report"))    # Ctrl-C is heard meanwhile
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TypeVar

T = TypeVar("T")


class GivenUp(Exception):
    """Nobody waits for the work any more."""


class Beside:
    """One piece of work at a time, in a thread that the end of the process does not wait for."""

    def __init__(self) -> None:
        self._answers: SimpleQueue[Callable[[], None]] = SimpleQueue()

    def run(self, work: Callable[[], T]) -> T:
        """Return what *work* returns, or raise what it raises.

        Raises:
            GivenUp: `give_up` was called first.
        """
        results: list[T] = []

        def worker() -> None:
            try:
                results.append(work())
                self._answers.put(lambda: None)
            except BaseException as error:  # noqa: BLE001 - the main thread raises it
                self._answers.put(_raiser(error))

        threading.Thread(target=worker, name="call", daemon=True).start()
        self._answer()()
        return results[0]

    def _answer(self) -> Callable[[], None]:
        # In steps, because a signal that another thread gets does not wake this one.
        while True:
            with suppress(Empty):
                return self._answers.get(timeout=0.25)

    def give_up(self) -> None:
        """Let `run` end now; the work itself may go on."""
        self._answers.put(_raiser(GivenUp()))


def _raiser(error: BaseException) -> Callable[[], None]:
    def answer() -> None:
        raise error

    return answer
