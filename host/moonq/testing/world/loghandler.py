"""Keeps what moonq itself logs while a test runs, beside what scripts log."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from moonq import log
from moonq.testing.results import LogLine


class LogHandler(logging.Handler):
    """Adds to *lines*."""

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
        level = log.level_name(record.levelno)
        self._lines().append(LogLine(level, record.getMessage(), known, entry))

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Keep what is logged within a `with`."""
        logging.getLogger().addHandler(self)
        try:
            yield
        finally:
            logging.getLogger().removeHandler(self)
