"""Tells systemd, or what speaks like it, how the host is doing: see sd_notify(3).

    manager = ServiceManager.of_environment()
    manager.ready()
    with manager.watched(host.report):      # alive as long as that answers
        ...
    manager.stopping()

Without $NOTIFY_SOCKET nobody wants to know, and nothing is sent.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from moonq import log, threads

_log = log.get("moonq")


class ServiceManager:
    """Sends to the socket at *address*, and every so many *seconds* that the host is alive."""

    def __init__(self, address: str, seconds: float | None) -> None:
        # A name that begins with @ is one of Linux's abstract sockets.
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._seconds = seconds

    @classmethod
    def of_environment(cls, environ: Mapping[str, str] = os.environ) -> ServiceManager:
        """Return the one that started this process."""
        micros, pid = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
        is_watched = micros.isdecimal() and pid in ("", str(os.getpid()))
        # Twice as often as it is asked for, as sd_watchdog_enabled(3) advises.
        seconds = int(micros) / 2e6 if is_watched else None
        return cls(environ.get("NOTIFY_SOCKET", ""), seconds)

    def ready(self) -> None:
        """Tell that the host is up."""
        self._tell("READY=1")

    def stopping(self) -> None:
        """Tell that it finishes what runs, and ends."""
        self._tell("STOPPING=1")

    @contextmanager
    def reloading(self) -> Iterator[None]:
        """Tell that it reads its project again, and when it has."""
        self._tell(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")
        try:
            yield
        finally:
            self.ready()

    @contextmanager
    def watched(self, answers: Callable[[], object]) -> Iterator[None]:
        """Tell again and again that the host is alive, after *answers* has come back."""
        if not self._address or not self._seconds:
            yield
            return
        is_over, seconds = threading.Event(), self._seconds

        def watch() -> None:
            while not is_over.wait(seconds):
                answers()
                self._tell("WATCHDOG=1")

        threads.start(threading.Thread(target=watch, name="moonq-alive", daemon=True))
        try:
            yield
        finally:
            is_over.set()

    def _tell(self, state: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as to:
                to.sendto(state.encode(), self._address)
        except OSError as problem:
            about = state.partition("=")[0]
            _log.warning("the service manager was not told %s: %s", about, problem)
