"""Ctrl-C and SIGTERM, answered in a separate thread.

with Signals(drain, stop_now):
    ...                     # the first signal calls drain(), the second stop_now()
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Terminated(BaseException):
    """SIGTERM: the command gives back what it holds and ends."""


class Signals:
    """Calls one answer per signal, in order; further signals do nothing.

    Python runs a signal's handler in the main thread at any moment, perhaps while that thread holds
    a lock that the answer needs. So the handler only puts into a `SimpleQueue`, which the standard
    library promises to be safe there.
    """

    def __init__(self, *answers: Callable[[], None]) -> None:
        self._answers = answers
        self._heard: SimpleQueue[bool] = SimpleQueue()
        self._before: dict[int, Any] = {}
        self._thread = threading.Thread(target=self._serve, name="signals", daemon=True)

    def __enter__(self) -> Signals:
        self._thread.start()
        for number in SIGNALS:
            self._before[number] = signal.signal(number, self._hear)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._heard.put(False)
        self._thread.join()

    def _hear(self, *_: object) -> None:
        self._heard.put(True)

    def _serve(self) -> None:
        for answer in self._answers:
            if not self._heard.get():
                return
            answer()
        while self._heard.get():
            pass


@contextmanager
def terminable() -> Iterator[None]:
    """Let SIGTERM raise `Terminated` here, once, where no `Signals` answer it.

    Any other end would leave a private host's folder behind, and a terminal as a console had it.
    """

    def end(*_: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise Terminated

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
