"""Whether all workers fit where the address space of the process is limited, as by `ulimit -v`.

    room.take(consumer, "app:worker", workers=8, memory=64 * MIB)  # `Hopeless`: 8 * 81M do not fit
    room.give_back(consumer)

Lua ends the process when a value that is handed to it finds no memory, and nothing can catch that.
So a worker begins only where what its state may use is there. Nothing is counted without a limit.
"""

from __future__ import annotations

import resource
import threading
from pathlib import Path

from moonq import threads
from moonq.errors import Hopeless
from moonq.sandbox.state import RESERVE, THREAD_STACK
from moonq.text import sizes

#: Bytes that the process keeps for itself: messages, log lines, drivers, and what they load late.
OWN = 128 * 1024 * 1024

_lock = threading.Lock()
_taken: dict[object, int] = {}
_base: list[int] = []


def take(holder: object, owner: str, workers: int, memory: int) -> None:
    """Count on the memory of so many *workers* of *owner*, each of which may use *memory* bytes.

    *holder* is who gives it back.

    Raises:
        Hopeless: That is more than the process may have.
    """
    limit = threads.most_addresses()
    if limit is None:
        return
    each = memory + 2 * RESERVE + THREAD_STACK
    with _lock:
        if not _base:
            _base.append(_used())
        others = _base[0] + OWN + sum(size for one, size in _taken.items() if one is not holder)
        if others + workers * each > limit:
            raise Hopeless(
                f"{owner}: {workers} workers of {sizes.show(each)} do not fit into the"
                f" {sizes.show(limit)} of addresses that this process may have"
                f" (all else takes {sizes.show(others)})",
                hint="raise the limit (`ulimit -v`), or lower `concurrency` or `limits.memory`",
            )
        _taken[holder] = workers * each


def give_back(holder: object) -> None:
    """Count no longer on what *holder* took."""
    with _lock:
        _taken.pop(holder, None)


def _used() -> int:
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * resource.getpagesize()
