"""The children of this process, as their host sees them: started by a fork server, ended by force.

child = CHILDREN.spawn("app:handler")
child.ask(serve, frames.OPEN, ...)
child.kill("it did not stop")
"""

from __future__ import annotations

import atexit
import itertools
import logging
import mmap
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any

from moonq import log
from moonq.errors import Unavailable
from moonq.sandbox.process import frames
from moonq.sandbox.process.frames import (
    KILL,
    NOT_FORKED,
    READY,
    RECORD,
    SPAWN,
    Channel,
    Ended,
    Malformed,
    Value,
)

_log = log.get("moonq.sandbox")
#: Seconds that a child, or the fork server, may take to begin: a busy machine's.
START = 20.0
#: Seconds until the fork server has told how a child ended.
_TOLD_WITHIN = 0.5
#: Of the environment a child gets this alone, so that no secret is in it.
_KEPT = ("LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONHOME", "MOONQ_COPY_METATABLES")
#: Children of one function that may be lost within so many seconds before further ones wait for
#: each other, so long.
FREE_LOSSES, WITHIN, PACE = 20, 10.0, 1.0
#: Bytes of the marks that a child shares with its host, see `child.MARKS`.
_MARKS = mmap.PAGESIZE

Serve = Callable[..., tuple[Value, ...]]


class Lost(Exception):
    """A child has ended, or was killed; says why."""


class Child:
    """One child; all but `stop` and `kill` is for the one thread whose states live in it."""

    def __init__(self, server: _Server, number: int, files: _Files) -> None:
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
        status = self._server.status(self._number, _TOLD_WITHIN)
        return Lost(_ending(status))


class _Files:
    """What a child and its host have in common; the other ends are for the fork server."""

    def __init__(self) -> None:
        self.link, far_link = socket.socketpair()
        self.control, far_control = socket.socketpair()
        self._marks = _shared_file()
        os.ftruncate(self._marks, _MARKS)
        self.marks = mmap.mmap(self._marks, _MARKS)
        self._far = (far_link, far_control)

    def given(self) -> list[int]:
        """Return the files of the child."""
        return [*(one.fileno() for one in self._far), self._marks]

    def close_given(self) -> None:
        """Forget the child's ends."""
        for one in self._far:
            one.close()
        os.close(self._marks)

    def close(self) -> None:
        """Forget the host's ends."""
        self.link.close()
        self.control.close()


def _shared_file() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("moonq")
    file, name = tempfile.mkstemp()
    os.unlink(name)  # noqa: PTH108
    return file


