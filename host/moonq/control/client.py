"""The client's end of the control socket.

    with connect(Path("shop")) as client:              # NoHost when none is running
        client.hello["project"], client.read_only      # what the host said first
        client.request("queues")["queues"]             # the answer; raises what the host raised
        client.request("eval", src="1 + 1")["texts"]   # ["2"]

        running = client.begin("eval", src="while true do end")
        running.cancel()                               # out of band: stops it within milliseconds
        running.wait()["status"]                       # "stopped"

        with client.subscribe("tail", targets=["orders"], events=["dead"]) as events:
            for event in events:                       # ends with the connection
                print(event["id"], events.dropped)

One thread reads; requests may be made from any thread and answered in any order. What each kind
of request takes and answers is said once, by the verb of that name in `moonq.operations`; beside
those there are `eval`, `complete`, `reset` and `write`, said in `moonq.control.session`.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, InvalidStateError
from pathlib import Path
from typing import Any

from moonq.control import hosts
from moonq.control.backlog import Backlog
from moonq.control.locating import Place, place_of
from moonq.control.wire import LONGEST, Frame, Malformed, decode, encode, error_of, lines
from moonq.errors import HostSilent, Invalid, MoonqError, NoHost

#: Seconds in which a host answers, or is called silent.
PATIENCE = 2.0
#: Events of one subscription that may wait to be read.
UNREAD = 10_000


def connect(
    project: Path,
    *,
    socket_path: Path | None = None,
    host: str = "",
    patience: float = PATIENCE,
) -> Client:
    """Return a client of the host that runs *project*: the one called *host*, or any.

    Raises:
        NoHost: None is running.
        HostSilent: It runs and does not answer within *patience* seconds.
    """
    if socket_path is not None:
        return connect_to(place_of(project, socket_path), patience)
    places = hosts.meant(project, host) or [place_of(project)]
    for place in places[:-1]:
        with contextlib.suppress(NoHost, HostSilent):
            return connect_to(place, patience)
    return connect_to(places[-1], patience)


def connect_to(place: Place, patience: float = PATIENCE) -> Client:
    """Return a client of the host at *place*; see `connect`."""
    if not place.is_claimed():
        raise NoHost(
            f"no moonq host is running for {place.project.name} (looked for {_shown(place)})",
            hint="start one with `moonq run`, or use a private one with `moonq repl --local`",
        )
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(patience)
    try:
        _knock(connection, place, patience)
        place.check_peer(connection)
        return Client(connection, place, patience)
    except BaseException as problem:
        connection.close()
        if isinstance(problem, OSError | HostSilent):
            raise _unanswered(place, problem, patience) from None
        raise


def _knock(connection: socket.socket, place: Place, patience: float) -> None:
    """Connect, as soon as a host that is just starting lets people in."""
    deadline = time.monotonic() + patience
    while True:
        try:
            return connection.connect(str(place.socket))
        except (ConnectionRefusedError, FileNotFoundError):
            if time.monotonic() >= deadline or not place.is_claimed():
                raise
            time.sleep(0.02)


def _unanswered(place: Place, problem: Exception, patience: float) -> MoonqError:
    """Say why there was no answer, though the place is taken."""
    if isinstance(problem, PermissionError):
        return MoonqError(
            f"the socket of {place.project.name} belongs to another user",
            hint="become the user that runs the host",
        )
    pid = (place.record() or {}).get("pid", "unknown")
    return HostSilent(
        f"pid {pid} is alive, but its socket did not answer for {patience:.1f} s",
        hint="look at its log; `moonq status` lists every host",
    )


def _shown(place: Place) -> str:
    """The socket's path as people read it: below the project, where it is there."""
    folder = place.project.parent if place.project.is_file() else place.project
    inside = place.socket.is_relative_to(folder)
    return str(place.socket.relative_to(folder) if inside else place.socket)


