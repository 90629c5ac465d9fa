"""Starts threads, of which the system may have none left.

threads.start(threading.Thread(target=work, daemon=True))  # or `Unavailable`, as of a broker

Whoever begins one in a loop that must not end asks `has_started`, and does without it for now.
"""

from __future__ import annotations

import threading

from moonq.errors import Unavailable


def start(thread: threading.Thread) -> None:
    """Start *thread*.

    Raises:
        Unavailable: This process gets no further one; that one may be started again later.
    """
    try:
        thread.start()
    except (RuntimeError, MemoryError):
        raise NoThread from None


def has_started(thread: threading.Thread) -> bool:
    """Start *thread*, and say whether that was possible."""
    try:
        start(thread)
    except NoThread:
        return False
    return True


class NoThread(Unavailable):
    """The system lets this process have no further thread."""

    def __init__(self) -> None:
        count = threading.active_count()
        super().__init__(
            f"the system lets this process have no thread more than its {count}",
            hint="raise its limit of tasks (`ulimit -u`, TasksMax=) or of memory (`ulimit -v`)",
        )
