"""Ctrl-C, SIGTERM and SIGHUP, answered in a separate thread.

with Signals(drain, stop_now, hangup=reload):
    ...                     # the first signal calls drain(), the second stop_now()

SIGHUP counts as an end where there is a terminal, for it says that the terminal is gone. Without
one it calls *hangup*: whoever rotates logs sends it, and means no end. SIGUSR1 and SIGUSR2 are
other programs' habits, and do nothing.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any

from moonq import threads

ENDING = (signal.SIGINT, signal.SIGTERM)
#: What else ends a command that holds nothing a host would miss.
_ENDING_TOO = (signal.SIGTERM, signal.SIGHUP)
_IGNORED = (signal.SIGUSR1, signal.SIGUSR2)
#: Seconds that what was told to end may take to give back what it holds; then SIGALRM ends it.
PATIENCE = 60


class Terminated(SystemExit):
    """SIGTERM or SIGHUP: the command gives back what it holds and ends.

    A `SystemExit`, for of what ends a program asyncio lets only that pass: anything else that is
    raised while a callback of the console runs would only be logged.
    """

    def __init__(self, number: int) -> None:
        self.exit_code = 128 + number
        super().__init__(self.exit_code)


class Signals:
    """Calls one answer per signal, in order; further signals do nothing.

    Python runs a signal's handler in the main thread at any moment, perhaps while that thread holds
    a lock that the answer needs. So the handler only puts into a `SimpleQueue`, which the standard
    library promises to be safe there.
    """

    def __init__(
        self, *answers: Callable[[], None], hangup: Callable[[], None] | None = None
    ) -> None:
        self._answers = iter(answers)
        self._hangup = None if has_terminal() else hangup
        self._heard: SimpleQueue[int] = SimpleQueue()
        self._before: dict[int, Any] = {}
        self._thread = threading.Thread(target=self._serve, name="signals", daemon=True)

    def __enter__(self) -> Signals:
        threads.start(self._thread)
        for number in (*ENDING, signal.SIGHUP):
            # Who starts a command with nohup wants it to outlive the terminal.
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._hear)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._heard.put(0)
        self._thread.join()

    def _hear(self, number: int, _frame: object) -> None:
        self._heard.put(number)

    def _serve(self) -> None:
        while number := self._heard.get():
            if number == signal.SIGHUP and self._hangup is not None:
                self._hangup()
            else:
                next(self._answers, lambda: None)()


def has_terminal() -> bool:
    """Whether a terminal controls this process, and says with SIGHUP that it is gone."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_CLOEXEC | os.O_NOCTTY))
    except OSError:
        return False
    return True


@contextmanager
def terminable() -> Iterator[None]:
    """Let SIGTERM and SIGHUP raise `Terminated` here, once, where no `Signals` answer them.

    Any other end would leave a private host's folder behind, and a terminal as a console had it.
    """

    def end(number: int, _frame: object) -> None:
        for one in _ENDING_TOO:
            signal.signal(one, signal.SIG_IGN)
        # A prompt whose terminal is gone may wait for a completion that never comes.
        signal.alarm(PATIENCE)
        raise Terminated(number)

    answers = {
        signal.SIGINT: signal.default_int_handler,
        **dict.fromkeys(_ENDING_TOO, end),
        # No SIG_IGN: what we start would inherit that.
        **dict.fromkeys(_IGNORED, lambda *_: None),
    }
    before = {
        number: signal.signal(number, answer)
        for number, answer in answers.items()
        if signal.getsignal(number) not in (signal.SIG_IGN, None)
    }
    try:
        yield
    finally:
        signal.alarm(0)
        for number, answer in before.items():
            signal.signal(number, answer)