class Pending:
    """A request: `send` it, `wait` for its answer, or `cancel` it."""

    def __init__(self, client: Client, on_output: Callable[[str], None]) -> None:
        self._client = client
        self._answer: Future[Any] = Future()
        self._on_output = on_output
        self.number = client.register(self)

    def send(self, kind: str, fields: Mapping[str, Any]) -> None:
        """Ask, once."""
        self._client.send({**fields, "kind": kind, "id": self.number})

    def wait(self, timeout: float | None = None) -> Any:
        """Return the answer; None when it has not come within *timeout* seconds.

        Raises:
            MoonqError: What the host answered instead, or that it is gone.
        """
        try:
            return self._answer.result(timeout)
        except TimeoutError:
            return None

    def is_done(self) -> bool:
        """Whether the answer is there."""
        return self._answer.done()

    def cancel(self) -> None:
        """Ask the host to stop it; the answer then comes soon."""
        self._client.send({"kind": "cancel", "id": self.number})

    def take(self, frame: Frame) -> bool:
        """Take what came for it, in the client's thread; returns whether more is to come."""
        if frame["kind"] == "output":
            self._on_output(frame["text"])
            return True
        if frame["kind"] == "error":
            self.end(error_of(frame["error"]))
        else:
            # Another thread may have found the connection gone at the same moment.
            with contextlib.suppress(InvalidStateError):
                self._answer.set_result(frame.get("value"))
        return False

    def end(self, problem: MoonqError) -> None:
        """Take *problem* for an answer, unless there is one."""
        with contextlib.suppress(InvalidStateError):
            self._answer.set_exception(problem)


