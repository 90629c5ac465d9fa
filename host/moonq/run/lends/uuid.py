"""Randomness for ids."""

from __future__ import annotations

import os

from moonq.run.context import Caller
from moonq.run.lending import lent
from moonq.run.services import HostServices

MAX_RANDOM = 1024


@lent(action=None, writes=False, waits=False)
def random_bytes(host: HostServices, caller: Caller, count: int) -> bytes:
    """Return so many random bytes, within reason."""
    return os.urandom(max(0, min(count, MAX_RANDOM)))
