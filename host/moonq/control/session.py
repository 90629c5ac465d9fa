"""One client of a host: its requests in order, its Lua, its subscriptions, its rights.

Beside the verbs of `moonq.operations.verbs` a session knows:

    eval{src, timeout?, width?, marked?, file?}
                                  run Lua in this session's state; see `lua/console/session.lua`.
                                  A value that JSON cannot carry is an error that names its place;
                                  with `marked`, for people, it is null and has its text. With the
                                  name of a `file` the text is all of it: no values are answered
    complete{path}                what could follow `queue.pu`; runs no code
    reset{}                       forget every variable
    write{}                       ask for the right to change things; it is logged
    readonly{}                    give it back
    subscribe{topic, ...}         see `subscriptions`; unsubscribe{id} with the same id ends it
    cancel{id}                    stop a request, whether it runs or waits: answered out of band
    ping{}

What comes in is read at once, so that `cancel` overtakes what runs. When the client goes away, its
code is stopped and its subscriptions end.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from moonq import __version__, log, threads
from moonq.control.feed import Feed
from moonq.control.lua_session import DEPTH, MOST_DEPTH, TIMEOUT, LuaSession, Text, stopped_answer
from moonq.control.outbox import Outbox
from moonq.control.subscriptions import Stats, Subscribed, Tail, checked_tail
from moonq.control.wire import Frame, Malformed, decode, lines, refusal, result
from moonq.errors import Invalid, MoonqError, NotFound, Unavailable
from moonq.host import Host
from moonq.operations import overview
from moonq.operations.entries import Sending
from moonq.operations.meter import Meter
from moonq.operations.performing import Operations
from moonq.operations.verbs import VERBS
from moonq.registry.project import Project
from moonq.text import suggestions

_log = log.get("moonq.control")
#: Requests that may wait for the one that runs.
PATIENT = 100
#: Subscriptions of one session.
MOST_SUBSCRIBED = 20
#: The longest wait between two numbers of `stats`, in seconds.
DAY = 86_400.0
OWN_KINDS = ("eval", "complete", "reset", "write", "readonly", "ping")


def _sendings(project: Project) -> Iterable[Sending]:
    from moonq.checking.sending import sendings  # what few ask for, and takes long to import

    return sendings(project)


class Session:
    """The host's end of one connection."""

    def __init__(
        self,
        connection: socket.socket,
        user: str,
        host: Host,
        feed: Feed,
        meter: Meter,
        stop: Callable[[bool], None] | None,
    ) -> None:
        self.user = user
        self.read_only = host.project.settings.production
        self._connection = connection
        self._host = host
        self._feed = feed
        self._meter = meter
        self._outbox = Outbox(connection)
        self._operations = Operations(
            host, f"console:{user}", meter=meter, stop=stop, sendings=_sendings
        )
        self._subscriptions: dict[int, Subscribed] = {}
        self._changed = threading.Condition()
        self._requests: deque[Frame] = deque()
        self._running: int | None = None
        self._generation = 0
        self._closed = False
        self._lua = self._new_lua()

    # Life ---------------------------------------------------------------------------------------

    def serve(self) -> None:
        """Answer until the client goes away."""
        self._outbox.put(self._hello())
        self._start_worker()
        try:
            for line in lines(self._connection.makefile("rb")):
                self._read(line)
        except OSError:
            pass  # it went away in the middle of something
        finally:
            self.close()

    def close(self) -> None:
        """Stop the client's code, end its subscriptions, hang up."""
        with self._changed:
            if self._closed:
                return
            self._closed = True
            self._requests.clear()
            self._changed.notify_all()
        self._cut_off()
        for subscription in tuple(self._subscriptions.values()):
            subscription.close()
        self._subscriptions.clear()
        self._outbox.close()

    def is_busy(self) -> bool:
        """Whether something runs for the client."""
        return self._running is not None

    def _hello(self) -> Frame:
        return {
            "kind": "hello",
            "protocol": 1,
            "version": __version__,
            "project": self._host.project.name,
            **overview.profile(self._host),
            "pid": os.getpid(),
            "name": self._host.name,
            "own": overview.own(self._host),
            "up": self._host.report().up,
            "entries": len(self._host.project.entries),
            "user": self.user,
            "read_only": self.read_only,
            "caps": [*OWN_KINDS, "subscribe", "cancel", *VERBS],
        }

    # Reading: quick, in the thread of the connection --------------------------------------------

    def _read(self, line: bytes | Malformed) -> None:
        try:
            if isinstance(line, Malformed):
                raise line
            frame = decode(line)
            if type(frame.get("id")) is not int:
                raise Malformed("a frame has a number as its `id`")
        except Malformed as problem:
            self._outbox.put(refusal(problem.number, Invalid(str(problem))))
            return
        kind = frame["kind"]
        if kind == "cancel":
            self._cancel(frame["id"])
        elif kind == "subscribe":
            self._answer(frame, self._subscribe)
        elif kind == "unsubscribe":
            self._answer(frame, self._unsubscribe)
        else:
            self._enqueue(frame)

    def _enqueue(self, frame: Frame) -> None:
        with self._changed:
            full = len(self._requests) >= PATIENT
            if not full:
                self._requests.append(frame)
                self._changed.notify()
        if full:
            problem = Unavailable(
                f"{PATIENT} requests of this session wait already", hint="wait for some answers"
            )
            self._outbox.put(refusal(frame["id"], problem))

    def _cancel(self, number: int) -> None:
        with self._changed:
            waiting = [frame for frame in self._requests if frame["id"] == number]
            for frame in waiting:
                self._requests.remove(frame)
            runs = self._running == number
        if runs:
            self._cut_off()
        for frame in waiting:
            self._outbox.put(result(frame["id"], stopped_answer("cancel")))

    def _cut_off(self) -> None:
        self._lua.cancel()
        self._operations.cancel()

    # Working: one request at a time, in another thread -----------------------------------------

    def _start_worker(self) -> None:
        threads.start(
            threading.Thread(
                target=self._work, args=(self._generation,), name="moonq-session", daemon=True
            )
        )

    def _work(self, generation: int) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._requests or self._closed)
                if self._closed or generation != self._generation:
                    break
                frame = self._requests.popleft()
                self._running = frame["id"]
                self._lua.expect()
                self._operations.expect()
            self._answer(frame, self._perform, lambda: generation == self._generation)
            with self._changed:
                if generation == self._generation:
                    self._running = None
        with contextlib.suppress(MoonqError):
            self._lua.reset()

    def _answer(
        self,
        frame: Frame,
        act: Callable[[Frame], Any],
        is_wanted: Callable[[], bool] = lambda: True,
    ) -> None:
        try:
            answer = result(frame["id"], act(frame))
        except MoonqError as problem:
            answer = refusal(frame["id"], problem)
        except Exception as problem:  # noqa: BLE001 - a client must not wait for ever
            _log.exception("a request (%s) met a bug in moonq", frame["kind"])
            bug = MoonqError(f"a bug in moonq: {type(problem).__name__}; the host's log shows it")
            answer = refusal(frame["id"], bug)
        if is_wanted():
            self._outbox.put(answer)

    def _perform(self, frame: Frame) -> Any:
        kind, fields = frame["kind"], _fields(frame)
        if kind not in OWN_KINDS:
            return self._operations.perform(kind, fields, read_only=self.read_only)
        try:
            return getattr(self, f"_{kind}")(**fields)
        except TypeError as problem:
            raise Invalid(f"{kind}: other fields expected: {problem}") from None

    def _eval(
        self,
        src: str,
        timeout: float = TIMEOUT,
        width: int = 80,
        marked: bool = False,
        file: str = "",
        depth: int = DEPTH,
    ) -> dict[str, Any]:
        if not isinstance(src, str) or not _is_number(timeout):
            raise Invalid("eval: `src` is a text and `timeout` a number of seconds")
        if not isinstance(file, str) or not _is_number(width):
            raise Invalid("eval: `file` is the name of a file and `width` a number of columns")
        if not _is_number(depth):
            raise Invalid("eval: `depth` is a number of tables inside tables")
        for name, text in (("src", src), ("file", file)):
            _check_text(f"eval: `{name}`", text)
        limit = min(max(float(timeout), 0.001), 3600.0)
        columns, levels = min(max(int(width), 20), 1000), min(max(int(depth), 1), MOST_DEPTH)
        whole = Text(src, columns, bool(marked), file, levels)
        return self._lua.evaluate(whole, limit)

    def _complete(self, path: str) -> dict[str, Any]:
        if not isinstance(path, str):
            raise Invalid("complete: `path` is a text")
        _check_text("complete: `path`", path)
        return {"items": self._lua.complete(path)}

    def _reset(self) -> dict[str, Any]:
        self._lua.reset()
        return {"reset": True}

    def _ping(self) -> dict[str, Any]:
        return {"pong": True}

    def _write(self) -> dict[str, Any]:
        """Give the right to change things: to all who may connect, but never unseen."""
        if self.read_only:
            _log.warning("console:%s may change things from now on", self.user, extra=log.AUDIT)
            self.read_only = False
        return {"read_only": False}

    def _readonly(self) -> dict[str, Any]:
        self.read_only = True
        return {"read_only": True}

    # Lua ----------------------------------------------------------------------------------------

    def _new_lua(self) -> LuaSession:
        return LuaSession(
            lambda: self._host.project,
            self._host.services,
            f"console:{self.user}",
            lambda: self.read_only,
            self._log_change,
            self._operate,
            self._print,
            self._abandon,
        )

    def _log_change(self, action: str, detail: str) -> None:
        """Log what code does to a host in production, as what the verbs do is logged anywhere."""
        if self._host.project.settings.production:
            self._operations.record(action, detail)

    def _operate(self, kind: str, fields: dict[str, Any]) -> dict[str, Any]:
        return self._operations.perform(kind, fields, read_only=self.read_only)

    def _print(self, text: str, is_wanted: Callable[[], bool]) -> None:
        if self._running is not None:
            self._outbox.offer({"kind": "output", "id": self._running, "text": text}, is_wanted)

    def _abandon(self) -> None:
        """The code sits in a C function that cannot be stopped: go on without that state."""
        self._operations.cancel()  # or it waits for a function that it calls by hand
        with self._changed:
            number, self._running = self._running, None
            self._generation += 1
            self._lua = self._new_lua()
            self._start_worker()
        _log.error("console:%s: its code could not be stopped and was abandoned", self.user)
        self._outbox.put(result(number, {**stopped_answer("abandoned"), "lost": True}))

    # Subscriptions ------------------------------------------------------------------------------

    def _subscribe(self, frame: Frame) -> dict[str, Any]:
        number, topic = frame["id"], frame.get("topic")
        if number in self._subscriptions or len(self._subscriptions) >= MOST_SUBSCRIBED:
            raise Invalid(
                f"subscription {number} exists already, or there are {MOST_SUBSCRIBED} of them"
            )
        fields = _fields(frame, "topic")
        for name in ("where", "targets", "queues"):
            for text in fields[name] if isinstance(fields.get(name), list) else [fields.get(name)]:
                _check_text(f"tail: `{name}`", text if isinstance(text, str) else "")
        made = self._tail(number, fields) if topic == "tail" else self._stats(number, topic, fields)
        self._subscriptions[number] = made
        made.start()
        return {"subscribed": topic}

    def _tail(self, number: int, fields: dict[str, Any]) -> Tail:
        checked = checked_tail(fields, self._full_name, self._found)
        hidden = self._host.project.settings.redact
        return Tail(number, self._feed, self._outbox, lambda: hidden, **checked)

    def _stats(self, number: int, topic: Any, fields: dict[str, Any]) -> Stats:
        interval = fields.pop("interval", 1.0)
        if topic != "stats" or fields or not _is_number(interval):
            raise Invalid("subscribe to `tail`, or to `stats` with an `interval` in seconds")
        return Stats(number, self._outbox, self._overview, min(float(interval), DAY))

    def _overview(self) -> dict[str, Any]:
        host, meter = self._host, self._meter
        return {
            "time": host.clock.now(),
            "status": overview.status(host, meter),
            "queues": overview.queues(host, meter),
            "consumers": overview.consumers(host, meter),
        }

    def _unsubscribe(self, frame: Frame) -> dict[str, Any]:
        subscription = self._subscriptions.pop(frame["id"], None)
        if subscription is not None:
            subscription.close()
        return {"unsubscribed": subscription is not None}

    def _full_name(self, name: str) -> str:
        """A bare name's full id; what is no entry is a message's id or a logger's name."""
        return self._entry_id(name) or name

    def _found(self, name: str) -> str:
        """The full name of an entry, a message or a logger that is there."""
        parent = name.rpartition(".")[0]
        if full := self._entry_id(name) or (log.is_known(name) and name):
            return full
        if parent and (owner := self._entry_id(parent)):
            return f"{owner}{name[len(parent) :]}"  # a logger that a function has named
        with contextlib.suppress(NotFound):
            return str(self._operations.find(message=name)["id"])
        ids = {*self._host.project.entries, *self._host.queues.ids()}
        ids |= {one.partition(":")[2] for one in ids}
        raise NotFound(
            f"{name!r} is no entry, no message that is there, and no logger that has spoken",
            hint=suggestions.question(suggestions.close(name, ids))
            or "`moonq ls` lists the entries",
        )

    def _entry_id(self, name: str) -> str:
        project = self._host.project
        with contextlib.suppress(NotFound):
            return project.resolve(name).id
        with contextlib.suppress(NotFound):
            return project.id_of(name, "queue.queue")
        return ""


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _check_text(what: str, text: str) -> None:
    """Refuse half a character, which JSON can write and Lua has no bytes for."""
    try:
        text.encode()
    except UnicodeEncodeError as problem:
        where = f"{what}: character {problem.start + 1} is a lone surrogate"
        raise Invalid(where, hint="write the character in full") from None


def _fields(frame: Frame, *others: str) -> dict[str, Any]:
    """What a frame has beside its kind, its id and *others*."""
    return {key: value for key, value in frame.items() if key not in ("kind", "id", *others)}
