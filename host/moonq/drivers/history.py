"""What a message remembers of its failures: the last ten, in 16 KiB together.

    remembered((*errors, newest))    # what is stored, on every driver

A message that failed ten times with long tracebacks would weigh more than its body otherwise, in
its queue and for good among the dead letters. The newest error tells most: each keeps at least half
of what those that are newer leave.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from moonq.drivers.base import cut
from moonq.model import ErrorRecord

#: How many failed attempts a message remembers.
HISTORY = 10
#: Bytes of all of them, as JSON text.
MOST = 16 * 1024
#: Bytes that each has in any case: its time, its kind, and the beginning of what it says.
_LEAST = 192
_MARK = "…"
_LONGEST_KIND = 64


def remembered(errors: Sequence[ErrorRecord]) -> tuple[ErrorRecord, ...]:
    """Return the last ten of *errors*, the oldest first, cut to what a message may carry."""
    kept = [_sane(error) for error in errors[-HISTORY:]]
    sizes = [_size(error) for error in kept]
    left = MOST - len("[]")
    for place in range(len(kept) - 1, -1, -1):
        share = max((left - place * _LEAST) // 2, left - sum(sizes[:place]))
        if sizes[place] > share:
            kept[place] = _fitting(kept[place], share)
            sizes[place] = _size(kept[place])
        left -= sizes[place]
    return tuple(kept)


def _sane(error: ErrorRecord) -> ErrorRecord:
    return error._replace(
        kind=error.kind[:_LONGEST_KIND],
        message=cut(error.message),
        traceback=cut(error.traceback),
    )


def _fitting(error: ErrorRecord, size: int) -> ErrorRecord:
    """Return *error* in *size* bytes; half of them are for what it says, if that needs so many."""
    room = size - _size(error._replace(message="", traceback=""))
    said = _shortened(error.message, max(room // 2, room - _cost(error.traceback)))
    return error._replace(message=said, traceback=_shortened(error.traceback, room - _cost(said)))


def _shortened(text: str, size: int) -> str:
    if _cost(text) <= size:
        return text
    size -= _cost(_MARK)
    while text and (cost := _cost(text)) > size:
        # An escaped character takes up to six bytes: come near in steps.
        text = text[: min(len(text) - 1, max(0, len(text) * size // cost))]
    return text + _MARK if size >= 0 else ""


def _cost(text: str) -> int:
    return len(json.dumps(text)) - len('""')


def _size(error: ErrorRecord) -> int:
    return len(json.dumps(error)) + len(", ")
