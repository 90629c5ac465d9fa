"""Starts threads, of which the system may have none left.

threads.start(threading.Thread(target=work, daemon=True))  # or `Unavailable`, as of a broker

Whoever begins one in a loop that must not end asks `has_started`, and does without it for now.
"""

from __future__ import annotations

import ctypes
import resource
import threading
from contextlib import suppress

from moonq.errors import Unavailable

#: Bytes of a thread's stack where addresses are few; Lua needs half of it.
STACK = 1024 * 1024
#: `M_ARENA_MAX` of malloc.h: each further arena of glibc takes 64 MiB of addresses by itself.
_ARENA_MAX = -8


def most_addresses() -> int | None:
    """Return how many bytes of addresses this process may have; None: as many as there are."""
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if soft == resource.RLIM_INFINITY else soft


def be_frugal() -> None:
    """Where addresses are few, let threads and the allocator take no more than they use.

    To be called before the first thread.
    """
    if most_addresses() is not None:
        threading.stack_size(STACK)
        with suppress(OSError, AttributeError):  # another C library has no arenas
            ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)


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
