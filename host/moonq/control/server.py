"""The host's socket: who may come in, and how many.

    server = Server(host, place, stop=...)
    server.claim()          # raises AlreadyRunning: before the host takes its first message
    host.start()
    server.listen()
    server.stop()

Only the user that runs the host, or root, may connect. Nothing listens on TCP.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from moonq import __version__, log, private, threads
from moonq.control.feed import Feed
from moonq.control.locating import FOLDER, Place, peer_of
from moonq.control.wire import encode, refusal
from moonq.errors import AlreadyRunning, Denied, MoonqError, Unavailable
from moonq.host import Host
from moonq.operations.meter import Meter
from moonq.operations.overview import profile
from moonq.private import me, name_of

if TYPE_CHECKING:
    from moonq.control.session import Session

_log = log.get("moonq.control")
#: Clients at a time.
MOST = 32
#: How often, in seconds, the host looks whether its place is still there.
LOOK = 1.0


class Server:
    """The control socket of one host."""

    def __init__(
        self, host: Host, place: Place, stop: Callable[[bool], None] | None = None
    ) -> None:
        self.place = place
        self._host = host
        self._stop = stop
        self._feed = Feed(host)
        self._meter = Meter(host)
        self._claim = contextlib.ExitStack()
        self._socket: socket.socket | None = None
        self._identity: object = None
        self._is_lost = False
        self._ended = False
        self._lock = threading.Lock()
        self._sessions: set[Session] = set()

    def claim(self) -> None:
        """Take the place of the project's host.

        Raises:
            AlreadyRunning: Another process has it.
            OSError: Its folder cannot be made.
        """
        self._claim.enter_context(self.place.claim())
        unlisted = self.place.write_record(
            {
                "pid": os.getpid(),
                "name": self.place.name,
                "project": self._host.project.name,
                **profile(self._host),
                "version": __version__,
                "started": time.time(),
            }
        )
        around = self.place.lock_file.parent.parent
        if around.name == FOLDER.parts[0] and (why := private.exposed(around)):
            _log.warning("%s: run %s", why, private.advice(around))
        if unlisted is not None:
            _log.warning("`moonq status` will not list this host: %s", unlisted)

    def listen(self) -> None:
        """Let people in.

        Raises:
            OSError: The socket cannot be made.
            Unavailable: There is no thread for it.
        """
        self._socket = self._listen()
        self._meter.start()
        threads.start(
            threading.Thread(
                target=self._accept, args=(self._socket,), name="moonq-control", daemon=True
            )
        )

    def stop(self) -> None:
        """Hang up on all clients and give the place back."""
        self._meter.stop()
        with self._lock:
            self._ended = True
            if self._socket is not None:
                with contextlib.suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)
                self._socket.close()
        for session in self.sessions():
            session.close()
        self._claim.close()

    def sessions(self) -> list[Session]:
        """Return who is attached."""
        with self._lock:
            return list(self._sessions)

    def _listen(self) -> socket.socket:
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            # Before the bind, so that other users can connect at no moment.
            os.fchmod(listening.fileno(), 0o600)
            listening.bind(str(self.place.socket))
            self.place.socket.chmod(0o600)
            listening.listen(MOST)
            listening.settimeout(LOOK)
            self._identity = self.place.identity()
        except OSError:
            listening.close()
            raise
        return listening

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except TimeoutError:
                listening = self._seen_to(listening)
                continue
            except OSError:
                if self._ended:
                    return
                time.sleep(LOOK)  # too many files are open, perhaps; that passes
                continue
            serving = threading.Thread(
                target=self._serve, args=(connection,), name="moonq-control-in", daemon=True
            )
            try:
                threads.start(serving)
            except Unavailable as problem:
                # Its own class is not known to those who ask.
                self._turn_away(connection, Unavailable(problem.message, hint=problem.hint))

    def _seen_to(self, listening: socket.socket) -> socket.socket:
        """Take the place anew if somebody has deleted it, for nobody could find this host."""
        with self._lock:
            if self._ended or self._is_in_place() or not self.place.project.exists():
                return listening
            try:
                self._claim.close()
                self.claim()
                self._socket = self._listen()
            except (AlreadyRunning, OSError) as problem:
                if not self._is_lost:
                    _log.warning("no console can attach any more: %s", problem)
                self._is_lost = True
                return listening
            self._is_lost = False
        _log.warning("%s was deleted and is made anew", self.place.socket.parent)
        listening.close()
        return self._socket

    def _is_in_place(self) -> bool:
        try:
            return self._identity == self.place.identity()
        except OSError:
            return False

    def _turn_away(self, connection: socket.socket, problem: MoonqError) -> None:
        _log.warning("a console was turned away: %s", problem.message)
        with connection, contextlib.suppress(OSError):
            connection.settimeout(LOOK)
            connection.sendall(encode(refusal(None, problem)))

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                session = self._admitted(connection)
            except MoonqError as problem:
                self._turn_away(connection, problem)
                return
            try:
                session.serve()
            finally:
                with self._lock:
                    self._sessions.discard(session)

    def _admitted(self, connection: socket.socket) -> Session:
        user = user_of(connection)
        # With the first who asks: what it imports would hold up the start.
        from moonq.control.session import Session

        session = Session(connection, user, self._host, self._feed, self._meter, self._stop)
        with self._lock:
            if len(self._sessions) >= MOST:
                raise Unavailable(f"{MOST} consoles are attached already", hint="leave one of them")
            self._sessions.add(session)
        return session


def user_of(connection: socket.socket) -> str:
    """Return the name of the user at the other end.

    Raises:
        Denied: It is neither the host's own user nor root.
    """
    user = peer_of(connection)
    if user is None:
        # The socket's mode alone guards it here; the folder above it is closed to others too.
        return name_of(me())
    if user not in (me(), 0):
        raise Denied(f"user {name_of(user)} may not control a host of {name_of(me())}")
    return name_of(user)
