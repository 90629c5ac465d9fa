"""Message ids: UUIDv7 (RFC 9562, section 5.7), so that they sort by the moment of their publish."""

from __future__ import annotations

import random
from threading import Lock

#: 74 random bits per id; the generator is seeded by the operating system.
_random = random.SystemRandom()
_generator = random.Random(_random.getrandbits(128))
_lock = Lock()


def new_id(now: float) -> str:
    """Return a UUIDv7 for *now*, in seconds since the epoch."""
    with _lock:
        bits = _generator.getrandbits(74)
    milliseconds = int(now * 1000)
    return (
        f"{milliseconds >> 16 & 0xFFFFFFFF:08x}-{milliseconds & 0xFFFF:04x}"
        f"-7{bits >> 62:03x}-{0x8000 | bits >> 48 & 0x3FFF:04x}-{bits & 0xFFFFFFFFFFFF:012x}"
    )
