"""What a client has not read yet: bounded, and filled without waiting for it.

An answer is always kept, because the client asked for it; a client that asks for more than
`LARGEST` without reading is cut off. An event is kept while there is room, counted when not. What
code prints waits for room, as it would at a pipe.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections import deque
from collections.abc import Callable

from moonq import threads
from moonq.control.wire import Frame, encode

#: Bytes of events that may wait.
ROOM = 1024 * 1024
#: Bytes of everything that may wait.
LARGEST = 32 * 1024 * 1024
#: Seconds between two looks at whether a sender that waits for room still wants to.
LOOK = 0.05


class Outbox:
    """The way out to one client; any thread may use it."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._changed = threading.Condition()
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._closed = False
        self._thread: threading.Thread | None = None

    def put(self, frame: Frame) -> None:
        """Send an answer, now or as soon as the client reads."""
        self._send(encode(frame), LARGEST)

    def offer(self, frame: Frame, is_patient: Callable[[], bool] = lambda: False) -> bool:
        """Send an event if there is room. False: it was dropped, and the caller counts it.

        While the sender *is_patient*, this waits for room.
        """
        data = encode(frame)
        while not self._send(data, ROOM):
            if self._closed or not is_patient():
                return False
            with self._changed:
                self._changed.wait_for(lambda: self._has_room(len(data)), LOOK)
        return True

    def _has_room(self, size: int) -> bool:
        return self._closed or not self._waiting or self._size + size <= ROOM

    def close(self) -> None:
        """Forget what waits and hang up."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify_all()
        # A shutdown wakes the threads that read or write; close alone would not.
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    def _send(self, data: bytes, room: int) -> bool:
        with self._changed:
            if self._closed:
                return False
            if not self._waiting:
                data = self._send_now(data)
                if not data:
                    return True
            elif self._size + len(data) > room:
                if room == LARGEST:
                    self.close()
                return False
            self._waiting.append(data)
            self._size += len(data)
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="moonq-control-out", daemon=True)
                if not threads.has_started(thread):
                    self.close()  # nobody would send what waits
                    return False
                self._thread = thread
            self._changed.notify_all()
        return True

    def _send_now(self, data: bytes) -> bytes:
        """Send what the kernel takes at once; returns the rest."""
        try:
            sent = self._connection.send(data, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return data
        except OSError:
            self.close()
            return b""
        return data[sent:]

    def _run(self) -> None:
        """Send what waits, as fast as the client reads."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                if self._closed:
                    return
                data = self._waiting[0]
            try:
                self._connection.sendall(data)
            except OSError:
                self.close()
                return
            with self._changed:
                # It stood in front until now, so that nothing was sent past it.
                if self._waiting:
                    self._waiting.popleft()
                    self._size -= len(data)
                    self._changed.notify_all()