class Subscription(Pending):
    """Events as they come; iterating ends when the subscription or the connection does."""

    def __init__(self, client: Client) -> None:
        self._events: Backlog[dict[str, Any]] = Backlog(UNREAD)
        self._left_out = 0
        super().__init__(client, lambda _: None)

    @property
    def dropped(self) -> int:
        """How many events the host or we left out, because they were not read in time."""
        return self._left_out + self._events.dropped

    @property
    def ended(self) -> bool:
        """Whether no more will come."""
        return self._events.ended

    def next(self, timeout: float | None = None) -> dict[str, Any] | None:
        """Return the next event; None when the time is up or there will be no more."""
        return self._events.take(timeout)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.next, None)

    def __enter__(self) -> Subscription:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Want no more events."""
        self._events.close(forget=True)
        self._client.forget(self)

    def take(self, frame: Frame) -> bool:
        """Take an event, or the answer to the subscription itself."""
        if frame["kind"] != "event":
            super().take(frame)
            return bool(frame["kind"] == "result")
        self._left_out += int(frame.get("dropped") or 0)
        self._events.put(frame["event"])
        return True

    def end(self, problem: MoonqError) -> None:
        """Let those who wait go."""
        super().end(problem)
        self._events.close()


class Client:
    """A connection to one host."""

    is_live = True

    def __init__(self, connection: socket.socket, place: Place, patience: float) -> None:
        self.place = place
        self._connection = connection
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._pending: dict[int, Pending] = {}
        """Who waits for something with a number, subscriptions among them."""
        self._lines = lines(connection.makefile("rb"), 8 * LONGEST)
        self._closed = False
        self.is_gone = False
        """Whether the host has hung up: what is sent now comes to nobody."""
        self.limit: float | None = None
        """Seconds after which a request is given up; None waits for its answer."""
        self.hello = self._hello()
        """`version`, `project`, `profile`, `pid`, `name`, `user`, `caps`, `read_only`; `own`:
        queues and consumers that are this host's alone, where others of the project run."""
        self.read_only = bool(self.hello.get("read_only"))
        connection.settimeout(None)
        threading.Thread(target=self._read, name="moonq-client", daemon=True).start()

    def request(
        self, kind: str, *, on_output: Callable[[str], None] = lambda _: None, **fields: Any
    ) -> Any:
        """Ask the host and return its answer; on Ctrl-C the host stops what it does for us.

        Raises:
            MoonqError: What the host answered instead, or that it is gone.
        """
        began = time.monotonic()
        pending = self.begin(kind, on_output=on_output, **fields)
        try:
            # In steps, because a signal that another thread gets does not wake this one.
            while not pending.is_done():
                pending.wait(0.25)
                if self.limit is not None and time.monotonic() - began > self.limit:
                    pending.cancel()
                    raise HostSilent(f"the host did not answer within {self.limit:g} s")
            return pending.wait()
        except KeyboardInterrupt:
            pending.cancel()
            raise

    def begin(
        self, kind: str, *, on_output: Callable[[str], None] = lambda _: None, **fields: Any
    ) -> Pending:
        """Ask the host without waiting for the answer."""
        pending = self.expect(on_output)
        pending.send(kind, fields)
        return pending

    def expect(self, on_output: Callable[[str], None]) -> Pending:
        """Return a question that is still to be sent."""
        return Pending(self, on_output)

    def register(self, pending: Pending) -> int:
        """Return the number for *pending*, which takes what comes with it."""
        number = next(self._numbers)
        with self._lock:
            self._pending[number] = pending
        return number

    def subscribe(self, topic: str, **filters: Any) -> Subscription:
        """Have events: topic `tail` (every message's life) or `stats` (numbers, once a second).

        Raises:
            MoonqError: The host refuses the filters.
        """
        subscription = Subscription(self)
        subscription.send("subscribe", {**filters, "topic": topic})
        subscription.wait()
        return subscription

    def write(self) -> None:
        """Ask for the right to change things; the host logs it."""
        self.request("write")
        self.read_only = False

    def give_up_write(self) -> None:
        """Give the right to change things back."""
        self.request("readonly")
        self.read_only = True

    def forget(self, subscription: Subscription) -> None:
        """End a subscription."""
        with self._lock:
            known = self._pending.pop(subscription.number, None)
        if known is not None and not self._closed:
            with contextlib.suppress(MoonqError):
                self.send({"kind": "unsubscribe", "id": subscription.number})

    def send(self, frame: Frame) -> None:
        """Send *frame*.

        Raises:
            HostSilent: The host is gone.
        """
        data = encode(frame)
        if len(data) > LONGEST:
            raise Invalid(
                f"the request has {len(data)} bytes, and the socket takes {LONGEST}",
                hint="publish fewer or smaller messages at once",
            )
        try:
            with self._lock:
                self._connection.sendall(data)
        except OSError:
            self._end()

    def close(self) -> None:
        """Hang up: the host stops what still runs for us."""
        self._closed = True
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._connection.close()

    def disown(self) -> None:
        """Let go of a connection that a fork has copied: it goes on, and is the parent's."""
        self._closed = self.is_gone = True
        with contextlib.suppress(OSError):
            os.close(self._connection.detach())

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Reading ------------------------------------------------------------------------------------

    def _hello(self) -> Frame:
        frame = self._frame()
        if frame["kind"] == "error":
            raise error_of(frame["error"])
        return frame

    def _frame(self) -> Frame:
        """Wait for the next frame.

        Raises:
            HostSilent: There is none: the host hung up, or does not speak as we do.
        """
        line = next(self._lines, None)
        if line is None:
            raise HostSilent("the host hung up")
        try:
            if isinstance(line, Malformed):
                raise line
            return decode(line)
        except Malformed as problem:
            raise HostSilent(f"the host sent what is no frame: {problem}") from None

    def _read(self) -> None:
        try:
            while True:
                self._take(self._frame())
        except (OSError, HostSilent):
            self._end()

    def _take(self, frame: Frame) -> None:
        number = frame.get("id")
        pending = self._pending.get(number) if isinstance(number, int) else None
        if pending is not None and not pending.take(frame):
            with self._lock:
                self._pending.pop(pending.number, None)

    def _end(self) -> None:
        """The connection is gone, and so is what was waited for."""
        self.is_gone = True
        with self._lock:
            waiting, self._pending = list(self._pending.values()), {}
        for one in waiting:
            one.end(
                HostSilent("the host has gone away", hint=f"its pid was {self.hello.get('pid')}")
            )
