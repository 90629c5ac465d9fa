"""What a message weighs against `max_bytes` of its queue, the same on every driver that counts.

    weight(Message("a", b"{}", 0.0))    # 514: its body, and 512 bytes for the rest

Body, headers and the errors that it remembers count as what they are; id, times and places take
about 512 bytes in memory, so that many small messages are bounded as well. A dead letter counts for
the queue that it came from.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from moonq.model import ErrorRecord, Headers, Message

#: Bytes of whatever is not body, headers or errors.
OVERHEAD: Final = 512
_NUMBER = 8


def weight(message: Message, errors: Sequence[ErrorRecord] = ()) -> int:
    """Return what *message* with its *errors* weighs, in bytes."""
    total = OVERHEAD + len(message.body) + of_headers(message.headers)
    for error in errors:
        total += _NUMBER + len(error.kind) + len(error.message) + len(error.traceback)
    return total


def of_headers(headers: Headers) -> int:
    """Return what *headers* weigh, in bytes."""
    total = 0
    for name, value in headers.items():
        total += len(name) + (len(value) if isinstance(value, str) else _NUMBER)
    return total
