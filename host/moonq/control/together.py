"""All hosts of a project on this machine, asked as if they were one.

    with together(Path("shop")) as hosts:
        hosts.request("queues")               # every queue once, with the workers of all
        with hosts.tail(events=["dead"]) as events:
            for event in events:              # of all, each with the `host` that it came from
                ...

Hosts that come join in, and those that go are left out, for as long as one is there.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from moonq.control import hosts, merging
from moonq.control.backlog import Backlog
from moonq.control.client import UNREAD, Client, Pending, Subscription, connect_to
from moonq.control.locating import Place, place_of
from moonq.errors import HostSilent, MoonqError, NoHost

#: Seconds between two looks for hosts that have come.
LOOK = 1.0
#: Seconds before a host that did not answer is asked again.
PAUSE = 10.0


def together(project: Path, host: str = "") -> Together:
    """Return the hosts of *project* that run and answer; only the one called *host* if named.

    Raises:
        NoHost: None runs.
        HostSilent: None answers.
    """
    return Together(project, host)


class Together:
    """See the module."""

    is_partial = False

    def __init__(self, project: Path, host: str = "") -> None:
        self._project = project
        self._host = host
        self._lock = threading.Lock()
        self._is_closed = False
        self._clients: dict[Path, Client] = {}
        self._silent: dict[Path, tuple[float, MoonqError]] = {}
        """When which host was last asked in vain, and what it met."""
        self.look()

    def look(self) -> list[Client]:
        """Connect to hosts that have come, forget those that are gone, and return all.

        Raises:
            NoHost: None runs.
            HostSilent: None answers.
        """
        with self._lock:
            if self._is_closed:
                raise HostSilent("these hosts are asked no more")
            for path, gone in [one for one in self._clients.items() if one[1].is_gone]:
                self._clients.pop(path)
                gone.close()
            for place in hosts.meant(self._project, self._host) or [place_of(self._project)]:
                if not (place.lock_file in self._clients or self._was_silent(place)):
                    self._connect(place)
            if not self._clients:
                raise next(problem for _, problem in self._silent.values())
            return list(self._clients.values())

    def _was_silent(self, place: Place) -> bool:
        """Whether it would be too early to ask again."""
        asked, _ = self._silent.get(place.lock_file, (-PAUSE, None))
        return bool(self._clients) and time.monotonic() < asked + PAUSE

    def _connect(self, place: Place) -> None:
        self._silent.pop(place.lock_file, None)
        try:
            self._clients[place.lock_file] = connect_to(place)
        except (NoHost, HostSilent) as problem:
            self._silent[place.lock_file] = (time.monotonic(), problem)

    @property
    def silent(self) -> list[str]:
        """What is to be said of hosts that run and do not answer, a sentence each."""
        found = [problem for _, problem in self._silent.values()]
        return [problem.message for problem in found if isinstance(problem, HostSilent)]

    @property
    def names(self) -> list[str]:
        """What the hosts are called."""
        return [one.place.name for one in self._clients.values()]

    def request(self, kind: str, **fields: Any) -> Any:
        """Ask all where each has something to say of itself, else any.

        Raises:
            HostSilent: All have gone away.
            MoonqError: What a host answered instead.
        """
        merge, clients = _MERGED.get(kind), self.look()
        if merge is None or len(clients) == 1:
            return clients[0].request(kind, **fields)
        begun = [(one, one.begin(kind, **fields)) for one in clients]
        answers: dict[Client, Any] = {}
        for client, pending in begun:
            with contextlib.suppress(HostSilent):  # it went away meanwhile
                answers[client] = _answer(pending)
        if not answers:
            raise HostSilent("the hosts have gone away")
        return merge(list(answers.values()), list(answers))

    def tail(self, **filters: Any) -> Tails:
        """Have events of all hosts.

        Raises:
            MoonqError: A host refuses the filters.
        """
        return Tails(self, filters)

    def close(self) -> None:
        """Hang up."""
        with self._lock:
            self._is_closed = True
            for client in self._clients.values():
                client.close()

    def __enter__(self) -> Together:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Tails:
    """Events of several hosts, in the order in which they come here."""

    def __init__(self, asked: Together, filters: Mapping[str, Any]) -> None:
        self._asked = asked
        self._filters = filters
        self._events: Backlog[dict[str, Any]] = Backlog(UNREAD)
        self._joined: dict[Client, Subscription] = {}
        self._ended = threading.Event()
        if refusals := self._join(asked.look()):
            raise refusals[0]
        threading.Thread(target=self._look, name="moonq-tails", daemon=True).start()

    @property
    def dropped(self) -> int:
        """How many events were left out, because they were not read in time."""
        return self._events.dropped + sum(one.dropped for one in list(self._joined.values()))

    @property
    def ended(self) -> bool:
        """Whether no more will come."""
        return self._events.ended

    def next(self, timeout: float | None = None) -> dict[str, Any] | None:
        """Return the next event; None when the time is up or there will be no more."""
        return self._events.take(timeout)

    def close(self) -> None:
        """Want no more events."""
        self._ended.set()
        self._events.close(forget=True)
        for one in list(self._joined.values()):
            one.close()

    def __enter__(self) -> Tails:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _join(self, clients: Sequence[Client]) -> list[MoonqError]:
        """Subscribe to those that are new; returns why none takes part, if none does.

        One that runs an older version of the project may not know what is asked for.
        """
        refusals: list[MoonqError] = []
        fresh: dict[Client, Subscription] = {}
        for client in clients:
            if client in self._joined or client.is_gone:
                continue
            try:
                fresh[client] = client.subscribe("tail", **self._filters)
            except MoonqError as problem:
                refusals.append(problem)
        # All before the first is read: an event names its host where there are several.
        self._joined.update(fresh)
        for joined in fresh.items():
            threading.Thread(
                target=self._read, args=joined, name="moonq-tails-in", daemon=True
            ).start()
        return [] if self._joined else refusals

    def _read(self, client: Client, events: Subscription) -> None:
        for event in events:
            is_one = len(self._joined) == 1
            self._events.put(event if is_one else {**event, "host": client.place.name})
        try:
            self._asked.look()
        except MoonqError:
            self._events.close()
            self._ended.set()

    def _look(self) -> None:
        while not self._ended.wait(LOOK):
            with contextlib.suppress(MoonqError):
                self._join(self._asked.look())


def _answer(pending: Pending) -> Any:
    # In steps, because a signal that another thread gets does not wake this one.
    while not pending.is_done():
        pending.wait(0.25)
    return pending.wait()


Merge = Callable[[list[Any], Sequence[Client]], Any]


def _queues(answers: list[Any], clients: Sequence[Client]) -> Any:
    return merging.queues(
        answers, {one for client in clients for one in client.hello.get("own", ())}
    )


_MERGED: Mapping[str, Merge] = {
    "status": lambda answers, _: merging.statuses(answers),
    "queues": _queues,
    "consumers": lambda answers, _: merging.consumers(answers),
}
