"""Message ids: UUIDv7 (RFC 9562, section 5.7), so that they sort by the moment of their publish."""

from __future__ import annotations

import os
import random

_system = random.SystemRandom()
#: Seeded by the operating system, in each process of a program that forks.
_random = random.Random(_system.getrandbits(128))
os.register_at_fork(after_in_child=lambda: _random.seed(_system.getrandbits(128)))
#: One step for the interpreter, so that threads may share it.
_random_bits = _random.getrandbits
_LOW_62 = (1 << 62) - 1
_VERSION_AND_VARIANT = 0x7 << 76 | 0b10 << 62


def new_id(now: float) -> str:
    """Return a UUIDv7 for *now*, in seconds since the epoch."""
    bits = _random_bits(74)
    number = int(now * 1000) << 80 | _VERSION_AND_VARIANT | bits >> 62 << 64 | bits & _LOW_62
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
