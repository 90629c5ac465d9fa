"""A way to a server of the loopback that fails as networks do; it knows no protocol.

    with Proxy(server.port) as proxy:
        proxy.cut_every(0.25)
        ... something that connects to proxy.port ...

One thread moves the bytes. What is asked for holds for all connections, those to come too, until
`heal`; it counts what it did.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Any

#: Closing sends a reset and no farewell, as when a cable is pulled.
_RESET = struct.pack("ii", 1, 0)


class Proxy:
    """Listens at `port` and passes everything on to the server at *server_port*."""

    def __init__(self, server_port: int) -> None:
        self.server_port = server_port
        self.connections = 0
        self.cuts = 0
        self.swallowed = 0
        self.delay = 0.0
        self.holds = False
        self.swallows = False
        self.pairs: set[_Pair] = set()
        self.sides: set[_Side] = set()
        self._beat: asyncio.TimerHandle | None = None
        self._server: asyncio.Server | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self.port = 0
        self._open()

    def __enter__(self) -> Proxy:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _: BaseException | None, _at: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Cut everything and go."""
        if self._loop.is_closed():
            return
        self._do(self._heal)
        self.refuse()
        asyncio.run_coroutine_threadsafe(self._left_alone(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def heal(self) -> None:
        """Work as a network should; what was held goes on."""
        self._do(self._heal)
        if self._server is None:
            self._open()

    def cut(self) -> None:
        """Cut all connections; new ones are let through."""
        self._do(self._cut)

    def cut_every(self, seconds: float) -> None:
        """Cut all connections again and again."""
        self._every(seconds, self._cut)

    def swallow_every(self, seconds: float) -> None:
        """Have the next answer on each connection, again and again, never arrive: `swallow`."""
        self._every(seconds, self._swallow)

    def swallow(self) -> None:
        """Drop the server's next bytes on each connection, and cut it: it was asked, and did it."""
        self._do(self._swallow)

    def tear(self) -> None:
        """Let only half of the client's next bytes through on each connection, and cut it."""
        self._do(self._tear)

    def swallow_all(self) -> None:
        """Drop all that the server says from now on, with connections open; `heal` cuts them."""
        self._do(lambda: setattr(self, "swallows", True))

    def black_hole(self) -> None:
        """Let nothing through and break nothing: neither side can tell."""
        self._do(lambda: self._hold(True))

    def slow(self, delay: float) -> None:
        """Deliver everything so many seconds later, both ways."""
        self._do(lambda: setattr(self, "delay", delay))

    def refuse(self) -> None:
        """Cut everything and listen no more: connections are refused until `heal`."""
        self._do(self._cut)
        server, self._server = self._server, None
        if server is not None:
            self._do(server.close)

    def _open(self) -> None:
        async def listen() -> asyncio.Server:
            loop = asyncio.get_running_loop()
            return await loop.create_server(
                lambda: _Side(_Pair(self), None), "127.0.0.1", self.port, reuse_address=True
            )

        self._server = asyncio.run_coroutine_threadsafe(listen(), self._loop).result(10)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _left_alone(self) -> None:
        """Wait until the last socket is closed."""
        while len(asyncio.all_tasks()) > 1 or self.sides:
            await asyncio.sleep(0.001)

    def _do(self, action: Callable[[], Any]) -> None:
        """Have the proxy's thread do it, and wait."""
        done = threading.Event()

        def run() -> None:
            action()
            done.set()

        self._loop.call_soon_threadsafe(run)
        assert done.wait(10), "the proxy does not answer"

    def _every(self, seconds: float, action: Callable[[], None]) -> None:
        def beat() -> None:
            action()
            self._beat = self._loop.call_later(seconds, beat)

        def begin() -> None:
            self._rest()
            self._beat = self._loop.call_later(seconds, beat)

        self._do(begin)

    def _rest(self) -> None:
        if self._beat is not None:
            self._beat.cancel()
            self._beat = None

    def _heal(self) -> None:
        self._rest()
        if self.swallows:
            self._cut()
        self.delay, self.swallows = 0.0, False
        self._hold(False)

    def _hold(self, holds: bool) -> None:
        self.holds = holds
        for pair in tuple(self.pairs):
            pair.hold(holds)

    def _cut(self) -> None:
        for pair in tuple(self.pairs):
            self.cuts += 1
            pair.abort()

    def _swallow(self) -> None:
        for pair in self.pairs:
            pair.swallows = True

    def _tear(self) -> None:
        for pair in self.pairs:
            pair.tears = True


class _Pair:
    """One connection: the client's side and the server's."""

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        self.swallows = False
        self.tears = False
        self.is_torn = False
        self.is_over = False
        self.client: _Side | None = None
        self.server: _Side | None = None
        self._early: list[bytes] = []

    def opened(self, side: _Side) -> None:
        """The client is there: connect to the server; or the server is."""
        if self.is_over:
            side.abort()
        elif side.is_server:
            self.server = side
            early, self._early = self._early, []
            for data in early:
                side.write(data)
        else:
            self.client = side
            self.proxy.connections += 1
            self.proxy.pairs.add(self)
            self._connecting = asyncio.ensure_future(self._connect())
        side.hold(self.proxy.holds)

    async def _connect(self) -> None:
        loop, port = asyncio.get_running_loop(), self.proxy.server_port
        try:
            await loop.create_connection(lambda: _Side(self, self.client), "127.0.0.1", port)
        except OSError:
            self.abort()

    def received(self, side: _Side, data: bytes) -> None:
        """Bytes came from one side: they go to the other, or do not."""
        if side.is_server:
            self._from_server(data)
        elif self.server is None:
            self._early.append(data)
        elif self.is_torn:
            pass  # what comes behind a gap would be another stream, which no network makes
        elif self.tears:
            self.is_torn = True
            self.server.write(data[: len(data) // 2])
            # Only once the half is on its way: a reset would overtake it.
            asyncio.get_running_loop().call_later(0.02, self._torn)
        else:
            self.server.write(data)

    def _from_server(self, data: bytes) -> None:
        if self.swallows or self.proxy.swallows:
            self.proxy.swallowed += 1
            if self.swallows:
                self.abort()
        elif self.client is not None:
            self.client.write(data)

    def _torn(self) -> None:
        self.proxy.cuts += 1
        self.abort()

    def hold(self, holds: bool) -> None:
        """Read nothing from either side, or read again."""
        for side in (self.client, self.server):
            if side is not None:
                side.hold(holds)

    def abort(self) -> None:
        """End both sides with a reset."""
        self.is_over = True
        self.proxy.pairs.discard(self)
        for side in (self.client, self.server):
            if side is not None:
                side.abort()

    def lost(self, side: _Side) -> None:
        """One side hung up: let the other know, behind all that was said."""
        self.is_over = True
        self.proxy.pairs.discard(self)
        other = self.client if side.is_server else self.server
        if other is not None:
            other.end()


class _Side(asyncio.Protocol):
    """One of two sockets; what is written to it leaves in order, as late as the proxy says."""

    def __init__(self, pair: _Pair, client: _Side | None) -> None:
        self.is_server = client is not None
        self._pair = pair
        self._wire: Any = None
        self._late: deque[tuple[float, bytes | None]] = deque()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._wire = transport
        self._pair.proxy.sides.add(self)
        self._pair.opened(self)

    def data_received(self, data: bytes) -> None:
        self._pair.received(self, data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._pair.proxy.sides.discard(self)
        self._pair.lost(self)

    def hold(self, holds: bool) -> None:
        if self._wire is not None and not self._wire.is_closing():
            (self._wire.pause_reading if holds else self._wire.resume_reading)()

    def write(self, data: bytes | None) -> None:
        """Send *data*; None: hang up."""
        delay = self._pair.proxy.delay
        if not delay and not self._late:
            self._write(data)
            return
        loop = asyncio.get_running_loop()
        due = loop.time() + delay
        if self._late:
            due = max(due, self._late[-1][0])
        self._late.append((due, data))
        loop.call_at(due, self._next)

    def end(self) -> None:
        self.write(None)

    def abort(self) -> None:
        wire = self._wire
        if wire is None or wire.is_closing():
            return
        wire.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        wire.abort()

    def _next(self) -> None:
        if self._late:
            self._write(self._late.popleft()[1])

    def _write(self, data: bytes | None) -> None:
        if self._wire is None:
            return
        if data is None:
            self._wire.close()
        elif not self._wire.is_closing():
            self._wire.write(data)
