"""The children of this process, as their host sees them: started by a fork server, ended by force.

child = CHILDREN.spawn("app:handler")
child.ask(serve, frames.OPEN, ...)
child.kill("it did not stop")
"""

from __future__ import annotations

import atexit
import itertools
import logging
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any

from moonq import log
from moonq.errors import Unavailable
from moonq.sandbox.process import frames
from moonq.sandbox.process.fork_server import START, Files, ForkServer
from moonq.sandbox.process.frames import (
    Channel,
    Ended,
    Malformed,
    Value,
)
from moonq.sandbox.process.losses import Losses

_log = log.get("moonq.sandbox")
Serve = Callable[..., tuple[Value, ...]]


class Lost(Exception):
    """A child has ended, or was killed; says why."""


class Child:
    """One child; all but `stop` and `kill` is for the one thread whose states live in it."""

    def __init__(self, server: ForkServer, number: int, files: Files) -> None:
        self.is_computing = False
        """Whether it works, and not the host for it."""
        self.since = time.monotonic()
        """When that began."""
        self.marks = files.marks
        self.idle_of: object = None
        self.idle: dict[str, list[Any]] = {}
        """What `run.functions` keeps in it for further calls."""
        self._server = server
        self._number = number
        self._control = files.control
        self._channel = Channel(files.link)
        self._serials = itertools.count(1)
        self._states = itertools.count(1)
        self._why = ""
        self._lock = threading.Lock()

    def hello(self) -> list[str]:
        """Wait until it has begun; returns what the system does not hold it to.

        Raises:
            Lost: It did not begin.
        """
        stream = self._channel.stream
        try:
            stream.settimeout(START)
            what, *lacks = self._channel.receive()
            stream.settimeout(None)
        except (Ended, Malformed):
            raise self._lost() from None
        assert what == frames.HELLO
        return [lack.decode("utf-8", "replace") for lack in lacks]

    def has_ended(self) -> bool:
        """Whether it is gone, from any thread; asked while it has nothing to say."""
        try:
            return not self._channel.stream.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def ending(self) -> str:
        """Return how it has ended."""
        return str(self._lost())

    def new_state(self, largest: int) -> int:
        """Return the number of a further state, whose values have *largest* bytes at most."""
        self._channel.most = max(self._channel.most, largest + frames.ROOM)
        return next(self._states)

    def new_serial(self) -> int:
        """Return the number of what is asked next, by which it can be stopped."""
        return next(self._serials)

    def ask(self, serve: Serve, what: int, serial: int, *arguments: Value) -> tuple[Any, ...]:
        """Ask something, and answer what is asked meanwhile; returns what a RESULT has.

        Raises:
            Lost: It has ended, or did not keep to its words and was killed.
        """
        try:
            self._say(what, serial, *arguments)
            while True:
                heard, *rest = self._hear()
                if heard == frames.LENT:
                    self._say(frames.REPLY, *serve(*rest))
                elif heard == frames.RESULT and rest[0] == serial:
                    return tuple(rest[1:])
                else:
                    raise Malformed(f"{heard} was not expected")
        except Ended:
            raise self._lost() from None
        except (Malformed, ValueError, TypeError) as problem:
            self.kill(f"it broke the protocol: {problem}")
            raise self._lost() from None

    def _say(self, *values: Value) -> None:
        self.since = time.monotonic()
        self.is_computing = True
        self._channel.send(*values)

    def _hear(self) -> tuple[Any, ...]:
        heard = self._channel.receive()
        self.is_computing = False
        return heard

    def stop(self, serial: int, reason: str) -> None:
        """Let one call end; from any thread, and without waiting."""
        with suppress(OSError):  # whoever does not read that is killed soon
            self._control.send(frames.pack((serial, reason.encode())), socket.MSG_DONTWAIT)

    @property
    def is_lost(self) -> bool:
        """Whether it was killed; it may have ended otherwise."""
        return bool(self._why)

    def kill(self, why: str) -> None:
        """End it now, from any thread; *why* is for people."""
        with self._lock:
            if self._why:
                return
            self._why = why
        self._server.kill(self._number)

    def close(self) -> None:
        """End it, since nobody needs it."""
        self.kill("it was closed")
        self._channel.close()
        self._control.close()

    def _lost(self) -> Lost:
        if self._why:
            return Lost(f"was killed: {self._why}")
        return Lost(self._server.ending(self._number))


class Children:
    """Starts children; one for the process, see `CHILDREN`."""

    def __init__(self) -> None:
        self.command = [sys.executable, "-P", "-m", "moonq.sandbox.process.server"]
        self.losses = Losses()
        self._lock = threading.Lock()
        self._server: ForkServer | None = None
        self._numbers = itertools.count(1)

    def spawn(self) -> Child:
        """Return a new child.

        Raises:
            Unavailable: None can be started; says why.
        """
        try:
            child = self._spawned()
        except (OSError, RuntimeError) as problem:
            raise Unavailable(f"no process can be started for a worker: {problem}") from None
        try:
            lacks = child.hello()
        except Lost as lost:
            child.close()
            raise Unavailable(f"a worker's process did not begin: it {lost}") from None
        for lack in lacks:
            _tell_of(lack)
        return child

    def lacks(self) -> list[str]:
        """Start a child to see what the system does not hold it to; for `moonq doctor`.

        Raises:
            Unavailable: None can be started.
        """
        child = self._spawned()
        try:
            return child.hello()
        except Lost as lost:
            raise Unavailable(f"a worker's process did not begin: it {lost}") from None
        finally:
            child.close()

    def close(self) -> None:
        """End all children, and the server; a later one starts them anew."""
        with self._lock:
            server, self._server = self._server, None
        if server is not None:
            server.close()

    def _spawned(self) -> Child:
        files = Files()
        try:
            with self._lock:
                server = self._ready()
                number = next(self._numbers)
                server.spawn(number, files.given())
        except BaseException:
            files.close()
            raise
        finally:
            files.close_given()
        return Child(server, number, files)

    def _ready(self) -> ForkServer:
        if self._server is None or self._server.is_gone:
            if self._server is None:
                atexit.register(self.close)
            self._server = ForkServer(self.command)
        self._server.wait()
        return self._server


@cache
def _tell_of(lack: str) -> None:
    _log.log(logging.WARNING, "`isolation: process` works here without a part of it: %s", lack)


#: One for the process.
CHILDREN = Children()
