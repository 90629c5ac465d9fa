"""Lines on their way to the screen: many at once, but never so many that typing is impossible.

    printer = Printer(write)
    printer.line("12:00:01.655 nack  app:orders ...")    # from any thread
    printer.close()

Ten times a second what has come is written in one piece: at most `LINES`, and then how many more
there were. Nothing is kept beyond that, so the fastest stream costs a counter.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Callable

from moonq.text.wording import plural

PAUSE = 0.1
LINES = 20


class Printer:
    """Writes lines in ticks."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._lines: list[str] = []
        self._more = 0
        self._tick: threading.Timer | None = None

    def line(self, text: str) -> None:
        """Show one line with the next tick, or count it."""
        with self._lock:
            if len(self._lines) < LINES:
                self._lines.append(text)
            else:
                self._more += 1
            self._wake()

    def skipped(self, count: int) -> None:
        """Say with the next tick that *count* lines never came here."""
        with self._lock:
            self._more += count
            self._wake()

    def close(self) -> None:
        """Write the rest now."""
        self._flush()

    def _wake(self) -> None:
        if self._tick is None:
            self._tick = threading.Timer(PAUSE, self._flush)
            self._tick.daemon = True
            self._tick.start()

    def _flush(self) -> None:
        # One at a time, so that lines keep their order while the screen is slow.
        with self._writing:
            with self._lock:
                lines, more = self._lines, self._more
                self._lines, self._more, self._tick = [], 0, None
            if more:
                lines.append(f"… {plural(more, 'more line')} in {PAUSE * 1000:.0f} ms")
            if lines:
                self._write("".join(f"{line}\n" for line in lines))


class LineStream(io.StringIO):
    """A stream that hands every whole line on."""

    def __init__(self, line: Callable[[str], None]) -> None:
        super().__init__()
        self._line = line
        self._rest = ""
        self._lock = threading.Lock()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """Lines go on as text, so they can carry anything."""
        return "utf-8"

    def isatty(self) -> bool:
        """A terminal is where its lines end up."""
        return True

    def write(self, text: str) -> int:
        """Take text."""
        with self._lock:
            *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._line(line)
        return len(text)
