"""The fork server: a clean process with one thread and lupa loaded, which only forks children.

A host cannot fork itself, since a lock that another of its threads holds would be locked in the
child for ever. To load Python and lupa anew takes ten times as long as to fork.

    python -m moonq.sandbox.process.server FD

The socket FD takes `SPAWN, number` with three files (frames, control, marks), and `KILL, number`;
it gives `number, status` for each child that has ended. When it ends, all children do.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import socket
import sys
from contextlib import suppress

from moonq.assets import lua_modules, stdlib_modules
from moonq.sandbox import chunks, native, syntax
from moonq.sandbox.process import walls
from moonq.sandbox.process.child import FAILED, Child
from moonq.sandbox.process.frames import NOT_FORKED, READY, RECORD, SPAWN

_FILES = 3
_QUIET = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE)


def preload() -> None:
    """Compile the trusted half, and make one state: children have it all from the start."""
    for name in (*stdlib_modules(), *(f"host.{one}" for one in lua_modules())):
        chunks.chunk(name)
    chunks.boot()
    # Whatever the first state loads and looks up, all children have.
    syntax.compiled(b"return 1", "=warm")
    native.codec()
    gc.collect()
    gc.freeze()


class Server:
    """Forks and reaps."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self._pids: dict[int, int] = {}
        self._numbers: dict[int, int] = {}
        self._woken, self._wakes = os.pipe()
        os.set_blocking(self._woken, False)
        os.set_blocking(self._wakes, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wakes)

    def serve(self) -> None:
        """Do as the host says until it is gone."""
        self._link.sendall(RECORD.pack(READY, 0))
        while True:
            ready, _, _ = select.select([self._link.fileno(), self._woken], [], [])
            if self._woken in ready:
                self._reap()
            if self._link.fileno() in ready and not self._obey():
                return

    def _obey(self) -> bool:
        data, files, _, _ = socket.recv_fds(self._link, RECORD.size, _FILES)
        while data and len(data) < RECORD.size:
            more = self._link.recv(RECORD.size - len(data))
            data = data + more if more else b""
        if not data:
            return False
        what, number = RECORD.unpack(data)
        if what == SPAWN:
            self._fork(number, files)
        elif number in self._pids:
            # It is ours and not reaped, so no other process can have its number.
            os.kill(self._pids[number], signal.SIGKILL)
        return True

    def _fork(self, number: int, files: list[int]) -> None:
        try:
            pid = os.fork()
        except OSError as problem:
            self._tell(number, NOT_FORKED + (problem.errno or 0))
            pid = -1
        if pid == 0:
            self._become_child(files)
        for file in files:
            os.close(file)
        if pid > 0:
            self._pids[number], self._numbers[pid] = pid, number

    def _become_child(self, files: list[int]) -> None:
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self._link.close()
            os.close(self._woken)
            os.close(self._wakes)
            walls.name_process(b"moonq-worker")
            Child(*files).run(walls.raise_all())
        finally:
            os._exit(FAILED)

    def _reap(self) -> None:
        with suppress(BlockingIOError):
            os.read(self._woken, 4096)
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            number = self._numbers.pop(pid)
            del self._pids[number]
            self._tell(number, os.waitstatus_to_exitcode(status))

    def _tell(self, number: int, status: int) -> None:
        with suppress(OSError):
            self._link.sendall(RECORD.pack(number, status))


def main() -> None:
    """Serve the socket that the command line names."""
    for number in _QUIET:
        signal.signal(number, signal.SIG_IGN)
    with suppress(OSError, AttributeError):
        walls.die_with_parent()
    walls.name_process(b"moonq-forks")
    preload()
    # What went wrong so far was for the host to read.
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    os.close(nothing)
    with suppress(OSError):
        Server(socket.socket(fileno=int(sys.argv[1]))).serve()


if __name__ == "__main__":
    main()
