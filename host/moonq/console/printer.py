"""Lines on their way to the screen: many at once, but never so many that nobody can type.

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

PAUSE = 0.1
LINES = 20


class Printer:
    """Writes lines in ticks."""

    def __init__(self, write: Callable[[str], None], pause: float = PAUSE) -> None:
        self._write = write
        self._pause = pause
        self._changed = threading.Condition()
        self._lines: list[str] = []
        self._more = 0
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def line(self, text: str) -> None:
        """Show one line with the next tick, or count it."""
        with self._changed:
            if len(self._lines) < LINES:
                self._lines.append(text)
            else:
                self._more += 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="moonq-printer", daemon=True)
                self._thread.start()
            self._changed.notify()

    def skipped(self, count: int) -> None:
        """Say with the next tick that *count* lines never came here."""
        with self._changed:
            self._more += count

    def flush(self) -> None:
        """Write now what has come."""
        with self._changed:
            lines, more = self._lines, self._more
            self._lines, self._more = [], 0
        if more:
            lines.append(f"… {more} more lines in {PAUSE * 1000:.0f} ms")
        if lines:
            self._write("".join(f"{line}\n" for line in lines))

    def close(self) -> None:
        """Write the rest and end."""
        self._closed.set()
        with self._changed:
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(2)
        self.flush()

    def _run(self) -> None:
        while not self._closed.is_set():
            with self._changed:
                self._changed.wait_for(lambda: self._lines or self._more or self._closed.is_set())
            self.flush()
            self._closed.wait(self._pause)


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

    def write(self, text: str) -> int:
        """Take text."""
        with self._lock:
            *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._line(line)
        return len(text)
