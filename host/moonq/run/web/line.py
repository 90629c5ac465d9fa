"""The wire of one call: one deadline for all of it, an end from outside, checked addresses.

A client's own timeouts are per operation, so a server that sends a byte now and then would hold a
handler for ever. Here every wait, for a name, a connection, a handshake or a byte, ends at one
moment, and whatever stops the call shuts its socket.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from typing import Any

import httpcore2

from moonq import durations
from moonq.errors import Denied
from moonq.run.web.addresses import Rules
from moonq.run.web.faults import BadAnswer, Cut, Late, NotReached

#: Lookups of names that may be under way at once: nothing ends one that hangs.
MAX_LOOKUPS = 64
_lookups = threading.BoundedSemaphore(MAX_LOOKUPS)


class Line:
    """The time of one call, and the socket that it waits at."""

    def __init__(self, seconds: float) -> None:
        self._limit = seconds
        self._until = time.monotonic() + seconds
        self._changed = threading.Condition()
        self._socket: socket.socket | None = None
        self._is_cut = False
        self.doing = "beginning"
        """What is under way, for the words of a fault."""
        self.is_new = False
        """Whether a connection was to be made for it; else it uses one that was kept."""
        self.has_heard = False
        """Whether anything came back."""

    def left(self) -> float:
        """Return the seconds that are left.

        Raises:
            Late: None are.
            Cut: The call was stopped.
        """
        left = self._until - time.monotonic()
        if self._is_cut:
            raise Cut("the call was stopped")
        if left <= 0:
            raise self.late()
        return left

    def late(self) -> Late:
        """Return the error that the time is over."""
        return Late(f"not done within {durations.show(round(self._limit, 3))}, while {self.doing}")

    def cut(self, _reason: str) -> None:
        """End all waiting now, from another thread."""
        with self._changed:
            self._is_cut = True
            self._changed.notify_all()
            if self._socket is not None:
                # Of a TLS socket the wire below it, which its own thread may be reading.
                with suppress(OSError):
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    @contextmanager
    def at(self, wire: socket.socket) -> Iterator[None]:
        """Wait at *wire* as long as there is time; what goes wrong is as it is raised there."""
        with self._changed:
            wire.settimeout(self.left())
            self._socket = wire
        try:
            yield
        except TimeoutError:
            self.left()
            raise self.late() from None
        finally:
            with self._changed:
                self._socket = None

    def wait(self, is_done: Callable[[], bool], seconds: float | None = None) -> None:
        """Wait until *is_done*, which `wake` lets be asked again, or for *seconds*."""
        end = None if seconds is None else time.monotonic() + seconds
        with self._changed:
            while not is_done():
                left = self.left()
                if end is not None:
                    left = min(left, end - time.monotonic())
                    if left <= 0:
                        return
                self._changed.wait(left)

    def wake(self) -> None:
        """Let what waits look again."""
        with self._changed:
            self._changed.notify_all()


class Lines(threading.local):
    """The call that each thread is at: the client hands on a timeout, and no call."""

    line: Line | None = None

    @contextmanager
    def on(self, line: Line) -> Iterator[None]:
        """Let the waits of this thread be those of *line*."""
        self.line = line
        try:
            yield
        finally:
            self.line = None

    @property
    def mine(self) -> Line:
        """The call of this thread."""
        assert self.line is not None, "a request outside of any call"
        return self.line


class Stream(httpcore2.NetworkStream):
    """One connection; it serves one call after the other."""

    def __init__(self, wire: socket.socket, lines: Lines) -> None:
        self._wire = wire
        self._lines = lines

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return what has come; nothing at the end."""
        line = self._lines.mine
        try:
            with line.at(self._wire):
                found = self._wire.recv(max_bytes)
        except OSError as problem:
            line.left()
            raise BadAnswer(f"the connection broke while {line.doing}: {_said(problem)}") from None
        line.left()
        line.has_heard = line.has_heard or bool(found)
        return found

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send all of *buffer*."""
        line, rest = self._lines.mine, memoryview(buffer)
        try:
            while rest:
                with line.at(self._wire):
                    rest = rest[self._wire.send(rest) :]
        except OSError as problem:
            line.left()
            # A server may have answered before it has heard all: the client looks for that.
            raise httpcore2.WriteError(_said(problem)) from None

    def close(self) -> None:
        """Give the socket back."""
        self._wire.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> Stream:
        """Speak TLS from now on, with *server_hostname*, whatever address that is at."""
        line = self._lines.mine
        line.doing = f"beginning TLS with {server_hostname}"
        try:
            wire = ssl_context.wrap_socket(
                self._wire, server_hostname=server_hostname, do_handshake_on_connect=False
            )
            self._wire = wire
            with line.at(wire):
                wire.do_handshake()
        except (OSError, ValueError) as problem:
            self.close()
            line.left()
            raise NotReached(f"no TLS with {server_hostname}: {_said(problem)}") from None
        except BaseException:
            self.close()
            raise
        return Stream(wire, self._lines)

    def get_extra_info(self, info: str) -> Any:
        """Return what the pool asks for."""
        if info == "is_readable":
            return _is_readable(self._wire)
        return {"socket": self._wire}.get(info)


class Backend(httpcore2.NetworkBackend):
    """Connects to addresses that *rules* allow, and to *proxy*, which the entry names."""

    def __init__(self, lines: Lines, rules: Rules, proxy: tuple[str, int] | None) -> None:
        self._lines = lines
        self._rules = rules
        self._proxy = proxy

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> Stream:
        """Connect to one of the addresses of *host*: the one that was looked at."""
        line = self._lines.mine
        line.is_new = True
        found = addresses(host, port, line)
        if (host, port) != self._proxy:
            found = self._allowed(host, found)
        for place, one in enumerate(found):
            # Each has its share of the time: the first may swallow all that is sent there.
            share = line.left() / (len(found) - place)
            try:
                wire = _connected(one, line, share)
            except (Late, NotReached):
                line.left()
                if place == len(found) - 1:
                    raise
            else:
                line.doing = "waiting for the answer"
                return Stream(wire, self._lines)
        raise NotReached(f"no address of {host}")

    def _allowed(self, host: str, found: list[Place]) -> list[Place]:
        refused = [(one[1][0], self._rules.refusal(str(one[1][0]), host)) for one in found]
        left = [one for one, (_, what) in zip(found, refused, strict=True) if not what]
        if not left:
            address, what = refused[0]
            raise refusal(host, str(address), what)
        return left

    def sleep(self, seconds: float) -> None:
        """Never asked for: the pool retries nothing."""
        raise NotImplementedError


Place = tuple[socket.AddressFamily, tuple[Any, ...]]


def _connected(place: Place, line: Line, seconds: float) -> socket.socket:
    """Return a connection to *place*, made within *seconds*."""
    family, address = place
    line.doing = f"connecting to {spelt(address[0], address[1])}"
    try:
        wire = socket.socket(family, socket.SOCK_STREAM)
    except OSError as problem:
        raise NotReached(f"no socket can be had: {_said(problem)}") from None
    try:
        with line.at(wire):
            wire.settimeout(seconds)
            wire.connect(address)
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError as problem:
        wire.close()
        line.left()
        raise NotReached(f"{line.doing}: {_said(problem)}") from None
    except BaseException:
        wire.close()
        raise
    return wire


def refusal(host: str, address: str, what: str) -> Denied:
    """Return the error that *host* leads to *address*, which is *what*."""
    leads = f"{host} is" if host == address else f"{host} leads to {address},"
    return Denied(
        f"{leads} {what}: no request may go there",
        hint=f"name {address} under `allow` of an http.client entry, and use that",
    )


def addresses(host: str, port: int, line: Line) -> list[Place]:
    """Return the addresses of *host*, in the order of the system.

    Raises:
        NotReached: It has none, or too many lookups hang.
        Late: They were not found in time.
    """
    line.doing = f"looking up {host}"
    with suppress(ValueError):
        numeric = ip_address(host)
        family = socket.AF_INET if numeric.version == 4 else socket.AF_INET6
        return [(family, _literal(host, port, family))]
    lookup = _Lookup(host, port, line)
    line.wait(lambda: lookup.is_done)
    return lookup.result()


def _literal(host: str, port: int, family: socket.AddressFamily) -> tuple[Any, ...]:
    found = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, 0, socket.AI_NUMERICHOST)
    return found[0][4]


class _Lookup:
    """A name is looked up in a thread of its own, for nothing ends that but the system."""

    def __init__(self, host: str, port: int, line: Line) -> None:
        self.is_done = False
        self._host, self._port, self._line = host, port, line
        self._found: list[Place] = []
        self._problem = ""
        self._room = _lookups
        if not self._room.acquire(blocking=False):
            raise NotReached(f"{MAX_LOOKUPS} lookups of names hang already: nobody answers them")
        try:
            threading.Thread(target=self._run, name="moonq-lookup", daemon=True).start()
        except RuntimeError:
            self._room.release()
            raise NotReached("no thread can be started to look up the name") from None

    def result(self) -> list[Place]:
        """Return the addresses that were found, or raise why there are none."""
        if not self._found:
            raise NotReached(f"no address of {self._host}: {self._problem or 'it has none'}")
        return self._found

    def _run(self) -> None:
        try:
            found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
            self._found = [(one[0], one[4]) for one in found]
        except (OSError, UnicodeError) as problem:
            self._problem = _said(problem)
        finally:
            self._room.release()
            self.is_done = True
            self._line.wake()


def spelt(host: object, port: int) -> str:
    """Return *host* and *port* in one word."""
    return f"[{host}]:{port}" if ":" in str(host) else f"{host}:{port}"


def _said(problem: BaseException | None) -> str:
    """Return what the system says of it, without its numbers."""
    if isinstance(problem, ssl.SSLCertVerificationError):
        return f"its certificate is refused, {problem.verify_message.lower()}"
    if isinstance(problem, ssl.SSLError):
        return str(problem.reason or problem.strerror or problem).lower().replace("_", " ")
    if isinstance(problem, OSError):
        return (problem.strerror or str(problem) or type(problem).__name__).lower()
    return str(problem)


def _is_readable(wire: socket.socket) -> bool:
    """Whether an idle connection has something to read, which can only be its end."""
    import select

    if wire.fileno() < 0:
        return True
    poll = select.poll()
    poll.register(wire, select.POLLIN)
    return bool(poll.poll(0))
