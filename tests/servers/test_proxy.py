"""The proxy that fault tests trust: what it promises, against a server that echoes lines."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
from tests.servers.process import until
from tests.servers.proxy import Proxy


class Echo:
    """Answers every line with itself, and remembers what it was asked."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.heard: list[bytes] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listening.close()

    def _serve(self) -> None:
        while True:
            try:
                wire, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(wire,), daemon=True).start()

    def _answer(self, wire: socket.socket) -> None:
        with wire:
            try:
                while data := wire.recv(1 << 16):
                    self.heard.append(data)
                    wire.sendall(data)
            except OSError:
                pass


@pytest.fixture
def echo() -> Iterator[Echo]:
    echo = Echo()
    yield echo
    echo.close()


@pytest.fixture
def proxy(echo: Echo) -> Iterator[Proxy]:
    with Proxy(echo.port) as proxy:
        yield proxy


def connect(proxy: Proxy, timeout: float = 5.0) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout)


def ask(wire: socket.socket, data: bytes) -> bytes:
    """Send *data* and return as many bytes; fewer when the other side hung up."""
    wire.sendall(data)
    found = b""
    while len(found) < len(data):
        more = wire.recv(1 << 16)
        if not more:
            break
        found += more
    return found


def is_cut(wire: socket.socket) -> bool:
    """Whether the connection ends with a reset."""
    try:
        while wire.recv(1 << 16):
            pass
    except ConnectionResetError:
        return True
    return False


def test_it_passes_on_whatever_it_is_given(proxy: Proxy) -> None:
    with connect(proxy) as wire:
        big = bytes(range(256)) * 4096
        assert ask(wire, b"hello") == b"hello"
        assert ask(wire, big) == big


def test_it_hangs_up_when_the_server_does(proxy: Proxy, echo: Echo) -> None:
    with connect(proxy) as wire:
        wire.sendall(b"x")
        wire.shutdown(socket.SHUT_WR)
        assert wire.recv(10) in (b"x", b"")


def test_a_cut_resets_what_is_open_and_lets_in_what_comes(proxy: Proxy) -> None:
    with connect(proxy) as wire:
        assert ask(wire, b"x") == b"x"
        proxy.cut()
        with pytest.raises(ConnectionResetError):
            wire.recv(10)
    with connect(proxy) as wire:
        assert ask(wire, b"y") == b"y"


def test_it_cuts_again_and_again_until_it_is_healed(proxy: Proxy) -> None:
    proxy.cut_every(0.02)
    for _ in range(3):
        with connect(proxy) as wire:
            assert is_cut(wire)
    assert proxy.cuts >= 3
    proxy.heal()
    with connect(proxy) as wire:
        assert ask(wire, b"x") == b"x"
        wire.settimeout(0.1)
        with pytest.raises(TimeoutError):
            wire.recv(10)


def test_a_swallowed_answer_was_given_and_never_arrives(proxy: Proxy, echo: Echo) -> None:
    with connect(proxy) as wire:
        assert ask(wire, b"before") == b"before"
        proxy.swallow()
        wire.sendall(b"done")
        with pytest.raises(ConnectionResetError):
            wire.recv(10)
    assert echo.heard == [b"before", b"done"]
    assert proxy.swallowed == 1


def test_all_answers_can_be_swallowed_with_the_connection_open(proxy: Proxy, echo: Echo) -> None:
    with connect(proxy, 0.1) as wire:
        proxy.swallow_all()
        wire.sendall(b"done")
        until(lambda: echo.heard, "it was heard")
        with pytest.raises(TimeoutError):
            wire.recv(10)


def test_a_torn_request_arrives_in_half(proxy: Proxy, echo: Echo) -> None:
    with connect(proxy) as wire:
        assert ask(wire, b"whole") == b"whole"
        proxy.tear()
        wire.sendall(b"abcdef")
        until(lambda: b"abc" in echo.heard, "the half is there", 5)
        with suppress(OSError):
            wire.sendall(b"behind it")
        assert is_cut(wire)
    assert echo.heard == [b"whole", b"abc"]


def test_a_black_hole_breaks_nothing_and_what_it_held_goes_on(proxy: Proxy) -> None:
    with connect(proxy, 0.1) as wire, connect(proxy, 5.0) as other:
        assert ask(wire, b"x") == b"x"
        proxy.black_hole()
        wire.sendall(b"held")
        with pytest.raises(TimeoutError):
            wire.recv(10)
        proxy.heal()
        wire.settimeout(5)
        assert wire.recv(10) == b"held"
        assert ask(other, b"y") == b"y"


def test_a_slow_way_delays_both_ways_and_keeps_the_order(proxy: Proxy) -> None:
    with connect(proxy) as wire:
        assert ask(wire, b"x") == b"x"
        proxy.slow(0.05)
        begun = time.monotonic()
        assert ask(wire, b"first") + ask(wire, b"second") == b"firstsecond"
        assert 0.2 <= time.monotonic() - begun < 2


def test_it_refuses_connections_until_it_is_healed(proxy: Proxy) -> None:
    proxy.refuse()
    with pytest.raises(ConnectionRefusedError):
        connect(proxy)
    proxy.heal()
    with connect(proxy) as wire:
        assert ask(wire, b"x") == b"x"
