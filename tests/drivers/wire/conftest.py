"""Connections to the RabbitMQ of this run, and to servers that say what a test wants."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pamqp import base, commands, frame, heartbeat
from tests.servers import rabbit

from moonq.drivers.amqp.wire.address import Address
from moonq.drivers.amqp.wire.channel import Channel
from moonq.drivers.amqp.wire.connection import Connection

Connect = Callable[..., Connection]


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Opens connections, all closed in the end."""
    opened: list[Connection] = []

    def open_one(url: str, **asked: Any) -> Connection:
        asked = {"name": "test", "heartbeat": 20.0, "timeout": 10.0, **asked}
        opened.append(Connection(Address.parse(url), **asked))
        opened[-1].open()
        return opened[-1]

    yield open_one
    for connection in opened:
        connection.close(time.monotonic() + 5.0)


@pytest.fixture(scope="session")
def vhost() -> str:
    """A virtual host for the tests of this folder."""
    return rabbit.shared().vhost()


@pytest.fixture
def url(vhost: str) -> str:
    return rabbit.shared().url(vhost)


@pytest.fixture
def channel(connect: Connect, url: str) -> Channel:
    return connect(url).channel()


class Talk:
    """The server's side of a connection."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._rest = b""

    def read(self) -> base.Frame | heartbeat.Heartbeat:
        """Return the next frame that the client sends."""
        while True:
            try:
                size, _, found = frame.unmarshal(self._rest)
                self._rest = self._rest[size:]
                return found
            except Exception:  # noqa: BLE001 - not all of it is there yet
                data = self.sock.recv(65_536)
                assert data, "the client has gone"
                self._rest += data

    def say(self, method: base.Frame, channel: int = 0) -> None:
        self.sock.sendall(frame.marshal(method, channel))

    def let_in(self, *, beat: int = 0) -> None:
        """Come to terms, with *beat* seconds between heartbeats."""
        assert self.sock.recv(8) == b"AMQP\0\0\x09\x01"
        properties = {"product": "Script", "version": "4.1.0-rc.1"}
        self.say(commands.Connection.Start(0, 9, properties, "PLAIN EXTERNAL", "en_US"))
        self.read()
        self.say(commands.Connection.Tune(10, 8192, beat))
        self.read()
        self.read()
        self.say(commands.Connection.OpenOk())


@pytest.fixture
def scripted() -> Iterator[Callable[[Callable[[Talk], object]], str]]:
    """Starts a server that does *script* with the one who connects; returns its address."""
    threads: list[threading.Thread] = []
    ends: list[socket.socket] = []

    def start(script: Callable[[Talk], object]) -> str:
        listener = socket.create_server(("127.0.0.1", 0))

        def serve() -> None:
            with listener, listener.accept()[0] as sock:
                ends.append(sock)
                script(Talk(sock))

        threads.append(threading.Thread(target=serve, daemon=True))
        threads[-1].start()
        return f"amqp://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    for thread in threads:
        thread.join(10.0)
        assert not thread.is_alive()
