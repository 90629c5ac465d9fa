"""How much one statement may answer, and how long it may take."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from moonq.databases.faults import Failed

#: Bytes that a value costs beside its content.
_HEAD = 5


class Bounds:
    """Counts the rows and bytes of one result."""

    def __init__(self, max_rows: int, max_bytes: int, timeout: float) -> None:
        self.max_rows, self.max_bytes = max_rows, max_bytes
        self.timeout = timeout
        self.deadline = time.monotonic() + timeout
        self._rows = self._bytes = 0

    @property
    def left(self) -> float:
        """The seconds that are left."""
        return max(0.0, self.deadline - time.monotonic())

    def take(self, row: Sequence[Any]) -> None:
        """Count one row.

        Raises:
            Failed: It is one too many.
        """
        self._rows += 1
        if self._rows > self.max_rows:
            raise Failed(
                "INVALID",
                f"the result has more than {self.max_rows} rows",
                hint="ask for fewer with LIMIT, or raise `max_rows` of the entry",
                ends=True,
            )
        self._bytes += _size(row)
        if self._bytes > self.max_bytes:
            raise self.too_large()

    def too_large(self) -> Failed:
        """Return that the result has too many bytes."""
        return Failed(
            "INVALID",
            f"the result has more than {self.max_bytes} bytes",
            hint="ask for fewer columns or rows, or raise `max_bytes` of the entry",
            ends=True,
        )


def _size(row: Sequence[Any]) -> int:
    return sum(
        _HEAD + len(one)
        if isinstance(one, bytes | str)
        else _HEAD + _size(one)
        if isinstance(one, list)
        else 9
        for one in row
    )
