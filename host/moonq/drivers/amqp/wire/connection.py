"""One AMQP 0-9-1 connection with one I/O thread, which reads all that comes and keeps it alive."""

from __future__ import annotations

import contextlib
import ssl
import struct
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from pamqp import commands, exceptions, frame

from moonq import threads
from moonq.drivers.amqp.wire import faults, frames
from moonq.drivers.amqp.wire.address import Address
from moonq.drivers.amqp.wire.channel import Calls, Channel
from moonq.drivers.amqp.wire.handshake import Handshake
from moonq.drivers.amqp.wire.stream import connect
from moonq.errors import QueueError, Unavailable

#: Seconds between two looks where no heartbeats were agreed.
IDLE = 60.0
#: What comes and makes no sense ends in one of these.
_GARBLED = (ValueError, IndexError, struct.error, exceptions.PAMQPException)


def _ignore(*_: object) -> None:
    """Do nothing."""


class Connection:
    """See the module; what it calls, it calls on its I/O thread, see `channel`."""

    def __init__(
        self,
        address: Address,
        *,
        name: str,
        heartbeat: float,
        timeout: float,
        tls: ssl.SSLContext | None = None,
        on_blocked: Callable[[str | None], None] = _ignore,
        on_closed: Callable[[QueueError], None] = _ignore,
    ) -> None:
        self.address = address
        self.name = name
        self.version: tuple[int, ...] = ()
        """The broker's, such as (3, 10, 8)."""
        self.product = ""
        self.properties: Mapping[str, Any] = {}
        """What the broker says of itself."""
        self.frame_max = 0
        self.body_max = 0
        """Bytes of the largest body that a broker of this version takes as it is delivered."""
        self.blocked: str | None = None
        """Why the broker takes no message now: what it is short of."""
        self.problem: QueueError | None = Unavailable(f"not connected to {address.place}")
        """Why it is not open."""
        self._asked_heartbeat = heartbeat
        self._timeout = timeout
        self._tls = tls
        self._on_blocked = on_blocked
        self._on_closed = on_closed
        self._channels: dict[int, Channel] = {}
        self._numbers = threading.Lock()
        self._is_leaving = False
        self._thread: threading.Thread | None = None

    @property
    def is_open(self) -> bool:
        """Whether anything can be asked of it."""
        return self.problem is None

    def open(self) -> None:
        """Connect, say who we are, and enter the virtual host; once only.

        Raises:
            Refused: Credentials, rights or TLS are in the way; says which.
            Unavailable: It does not come about; says why.
        """
        deadline = time.monotonic() + self._timeout
        if self.address.is_tls and self._tls is None:
            self._tls = ssl.create_default_context()
        self._stream = connect(self.address, deadline, self._tls if self.address.is_tls else None)
        try:
            shake = Handshake(self._stream, self.address, self.name, deadline)
            terms = shake.run(self._asked_heartbeat)
        except BaseException:
            self._stream.close()
            raise
        self.properties = terms.properties
        self.product = str(terms.properties.get("product", ""))
        self.version = _version(str(terms.properties.get("version", "")))
        self.frame_max, self._channel_max = terms.frame_max, terms.channel_max
        # RabbitMQ's max_message_size, which it does not tell.
        self.body_max = 16_777_216 if self.version >= (4,) else 134_217_728
        self._heartbeat = terms.heartbeat
        self._cutter = frames.Cutter(self.frame_max)
        self._early = shake.rest
        self.problem = None
        thread = threading.Thread(target=self._serve, name=f"moonq-amqp-{self.name}", daemon=True)
        try:
            threads.start(thread)
        except Unavailable:
            self._stream.close()
            raise
        self._thread = thread

    def close(self, deadline: float) -> None:
        """Say goodbye until *deadline* (monotonic seconds), then end; may be repeated.

        Nobody is told of it: who closes, knows.
        """
        thread = self._thread
        if thread is None:
            return
        self._is_leaving = True
        if self.problem is None:
            self.send(frame.marshal(commands.Connection.Close(200, "done", 0, 0), 0))
        if thread is threading.current_thread():
            return
        thread.join(max(0.0, deadline - time.monotonic()))
        if thread.is_alive():
            self._stream.cut()
            thread.join(1.0)

    def channel(self, *, on_closed: Callable[[QueueError], None] = _ignore) -> Channel:
        """Open a channel; *on_closed* is told when the broker or a fault closes it.

        Raises:
            Unavailable: The connection is closed, or has as many channels as the broker allows.
        """
        with self._numbers:
            if (problem := self.problem) is not None:
                raise Unavailable(problem.message, hint=problem.hint)
            free = (n for n in range(1, self._channel_max + 1) if n not in self._channels)
            if (number := next(free, None)) is None:
                raise Unavailable(
                    f"{self.address.place} allows {self._channel_max} channels on a connection"
                )
            channel = self._channels[number] = Channel(self, number, on_closed)
        channel.open()
        return channel

    def send(self, data: bytes) -> None:
        """Send *data*, without waiting; on a broken connection it is lost."""
        self._stream.send(data)

    def leave(self, number: int) -> None:
        """Give back a number of a channel that is closed on both sides."""
        with self._numbers:
            self._channels.pop(number, None)

    # The I/O thread

    def _serve(self) -> None:
        problem: QueueError | None = None
        try:
            problem = self._read()
        finally:
            # Without a problem it is a bug of ours, and told of by the thread; nobody may hang.
            self._end(problem or Unavailable(f"the connection to {self.address.place} broke"))

    def _read(self) -> QueueError:
        """Read until the connection ends, and return why it did."""
        heard = time.monotonic()
        end = self._take(self._early)
        while end is None:
            is_ready = self._stream.wait(self._pulse(heard))
            try:
                data = self._stream.receive() if is_ready else None
            except OSError as error:
                return faults.lost(self.address, error)
            now = time.monotonic()
            if data:
                heard = now
                end = self._take(data)
            elif data is not None:
                end = faults.lost(self.address)
            # Looked at after reading: a process that slept finds what came meanwhile.
            elif self._heartbeat and now - heard >= 2 * self._heartbeat:
                end = faults.silent(self.address, now - heard)
        return end

    def _pulse(self, heard: float) -> float:
        """Send a heartbeat when it is time, and return how long to wait for what comes."""
        if not self._heartbeat:
            return IDLE
        now = time.monotonic()
        if now - self._stream.sent >= self._heartbeat / 2:
            self._stream.send(frames.PULSE)
        return max(0.0, min(self._heartbeat / 2, heard + 2 * self._heartbeat - now))

    def _take(self, data: bytes) -> QueueError | None:
        """Tell everybody of what came, and return why the connection ends, if it does."""
        calls: Calls = []
        try:
            end = self._look(data, calls)
        except _GARBLED as problem:
            end = faults.garbled(self.address, str(problem))
        for call, arguments in calls:
            call(*arguments)
        return end

    def _look(self, data: bytes, calls: Calls) -> QueueError | None:
        """Look at all frames in *data*, and add what is to be called for them."""
        data, found = self._cutter.cut(data)
        channels = self._channels
        for kind, number, start, stop in found:
            if number:
                if channel := channels.get(number):
                    channel.take(kind, data, start, stop, calls)
            elif kind == frames.METHOD:
                method = frame.unmarshal(data[start - 7 : stop + 1])[2]
                if (end := self._take_method(method, calls)) is not None:
                    return end
        return None

    def _take_method(self, method: Any, calls: Calls) -> QueueError | None:
        if isinstance(method, commands.Connection.Close):
            self.send(frame.marshal(commands.Connection.CloseOk(), 0))
            return faults.closed(self.address, method.reply_code or 0, method.reply_text or "")
        if isinstance(method, commands.Connection.CloseOk):
            return faults.lost(self.address)
        if isinstance(method, commands.Connection.Blocked):
            calls.append((self._block, (method.reason or "it is short of something",)))
        elif isinstance(method, commands.Connection.Unblocked):
            calls.append((self._block, (None,)))
        return None

    def _block(self, reason: str | None) -> None:
        self.blocked = reason
        self._on_blocked(reason)

    def _end(self, problem: QueueError) -> None:
        if self._is_leaving:
            problem = Unavailable(f"the connection to {self.address.place} was closed")
        with self._numbers:
            self.problem = problem
            channels = list(self._channels.values())
            self._channels.clear()
        self._stream.close()
        for channel in channels:
            channel.end(problem, is_told=not self._is_leaving)
        if not self._is_leaving:
            self._on_closed(problem)


def _version(text: str) -> tuple[int, ...]:
    """Return the numbers of a version such as 3.13.7 or 4.0.0-rc.1."""
    numbers = []
    for part in text.partition("-")[0].partition("+")[0].split("."):
        with contextlib.suppress(ValueError):
            numbers.append(int(part))
    return tuple(numbers)
