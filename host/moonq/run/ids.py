"""Message ids: UUIDv7 (RFC 9562, section 5.7), so that they sort by the moment of their publish."""

from __future__ import annotations

import os
from collections.abc import Iterator

#: How an id ends, of those whose tails were drawn together: by number, so that they sort.
_ENDS = tuple(f"{number:03x}" for number in range(1 << 12))


class _Tails:
    """The random halves of ids, drawn from the operating system for many at once.

    Those of one draw share 62 random bits, as many as a UUID of another process is told apart by,
    and count up the last 12.
    """

    def __init__(self) -> None:
        self.start_anew()

    def start_anew(self) -> None:
        """Leave what is left to the process that this one was forked from."""
        self._left: Iterator[str] = iter(())

    def draw(self) -> str:
        """Return the next one."""
        # One step for the interpreter, so that threads may share it.
        tail = next(self._left, None)
        if tail is None:
            bits = f"{int.from_bytes(os.urandom(8)) >> 2:016x}"
            head = f"7{bits[1:4]}-{8 + int(bits[0], 16):x}{bits[4:7]}-{bits[7:]}"
            self._left = map(head.__add__, _ENDS)
            return self.draw()
        return tail


_tails = _Tails()
_draw = _tails.draw
os.register_at_fork(after_in_child=_tails.start_anew)
#: The last millisecond that an id was made in, and how those begin.
_now = 0, "00000000-0000-"


def new_id(now: float) -> str:
    """Return a UUIDv7 for *now*, in seconds since the epoch."""
    global _now  # noqa: PLW0603 - most ids are made in the same millisecond as the one before
    moment, head = _now
    if moment != (moment := int(now * 1000)):
        text = f"{moment:012x}"
        head = f"{text[:8]}-{text[8:]}-"
        _now = moment, head
    return head + _draw()
