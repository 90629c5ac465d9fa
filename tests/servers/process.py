"""One server that a test has started: waited for, stopped, paused and killed by its pid."""

from __future__ import annotations

import atexit
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import pytest

#: Seconds within which a server must be up, on a slow machine too.
PATIENCE = 60.0
_PR_SET_PDEATHSIG = 1


def program(name: str, package: str) -> str:
    """Return the path of the program *name*; without it the test is skipped, or fails with CI set.

    *package* says what to install.
    """
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin:/sbin")
    if found is None:
        missing(f"{name} is not installed: {package}")
    return str(found)


def missing(reason: str) -> None:
    """Skip the test for want of a server, or fail it where all of them must be there."""
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def free_port() -> int:
    """Return a port of the loopback that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert isinstance(port, int)
    return port


def until(condition: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
    """Wait until *condition* holds, at most so many real seconds."""
    give_up = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > give_up:
            raise AssertionError(f"{what}: not within {seconds:g} s")
        time.sleep(0.02)


def listens(port: int) -> bool:
    """Whether something takes connections at *port*."""
    try:
        socket.create_connection(("127.0.0.1", port), 1.0).close()
    except OSError:
        return False
    return True


class Process:
    """A program that ends with the tests, however they end; below `tmp_path`, with its test."""

    made: ClassVar[list[Process]] = []

    def __init__(
        self,
        argv: Sequence[str | Path],
        folder: Path,
        is_up: Callable[[], bool],
        env: Mapping[str, str] | None = None,
        stands_in: Path | None = None,
    ) -> None:
        self.argv = [str(one) for one in argv]
        self.folder = folder
        self._is_up = is_up
        self._stands_in = stands_in or folder
        self._env = {**os.environ, **(env or {})}
        self._child: subprocess.Popen[bytes] | None = None
        Process.made.append(self)
        atexit.register(self.kill)

    @property
    def pid(self) -> int:
        """The process id; it must have been started."""
        assert self._child is not None
        return self._child.pid

    @property
    def log(self) -> str:
        """What it has printed so far."""
        return (self.folder / "output.log").read_text(errors="replace")

    def start(self) -> None:
        """Start it, again too, and wait until it is up."""
        self.kill()
        with (self.folder / "output.log").open("ab") as output:
            self._child = subprocess.Popen(
                self.argv,
                cwd=self._stands_in,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - one system call, no lock
            )
        child = self._child

        def is_settled() -> bool:
            return child.poll() is not None or self._is_up()

        until(is_settled, f"{self.argv[0]} is up")
        if child.poll() is not None:
            raise AssertionError(f"{self.argv[0]} ended with {child.returncode}:\n{self.log}")

    def kill(self) -> None:
        """End it at once, as a crash does."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it as its operator does."""
        self._end(signal.SIGTERM)

    def is_over(self) -> bool:
        """Whether it has ended."""
        return self._child is None or self._child.poll() is not None

    def freeze(self) -> None:
        """Have it do nothing, with all connections open."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        os.kill(self.pid, signal.SIGCONT)

    def _end(self, how: signal.Signals) -> None:
        child, self._child = self._child, None
        if child is None or child.poll() is not None:
            return
        child.send_signal(how)
        try:
            child.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def end_below(folder: Path) -> None:
    """End what has its data below *folder*."""
    for one in Process.made:
        if one.folder.is_relative_to(folder):
            one.kill()


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
