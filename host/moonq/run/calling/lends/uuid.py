"""Randomness for ids."""

from __future__ import annotations

import os

from moonq.run.calling.lending import Caller, lent

MAX_RANDOM = 1024


@lent(action=None, writes=False, waits=False)
def random_bytes(caller: Caller, count: int) -> bytes:
    """Return so many random bytes, within reason."""
    return os.urandom(max(0, min(count, MAX_RANDOM)))
