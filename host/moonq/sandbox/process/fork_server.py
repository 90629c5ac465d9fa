"""The fork server, as its host sees it: started, told to fork and to kill, and heard.

server = ForkServer([sys.executable, "-P", "-m", "moonq.sandbox.process.server"])
server.wait()
files = Files()
server.spawn(1, files.given())
"""

from __future__ import annotations

import mmap
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress

from moonq.errors import Unavailable
from moonq.sandbox.process.frames import KILL, NOT_FORKED, READY, RECORD, SPAWN

#: Seconds that a child, or the fork server, may take to begin: a busy machine's.
START = 20.0
#: Seconds until the fork server has told how a child ended.
_TOLD_WITHIN = 0.5
#: Ends of children that nobody has asked about, most of them ended because nobody needed them.
_MANY = 1000
#: Of the environment a child gets this alone, so that no secret is in it.
_KEPT = (
    "LANG",
    "LC_ALL",
    "LD_LIBRARY_PATH",
    "PYTHONHOME",
    "MOONQ_COPY_METATABLES",
    "MOONQ_JSON_CODEC",
)
#: Bytes that a child shares with its host, see `child.MARKS`.
_MARKS = mmap.PAGESIZE


class Files:
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


class ForkServer:
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

    def ending(self, number: int) -> str:
        """Return how a child has ended, which is about to be told."""
        with self._changed:
            known = lambda: number in self._statuses or self.is_gone  # noqa: E731
            self._changed.wait_for(known, _TOLD_WITHIN)
            return _words(self._statuses.pop(number, None))

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
                    while len(self._statuses) > _MANY:
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


def _words(status: int | None) -> str:
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
