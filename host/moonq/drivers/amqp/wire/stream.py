"""The bytes between us and a broker: one socket, with TLS or without.

Any thread sends, and none ever waits for it: what the socket does not take at once stays behind for
the I/O thread. Only that thread receives. TLS runs in memory beside the socket, under a lock,
because a TLS object of Python cannot be read and written at the same time.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import ssl
import threading
import time
from collections import deque

from moonq.drivers.amqp.wire import faults
from moonq.drivers.amqp.wire.address import Address

#: Bytes that are received at once: some hundred deliveries.
CHUNK = 1 << 17


class Stream:
    """See the module; it is made by `connect`."""

    def __init__(self, sock: socket.socket, address: Address) -> None:
        self.sent = time.monotonic()
        """When something was sent last."""
        self._sock = sock
        self._address = address
        self._cipher: Cipher | None = None
        self._lock = threading.Lock()
        self._late: deque[memoryview] = deque()
        """What the socket has not taken yet."""
        self._bell, self._clapper = os.pipe()
        os.set_blocking(self._bell, False)
        os.set_blocking(self._clapper, False)
        self._poll = select.poll()
        self._poll.register(self._bell, select.POLLIN)
        self._poll.register(sock, select.POLLIN)
        self._is_open = True

    def send(self, data: bytes) -> None:
        """Send *data* after all that was sent before; a broken connection is told of elsewhere."""
        with self._lock:
            if not self._is_open:
                return
            if self._cipher is not None:
                data = self._cipher.lock(data)
            self._write(data)

    def receive(self) -> bytes | None:
        """Return what has come; b"" is the end of it, and None: nothing yet.

        Raises:
            OSError: The connection is broken.
        """
        try:
            data = self._sock.recv(CHUNK)
        except BlockingIOError:
            return None
        if self._cipher is None or not data:
            return data
        with self._lock:
            clear, answer = self._cipher.unlock(data)
            self._write(answer)
        return clear

    def wait(self, seconds: float) -> bool:
        """Wait for bytes to come, for room for late ones, or for a ring; False: the time is up."""
        if late := bool(self._late):
            self._poll.modify(self._sock, select.POLLIN | select.POLLOUT)
        ready = dict(self._poll.poll(max(0.0, seconds) * 1000))
        if late:
            self._poll.modify(self._sock, select.POLLIN)
            with self._lock:
                self._flush()
        if self._bell in ready:
            os.read(self._bell, 4096)
        return bool(ready)

    def ring(self) -> None:
        """Wake the thread that waits."""
        with self._lock:
            self._ring()

    def _ring(self) -> None:
        # Its number may be another file's as soon as it is closed.
        if self._is_open:
            with contextlib.suppress(BlockingIOError):
                os.write(self._clapper, b"\0")

    def secure(self, context: ssl.SSLContext, deadline: float) -> None:
        """Go on over TLS.

        Raises:
            Refused, Unavailable: It does not come about; says why.
        """
        cipher = Cipher(context, self._address.host)
        try:
            while not cipher.shake():
                self._write(cipher.pending())
                if not self.wait(deadline - time.monotonic()):
                    raise TimeoutError
                if (data := self._sock.recv(CHUNK)) == b"":
                    raise faults.no_tls(self._address, None)
                cipher.feed(data)
        except (ssl.SSLError, ConnectionError) as error:
            with contextlib.suppress(OSError):
                self._sock.send(cipher.pending())  # the alert that says why
            raise faults.no_tls(self._address, error) from None
        self._write(cipher.pending())
        self._cipher = cipher

    def cut(self) -> None:
        """End it for both sides, from any thread: whoever receives finds its end."""
        with self._lock:
            if self._is_open:
                self._break()

    def close(self) -> None:
        """End it, whoever is waiting; may be repeated."""
        with self._lock:
            if not self._is_open:
                return
            self._is_open = False
            self._late.clear()
            self._sock.close()
            os.close(self._bell)
            os.close(self._clapper)

    def _write(self, data: bytes) -> None:
        if not data:
            return
        was_late = bool(self._late)
        self._late.append(memoryview(data))
        if not was_late:
            self._flush()
            if self._late:
                self._ring()

    def _flush(self) -> None:
        """Send what the socket takes."""
        self.sent = time.monotonic()
        while self._late:
            data = self._late[0]
            try:
                taken = self._sock.send(data)
            except BlockingIOError:
                return
            except OSError:
                # Whoever receives learns of it, and tells everybody.
                self._break()
                return
            if taken == len(data):
                self._late.popleft()
            else:
                self._late[0] = data[taken:]

    def _break(self) -> None:
        self._late.clear()
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)


class Cipher:
    """TLS between bytes in memory."""

    def __init__(self, context: ssl.SSLContext, host: str) -> None:
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_hostname=host)

    def shake(self) -> bool:
        """Go on with the handshake; True: it is done."""
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def feed(self, data: bytes) -> None:
        """Take what came from the other side."""
        self._in.write(data)

    def pending(self) -> bytes:
        """Return what is to be sent."""
        return self._out.read()

    def lock(self, data: bytes) -> bytes:
        """Return *data* as it is to be sent."""
        rest = memoryview(data)
        while rest:
            rest = rest[self._tls.write(rest) :]
        return self._out.read()

    def unlock(self, data: bytes) -> tuple[bytes | None, bytes]:
        """Return what *data* says, and what TLS itself answers."""
        self._in.write(data)
        parts = []
        try:
            while part := self._tls.read(CHUNK):
                parts.append(part)
        except (ssl.SSLWantReadError, ssl.SSLZeroReturnError):
            pass
        return b"".join(parts) or None, self._out.read()


def connect(address: Address, deadline: float, context: ssl.SSLContext | None) -> Stream:
    """Return the way to a broker.

    Raises:
        Refused, Unavailable: There is none; says why.
    """
    try:
        sock = socket.create_connection(
            (address.host, address.port), max(0.001, deadline - time.monotonic())
        )
    except OSError as error:
        raise faults.unreachable(address, error) from None
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setblocking(False)
    stream = Stream(sock, address)
    if context is not None:
        try:
            stream.secure(context, deadline)
        except TimeoutError as error:
            stream.close()
            raise faults.unreachable(address, error) from None
        except BaseException:
            stream.close()
            raise
    return stream