class _Server:
    """The fork server, from outside."""

    def __init__(self, command: list[str]) -> None:
        self._link, theirs = socket.socketpair()
        self._changed = threading.Condition()
        self._sending = threading.Lock()
        self._statuses: dict[int, int] = {}
        self.is_ready = self.is_gone = False
        self.problem = ""
        # The system ends a child with the thread that has made it: this one stays.
        self._thread = threading.Thread(
            target=self._run, args=(command, theirs), name="moonq-children", daemon=True
        )
        self._thread.start()

    def wait(self) -> None:
        """Wait until it is ready.

        Raises:
            Unavailable: It is not; says why.
        """
        with self._changed:
            self._changed.wait_for(lambda: self.is_ready or self.is_gone, START)
            if not self.is_ready:
                problem = self.problem or f"it did not begin within {START:g} s"
                raise Unavailable(f"the fork server for `isolation: process` failed: {problem}")

    def spawn(self, number: int, files: list[int]) -> None:
        """Let it fork a child with *files*."""
        with self._sending:
            socket.send_fds(self._link, [RECORD.pack(SPAWN, number)], files)

    def kill(self, number: int) -> None:
        """Let it kill a child; without the server there are none."""
        with self._sending, suppress(OSError):
            self._link.sendall(RECORD.pack(KILL, number))

    def status(self, number: int, patience: float) -> int | None:
        """Return how a child has ended: its exit code, or a signal as a negative number."""
        with self._changed:
            self._changed.wait_for(lambda: number in self._statuses or self.is_gone, patience)
            return self._statuses.pop(number, None)

    def close(self) -> None:
        """End it, and with it all children."""
        with suppress(OSError):
            self._link.shutdown(socket.SHUT_RDWR)
        self._thread.join(_TOLD_WITHIN)

    def _run(self, command: list[str], theirs: socket.socket) -> None:
        try:
            process = subprocess.Popen(  # noqa: S603 - moonq itself
                [*command, str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                cwd="/",
                env=_environment(),
                start_new_session=True,
            )
        except OSError as problem:
            self._gone(str(problem))
            return
        finally:
            theirs.close()
        self._follow()
        assert process.stderr is not None
        said = process.stderr.read().decode("utf-8", "replace").strip()
        process.stderr.close()
        process.wait()
        self._gone(said.rpartition("\n")[2] or f"it ended with {process.returncode}")

    def _follow(self) -> None:
        """Hear how children end, until the server does."""
        data = b""
        with suppress(OSError):
            while came := self._link.recv(4096):
                data += came
                whole = len(data) - len(data) % RECORD.size
                with self._changed:
                    for number, status in RECORD.iter_unpack(data[:whole]):
                        self.is_ready |= number == READY
                        self._statuses[number] = status
                    # Few ask: most children end because nobody needs them.
                    while len(self._statuses) > 1000:
                        del self._statuses[next(iter(self._statuses))]
                    self._changed.notify_all()
                data = data[whole:]

    def _gone(self, problem: str) -> None:
        with self._changed:
            self.is_gone, self.problem = True, problem
            self._changed.notify_all()
        self._link.close()


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    # One arena: each further one takes 64 MiB of address space, which is bounded.
    path = os.pathsep.join(part for part in sys.path if part)
    return {**kept, "PYTHONPATH": path, "MALLOC_ARENA_MAX": "1", "PYTHONDONTWRITEBYTECODE": "1"}


class Losses:
    """Who has lost children of late: they wait for the next ones, so that no storm arises."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lost: dict[str, deque[float]] = {}
        self._next: dict[str, float] = {}

    def note(self, about: str) -> None:
        """Remember that a child of *about* was lost."""
        with self._lock:
            self._lost.setdefault(about, deque(maxlen=FREE_LOSSES)).append(time.monotonic())

    def pause(self, about: str) -> float:
        """Return the seconds that the next child of *about* is to wait."""
        now = time.monotonic()
        with self._lock:
            lost = self._lost.get(about)
            if lost is None or len(lost) < FREE_LOSSES or now - lost[0] > WITHIN:
                self._next.pop(about, None)
                return 0.0
            is_new = about not in self._next
            at = self._next[about] = max(now, self._next.get(about, now) + PACE)
        if is_new:
            words = "%s: %d of its processes were lost within %g s; from now on one starts per %g s"
            _log.error(words, about, FREE_LOSSES, WITHIN, PACE)
        return at - now


class Children:
    """Starts children; one for the process, see `CHILDREN`."""

    def __init__(self) -> None:
        self.command = [sys.executable, "-P", "-m", "moonq.sandbox.process.server"]
        self.losses = Losses()
        self._lock = threading.Lock()
        self._server: _Server | None = None
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
        files = _Files()
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

    def _ready(self) -> _Server:
        if self._server is None or self._server.is_gone:
            if self._server is None:
                atexit.register(self.close)
            self._server = _Server(self.command)
        self._server.wait()
        return self._server


def _ending(status: int | None) -> str:
    if status is None:
        return "has ended"
    if status >= NOT_FORKED:
        return f"could not be forked: {os.strerror(status - NOT_FORKED)}"
    if status >= 0:
        return f"ended with {status}"
    with suppress(ValueError):
        name = signal.Signals(-status).name
        return f"was ended by the signal {name} ({signal.strsignal(-status)})"
    return f"was ended by the signal {-status}"


@cache
def _tell_of(lack: str) -> None:
    _log.log(logging.WARNING, "`isolation: process` works here without a part of it: %s", lack)


#: One for the process.
CHILDREN = Children()
