"""The garbage collector of a process that does nothing but serve."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

#: How many more objects there are at the next look, instead of 700: a look stops every thread, for
#: about a millisecond with these. At messages that wait in memory it looks once or twice in all.
OBJECTS = 10_000


@contextmanager
def sparing() -> Iterator[None]:
    """Let it look seldom inside of `with`, and at nothing that was there before.

    To walk over what a project and its libraries consist of stops every thread for 40 ms, and finds
    nothing. It is for the process that has a host to itself: who has one in a program of their own
    keeps their collector as it is.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
