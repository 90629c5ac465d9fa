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
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from moonq.control.locating import Place, place_of
from moonq.control.wire import LONGEST, Frame, Lines, Malformed, decode, encode, error_of
from moonq.errors import HostSilent, Invalid, MoonqError, NoHost

#: Seconds in which a host answers, or is called silent.
PATIENCE = 2.0
#: Events that may wait for whoever subscribed.
EVENTS = 10_000


def connect(
    project: Path, *, socket_path: Path | None = None, patience: float = PATIENCE
) -> Client:
    """Return a client of the host that runs *project*.

    Raises:
        NoHost: None is running.
        HostSilent: It runs and does not answer within *patience* seconds.
    """
    place = place_of(project, socket_path)
    if not place.is_claimed():
        raise NoHost(
            f"no moonq host is running for {place.project.name} (looked for {_shown(place)})",
            hint="start one with `moonq run`, or use a private one with `moonq repl --local`",
        )
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(patience)
    try:
        connection.connect(str(place.socket))
        return Client(connection, place, patience)
    except BaseException as problem:
        connection.close()
        if isinstance(problem, OSError | HostSilent):
            raise _unanswered(place, problem, patience) from None
        raise


def _unanswered(place: Place, problem: Exception, patience: float) -> MoonqError:
    """Say why nobody answered, though the place is taken."""
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

    def __init__(self, client: Client, number: int, on_output: Callable[[str], None]) -> None:
        self._client = client
        self._number = number
        self._done = threading.Event()
        self._answer: Frame = {}
        self.on_output = on_output
        """Is called with what the code prints, by the client's thread."""

    def send(self, kind: str, fields: Mapping[str, Any]) -> None:
        """Ask, once."""
        self._client.send({**fields, "kind": kind, "id": self._number})

    def wait(self, timeout: float | None = None) -> Any:
        """Return the answer; None when it has not come within *timeout* seconds.

        Raises:
            MoonqError: What the host answered instead, or that it is gone.
        """
        if not self._done.wait(timeout):
            return None
        if "error" in self._answer:
            raise error_of(self._answer["error"])
        return self._answer.get("value")

    def is_done(self) -> bool:
        """Whether the answer is there."""
        return self._done.is_set()

    def cancel(self) -> None:
        """Ask the host to stop it; the answer then comes soon."""
        self._client.send({"kind": "cancel", "id": self._number})

    def answer(self, frame: Frame) -> None:
        """Take the answer; called by the client's thread."""
        self._answer = frame
        self._done.set()


class Subscription:
    """Events as they come; iterating ends when the subscription or the connection does."""

    def __init__(self, client: Client, number: int) -> None:
        self._client = client
        self.number = number
        self.dropped = 0
        """How many events were left out, by the host or here, because nobody read them in time."""
        self._changed = threading.Condition()
        self._events: deque[dict[str, Any]] = deque()
        self._ended = False

    def next(self, timeout: float | None = None) -> dict[str, Any] | None:
        """Return the next event; None when the time is up or there will be no more."""
        with self._changed:
            self._changed.wait_for(lambda: self._events or self._ended, timeout)
            return self._events.popleft() if self._events else None

    @property
    def ended(self) -> bool:
        """Whether no more will come."""
        return self._ended and not self._events

    def __iter__(self) -> Iterator[dict[str, Any]]:
        while (event := self.next()) is not None:
            yield event

    def __enter__(self) -> Subscription:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Want no more events."""
        self.end()
        self._client.forget(self)

    def put(self, frame: Frame) -> None:
        """Take an event; called by the client's thread."""
        with self._changed:
            self.dropped += int(frame.get("dropped") or 0)
            if len(self._events) < EVENTS:
                self._events.append(frame["event"])
            else:
                self.dropped += 1
            self._changed.notify()

    def end(self) -> None:
        """Let whoever waits go."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()


class Client:
    """A connection to one host."""

    is_live = True

    def __init__(self, connection: socket.socket, place: Place, patience: float) -> None:
        self.place = place
        self._connection = connection
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._pending: dict[int, Pending] = {}
        self._subscriptions: dict[int, Subscription] = {}
        self._lines = Lines(8 * LONGEST)
        self._closed = False
        self.hello: Frame = self._first_frame()
        """`version`, `project`, `profile`, `pid`, `started`, `user`, `caps`, `read_only`."""
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
        pending = self.begin(kind, on_output=on_output, **fields)
        try:
            # In steps, because a signal that another thread gets does not wake this one.
            while not pending.is_done():
                pending.wait(0.25)
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
        number = next(self._numbers)
        pending = Pending(self, number, on_output)
        with self._lock:
            self._pending[number] = pending
        return pending

    def subscribe(self, topic: str, **filters: Any) -> Subscription:
        """Have events: topic `tail` (every message's life) or `stats` (numbers, once a second).

        Raises:
            MoonqError: The host refuses the filters.
        """
        number = next(self._numbers)
        subscription = Subscription(self, number)
        pending = Pending(self, number, lambda _: None)
        with self._lock:
            self._subscriptions[number] = subscription
            self._pending[number] = pending
        self.send({**filters, "kind": "subscribe", "id": number, "topic": topic})
        try:
            pending.wait()
        except MoonqError:
            subscription.end()
            raise
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
            known = self._subscriptions.pop(subscription.number, None)
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

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Reading ------------------------------------------------------------------------------------

    def _first_frame(self) -> Frame:
        while True:
            for line in self._lines.feed(self._receive()):
                frame = _frame(line)
                if frame.get("kind") == "error":
                    raise error_of(frame["error"])
                return frame

    def _receive(self) -> bytes:
        data = self._connection.recv(65536)
        if not data:
            raise HostSilent("the host hung up")
        return data

    def _read(self) -> None:
        try:
            while True:
                for line in self._lines.feed(self._receive()):
                    self._take(_frame(line))
        except (OSError, HostSilent):
            self._end()

    def _take(self, frame: Frame) -> None:
        kind, number = frame.get("kind"), frame.get("id")
        if not isinstance(number, int):
            return
        if kind == "event":
            subscription = self._subscriptions.get(number)
            if subscription is not None:
                subscription.put(frame)
        elif kind == "output":
            pending = self._pending.get(number)
            if pending is not None:
                pending.on_output(frame["text"])
        else:
            with self._lock:
                pending = self._pending.pop(number, None)
            if pending is not None:
                pending.answer(frame)

    def _end(self) -> None:
        """The connection is gone: nobody shall wait for ever."""
        with self._lock:
            pending, self._pending = list(self._pending.values()), {}
            subscriptions, self._subscriptions = list(self._subscriptions.values()), {}
        gone = {"type": "HostSilent", "kind": "UNAVAILABLE", "message": "the host has gone away"}
        for one in pending:
            one.answer({"error": {**gone, "hint": f"its pid was {self.hello.get('pid')}"}})
        for subscription in subscriptions:
            subscription.end()


def _frame(line: bytes | Malformed) -> Frame:
    if isinstance(line, Malformed):
        raise HostSilent(f"the host sent what is no frame: {line}")
    return decode(line)
