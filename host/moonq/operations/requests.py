"""What all operations stand on: the host, the person, and the names that people use."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ConfigDict, validate_call

from moonq import log
from moonq.errors import NotFound
from moonq.model import Stored
from moonq.operations import choosing
from moonq.operations.choosing import Snapshots
from moonq.operations.documents import message_object
from moonq.operations.entries import Sending
from moonq.registry.project import Project
from moonq.run.queues import Route

if TYPE_CHECKING:
    from moonq.host import CallResult, Host
    from moonq.operations.meter import Meter
    from moonq.run.calling.calls import Call

_log = log.get("moonq.control")
Method = TypeVar("Method", bound=Callable[..., dict[str, Any]])


def checked(method: Method) -> Method:
    """Let *method* be called with plain data only that fits its annotations."""
    return validate_call(config=ConfigDict(strict=True))(method)


class Requests:
    """Where one person asks for something."""

    def __init__(
        self,
        host: Host,
        who: str,
        *,
        meter: Meter | None = None,
        stop: Callable[[bool], None] | None = None,
        sendings: Callable[[Project], Iterable[Sending]] = lambda _: (),
    ) -> None:
        self._host = host
        self._who = who
        self._meter = meter
        self._stop = stop
        self._sendings = sendings
        """Reads in scripts whom they send to."""
        self._snapshots = Snapshots()
        self._running: Call | None = None
        self._is_cancelled = False

    def expect(self) -> None:
        """A request is about to be done: what is cancelled from now on is that one."""
        self._is_cancelled = False

    def cancel(self) -> None:
        """Stop the function that was called by hand, and what it calls; from any thread."""
        self._is_cancelled = True
        if self._running is not None:
            self._running.cut_off()

    def _call(self, function: str, argument: str, **options: Any) -> CallResult:
        try:
            return self._host.call(function, argument, **options, begun=self._begun)
        finally:
            self._running = None

    def _begun(self, call: Call) -> None:
        self._running = call
        if self._is_cancelled:
            call.cut_off()

    def _queue(self, name: str) -> str:
        return self._host.project.id_of(name, "queue.queue")

    def _route(self, name: str) -> Route:
        return self._host.queues.route(self._queue(name))

    def _letters(self, name: str) -> tuple[str, Route, str | None]:
        """Return a queue, where its dead letters lie, and what they name as their origin.

        A queue of dead letters may be named itself: then all in it are meant.
        """
        queue = self._queue(name)
        project = self._host.project
        entry = project.entries.get(queue)
        named = (other.target("dead_letter") for other in project.entries.values())
        if entry is None or queue in named:
            return queue, self._host.queues.route(queue), None
        dead = entry.target("dead_letter")
        if dead is None:
            raise NotFound(f"{queue} keeps no dead letters (dead_letter: none)")
        origin = self._host.queues.route(queue).spec.name
        return queue, self._host.queues.route(dead), origin

    def _letters_in(
        self, route: Route, origin: str | None, error: str | None, older: float | None
    ) -> Iterator[Stored]:
        """Return the dead letters that are meant.

        Raises:
            NotFound: None has the kind of error that was named.
        """
        before = None if older is None else self._host.clock.now() - older
        found = choosing.letters_of(route, origin, error, before)
        if error is None:
            return found
        first = next(found, None) if choosing.is_fingerprint(error) else None
        if first is not None:
            return itertools.chain([first], found)
        if older is not None and choosing.is_fingerprint(error):
            return iter(())
        raise NotFound(
            f"no dead letter in {route.id} has the error {error!r}",
            hint=f"`moonq dead ls {route.id}` shows their fingerprints",
        )

    def _full_id(self, route: Route, shown: str) -> str:
        """Return a message's id, which people may shorten as log lines do: ``01a2…d3e8f1``."""
        head, dots, tail = shown.partition("…")
        if not dots:
            return shown
        names = (one.message.id for one in choosing.stored_in(route))
        found = [name for name in names if name.startswith(head) and name.endswith(tail)]
        return found[0] if len(found) == 1 else shown

    def _message(self, stored: Stored, *, full: bool, redact: bool) -> dict[str, Any]:
        hidden = self._host.project.settings.redact if redact else ()
        return message_object(stored, self._host.clock.now(), full=full, hidden=hidden)

    def record(self, action: str, detail: str, *, tries: bool = False) -> None:
        """Log what the person changes, or only *tries*: the one place that says who did what.

        In production a change is a warning, which is logged wherever little else is.
        """
        is_loud = self._host.project.settings.production and not tries
        level = logging.WARNING if is_loud else logging.INFO
        _log.log(level, "%s %s %s", self._who, action, detail, extra=log.AUDIT)
