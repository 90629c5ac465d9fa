"""Keeps what moonq itself logs while a test runs, beside what scripts log."""

from __future__ import annotations

import logging
from collections.abc import Callable
from types import TracebackType

from moonq.testing.results import LogLine

_LEVELS = {10: "debug", 20: "info", 30: "warn", 40: "error", 50: "error"}


class LogHandler(logging.Handler):
    """Listens within a `with`."""

    def __init__(self, lines: Callable[[], list[LogLine]]) -> None:
        super().__init__()
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one line."""
        known = dict(getattr(record, "fields", None) or {})
        for name in ("message_id", "attempt"):
            if hasattr(record, name):
                known[name] = getattr(record, name)
        entry = getattr(record, "entry", record.name)
        level = _LEVELS.get(record.levelno, "info")
        self._lines().append(LogLine(level, record.getMessage(), known, entry))

    def __enter__(self) -> None:
        """Begin to listen."""
        logging.getLogger().addHandler(self)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Listen no more."""
        logging.getLogger().removeHandler(self)
