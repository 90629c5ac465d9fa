"""A stream that never makes its writers wait: a thread of its own writes to the descriptor.

    outlet = Outlet(2)
    outlet.write("12:00:01.120 INFO  app:work  begun\\n")    # returns at once, whoever reads
    outlet.end(1.0)                                          # for what is written by then

A reader that stops reading (a full pipe, a terminal that is held) costs lines, which are counted
and told of as soon as there is room again, and never a moment of those who speak.
"""

from __future__ import annotations

import io
import os
import select
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TextIO, cast

from moonq import threads
from moonq.text.plain import safe

#: Bytes that may wait to be written.
ROOM = 4 * 1024 * 1024
#: Seconds that the end of the process waits for them.
PATIENCE = 1.0
#: What a pipe takes in one piece, so that lines of two processes do not mix.
_PIECE = select.PIPE_BUF


class Outlet(io.TextIOBase):
    """Takes lines for *descriptor*; what finds no room is dropped, audit lines last."""

    errors = "replace"

    def __init__(self, descriptor: int, encoding: str = "utf-8") -> None:
        self._descriptor = descriptor
        self._encoding = encoding
        self._changed = threading.Condition()
        self._waiting: deque[tuple[bytes, bool]] = deque()
        self._size = 0
        self._lost = 0
        self._is_choked = False
        self._ended = False
        self._thread: threading.Thread | None = None
        self.loss: Callable[[int], str] = _loss
        """Gives the line that says how many were dropped."""

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """How text becomes bytes."""
        return self._encoding

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._descriptor

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return os.isatty(self._descriptor)

    def writable(self) -> bool:
        """It is."""
        return True

    def flush(self) -> None:
        """Wait for nothing; see `end`."""

    def write(self, text: str) -> int:
        """Take *text*, which is written soon."""
        self._put(safe(text).encode(self._encoding, self.errors), is_audit=False)
        return len(text)

    def write_audit(self, text: str) -> None:
        """Take a line that says who did what: it takes the room of all others before it is lost."""
        self._put(safe(text).encode(self._encoding, self.errors), is_audit=True)

    def end(self, limit: float = PATIENCE) -> None:
        """Wait until everything is written, for at most *limit* seconds; once."""
        with self._changed:
            if self._ended:
                return
            self._ended = True
            self._tell_of_loss()
            while self._thread is None and self._waiting and self._takes(limit):
                piece = self._piece()  # there was no thread for it
                self._write_out(piece)
                self._size -= len(piece)
            self._changed.wait_for(lambda: not self._size, limit)

    def _put(self, data: bytes, *, is_audit: bool) -> None:
        with self._changed:
            if is_audit and self._size + len(data) > ROOM:
                self._forget_all_but_audit()
            if (self._is_choked and not is_audit) or self._size + len(data) > ROOM:
                # From here on none until there is room for many: no half lines, and one count.
                self._is_choked = True
                self._lost += data.count(b"\n")
                if self._size <= ROOM // 2:
                    self._tell_of_loss()  # too much by itself: there may be nothing to wait for
                return
            self._append(data, is_audit)

    def _append(self, data: bytes, is_audit: bool) -> None:
        self._waiting.append((data, is_audit))
        self._size += len(data)
        if self._thread is None:
            thread = threading.Thread(target=self._serve, name="moonq-log", daemon=True)
            # Without one the lines wait, and the next of them tries again.
            self._thread = thread if threads.has_started(thread) else None
        if len(self._waiting) == 1:
            self._changed.notify_all()  # else it is busy, and looks again by itself

    def _forget_all_but_audit(self) -> None:
        for data, is_audit in tuple(self._waiting):
            if not is_audit:
                self._lost += data.count(b"\n")
                self._size -= len(data)
        self._waiting = deque(one for one in self._waiting if one[1])
        self._is_choked = True

    def _tell_of_loss(self) -> None:
        lost, self._lost, self._is_choked = self._lost, 0, False
        if lost:
            self._append(self.loss(lost).encode(self._encoding, self.errors), True)

    def _serve(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                piece = self._piece()
            # With the lock free, for this may take for ever.
            written = self._write_out(piece)
            with self._changed:
                self._size -= len(piece)
                if not written:
                    self._lost += piece.count(b"\n")
                elif self._size <= ROOM // 2:
                    self._tell_of_loss()
                self._changed.notify_all()

    def _piece(self) -> bytes:
        """Take as many whole lines as a pipe takes at once; a longer one comes alone."""
        piece, _ = self._waiting.popleft()
        while self._waiting and len(piece) + len(self._waiting[0][0]) <= _PIECE:
            piece += self._waiting.popleft()[0]
        return piece

    def _takes(self, limit: float) -> bool:
        return bool(select.select([], [self._descriptor], [], limit)[1])

    def _write_out(self, data: bytes) -> bool:
        while data:
            try:
                data = data[os.write(self._descriptor, data) :]
            except BlockingIOError:
                # Whoever shares the descriptor has made it so.
                select.select([], [self._descriptor], [], 1.0)
            except OSError:
                return False  # the reader is gone, or the disk is full
        return True


class LogFile(Outlet):
    """The end of the file at *path*.

    Raises:
        OSError: It cannot be opened.
    """

    def __init__(self, path: str) -> None:
        super().__init__(_opened(path))
        self._path = path

    def reopen(self) -> None:
        """Go on in the file that has this name by now; the one before was moved away.

        Raises:
            OSError: It cannot be opened; the one before is kept.
        """
        fresh = _opened(self._path)
        os.dup2(fresh, self._descriptor, inheritable=False)
        os.close(fresh)


def outlet_of(stream: TextIO) -> TextIO:
    """Return an outlet in place of *stream*; what has no descriptor makes nobody wait."""
    try:
        return cast(TextIO, Outlet(stream.fileno(), stream.encoding))
    except OSError:
        return stream


def end(*streams: object, limit: float = PATIENCE) -> None:
    """End those of *streams* that are outlets, all within *limit* seconds."""
    deadline = time.monotonic() + limit
    for stream in streams:
        if isinstance(stream, Outlet):
            stream.end(max(0.0, deadline - time.monotonic()))


def _opened(path: str) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


def _loss(count: int) -> str:
    what = "line was" if count == 1 else "lines were"
    return f"moonq: {count} {what} dropped here: nobody read them\n"
