"""The client itself: one connection at a time, made when it is needed."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Unpack
from weakref import WeakSet

from moonq import log
from moonq.client.publication import Body, Header, Options, Publication, frame
from moonq.control.batching import batches
from moonq.control.reaching import Reached, reach
from moonq.control.wire import error_of
from moonq.errors import (
    HostSilent,
    Invalid,
    MoonqError,
    NoHost,
    SeveralHosts,
    Unavailable,
    Uncertain,
)

_log = log.get("moonq.client")
_START = "start one with `moonq run`, or use a durable driver with `direct=True`"
#: What forks took over; it is not to be ended, for a parent still uses it.
_parents: list[ExitStack] = []


class Client:
    """Publishes into the queues of one project."""

    def __init__(
        self,
        project: str | Path = ".",
        *,
        direct: bool = False,
        profile: str | None = None,
        socket: str | Path | None = None,
        host: str = "",
        timeout: float = 30.0,
    ) -> None:
        """Make a client of the host that runs *project*, a folder or a single YAML file.

        With *direct* and without a running host messages go straight to their driver, which must be
        a durable one; *profile* (by default what MOONQ_PROFILE says) is laid over the project then,
        and it is logged when a running host has another one. Where several hosts run, any that
        answers takes a message, unless its queue is in the memory of each; *host* is the name of
        one, and *socket* the path of its socket. *timeout* is how many seconds an answer may take.
        """
        if direct and (socket is not None or host):
            raise Invalid(
                "a socket and a name belong to a running host",
                hint="drop `direct`, or `socket` and `host`",
            )
        self._project = Path(project)
        self._direct = direct
        self._profile = os.environ.get("MOONQ_PROFILE", "") if profile is None else profile
        self._socket = "" if socket is None else str(socket)
        self._host_name = host
        self._timeout = timeout
        self._closed = False
        self._begin()
        _clients.add(self)

    def publish(
        self,
        queue: str,
        body: Body,
        *,
        headers: Mapping[str, Header] | None = None,
        **options: Unpack[Options],
    ) -> str:
        """Publish one message into *queue* and return its id; see `Options`.

        It is stored when this returns, as surely as its driver can.

        Raises:
            Unavailable: No host is running, or it cannot reach its broker; nothing was sent.
            Uncertain: It was sent and not answered: it may have been stored. The text has its id;
                with the same `dedup_key` it may be published again.
            NotFound: There is no such queue.
            QueueFull, TooLarge, Invalid, Denied: The host refuses it.
        """
        [answer] = self.publish_batch(queue, [Publication(body, headers or {}, options)])
        if isinstance(answer, MoonqError):
            raise answer
        return answer

    def publish_batch(self, queue: str, messages: Iterable[Publication]) -> list[str | MoonqError]:
        """Publish many messages into *queue*; return an id or an error for each, in their order.

        Raises:
            MoonqError: As `publish`; none was published then.
        """
        answers: list[str | MoonqError] = []
        sent: list[dict[str, Any]] = []
        places: list[int] = []
        for place, message in enumerate(messages):
            try:
                sent.append(frame(message))
                places.append(place)
                answers.append("")
            except Invalid as problem:
                answers.append(problem)
        done = 0
        for batch in batches(sent):
            for answer in self._send(queue, batch, is_first=not done):
                answers[places[done]] = answer
                done += 1
        return answers

    def close(self) -> None:
        """Hang up; a private host of a *direct* client ends."""
        with self._lock:
            self._closed = True
            self._hang_up()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._stack = ExitStack()
        self._reached: Reached | None = None

    def _begin_in_child(self) -> None:
        """Leave the connection to the process that made it; a fork copies it, and no threads."""
        if self._reached is not None:
            self._reached.client.disown()
        _parents.append(self._stack)
        self._begin()

    # Sending ------------------------------------------------------------------------------------

    def _send(
        self, queue: str, batch: list[dict[str, Any]], *, is_first: bool
    ) -> list[str | MoonqError]:
        """Publish what fits one request; what fails as a whole is raised if nothing came before."""
        try:
            with self._lock:
                found = self._request(queue, batch)
        except MoonqError as problem:
            if is_first and not isinstance(problem, Uncertain):
                raise
            return [_about(problem, message) for message in batch]
        return [one["id"] if "id" in one else error_of(one["error"]) for one in found["answers"]]

    def _request(self, queue: str, batch: list[dict[str, Any]]) -> Any:
        try:
            host = self._host()
        except NoHost as problem:
            raise Unavailable(problem.message, hint=_START) from None
        except HostSilent as problem:
            raise Unavailable(problem.message, hint=problem.hint) from None
        try:
            return host.request("publish", queue=queue, messages=batch)
        except SeveralHosts as problem:
            raise SeveralHosts(problem.message, hint="name one: Client(..., host=NAME)") from None
        except NoHost as problem:
            # A private host cannot reach what is in the memory of another one.
            raise Unavailable(problem.message, hint=problem.hint) from None
        except HostSilent as problem:
            self._hang_up()
            raise Uncertain(problem.message, hint=problem.hint) from None

    def _host(self) -> Reached:
        if self._closed:
            raise Invalid("this client is closed", hint="make another one")
        if self._reached is not None and self._reached.client.is_gone:
            self._hang_up()
        if self._reached is None:
            found = self._stack.enter_context(
                reach(
                    self._project,
                    profile=self._profile,
                    to=self._socket,
                    host=self._host_name,
                    live=not self._direct,
                    notice=_log.warning,
                )
            )
            found.client.limit = self._timeout
            if found.client.read_only:
                # Whoever writes `publish` into a program means it; the host logs that it was asked.
                found.client.write()
            self._reached = found
        return self._reached

    def _hang_up(self) -> None:
        self._reached = None
        self._stack.close()


_clients: WeakSet[Client] = WeakSet()


def _begin_all_in_child() -> None:
    for client in list(_clients):
        client._begin_in_child()


os.register_at_fork(after_in_child=_begin_all_in_child)


def _about(problem: MoonqError, message: Mapping[str, Any]) -> MoonqError:
    if not isinstance(problem, Uncertain):
        return problem
    text = f"message {message['options']['id']} may have been stored: {problem.message}"
    return Uncertain(text, hint="with the same `dedup_key` it may be published again")
